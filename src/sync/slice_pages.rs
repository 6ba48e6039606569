//! The page that is fetched while the one before it is written. A slice has one thread for that, from the first such page
//! on: a thread for each page would cost more than a small page does.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};

use super::workers::Worker;
use crate::bug;
use crate::streams::{Page, PageToken};

/// A page, `None` if the stream ignores the response, or why there is none.
type Fetched = anyhow::Result<Option<Page>>;

/// Fetches the page of a token.
pub(super) type Fetch<'e> = dyn Fn(Option<&PageToken>) -> Fetched + Sync + 'e;

/// Fetches the next page of a slice, one at a time.
pub(super) struct PageAhead<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
    fetch: &'e Fetch<'e>,
    thread: Option<Thread<'e>>,
    /// A page was asked for and not yet taken.
    is_asked: bool,
}

struct Thread<'e> {
    tokens: Sender<(Option<PageToken>, Worker<'e>)>,
    pages: Receiver<Fetched>,
}

impl<'s, 'e> PageAhead<'s, 'e> {
    /// For a slice that is read within the scope.
    pub(super) fn new(scope: &'s Scope<'s, 'e>, fetch: &'e Fetch<'e>) -> Self {
        Self { scope, fetch, thread: None, is_asked: false }
    }

    /// Begins to fetch a page, with a worker that is given back when it is there. A page that was asked for before has
    /// to be taken first. If the system has no more threads, nothing is done.
    pub(super) fn ask(&mut self, token: Option<PageToken>, worker: Worker<'e>) {
        if self.thread.is_none() {
            self.thread = self.start();
        }
        let Some(thread) = &self.thread else { return };
        self.is_asked = thread.tokens.send((token, worker)).is_ok();
    }

    /// The page that was asked for, if one was. It is waited for.
    pub(super) fn take(&mut self) -> Option<Fetched> {
        if !std::mem::take(&mut self.is_asked) {
            return None;
        }
        // The thread catches panics: there is always a page, or what went wrong.
        self.thread.as_ref()?.pages.recv().ok()
    }

    fn start(&self) -> Option<Thread<'e>> {
        let (tokens, asked) = mpsc::channel::<(Option<PageToken>, Worker<'e>)>();
        let (fetched, pages) = mpsc::channel();
        let fetch = self.fetch;
        let work = move || {
            for (token, worker) in asked {
                let page = bug::caught(|| fetch(token.as_ref()));
                drop(worker);
                if fetched.send(page).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().spawn_scoped(self.scope, work).ok()?;
        Some(Thread { tokens, pages })
    }
}
