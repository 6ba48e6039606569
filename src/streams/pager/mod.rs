//! Paging, ready-made. There are a handful of ways in which APIs cut a list into pages; each is a small value here
//! that a stream holds and returns from [`super::HttpStream::pager`]. A stream that pages in a way of its own writes
//! [`super::HttpStream::next_page_token`] instead, or a [`Pager`].
//!
//! | the API gives | pager |
//! | --- | --- |
//! | everything at once | [`SinglePage`] |
//! | a cursor in the body | [`BodyCursor`] |
//! | nothing, and takes the last record's id | [`LastRecord`] |
//! | nothing, and takes a page number | [`PageNumber`] |
//! | nothing, and takes an offset | [`Offset`] |
//! | the next page's URL in the body | [`NextUrl`] |
//! | the next page's URL in a `Link` header | [`LinkHeader`] |
//!
//! `field_path` and `token_place` say where a pager finds things in a response and puts them in a request; `target`
//! follows URLs. That paging ends is nobody's duty here: who reads the pages watches over that.

mod body_cursor;
mod field_path;
mod last_record;
mod link_header;
mod next_url;
mod offset;
mod page_number;
mod single_page;
mod target;
#[cfg(test)]
mod tests;
mod token_place;

use super::{Page, PageToken};
use crate::http::HttpRequest;
use crate::protocol::Failure;

pub use body_cursor::BodyCursor;
pub use field_path::FieldPath;
pub use last_record::LastRecord;
pub use link_header::LinkHeader;
pub use next_url::NextUrl;
pub use offset::Offset;
pub use page_number::PageNumber;
pub use single_page::SinglePage;
pub use token_place::TokenPlace;

/// A way of paging: how a page reports the next one, and how that one is requested.
///
/// A stream without a ready-made pager that suits it may have its own:
///
/// ```
/// use source_http::http::HttpRequest;
/// use source_http::protocol::Failure;
/// use source_http::streams::pager::{Pager, TokenPlace};
/// use source_http::streams::{Page, PageToken};
///
/// /// The next cursor is in a header, and goes back in one.
/// struct HeaderCursor;
///
/// impl Pager for HeaderCursor {
///     fn next_page_token(&self, page: &Page, _: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
///         Ok(page.response.header("x-next").map(PageToken::from))
///     }
///     fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
///         match token {
///             Some(token) => TokenPlace::header("x-cursor").put(request, token),
///             None => Ok(()),
///         }
///     }
/// }
/// ```
pub trait Pager: Send + Sync {
    /// What it takes to ask for the page after this one, which was requested with `current`; `None` after the last.
    ///
    /// # Errors
    /// If the page promises more and does not say how to get it.
    fn next_page_token(&self, page: &Page, current: Option<&PageToken>) -> anyhow::Result<Option<PageToken>>;

    /// Makes the request one for the page of that token; `None` is the first page. What the stream itself says about
    /// the request is in it already.
    ///
    /// # Errors
    /// If the token, which may come from a state, is none of this pager.
    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure>;

    /// Whether a token names the same place later on. Default: true. Not so where pages or records are counted: a
    /// record that is deleted on an earlier page moves all that follow.
    fn is_resumable(&self) -> bool {
        true
    }
}

/// The failure for a token that this pager did not make: one from a state that an earlier version of the stream, or
/// another program, has written.
fn foreign_token(token: &PageToken, wanted: &str) -> Failure {
    Failure::config(format!(
        "The page token {token} in the state is not {wanted}. Remove `__resume` from the stream's state to read its \
         slice from the first page."
    ))
}
