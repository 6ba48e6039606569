//! One request's way through the cache: first what is kept, then, if that is nothing, one thread's fetch for all who
//! ask for the same.

use std::io;

use super::ResponseCache;
use super::cache_key::CacheKey;
use super::single_flight::{Leader, Outcome, Role};
use crate::http::{HttpRequest, Response};
use crate::protocol::{Failure, FailureKind, LogLevel, Output};

/// A request on its way. Dropped without [`Lookup::keep`], it has failed, and the next one may try.
pub(in crate::http) struct Lookup<'v> {
    cache: &'v ResponseCache,
    key: CacheKey,
    request: &'v HttpRequest,
    output: &'v Output,
    /// What was kept has been handed out. Asked again, it was of no use.
    handed_out: bool,
    /// The response cannot be kept, so there is nothing to wait for.
    alone: bool,
    leader: Option<Leader<'v>>,
    draft: Option<Vec<u8>>,
}

impl<'v> Lookup<'v> {
    pub(super) fn new(cache: &'v ResponseCache, key: CacheKey, request: &'v HttpRequest, output: &'v Output) -> Self {
        Self { cache, key, request, output, handed_out: false, alone: false, leader: None, draft: None }
    }

    /// The response that is kept, if need be after another thread has fetched it; `None` if the caller is to fetch it.
    /// To be called until then, or until a response is of use.
    ///
    /// # Errors
    /// The failure of a thread that has tried all this one could; or stdout is closed.
    pub(in crate::http) fn next(&mut self) -> anyhow::Result<Option<Response>> {
        while self.leader.is_none() && !self.alone && !self.cache.is_off() {
            if let Some(response) = self.look_up()? {
                return Ok(Some(response));
            }
            match self.cache.fetches.join(&self.key) {
                Role::Wait(fetch) => {
                    self.output.flush()?;
                    match fetch.wait() {
                        Outcome::GaveUp(failure) => return Err((*failure).into()),
                        outcome => self.alone = outcome == Outcome::NotKept,
                    }
                }
                Role::Lead(leader) => {
                    self.leader = Some(leader);
                    // Another fetch may have ended between the look and the boarding.
                    return Ok(self.look_up()?);
                }
            }
        }
        Ok(None)
    }

    /// Ends a fetch that failed. A transient failure is one for all who wait: they ask for the same of the same server.
    pub(in crate::http) fn fail(mut self, error: &anyhow::Error) {
        let failure = error.downcast_ref::<Failure>().filter(|failure| failure.kind == FailureKind::Transient);
        if let (Some(failure), Some(leader)) = (failure, self.leader.take()) {
            leader.land(Outcome::GaveUp(Box::new(failure.clone())));
        }
    }

    /// Prepares a response to be kept, should it prove good. One that repeats a secret is not: what is on a disk may
    /// outlive the process.
    pub(in crate::http) fn draft(&mut self, response: &Response) {
        let redactor = self.output.redactor();
        self.draft = match self.leader {
            Some(_) => self.cache.draft(&self.key, self.request, response, redactor),
            None => None,
        };
    }

    /// Keeps the last draft, which was good.
    pub(in crate::http) fn keep(mut self) -> io::Result<()> {
        let kept = match self.draft.take() {
            Some(entry) => self.cache.put(&self.key, &entry, self.output)?,
            None => false,
        };
        if let Some(leader) = self.leader.take() {
            leader.land(if kept { Outcome::Kept } else { Outcome::NotKept });
        }
        Ok(())
    }

    fn look_up(&mut self) -> io::Result<Option<Response>> {
        if self.handed_out {
            return Ok(None);
        }
        let found = self.cache.get(&self.key, self.request, self.output)?;
        if let Some(response) = &found {
            self.handed_out = true;
            if self.output.logs(LogLevel::Debug) {
                let (status, length) = (response.status, response.body.len());
                let line = format!("{}: {status}, {length} bytes from the response cache", self.request.describe());
                self.output.log(LogLevel::Debug, &line)?;
            }
        }
        Ok(found)
    }
}
