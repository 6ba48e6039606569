//! Ready-made pagination. APIs cut a list into pages in a handful of ways; each is a small value here that a stream
//! holds and returns from [`super::HttpStream::pager`]. A stream with its own way implements
//! [`super::HttpStream::next_page_token`] instead, or a [`Pager`].
//!
//! | the API returns | pager |
//! | --- | --- |
//! | everything at once | [`SinglePage`] |
//! | a cursor in the body | [`BodyCursor`] |
//! | nothing, and accepts the last record's id | [`LastRecord`] |
//! | nothing, and accepts a page number | [`PageNumber`] |
//! | nothing, and accepts an offset | [`Offset`] |
//! | the next page's URL in the body | [`NextUrl`] |
//! | the next page's URL in a `Link` header | [`LinkHeader`] |
//!
//! `field_path` and `token_place` locate values in responses and requests; `target` follows URLs. The caller that reads
//! the pages ensures that paging ends.

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

/// A way of paging: how a page leads to the next one, and how that one is requested.
///
/// A stream without a suitable ready-made pager may have its own:
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
    /// The token of the page after this one, which was requested with `current`; `None` after the last.
    ///
    /// # Errors
    /// If the page promises another one and does not say how to get it.
    fn next_page_token(&self, page: &Page, current: Option<&PageToken>) -> anyhow::Result<Option<PageToken>>;

    /// Changes the request into one for the page of that token; `None` is the first page. It already contains the
    /// stream's own parts.
    ///
    /// # Errors
    /// If the token, which may come from a state, is not this pager's.
    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure>;

    /// Whether a token names the same place later. Default: true. False for counted pages or records: a deletion on an
    /// earlier page shifts the rest.
    fn is_resumable(&self) -> bool {
        true
    }
}

/// The failure for a token that this pager did not make: one from a state of an earlier version of the stream, or
/// another program.
fn foreign_token(token: &PageToken, wanted: &str) -> Failure {
    Failure::config(format!(
        "The page token {token} in the state is not {wanted}. Remove `__resume` from the stream's state to read its \
         slice from the first page."
    ))
}
