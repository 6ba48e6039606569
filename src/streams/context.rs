//! The input of a stream's methods: the slice, the page, and the earlier state.

use std::sync::OnceLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{Fetcher, Page, Recent, Slice};
use crate::protocol::{Failure, Output, StreamState, SyncMode};

/// The characters that are encoded in a segment of a path: all but the unreserved ones of RFC 3986, section 2.3.
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The token that requests the next page: a number, a text, an object, as the stream chooses. States may store it.
///
/// A stream whose API does not page in one of the ways of [`super::pager`] makes its own:
///
/// ```
/// use serde_json::json;
/// use source_http::streams::{HttpStream, Page, PageToken, RequestContext};
///
/// struct Orders;
///
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
///     fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
///         let Some(last) = page.last() else { return Ok(None) };
///         Ok(Some(json!({"day": last.get::<String>("day"), "number": last.get::<u64>("number")})))
///     }
///     fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
///         match cx.page_token {
///             Some(last) => vec![("after".into(), format!("{}/{}", last["day"], last["number"]))],
///             None => Vec::new(),
///         }
///     }
/// }
/// ```
pub type PageToken = Value;

/// Why a part of a slice ended before its last page.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum PartEnd<'a> {
    /// The last record of this page shows that the rest of the part is out of the cursor's scope: see
    /// [`super::Cursor::scope`].
    OutOfScope(&'a Page),
    /// The page is refused with [`crate::http::ResponseAction::SkipSlice`].
    Refused,
}

/// How a slice continues after a part that ended early: see [`super::HttpStream::next_part`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NextPart {
    /// The page at which this read continues; `None` ends the slice.
    pub next: Option<PageToken>,
    /// The page that the next read requests again, of a part that was refused; `None` is the slice's first.
    pub again: Option<PageToken>,
}

/// The slices of a stream, made as they are read, by the worker that is free for the next one.
pub type Slices<'a> = Box<dyn Iterator<Item = anyhow::Result<Slice>> + Send + 'a>;

/// The input of every method that shapes a request.
///
/// Its methods return members that the slice must have. If one is missing, the read fails with a message that names the
/// existing members: before the request is sent, or before the record is written. For an optional member, use
/// `cx.slice.get("name")`.
#[derive(Debug, Clone)]
pub struct RequestContext<'a> {
    /// The stream's state when the sync began.
    pub state: &'a StreamState,
    /// The slice being read.
    pub slice: &'a Slice,
    /// Its page; `None` is the first.
    pub page_token: Option<&'a PageToken>,
    /// The first member of the slice that was requested and is missing, as a sentence. The methods of a stream return
    /// no errors: their caller checks here, see [`RequestContext::check`].
    problem: OnceLock<String>,
}

impl<'a> RequestContext<'a> {
    /// The context for this page of this slice.
    #[must_use]
    pub fn new(state: &'a StreamState, slice: &'a Slice, page_token: Option<&'a PageToken>) -> Self {
        Self { state, slice, page_token, problem: OnceLock::new() }
    }

    /// A member of the slice, unchanged. If it is missing or null, the read fails, and the returned value is not used.
    pub fn slice_value(&self, name: &str) -> &'a Value {
        match self.slice.get(name) {
            None => self.refuse(|| format!("has no member {name:?}")),
            Some(Value::Null) => self.refuse(|| format!("has null as its member {name:?}")),
            Some(value) => return value,
        }
        &Value::Null
    }

    /// A member of the slice as text: a string without its quotes, anything else as JSON. If it is missing or null, the
    /// read fails, and the returned value is not used.
    #[must_use]
    pub fn slice_text(&self, name: &str) -> String {
        match self.slice_value(name) {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }

    /// A member of the slice as a segment of a URL's path, with characters encoded that would end the segment, such as
    /// a slash. If it is missing or null, the read fails, and the returned value is not used. The same applies to an
    /// empty member, `.` or `..`: each would change the URL's path (WHATWG URL, section 4.4, encoded or not).
    #[must_use]
    pub fn path_segment(&self, name: &str) -> String {
        let text = self.slice_text(name);
        if matches!(text.as_str(), "" | "." | "..") {
            self.refuse(|| format!("has {text:?} as its member {name:?}, which cannot be a segment of a path"));
        }
        path_segment(&text)
    }

    fn refuse(&self, problem: impl FnOnce() -> String) {
        self.problem.get_or_init(problem);
    }

    /// Fails if a method of the stream has requested a missing member of the slice.
    ///
    /// # Errors
    /// A system failure that names the stream, the member and the existing members.
    pub(crate) fn check(&self, stream: &str) -> Result<(), Failure> {
        let Some(problem) = self.problem.get() else { return Ok(()) };
        let members: Vec<String> = self.slice.members().map(|(name, _)| format!("{name:?}")).collect();
        let members = match members.is_empty() {
            true => "The slice has no members".to_owned(),
            false => format!("Its members are {}", members.join(", ")),
        };
        Err(Failure::system(format!(
            "A slice of {stream:?} {problem}. {members}. Correct the stream's code, or the code that makes its slices."
        )))
    }
}

/// A text as a segment of a URL's path, with characters encoded that would end the segment, such as a slash.
pub(crate) fn path_segment(text: &str) -> String {
    match text {
        // Unencoded they would change the path. So would the encoded ones, but `join_url` refuses them.
        "." | ".." => text.replace('.', "%2E"),
        _ => utf8_percent_encode(text, &SEGMENT).to_string(),
    }
}

/// The input of [`super::HttpStream::stream_slices`].
#[derive(Clone, Copy)]
pub struct SliceContext<'a> {
    /// The sync mode.
    pub sync_mode: SyncMode,
    /// The earlier state; empty at the first sync.
    pub state: &'a StreamState,
    /// The cursor in force, which the user may have chosen. Empty if it is the stream's own, or there is none.
    pub cursor_field: &'a [String],
    /// Reads pages of other streams, for slices that come from them.
    pub fetcher: &'a Fetcher<'a>,
    /// Where to explain unusual slices.
    pub output: &'a Output,
}

/// The input of [`super::HttpStream::fetch_page`].
#[derive(Clone, Copy)]
pub struct FetchContext<'a> {
    /// Requests the page, and further parts of it.
    pub fetcher: &'a Fetcher<'a>,
    /// The records that the stream wrote lately. `None` if it writes everything, as in a full refresh.
    pub recent: Option<&'a Recent>,
    /// Where to report anything unusual.
    pub output: &'a Output,
    /// The stream's schema in the configured catalog. `None` without a catalog, as in a check, and for a parent.
    pub configured: Option<&'a Map<String, Value>>,
    /// Whether the page is read for the children of its records. It is not written, so additions that the children do
    /// not need can be left out.
    pub for_children: bool,
}

impl<'a> FetchContext<'a> {
    /// The context of a page outside of a read of its stream, such as in a check.
    pub(crate) fn new(fetcher: &'a Fetcher<'a>, output: &'a Output) -> Self {
        Self { fetcher, recent: None, output, configured: None, for_children: false }
    }
}

/// The input of [`super::HttpStream::json_schema`].
#[derive(Clone, Copy)]
pub struct SchemaContext<'a> {
    /// Sends requests, for a schema that the API knows better than the source: custom fields, tables of a user.
    pub fetcher: &'a Fetcher<'a>,
}
