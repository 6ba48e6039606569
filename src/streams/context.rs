//! What a stream's methods get: which part of the stream, which page of it, and what is known from before.

use std::sync::OnceLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{Fetcher, Recent, Slice};
use crate::protocol::{Failure, Output, StreamState, SyncMode};

/// What is encoded in a segment of a path: all but the unreserved characters of RFC 3986, section 2.3.
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What it takes to ask for the next page: a number, a text, an object; the stream's to choose. It is kept in states.
///
/// A stream whose API pages in none of the ways of [`super::pager`] makes its own:
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

/// How a slice is read on when one of its pages is refused with [`crate::http::ResponseAction::SkipSlice`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RefusedPage {
    /// The page that the next read asks for again; `None` is the slice's first.
    pub again: Option<PageToken>,
    /// The page of the slice at which this read goes on; `None` ends the slice.
    pub next: Option<PageToken>,
}

/// The slices of a stream, made while they are read, by whichever worker is free for the next one.
pub type Slices<'a> = Box<dyn Iterator<Item = anyhow::Result<Slice>> + Send + 'a>;

/// What every method that shapes a request gets.
///
/// Its methods give members of the slice that have to be there. If one is not, the read fails with a message that names
/// the members there are: before the request is sent, or before the record is written. A member that a slice may lack
/// is requested with `cx.slice.get("name")`.
#[derive(Debug, Clone)]
pub struct RequestContext<'a> {
    /// The stream's state when the sync began.
    pub state: &'a StreamState,
    /// The slice being read.
    pub slice: &'a Slice,
    /// The page of it; `None` is the first.
    pub page_token: Option<&'a PageToken>,
    /// The first member of the slice that was requested and could not be given, as a sentence. The methods of a stream
    /// return no errors: who calls them looks here, see [`RequestContext::check`].
    problem: OnceLock<String>,
}

impl<'a> RequestContext<'a> {
    /// What the methods of a stream get for this page of this slice.
    #[must_use]
    pub fn new(state: &'a StreamState, slice: &'a Slice, page_token: Option<&'a PageToken>) -> Self {
        Self { state, slice, page_token, problem: OnceLock::new() }
    }

    /// A member of the slice, as it is. If it is not there or null, the read fails, and what this returns is not used.
    pub fn slice_value(&self, name: &str) -> &'a Value {
        match self.slice.get(name) {
            None => self.refuse(|| format!("has no member {name:?}")),
            Some(Value::Null) => self.refuse(|| format!("has null as its member {name:?}")),
            Some(value) => return value,
        }
        &Value::Null
    }

    /// A member of the slice as text: a string without its quotes, anything else as JSON. If it is not there or null, the
    /// read fails, and what this returns is not used.
    #[must_use]
    pub fn slice_text(&self, name: &str) -> String {
        match self.slice_value(name) {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }

    /// A member of the slice as a segment of a URL's path: what would end the segment, such as a slash, is encoded. If it is
    /// not there or null, the read fails, and what this returns is not used. So it does if the member is empty, `.` or
    /// `..`: each would make the URL that of another place (WHATWG URL, section 4.4, encoded or not).
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

    /// Fails if a method of the stream has asked the slice for something that it cannot give.
    ///
    /// # Errors
    /// A system failure that names the stream, the member and the members that there are.
    pub(crate) fn check(&self, stream: &str) -> Result<(), Failure> {
        let Some(problem) = self.problem.get() else { return Ok(()) };
        let members: Vec<String> = self.slice.members().map(|(name, _)| format!("{name:?}")).collect();
        let members = match members.is_empty() {
            true => "The slice has no members".to_owned(),
            false => format!("Its members are {}", members.join(", ")),
        };
        Err(Failure::system(format!(
            "A slice of {stream:?} {problem}. {members}. Correct the stream's code, or what makes its slices."
        )))
    }
}

/// A text as a segment of a URL's path: what would end the segment, such as a slash, is encoded.
pub(crate) fn path_segment(text: &str) -> String {
    match text {
        // As they are they would lead to another place. So would this, but for `join_url`, which refuses it.
        "." | ".." => text.replace('.', "%2E"),
        _ => utf8_percent_encode(text, &SEGMENT).to_string(),
    }
}

/// What [`super::HttpStream::stream_slices`] gets.
#[derive(Clone, Copy)]
pub struct SliceContext<'a> {
    /// How the stream is read.
    pub sync_mode: SyncMode,
    /// What is known from before; empty at the first sync.
    pub state: &'a StreamState,
    /// The cursor in force, which the user may have chosen. Empty if it is the stream's own, or there is none.
    pub cursor_field: &'a [String],
    /// Reads pages of other streams, for slices that come from them.
    pub fetcher: &'a Fetcher<'a>,
    /// Where to say why there are such slices and no others.
    pub output: &'a Output,
}

/// What [`super::HttpStream::fetch_page`] gets.
#[derive(Clone, Copy)]
pub struct FetchContext<'a> {
    /// Asks for the page, and for what it lacks.
    pub fetcher: &'a Fetcher<'a>,
    /// What the stream gave lately. `None` if it gives everything, as in a full refresh.
    pub recent: Option<&'a Recent>,
    /// Where to say what is odd about it.
    pub output: &'a Output,
    /// The stream's schema in the configured catalog. `None` where there is no catalog, as in a check, and for a parent.
    pub configured: Option<&'a Map<String, Value>>,
}

/// What [`super::HttpStream::json_schema`] gets.
#[derive(Clone, Copy)]
pub struct SchemaContext<'a> {
    /// Asks the API, for a schema that it knows better than the source: custom fields, tables of a user.
    pub fetcher: &'a Fetcher<'a>,
}
