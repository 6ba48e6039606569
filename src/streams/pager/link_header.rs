//! The next page's URL in a `Link` header.

use super::{Pager, target};
use crate::http::{HttpRequest, link_target};
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// The response has the URL of the next page in a `Link` header with `rel="next"` (RFC 8288), absolute or relative to
/// its own. Without one it was the last. The URL is used as in [`super::NextUrl`].
///
/// ```
/// use source_http::streams::pager::LinkHeader;
///
/// // Link: <https://api.example.com/items?page=2>; rel="next", <...>; rel="last"
/// let pager = LinkHeader::new();
/// ```
#[derive(Debug, Clone, Default)]
pub struct LinkHeader {
    keep_params: bool,
}

impl LinkHeader {
    /// Follows links with the relation type `next`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the stream's own parameters that the URL lacks. Default: they are not added.
    #[must_use]
    pub fn keep_params(mut self) -> Self {
        self.keep_params = true;
        self
    }
}

impl Pager for LinkHeader {
    fn next_page_token(&self, page: &Page, _: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        let next = link_target(&page.response.headers, "next");
        Ok(next.map(|url| target::token(page, &url)).transpose()?)
    }

    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
        target::apply(token, request, self.keep_params)
    }
}
