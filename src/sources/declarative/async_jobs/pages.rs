//! The results of a job as pages: one result after the other, each with the pages of its paginator. The first page of a
//! slice creates the job.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::super::request::Slice;
use super::super::stream::DeclarativeStream;
use super::finished::Job;
use super::jobs::Jobs;
use crate::locks;
use crate::protocol::{Failure, LogLevel};
use crate::streams::{FetchContext, HttpStream, Page, PageToken, RequestContext};

/// A place among the pages of a job.
struct Spot {
    /// The number of the job.
    job: u64,
    /// The index of the result.
    target: usize,
    /// The page of that result.
    token: Option<PageToken>,
}

impl Spot {
    fn of(token: &PageToken) -> Option<Self> {
        let target = usize::try_from(token.get("target")?.as_u64()?).ok()?;
        let page = token.get("token").filter(|token| !token.is_null()).cloned();
        Some(Self { job: token.get("job")?.as_u64()?, target, token: page })
    }

    fn token(&self) -> PageToken {
        json!({"job": self.job, "target": self.target, "token": self.token})
    }
}

impl Jobs {
    /// A page of a slice, with a note of the place after it.
    ///
    /// # Errors
    /// If no job comes to a result, or the result cannot be read.
    pub(in super::super) fn page(
        &self,
        stream: &DeclarativeStream,
        cx: &RequestContext<'_>,
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Option<Page>> {
        let mut spot = match cx.page_token.map(Spot::of) {
            Some(Some(spot)) => spot,
            _ => match self.run(&stream.name, &Slice::of(cx.slice), fetch)? {
                Some(job) => Spot { job: self.keep(job), target: 0, token: None },
                None => return Ok(None),
            },
        };
        let mut is_asked_again = false;
        loop {
            let job = self.job(spot.job)?;
            let Some(slice) = job.slice(cx.slice, spot.target) else {
                self.end(spot.job, stream, fetch)?;
                return Ok(None);
            };
            let page = match stream.page_at(&RequestContext::new(cx.state, &slice, spot.token.as_ref()), fetch) {
                Ok(page) => page,
                Err(error) => {
                    if !is_asked_again
                        && is_refused(&error)
                        && let Some(moved) = self.moved(stream.name(), &job, spot.target, fetch)
                    {
                        is_asked_again = true;
                        locks::lock(&self.known).insert(spot.job, Arc::new(moved));
                        let text =
                            "a result of a job is no longer where the API said: it is requested where it is now.";
                        fetch.output.log(LogLevel::Info, &format!("{}: {text}", stream.name()))?;
                        continue;
                    }
                    self.end(spot.job, stream, fetch)?;
                    return Err(with_hint(error));
                }
            };
            let Some(page) = page else {
                // The next result is there anyway.
                spot = Spot { target: spot.target + 1, token: None, ..spot };
                continue;
            };
            if !page.note().is_null() {
                spot.token = Some(page.note().clone());
            }
            let page = page.with_note(json!({"spot": spot.token()}));
            // A page with an unusable token is good: the failure comes after it.
            let Ok(next) = self.next(stream, &page, cx) else { return Ok(Some(page)) };
            if next.is_none() {
                self.end(spot.job, stream, fetch)?;
            }
            return Ok(Some(page.with_note(json!({"spot": spot.token(), "next": next}))));
        }
    }

    /// The token of the page after one.
    ///
    /// # Errors
    /// If the page promises another one and does not say how to get it.
    pub(in super::super) fn next(
        &self,
        stream: &DeclarativeStream,
        page: &Page,
        cx: &RequestContext<'_>,
    ) -> anyhow::Result<Option<PageToken>> {
        if let Some(next) = page.note().get("next") {
            return Ok(Some(next.clone()).filter(|next| !next.is_null()));
        }
        let Some(spot) = page.note().get("spot").and_then(Spot::of) else { return Ok(None) };
        let job = self.job(spot.job)?;
        let Some(slice) = job.slice(cx.slice, spot.target) else { return Ok(None) };
        let inner = RequestContext::new(cx.state, &slice, spot.token.as_ref());
        let next = match stream.page_after(page, &inner)? {
            Some(token) => Spot { token: Some(token), ..spot },
            None if spot.target + 1 < job.targets() => Spot { target: spot.target + 1, token: None, ..spot },
            None => return Ok(None),
        };
        Ok(Some(next.token()))
    }

    fn keep(&self, job: Arc<Job>) -> u64 {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        locks::lock(&self.known).insert(number, job);
        number
    }

    fn job(&self, number: u64) -> Result<Arc<Job>, Failure> {
        let job = locks::lock(&self.known).get(&number).cloned();
        job.ok_or_else(|| Failure::system("The job of a page is no longer known. Read the stream again."))
    }

    /// No result of the job is needed now.
    fn end(&self, number: u64, stream: &DeclarativeStream, fetch: &FetchContext<'_>) -> anyhow::Result<()> {
        let job = locks::lock(&self.known).remove(&number);
        job.map_or(Ok(()), |job| self.delete(stream.name(), &job.slice, fetch))
    }

    /// Deletes the jobs whose results were not read to their ends.
    ///
    /// # Errors
    /// If stdout can no longer be written.
    pub(in super::super) fn clean_up(&self, stream: &str, fetch: &FetchContext<'_>) -> anyhow::Result<()> {
        let known = std::mem::take(&mut *locks::lock(&self.known));
        known.values().try_for_each(|job| self.delete(stream, &job.slice, fetch))
    }
}

/// Whether the API does not give a result out. Addresses of results expire.
fn is_refused(error: &anyhow::Error) -> bool {
    let failure = error.downcast_ref::<Failure>();
    let status = failure.filter(|failure| !failure.skips_stream && !failure.skips_slice && failure.otherwise.is_none());
    status.and_then(|failure| failure.http_status).is_some_and(|status| (400..500).contains(&status))
}

/// The error of a download. Where the API refuses it, the message says what else may be the reason.
fn with_hint(error: anyhow::Error) -> anyhow::Error {
    if !is_refused(&error) {
        return error;
    }
    match error.downcast::<Failure>() {
        Ok(failure) => {
            let hint =
                "The job was completed. If its result was kept for a short time only, the next run creates a new job.";
            Failure { message: format!("{} {hint}", failure.message), ..failure }.into()
        }
        Err(error) => error,
    }
}
