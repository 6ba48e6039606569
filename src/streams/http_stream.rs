//! The contract of a stream. Three methods are required; every other one has a default that suits most APIs.

use serde_json::json;
use url::Url;

use super::pager::{Pager, SinglePage};
use super::{
    Cursor, Delegate, FetchContext, NextPart, Page, PageToken, ParentStream, PartEnd, READ_WHOLE, Record, RecordFiles,
    Records, Refusal, RequestContext, SchemaContext, SchemaFolder, SchemaUse, SliceContext, Slices, Transformed,
};
use crate::http::auth::{Authenticator, NoAuth};
use crate::http::budget::RequestBudget;
use crate::http::{
    HttpRequest, Method, RequestBody, RequestOptions, Response, RetryRules, Undecodable, UsualRules, join_url,
    same_host,
};
use crate::json::RecordPath;
use crate::protocol::{Failure, JsonSchema, StreamState, SyncMode};

/// A stream of records behind an HTTP API.
///
/// A stream is a value: a plain struct that implements this trait. Its name, URL and schema are data, so one struct can
/// serve forty streams. With more than one worker (see [`crate::Source::num_workers`]), several threads call its
/// methods at once: for slices that are read in parallel, and for a page that is fetched while the previous one is
/// written.
///
/// ```
/// use source_http::json::RecordPath;
/// use source_http::streams::{HttpStream, RequestContext};
///
/// struct Employees;
///
/// impl HttpStream for Employees {
///     fn name(&self) -> &str {
///         "employees"
///     }
///     fn url_base(&self) -> &str {
///         "https://api.example.com/v1/"
///     }
///     fn path(&self, _: &RequestContext<'_>) -> String {
///         "employees".into()
///     }
///     fn record_path(&self) -> RecordPath {
///         RecordPath::new(["data"])
///     }
/// }
/// ```
pub trait HttpStream: Send + Sync {
    /// The stream's name, in lower snake case by convention.
    fn name(&self) -> &str;

    /// The start of every URL of the stream. A slash at its end makes no difference.
    fn url_base(&self) -> &str;

    /// The path after the base. A path that starts with `/` replaces the base's path; a whole URL replaces all of it,
    /// and is sent without credentials if its host differs.
    fn path(&self, cx: &RequestContext<'_>) -> String;

    /// The place of the records in a JSON response. Default: the response is the record, or the list of records.
    fn record_path(&self) -> RecordPath {
        RecordPath::default()
    }

    /// The stream's namespace. Default: none.
    fn namespace(&self) -> Option<&str> {
        None
    }

    /// Why this program cannot read the stream at all, though the source has it. The other streams are read. Default:
    /// it can be read.
    fn refusal(&self) -> Option<&Refusal> {
        None
    }

    /// The stream to read instead of this one when a read begins with this state: see [`Delegate`]. `None` is this one,
    /// the default. `state` has all its given members.
    ///
    /// # Errors
    /// A config failure if the state is invalid.
    fn for_state(&self, _state: &StreamState) -> Result<Option<Delegate<'_>>, Failure> {
        Ok(None)
    }

    /// Paths of the fields that identify a record. Default: none.
    fn primary_key(&self) -> Vec<Vec<String>> {
        Vec::new()
    }

    /// The cursor, which makes the stream incremental: its requests ask for records that are new since
    /// [`RequestContext::state`], which has the newest value so far under the cursor's field ([`super::CursorField`]),
    /// or for a span of time ([`super::DateSlicer`]). Default: [`super::NoCursor::resumable`], the stream is read
    /// whole.
    fn cursor(&self) -> &dyn Cursor {
        &READ_WHOLE
    }

    /// How the stream can be read. Default: full refresh, and incremental if there is a cursor field.
    fn sync_modes(&self) -> Vec<SyncMode> {
        match self.cursor().cursor_field().is_empty() && self.cursor().source_defined_cursor() {
            true => vec![SyncMode::FullRefresh],
            false => vec![SyncMode::FullRefresh, SyncMode::Incremental],
        }
    }

    /// Whether an interrupted read resumes at the page where it stopped. Return false if the API's page tokens do not
    /// outlive a connection. Default: [`HttpStream::pager`] decides: yes, except for numbered pages, because deletions
    /// shift them and records would be skipped.
    fn is_resumable(&self) -> bool {
        self.pager().is_resumable()
    }

    /// The folder from which the default of [`HttpStream::json_schema`] loads the schema. Default: none.
    fn schemas(&self) -> Option<SchemaFolder> {
        None
    }

    /// JSON Schema of a record. `discover` calls it; `read` does so only for a use in [`HttpStream::schema_use`].
    /// Default: the file with the stream's name in [`HttpStream::schemas`], or an object of any shape if there is no
    /// folder.
    ///
    /// A schema that only the API knows is requested over HTTP:
    ///
    /// ```
    /// # use serde_json::{Map, Value, json};
    /// # use source_http::protocol::JsonSchema;
    /// # use source_http::streams::{HttpStream, RequestContext, SchemaContext};
    /// # struct Contacts;
    /// impl HttpStream for Contacts {
    /// #   fn name(&self) -> &str { "contacts" }
    /// #   fn url_base(&self) -> &str { "https://api.example.com" }
    /// #   fn path(&self, _: &RequestContext<'_>) -> String { "contacts".into() }
    ///     fn json_schema(&self, cx: &SchemaContext<'_>) -> anyhow::Result<JsonSchema> {
    ///         let fields: Option<Vec<String>> = cx.fetcher.get_json(self, "contacts/fields", &[])?;
    ///         let properties: Map<String, Value> =
    ///             fields.unwrap_or_default().into_iter().map(|name| (name, json!({"type": "string"}))).collect();
    ///         Ok(json!({"type": "object", "properties": properties}).try_into()?)
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// A failure if there is no such file, or the API does not return it.
    fn json_schema(&self, _cx: &SchemaContext<'_>) -> anyhow::Result<JsonSchema> {
        match self.schemas() {
            Some(folder) => Ok(folder.load(self.name())?),
            None => Ok(json!({"type": "object", "additionalProperties": true}).try_into()?),
        }
    }

    /// What a read does with the schema: convert records to its types, reduce them to the configured columns, or load
    /// it because the API decides it. Default: nothing, records are written unchanged.
    fn schema_use(&self) -> SchemaUse {
        SchemaUse::default()
    }

    /// Signs the requests: one of [`crate::http::auth`], made with the stream. Streams of one account share one, in an
    /// `Arc`, and so its tokens. Default: none.
    fn authenticator(&self) -> &dyn Authenticator {
        &NoAuth
    }

    /// The request's method. Default: GET.
    fn http_method(&self) -> Method {
        Method::GET
    }

    /// Query parameters, in order. A pair that the URL already has is not repeated. Default: none.
    fn request_params(&self, _cx: &RequestContext<'_>) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Headers. Those of the authenticator win. Default: none.
    fn request_headers(&self, _cx: &RequestContext<'_>) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The body: see [`RequestBody`]. Default: empty.
    fn request_body(&self, _cx: &RequestContext<'_>) -> RequestBody {
        RequestBody::Empty
    }

    /// The whole request for a page, without credentials. Default: made of [`HttpStream::url_base`],
    /// [`HttpStream::path`] and the methods above; then [`HttpStream::pager`] changes it.
    ///
    /// ```
    /// use source_http::http::HttpRequest;
    /// use source_http::protocol::Failure;
    /// # use source_http::streams::{HttpStream, RequestContext};
    /// # struct Orders;
    /// impl HttpStream for Orders {
    /// #   fn name(&self) -> &str { "orders" }
    /// #   fn url_base(&self) -> &str { "https://api.example.com" }
    /// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
    ///     /// The API has told where the orders of a region are.
    ///     fn request(&self, cx: &RequestContext<'_>) -> anyhow::Result<HttpRequest> {
    ///         let url = cx.slice_text("orders_url").parse().map_err(|_| Failure::config("A region has no usable URL."))?;
    ///         Ok(HttpRequest::get(url))
    ///     }
    ///     fn sends_credentials_to(&self, url: &url::Url) -> bool {
    ///         url.host_str().is_some_and(|host| host.ends_with(".example.com"))
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If there is no such request. Nothing is sent then.
    fn request(&self, cx: &RequestContext<'_>) -> anyhow::Result<HttpRequest> {
        super::fetch::request_of_parts(self, cx)
    }

    /// Whether a request to this URL carries credentials: the authenticator's, and those among the stream's own
    /// headers. If not, the request is sent without them. Default: true if scheme, host and port are those of
    /// [`HttpStream::url_base`].
    fn sends_credentials_to(&self, url: &Url) -> bool {
        join_url(self.url_base(), "").is_ok_and(|base| same_host(&base, url))
    }

    /// Timeouts, redirects and the like. Default: [`RequestOptions::default`].
    fn request_options(&self, _cx: &RequestContext<'_>) -> RequestOptions {
        RequestOptions::default()
    }

    /// Whether good responses are cached for the length of a run, to answer the same request of any stream that does
    /// so, too: for lists that several streams read. The method does not matter: a search by POST may be like a GET.
    /// See [`crate::http::cache::ResponseCache`]. Default: false.
    ///
    /// A read caches no page of a list that is a parent or has one, unless two of the chosen streams read that list or
    /// one above it: see [`super::Sharing`].
    ///
    /// ```
    /// use source_http::streams::{HttpStream, RequestContext};
    ///
    /// struct Projects;
    ///
    /// impl HttpStream for Projects {
    ///     fn name(&self) -> &str {
    ///         "projects"
    ///     }
    ///     fn url_base(&self) -> &str {
    ///         "https://api.example.com"
    ///     }
    ///     fn path(&self, _: &RequestContext<'_>) -> String {
    ///         "projects".into()
    ///     }
    ///     fn use_cache(&self) -> bool {
    ///         true
    ///     }
    /// }
    /// ```
    fn use_cache(&self) -> bool {
        false
    }

    /// Limits the number and rate of requests. The streams of a source share one budget: an `Arc` of it, made with the
    /// streams. Default: none, no limit.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use source_http::http::budget::{BudgetPolicy, MovingWindow, RequestBudget};
    /// use source_http::streams::{HttpStream, RequestContext};
    ///
    /// struct Orders {
    ///     budget: Arc<RequestBudget>,
    /// }
    ///
    /// impl HttpStream for Orders {
    ///     fn name(&self) -> &str {
    ///         "orders"
    ///     }
    ///     fn url_base(&self) -> &str {
    ///         "https://api.example.com"
    ///     }
    ///     fn path(&self, _: &RequestContext<'_>) -> String {
    ///         "orders".into()
    ///     }
    ///     fn request_budget(&self) -> Option<&RequestBudget> {
    ///         Some(&self.budget)
    ///     }
    /// }
    ///
    /// let two_a_second = BudgetPolicy::new(MovingWindow::new(2, Duration::from_secs(1)));
    /// let orders = Orders { budget: Arc::new(RequestBudget::new().policy(two_a_second)) };
    /// # drop(orders);
    /// ```
    fn request_budget(&self) -> Option<&RequestBudget> {
        None
    }

    /// Extracts the records of a response. For CSV, JSON lines, XML and archives, use [`Records::decoded`]. Default:
    /// those at [`HttpStream::record_path`] in a JSON document.
    ///
    /// ```
    /// use serde_json::json;
    /// use source_http::http::{Response, Undecodable};
    /// use source_http::streams::{Record, Records};
    /// # use source_http::streams::{HttpStream, RequestContext};
    /// # struct Rates;
    /// impl HttpStream for Rates {
    /// #   fn name(&self) -> &str { "rates" }
    /// #   fn url_base(&self) -> &str { "https://api.example.com" }
    /// #   fn path(&self, _: &RequestContext<'_>) -> String { "rates".into() }
    ///     /// `[["EUR", 1.08], ...]` becomes `{"currency": "EUR", "rate": 1.08}`.
    ///     fn parse_response(&self, response: &Response, _: &RequestContext<'_>) -> Result<Records, Undecodable> {
    ///         let unreadable = |error: anyhow::Error| Undecodable { problem: error.to_string(), retry: false };
    ///         let rows: Vec<(String, f64)> = response.json().map_err(unreadable)?;
    ///         let record = |(currency, rate)| Record::from_text(json!({"currency": currency, "rate": rate}).to_string());
    ///         Ok(Records::made(rows.into_iter().map(record).collect()))
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If the response cannot be read; it is requested again if that may help.
    fn parse_response(&self, response: &Response, _cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        Records::at(response, &self.record_path())
    }

    /// Fetches a page that may need several requests: objects that a page names, in full, or the columns of a table in
    /// parts. [`super::Fetcher::for_all`] sends several requests at once. `None` is a response that the stream ignores.
    /// A page that is read [for the children of its records](FetchContext::for_children) may need less of them.
    /// Default: [`super::Fetcher::page`].
    ///
    /// # Errors
    /// The failures of the requests.
    fn fetch_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        fetch.fetcher.page(self, cx)
    }

    /// Ends work that the stream has begun at the API and nobody needs any longer, such as a job whose result was not
    /// read. Called at the end of a read and of a check. Default: nothing.
    ///
    /// # Errors
    /// If stdout can no longer be written. A refusal of the API is only a warning.
    fn clean_up(&self, _fetch: &FetchContext<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// Changes a record before it is written, drops it, or makes several of it: see [`Record`] and [`Transformed`].
    /// Default: unchanged.
    ///
    /// # Errors
    /// A failure to change the record. The stream ends with it, and the record is not written.
    fn transform<'a>(&self, record: Record<'a>, _cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        Ok(record.into())
    }

    /// The files of its records, such as attachments. `discover` reports that there are some. Default: none.
    fn files(&self) -> Option<&dyn RecordFiles> {
        None
    }

    /// The pagination, if it is one of the usual ways. It makes the last change to a request. Default: none.
    ///
    /// ```
    /// use source_http::streams::pager::{PageNumber, Pager};
    /// # use source_http::streams::{HttpStream, RequestContext};
    ///
    /// struct Orders {
    ///     pager: PageNumber,
    /// }
    ///
    /// impl HttpStream for Orders {
    /// #   fn name(&self) -> &str { "orders" }
    /// #   fn url_base(&self) -> &str { "https://api.example.com" }
    /// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
    ///     // ...
    ///     fn pager(&self) -> &dyn Pager {
    ///         &self.pager
    ///     }
    /// }
    ///
    /// let orders = Orders { pager: PageNumber::new("page").page_size_param("per_page", 100)? };
    /// # Ok::<(), source_http::protocol::Failure>(())
    /// ```
    fn pager(&self) -> &dyn Pager {
        &SinglePage
    }

    /// The token of the page after this one; `None` after the last. Every method that shapes a request gets it, as
    /// [`RequestContext::page_token`]: see [`PageToken`]. Default: [`HttpStream::pager`] decides.
    ///
    /// # Errors
    /// If the page promises another one and does not say how to get it.
    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        self.pager().next_page_token(page, cx.page_token)
    }

    /// How a slice continues that is read in parts, such as several lists, when a part ends before its last page: see
    /// [`PartEnd`]. `cx` is that of its last page. Default: the slice ends. If a page was refused, the next read requests
    /// the slice from its first page on.
    fn next_part(&self, _end: PartEnd<'_>, _cx: &RequestContext<'_>) -> NextPart {
        NextPart::default()
    }

    /// Its group: streams of one group are never read at the same time, with any number of workers, because they share
    /// something at the API, such as the only export it runs at a time. Default: none.
    fn group(&self) -> Option<&str> {
        None
    }

    /// The streams whose records are this one's slices, one stream after the other. A stream with one holds it and
    /// returns `std::slice::from_ref(&self.parent)`. Default: none.
    fn parents(&self) -> &[ParentStream] {
        &[]
    }

    /// The slices of the stream, made as they are read. A state is written after each. Default: those of
    /// [`HttpStream::cursor`]; for most cursors one for each record of [`HttpStream::parents`], or one, the whole
    /// stream.
    ///
    /// # Errors
    /// A config failure if the state is invalid.
    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        self.cursor().stream_slices(self.parents(), cx)
    }

    /// The rules for failed requests: which are retried, after what wait, how often, and the user's message. A table of
    /// [`crate::http::ResponseRule`]s, or any other [`RetryRules`]. Default: [`UsualRules`].
    fn retry_rules(&self) -> &dyn RetryRules {
        &UsualRules
    }
}
