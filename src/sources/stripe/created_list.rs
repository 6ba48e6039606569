//! A list of objects that never change, read in windows of creation time.

use std::sync::Arc;

use super::api::Api;
use super::row::Created;
use super::rules::Rules;
use super::stripe_stream::stripe_stream;
use crate::streams::{CreatedWindows, Cursor, DateWindows, HttpStream, RequestContext};

/// A stream of [`Created`] objects. Its state is `{"created": "SECONDS"}`, the newest object seen.
pub(super) struct CreatedList {
    row: &'static Created,
    api: Arc<Api>,
    rules: Rules,
    cursor: Box<dyn Cursor>,
}

impl CreatedList {
    pub(super) fn new(row: &'static Created, api: Arc<Api>) -> Self {
        let cursor = Box::new(CreatedWindows {
            stream: row.name.to_owned(),
            cursor_field: "created".to_owned(),
            start: api.config.start,
            step: api.config.slice_range,
            lookback: api.config.lookback,
            clock: api.clock.clone(),
        });
        let rules = Rules::of_account(api.clone());
        Self { row, api, rules, cursor }
    }
}

impl HttpStream for CreatedList {
    stripe_stream!();

    fn path(&self, _: &RequestContext<'_>) -> String {
        self.row.path.to_owned()
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        Api::list_params([], DateWindows::of(cx.slice))
    }
}
