//! The pages of a slice, one after the other. While a worker is free, a separate thread fetches them: once a page is
//! taken it requests the next, without waiting for the writer, and never more than one ahead. Otherwise the caller
//! fetches each page.
//!
//! A slice keeps one such thread from its first prefetched page: a thread for each page would cost more than a small
//! page, as would waking a writer before each request.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, Scope};

use crate::panics;
use crate::streams::paging::Paging;
use crate::streams::{Page, PageToken};
use crate::workers::{Worker, Workers};

/// A page, and the place after it.
pub(in crate::sync) struct FetchedPage {
    /// The token it was requested with; `None` is the first page.
    pub(in crate::sync) token: Option<PageToken>,
    /// `None` if the stream ignores the response.
    pub(in crate::sync) page: Option<Page>,
    /// The token of the next page, if there is one. The page is good even if its token is unusable.
    pub(in crate::sync) next: anyhow::Result<Option<PageToken>>,
}

/// Fetches the page at a place, and moves on to the place after it.
pub(in crate::sync) type FetchPage<'e> = dyn Fn(&mut Paging) -> anyhow::Result<FetchedPage> + Sync + 'e;

/// The pages of a slice, in order.
pub(in crate::sync) struct PagePrefetch<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
    fetch_page: &'e FetchPage<'e>,
    workers: &'e Workers,
    /// The place of the next page. The thread holds it while it prefetches.
    paging: Option<Paging>,
    thread: Option<Thread<'e>>,
}

struct Thread<'e> {
    places: Sender<(Paging, Worker<'e>)>,
    fetched: Receiver<Fetched>,
}

/// A message from the thread.
enum Fetched {
    FetchedPage(Box<anyhow::Result<FetchedPage>>),
    /// No worker is free for the next page.
    Back(Paging),
}

impl<'s, 'e> PagePrefetch<'s, 'e> {
    /// The pages from a place on, for a slice that is read within the scope.
    pub(in crate::sync) fn new(
        scope: &'s Scope<'s, 'e>,
        fetch_page: &'e FetchPage<'e>,
        workers: &'e Workers,
        token: Option<PageToken>,
    ) -> Self {
        Self { scope, fetch_page, workers, paging: Some(Paging::at(token)), thread: None }
    }

    /// The next page; waits for it.
    pub(in crate::sync) fn next(&mut self) -> anyhow::Result<FetchedPage> {
        if let Some(thread) = self.thread.as_ref().filter(|_| self.paging.is_none()) {
            // The thread catches panics: it always sends a page, or a failure.
            match thread.fetched.recv()? {
                Fetched::FetchedPage(turn) => return *turn,
                Fetched::Back(paging) => self.paging = Some(paging),
            }
        }
        (self.fetch_page)(self.paging.get_or_insert_default())
    }

    /// Continues at another place, after a page that was missing.
    pub(in crate::sync) fn go_on_at(&mut self, paging: Paging) {
        self.paging = Some(paging);
        // The thread ended with that page.
        self.thread = None;
    }

    /// Starts prefetching from the next page on, if a worker is free for it. Does nothing if the system has no more
    /// threads.
    pub(in crate::sync) fn go_ahead(&mut self) {
        if self.paging.is_none() {
            return;
        }
        let Some(worker) = self.workers.try_hire() else { return };
        if self.thread.is_none() {
            self.thread = self.start();
        }
        let Some(thread) = &self.thread else { return };
        // An existing thread takes it.
        if let Some(paging) = self.paging.take() {
            let _ = thread.places.send((paging, worker));
        }
    }

    fn start(&self) -> Option<Thread<'e>> {
        let (places, given) = mpsc::channel();
        // There is nothing between the two: either the thread has a page, or it was taken.
        let (fetched, taken) = mpsc::sync_channel(0);
        let (fetch_page, workers) = (self.fetch_page, self.workers);
        let work = move || {
            for (paging, worker) in given {
                if fetch_ahead(fetch_page, workers, &fetched, paging, worker).is_none() {
                    break;
                }
            }
        };
        thread::Builder::new().spawn_scoped(self.scope, work).ok()?;
        Some(Thread { places, fetched: taken })
    }
}

/// Fetches pages while there are any and a worker is free; it holds that worker only during the fetch. `None` at the
/// end.
fn fetch_ahead<'e>(
    fetch_page: &FetchPage<'_>,
    workers: &'e Workers,
    fetched: &SyncSender<Fetched>,
    mut paging: Paging,
    mut worker: Worker<'e>,
) -> Option<()> {
    loop {
        let turn = panics::caught(|| fetch_page(&mut paging));
        drop(worker);
        let is_last = !matches!(turn, Ok(FetchedPage { page: Some(_), next: Ok(Some(_)), .. }));
        fetched.send(Fetched::FetchedPage(Box::new(turn))).ok().filter(|()| !is_last)?;
        match workers.try_hire() {
            Some(free) => worker = free,
            None => return fetched.send(Fetched::Back(paging)).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use std::thread::ThreadId;

    use serde_json::json;

    use super::*;

    /// The page at a place, out of this many, counted from 0.
    fn turn(paging: &mut Paging, pages: u64) -> FetchedPage {
        let token = paging.token.take();
        let n = token.as_ref().map_or(0, |token| token.as_u64().unwrap());
        paging.token = (n + 1 < pages).then(|| json!(n + 1));
        FetchedPage { token, page: Some(Page::of("[]")), next: Ok(paging.token.clone()) }
    }

    /// Reads all pages, and returns the place of each.
    fn read(pages: &mut PagePrefetch<'_, '_>, mut on_page: impl FnMut()) -> Vec<u64> {
        let mut places = Vec::new();
        loop {
            let turn = pages.next().unwrap();
            places.push(turn.token.map_or(0, |token| token.as_u64().unwrap()));
            if turn.next.unwrap().is_none() {
                return places;
            }
            pages.go_ahead();
            on_page();
        }
    }

    #[test]
    fn pages_come_in_order_and_no_more_than_one_is_fetched_ahead() {
        let (fetched, taken) = (AtomicU64::new(0), AtomicU64::new(1));
        let fetch_page = |paging: &mut Paging| {
            assert!(fetched.fetch_add(1, SeqCst) <= taken.load(SeqCst), "a page too far");
            Ok(turn(paging, 200))
        };
        let workers = Workers::new(1);
        thread::scope(|scope| {
            let mut pages = PagePrefetch::new(scope, &fetch_page, &workers, None);
            let places = read(&mut pages, || {
                thread::yield_now();
                taken.fetch_add(1, SeqCst);
            });
            assert!(places.into_iter().eq(0..200));
        });
        assert_eq!(fetched.into_inner(), 200);
    }

    #[test]
    fn prefetching_ends_when_its_worker_is_needed_elsewhere_and_the_pages_continue() {
        let by: Mutex<Vec<ThreadId>> = Mutex::default();
        let fetch_page = |paging: &mut Paging| {
            by.lock().unwrap().push(thread::current().id());
            Ok(turn(paging, 100))
        };
        let workers = Workers::new(1);
        thread::scope(|scope| {
            let mut pages = PagePrefetch::new(scope, &fetch_page, &workers, None);
            let mut hired = None;
            let places = read(&mut pages, || {
                if hired.is_none() {
                    hired = Some(workers.hire());
                }
            });
            assert!(places.into_iter().eq(0..100));
        });
        let by = by.into_inner().unwrap();
        let here = thread::current().id();
        assert!(by[1] != here && by[2..].iter().all(|thread| *thread == here), "{by:?}");
    }

    #[test]
    fn a_page_that_fails_is_reported_in_its_place_and_so_is_a_panic() {
        let fetch_page = |paging: &mut Paging| {
            assert!(paging.token != Some(json!(2)), "no such page");
            Ok(turn(paging, 9))
        };
        let workers = Workers::new(1);
        thread::scope(|scope| {
            let mut pages = PagePrefetch::new(scope, &fetch_page, &workers, None);
            let mut turns = (0..3).map(|_| {
                let turn = pages.next();
                pages.go_ahead();
                turn.is_ok()
            });
            assert!(turns.by_ref().eq([true, true, false]));
        });
        assert!(workers.try_hire().is_some(), "the worker was given back");
    }
}
