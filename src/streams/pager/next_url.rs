//! The next page's URL in the body.

use super::{FieldPath, Pager, target};
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// The response has the URL of the next page, absolute or relative to its own. Without one, or with null or an empty
/// text, it was the last.
///
/// The URL replaces the stream's path and parameters. On another host it is requested without credentials. States store
/// it, unless the API repeats an access key in it: then an interrupted read reads its slice again.
///
/// ```
/// use source_http::streams::pager::NextUrl;
///
/// // {"data": [...], "links": {"next": "/v1/items?after=abc"}}
/// let pager = NextUrl::new(["links", "next"]);
/// ```
#[derive(Debug, Clone)]
pub struct NextUrl {
    url: FieldPath,
    keep_params: bool,
}

impl NextUrl {
    /// The URL is at a path of the response.
    pub fn new(url: impl Into<FieldPath>) -> Self {
        Self { url: url.into(), keep_params: false }
    }

    /// Adds the stream's own parameters that the URL lacks: for an API that forgets its filters. Default: they are not
    /// added.
    #[must_use]
    pub fn keep_params(mut self) -> Self {
        self.keep_params = true;
        self
    }
}

impl Pager for NextUrl {
    fn next_page_token(&self, page: &Page, _: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        let Some(url) = self.url.token(page)? else { return Ok(None) };
        let Some(url) = url.as_str() else {
            let text = format!(
                "There is {url} at {} in the response to {}, where a URL should be.",
                self.url, page.response.request
            );
            return Err(Failure::system(text).into());
        };
        Ok(Some(target::token(page, url)?))
    }

    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
        target::apply(token, request, self.keep_params)
    }
}
