//! The cache lookup of one request: first the stored response, otherwise one thread fetches for all that request the
//! same.

use std::io;

use super::ResponseCache;
use super::cache_key::CacheKey;
use super::single_flight::{Leader, Outcome, Role};
use crate::http::{HttpRequest, Response};
use crate::protocol::{Failure, FailureKind, LogLevel, Output};

/// A lookup in progress. Dropped without [`Lookup::keep`], it has failed, and the next one may try.
pub(in crate::http) struct Lookup<'v> {
    cache: &'v ResponseCache,
    key: CacheKey,
    request: &'v HttpRequest,
    output: &'v Output,
    /// The stored response was returned. A second call means that it was unusable.
    handed_out: bool,
    /// The response cannot be stored, so there is nothing to wait for.
    alone: bool,
    leader: Option<Leader<'v>>,
    draft: Option<Vec<u8>>,
}

impl<'v> Lookup<'v> {
    pub(super) fn new(cache: &'v ResponseCache, key: CacheKey, request: &'v HttpRequest, output: &'v Output) -> Self {
        Self { cache, key, request, output, handed_out: false, alone: false, leader: None, draft: None }
    }

    /// The stored response, possibly after another thread has fetched it; `None` if the caller must fetch it. Call it
    /// until then, or until a response is usable.
    ///
    /// # Errors
    /// The failure of another thread that tried everything this one could; or stdout is closed.
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
                    // Another fetch may have ended between the check and this one.
                    return Ok(self.look_up()?);
                }
            }
        }
        Ok(None)
    }

    /// Ends a failed fetch. A transient failure is shared with all that wait: they would ask the same server for the
    /// same.
    pub(in crate::http) fn fail(mut self, error: &anyhow::Error) {
        let failure = error.downcast_ref::<Failure>().filter(|failure| failure.kind == FailureKind::Transient);
        if let (Some(failure), Some(leader)) = (failure, self.leader.take()) {
            leader.land(Outcome::GaveUp(Box::new(failure.clone())));
        }
    }

    /// Prepares a response for storing, once it proves good. One that repeats a secret is not stored: files may outlive
    /// the process.
    pub(in crate::http) fn draft(&mut self, response: &Response) {
        let redactor = self.output.redactor();
        self.draft = match self.leader {
            Some(_) => self.cache.draft(&self.key, self.request, response, redactor),
            None => None,
        };
    }

    /// Stores the last draft, which was good.
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
