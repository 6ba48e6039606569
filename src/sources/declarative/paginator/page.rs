//! What a paginator knows of a page, and what it answers.

use serde_json::Value;

use super::super::request::Slice;
use super::super::template::Json;
use crate::http::{HeaderMap, StatusCode};

/// What a page came to.
#[derive(Debug, Clone, Copy)]
pub(in crate::sources::declarative) struct Page<'a> {
    /// The status of the response.
    pub(in crate::sources::declarative) status: StatusCode,
    /// Its headers.
    pub(in crate::sources::declarative) headers: &'a HeaderMap,
    /// Its body as one JSON value, such as what an XML decoder made of it. None if there is none.
    pub(in crate::sources::declarative) body: Option<Json<'a>>,
    /// The text of the last record that passed the filter, as a JSON object.
    pub(in crate::sources::declarative) last_record: Option<&'a str>,
    /// Records that passed the filter.
    pub(in crate::sources::declarative) kept: u64,
    /// Records before the filter.
    pub(in crate::sources::declarative) found: u64,
    /// The token that the page was requested with.
    pub(in crate::sources::declarative) token: Option<&'a Value>,
    /// The page size that it was requested with, if it is not the manifest's.
    pub(in crate::sources::declarative) size: Option<i64>,
    /// The slice.
    pub(in crate::sources::declarative) slice: &'a Slice,
}

/// What comes after a page.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sources::declarative) enum Next {
    /// The page of this token.
    Page(Value),
    /// There is none, for this reason, which is logged at debug level.
    End(&'static str),
}
