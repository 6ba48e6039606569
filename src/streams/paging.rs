//! Going from page to page, and seeing to it that it ends.

use super::loop_guard::LoopGuard;
use super::page_guard::PageGuard;
use super::{HttpStream, Page, PageToken};
use crate::protocol::Failure;

/// Empty pages in a row after which an API that promises more is not believed.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// A place in a chain of pages.
#[derive(Debug, Default)]
pub(crate) struct Paging {
    /// The page to ask for; `None` is the first.
    pub(crate) token: Option<PageToken>,
    guard: LoopGuard,
    page_guard: PageGuard,
    empty_pages: u32,
}

impl Paging {
    /// A place to go on from.
    pub(crate) fn at(token: Option<PageToken>) -> Self {
        Self { token, ..Self::default() }
    }

    /// Goes on to the next page. False if there is none.
    ///
    /// # Errors
    /// If the pages go in a circle, or promise more for ever and bring nothing new.
    pub(crate) fn advance(
        &mut self,
        stream: &dyn HttpStream,
        page: &Page,
        next: Option<PageToken>,
    ) -> anyhow::Result<bool> {
        let Some(next) = next else { return Ok(false) };
        self.empty_pages = if page.is_blank() { self.empty_pages + 1 } else { 0 };
        let why = if self.guard.repeats(&next) {
            format!("the page token {next} came back, so the same pages would be read for ever")
        } else if self.empty_pages >= MAX_EMPTY_PAGES {
            format!("{} pages in a row were empty and each promised another one", self.empty_pages)
        } else {
            self.page_guard.check(stream, page)?;
            self.token = Some(next);
            return Ok(true);
        };
        Err(Failure::system(format!(
            "The paging of {:?} does not end: {why}. The last answer was to {}. This is a fault of the API, or of the \
             stream's next_page_token.",
            stream.name(),
            page.response.request
        ))
        .into())
    }
}

/// Whether an error may come from a page token that is no longer good, rather than from the network or credentials.
pub(crate) fn is_stale_token(error: &anyhow::Error) -> bool {
    let status = error.downcast_ref::<Failure>().and_then(|failure| failure.http_status);
    matches!(status, Some(400 | 404 | 410 | 422))
}
