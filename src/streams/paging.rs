//! Reads page after page, ensures that paging ends, and goes back when a page token is no longer valid.

use super::loop_guard::LoopGuard;
use super::page_guard::PageGuard;
use super::{HttpStream, Page, PageToken};
use crate::protocol::Failure;

/// Empty pages in a row after which an API's promise of more is not believed.
const MAX_EMPTY_PAGES: u32 = 1_000;
/// How often a read of one slice goes back because of an expired page token.
const MAX_RETURNS: u32 = 2;

/// A place in a chain of pages.
#[derive(Debug, Default)]
pub(crate) struct Paging {
    /// The page to request; `None` is the first.
    pub(crate) token: Option<PageToken>,
    /// Whether these pages were already read and led to a failure: the response cache must not answer.
    pub(crate) is_fresh: bool,
    guard: LoopGuard,
    page_guard: PageGuard,
    empty_pages: u32,
}

impl Paging {
    /// A place to resume from.
    pub(crate) fn at(token: Option<PageToken>) -> Self {
        Self { token, ..Self::default() }
    }

    /// A place to go back to.
    pub(crate) fn back_at(token: Option<PageToken>) -> Self {
        Self { token, is_fresh: true, ..Self::default() }
    }

    /// Moves on to the next page. False if there is none.
    ///
    /// # Errors
    /// If the pages form a cycle, or promise more forever without new records.
    pub(crate) fn advance(
        &mut self,
        stream: &dyn HttpStream,
        page: &Page,
        next: Option<PageToken>,
    ) -> anyhow::Result<bool> {
        let Some(next) = next else { return Ok(false) };
        self.empty_pages = if page.is_blank() { self.empty_pages + 1 } else { 0 };
        let why = if self.guard.repeats(&next) {
            format!("the page token {next} came back, so the same pages would be read forever")
        } else if self.empty_pages >= MAX_EMPTY_PAGES {
            format!("{} pages in a row were empty and each promised another one", self.empty_pages)
        } else {
            self.page_guard.check(stream, page)?;
            self.token = Some(next);
            return Ok(true);
        };
        Err(Failure::system(format!(
            "Pagination of {:?} does not end: {why}. The last answer was to {}. This is a fault of the API, or of the \
             stream's next_page_token.",
            stream.name(),
            page.response.request
        ))
        .into())
    }
}

/// The way back in a slice. A page token may name something that is gone when it is used: the object before the next
/// page was deleted, a search has expired. Then the read goes back to the last existing page, and if that one's token
/// is invalid too, to the slice's first. Records may come twice, but none is lost.
///
/// `K` is the knowledge before a page, such as the newest cursor value.
#[derive(Debug)]
pub(crate) struct WayBack<K> {
    left: u32,
    last: Option<(Option<PageToken>, K)>,
    failed: Option<PageToken>,
}

impl<K> Default for WayBack<K> {
    fn default() -> Self {
        Self { left: MAX_RETURNS, last: None, failed: None }
    }
}

impl<K: Default> WayBack<K> {
    /// Records an existing page, and the knowledge before it.
    pub(crate) fn note(&mut self, token: Option<PageToken>, before: K) {
        self.last = Some((token, before));
    }

    /// Whether no page was there yet. With a page token, an earlier read stopped there.
    pub(crate) fn is_at_start(&self) -> bool {
        self.last.is_none()
    }

    /// Where to go back to when the page of a token is missing: it was ignored, or failed with `error`. `None` if the
    /// token is not at fault, or going back does not help.
    pub(crate) fn back(
        &mut self,
        stream: &dyn HttpStream,
        token: Option<&PageToken>,
        error: Option<&anyhow::Error>,
    ) -> Option<(Option<PageToken>, K)> {
        let token = token?;
        let is_stale = error.is_none_or(is_stale_token);
        // A token that was kept for long is the likeliest cause. A new one is not, if the API states what it refuses,
        // or if pages are counted.
        let is_likely = self.is_at_start() || stream.is_resumable() && !error.is_some_and(is_refusal);
        let came_again = self.failed.as_ref() == Some(token);
        if !is_stale || !is_likely || came_again || self.left == 0 {
            return None;
        }
        self.left -= 1;
        self.failed = Some(token.clone());
        Some(self.last.take().unwrap_or_default())
    }
}

/// Whether an error refuses a slice or a stream.
fn is_refusal(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|failure: &Failure| failure.skips_slice || failure.skips_stream)
}

/// Whether an expired page token may cause an error, rather than the network or credentials.
fn is_stale_token(error: &anyhow::Error) -> bool {
    let status = error.downcast_ref::<Failure>().and_then(|failure| failure.http_status);
    matches!(status, Some(400 | 404 | 410 | 422))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::streams::RequestContext;

    /// Whether its pages can be resumed later, or are counted.
    struct Items(bool);

    impl HttpStream for Items {
        fn name(&self) -> &'static str {
            "items"
        }
        fn url_base(&self) -> &'static str {
            "http://a.com"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            "items".into()
        }
        fn is_resumable(&self) -> bool {
            self.0
        }
    }

    fn error(status: u16) -> anyhow::Error {
        Failure::system("no").with_http_status(status).into()
    }

    fn back(way: &mut WayBack<u8>, token: &str, status: u16) -> Option<(Option<PageToken>, u8)> {
        way.back(&Items(true), Some(&json!(token)), Some(&error(status)))
    }

    #[test]
    fn a_read_goes_back_a_page_then_to_the_beginning_and_no_further() {
        let mut way = WayBack::default();
        way.note(None, 0);
        way.note(Some(json!("b")), 7);
        assert_eq!(back(&mut way, "c", 400), Some((Some(json!("b")), 7)));
        assert_eq!(back(&mut way, "b", 400), Some((None, 0)));
        way.note(None, 0);
        assert_eq!(back(&mut way, "a", 400), None, "twice a slice");
    }

    #[test]
    fn a_token_that_comes_again_is_not_the_cause() {
        let mut way = WayBack::default();
        way.note(None, 0);
        assert_eq!(back(&mut way, "b", 404), Some((None, 0)));
        way.note(None, 0);
        assert_eq!(back(&mut way, "b", 404), None);
    }

    #[test]
    fn only_failures_that_a_token_may_cause_are_a_reason_to_go_back() {
        let at = |noted: bool, resumable: bool, token: Option<PageToken>, error: Option<anyhow::Error>| {
            let mut way = WayBack::<u8>::default();
            if noted {
                way.note(None, 0);
            }
            way.back(&Items(resumable), token.as_ref(), error.as_ref()).is_some()
        };
        let token = || Some(json!("b"));
        let refusal = || Failure { skips_slice: true, ..Failure::config("no").with_http_status(404) }.into();
        assert!(at(true, true, token(), None), "the API's error is one that the stream ignores");
        assert!(!at(true, true, None, Some(error(404))), "the first page");
        assert!(!at(true, true, token(), Some(error(500))));
        assert!(!at(true, false, token(), Some(error(404))), "counted pages end so");
        assert!(!at(true, true, token(), Some(refusal())), "the API says what it refuses");
        assert!(at(false, true, token(), Some(refusal())), "a token of an earlier read");
    }
}
