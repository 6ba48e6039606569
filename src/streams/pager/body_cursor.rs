//! A cursor in each response.

use super::{FieldPath, Pager, TokenPlace};
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// The response contains the cursor of the next page. Without one, or with null or an empty text, it was the last.
///
/// ```
/// use source_http::streams::pager::BodyCursor;
///
/// // {"data": [...], "meta": {"next_cursor": "abc", "has_more": true}}  ->  ?cursor=abc
/// let pager = BodyCursor::new(["meta", "next_cursor"], "cursor").has_more(["meta", "has_more"]);
/// ```
#[derive(Debug, Clone)]
pub struct BodyCursor {
    cursor: FieldPath,
    place: TokenPlace,
    has_more: Option<FieldPath>,
}

impl BodyCursor {
    /// The cursor is at a path of the response, and goes to a place in the next request.
    pub fn new(cursor: impl Into<FieldPath>, place: impl Into<TokenPlace>) -> Self {
        Self { cursor: cursor.into(), place: place.into(), has_more: None }
    }

    /// The response says at this path whether there is more. If it says no, the cursor is ignored; if it says yes
    /// without a cursor, the stream fails. Default: the cursor alone decides.
    #[must_use]
    pub fn has_more(mut self, path: impl Into<FieldPath>) -> Self {
        self.has_more = Some(path.into());
        self
    }
}

impl Pager for BodyCursor {
    fn next_page_token(&self, page: &Page, _: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        let has_more = self.has_more.as_ref().map_or(Ok(None), |path| path.flag(page))?;
        if has_more == Some(false) {
            return Ok(None);
        }
        let token = self.cursor.token(page)?;
        if token.is_none() && has_more == Some(true) {
            let request = &page.response.request;
            let text =
                format!("The response to {request} says that there is more, but has no cursor at {}.", self.cursor);
            return Err(Failure::system(text).into());
        }
        Ok(token)
    }

    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
        token.map_or(Ok(()), |token| self.place.put(request, token))
    }
}
