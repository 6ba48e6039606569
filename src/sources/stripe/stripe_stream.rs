//! The methods of a stream that are the same for every stream of Stripe.

/// Writes the methods of [`crate::streams::HttpStream`] that are the same for every stream of Stripe.
macro_rules! stripe_stream {
    () => {
        fn name(&self) -> &str {
            super::row::Row::name(self.row)
        }

        fn url_base(&self) -> &str {
            self.api.url_base()
        }

        fn record_path(&self) -> crate::json::RecordPath {
            crate::json::RecordPath::new(["data"])
        }

        fn primary_key(&self) -> Vec<Vec<String>> {
            if super::row::Row::has_id(self.row) { vec![vec!["id".to_owned()]] } else { Vec::new() }
        }

        fn schemas(&self) -> Option<crate::streams::SchemaFolder> {
            Some(super::schemas::SCHEMAS)
        }

        fn authenticator(&self) -> &dyn crate::http::auth::Authenticator {
            self.api.authenticator()
        }

        fn request_budget(&self) -> Option<&crate::http::budget::RequestBudget> {
            Some(self.api.request_budget())
        }

        fn request_headers(&self, _: &crate::streams::RequestContext<'_>) -> Vec<(String, String)> {
            self.api.headers(super::row::Row::version(self.row))
        }

        fn pager(&self) -> &dyn crate::streams::pager::Pager {
            self.api.pager()
        }

        fn cursor(&self) -> &dyn crate::streams::Cursor {
            &*self.cursor
        }

        fn retry_rules(&self) -> &dyn crate::http::RetryRules {
            &self.rules
        }
    };
}
pub(super) use stripe_stream;
