//! One job, from its creation to its end. It waits between requests, and never waits forever: a failed job is retried a
//! few times, and the slice fails only if no job came to a result.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::request::Slice;
use super::finished::Job;
use super::jobs::Jobs;
use super::requester::JobRequester;
use super::status::{Status, found};
use super::variables::{CREATION, POLLING};
use crate::protocol::{Failure, FailureKind, LogLevel};
use crate::streams::FetchContext;

/// Time between two requests for the status of a job.
const POLL: Duration = Duration::from_secs(5);
/// Jobs that are created for a slice, while they fail.
const ATTEMPTS: u32 = 3;
/// Status answers in a row without a usable status, after which the job is given up.
const MAX_ODD: u32 = 5;

/// The outcome of a job.
enum End {
    Completed(Arc<Job>),
    Skipped,
    /// Another job may come to a result.
    Failed(String),
}

/// How a job ended at the API.
enum Ended {
    /// With the answer that said so, and its documents.
    Completed(Value, Vec<String>),
    Skipped,
    Failed(String),
    /// As failed, but it may still run.
    GivenUp(String),
}

impl Jobs {
    /// Creates jobs until the slice has a result. `None` if the API says that there is nothing to download.
    ///
    /// # Errors
    /// If no job comes to a result, the user has to fix something, or the run must stop.
    pub(super) fn run(
        &self,
        stream: &str,
        slice: &Slice,
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Option<Arc<Job>>> {
        let log = |level, text: String| fetch.output.log(level, &format!("{stream}: {text}"));
        for attempt in 1.. {
            let permit = self.limit.take(fetch.fetcher)?;
            let end = self.attempt(stream, slice, fetch)?;
            drop(permit);
            let why = match end {
                End::Completed(job) => return Ok(Some(job)),
                End::Skipped => {
                    log(LogLevel::Info, "the API says that there is nothing to download for this slice.".to_owned())?;
                    return Ok(None);
                }
                End::Failed(why) => why,
            };
            if attempt == ATTEMPTS {
                let text = format!("No job for a slice came to a result in {ATTEMPTS} attempts. The last one: {why}");
                return Err(Failure::system(text).into());
            }
            let wait = self.retry_wait.unwrap_or(POLL);
            let seconds = wait.as_secs_f64();
            log(
                LogLevel::Warn,
                format!("{why} Another job is created in {seconds} s, after {attempt} of {ATTEMPTS}."),
            )?;
            fetch.fetcher.wait(wait)?;
        }
        Ok(None)
    }

    fn attempt(&self, stream: &str, slice: &Slice, fetch: &FetchContext<'_>) -> anyhow::Result<End> {
        let created = self.creation.ask(slice, fetch.fetcher).and_then(|answer| match answer {
            Some(answer) => Ok(answer.context(&self.decoder)?),
            None => Err(Failure::system("The answer to the request for a job is ignored.").into()),
        });
        let creation = match created {
            Ok(creation) => creation,
            Err(error) => {
                let failure = mendable(error)?;
                return Ok(End::Failed(format!("No job was created: {failure}")));
            }
        };
        let slice = with(slice, CREATION, creation.clone());
        let ended = self.wait_for_end(stream, &slice, fetch);
        if let Err(_) | Ok(Ended::GivenUp(_)) = ended {
            self.abort(stream, &slice, fetch)?;
        }
        Ok(match ended? {
            Ended::Completed(polling, documents) => {
                match self.targets(stream, &with(&slice, POLLING, polling.clone()), &documents, fetch) {
                    Ok(targets) => End::Completed(Arc::new(Job { slice, creation, polling, targets })),
                    Err(error) => {
                        self.delete(stream, &slice, fetch)?;
                        return Err(error);
                    }
                }
            }
            Ended::Skipped => End::Skipped,
            Ended::Failed(why) | Ended::GivenUp(why) => End::Failed(why),
        })
    }

    /// Polls the status of a job until it has ended.
    fn wait_for_end(&self, stream: &str, slice: &Slice, fetch: &FetchContext<'_>) -> anyhow::Result<Ended> {
        let begun = fetch.fetcher.elapsed();
        let (mut odd, mut told) = (0, String::new());
        loop {
            let polled = self.polling.ask(slice, fetch.fetcher).and_then(|answer| match answer {
                Some(answer) => {
                    let documents = answer.documents(&self.decoder)?;
                    let status = self.statuses.of(&documents)?;
                    Ok((answer, documents, status))
                }
                None => Err(Failure::system("The answer about the status of a job is ignored.").into()),
            });
            let why = match polled {
                Ok((answer, documents, Ok(Status::Completed))) => match answer.context(&self.decoder) {
                    Ok(context) => return Ok(Ended::Completed(context, documents)),
                    Err(failure) => failure.message,
                },
                Ok((.., Ok(Status::Skipped))) => return Ok(Ended::Skipped),
                Ok((.., Ok(Status::Failed))) => {
                    return Ok(Ended::Failed("The API says that the job failed.".to_owned()));
                }
                Ok((.., Ok(Status::TimedOut))) => {
                    return Ok(Ended::GivenUp("The API says that the job took too long.".to_owned()));
                }
                Ok((.., Ok(Status::Running))) => {
                    odd = 0;
                    String::new()
                }
                Ok((.., Err(word))) => word.map_or_else(
                    || "The answer about a job has no status where `status_extractor` looks.".to_owned(),
                    |word| {
                        format!(
                            "The API says that a job is `{word}`, and `status_mapping` does not say what that means. \
                                 Add it to one of its lists."
                        )
                    },
                ),
                Err(error) => mendable(error)?.message,
            };
            if !why.is_empty() {
                odd += 1;
                if odd == MAX_ODD {
                    let text = format!("{odd} requests in a row for the status of a job failed. {why}");
                    return Ok(Ended::GivenUp(text));
                }
                if told != why {
                    let text = format!("{stream}: {why} It is asked again in {} s.", POLL.as_secs());
                    fetch.output.log(LogLevel::Warn, &text)?;
                    told = why;
                }
            }
            let left = (begun + self.timeout).saturating_sub(fetch.fetcher.elapsed());
            if left.is_zero() {
                let minutes = self.timeout.as_secs() / 60;
                let text = format!("A job had not ended after {minutes} minutes, the `polling_job_timeout`.");
                return Ok(Ended::GivenUp(text));
            }
            fetch.fetcher.wait(POLL.min(left))?;
        }
    }

    /// Where the results of a job are. One that is null is none.
    fn targets(
        &self,
        stream: &str,
        slice: &Slice,
        documents: &[String],
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Vec<Value>> {
        let Some(extractor) = &self.target_extractor else { return Ok(vec![Value::String(String::new())]) };
        let answer = match &self.targets {
            Some(requester) => match requester.ask(slice, fetch.fetcher)? {
                Some(answer) => &answer.documents(&self.decoder)?,
                None => return Ok(Vec::new()),
            },
            None => documents,
        };
        let (mut targets, nowhere) = found(extractor, answer)?;
        targets.retain(|target| !target.is_null());
        if let Some(nowhere) = nowhere.filter(|_| targets.is_empty()) {
            let text = format!("{stream}: a job is completed, and its slice has no records. {nowhere}");
            fetch.output.log(LogLevel::Warn, &text)?;
        }
        Ok(targets)
    }

    /// A completed job with its results where they are now. None if this result is still where it was, or nobody knows.
    pub(super) fn moved(&self, stream: &str, job: &Job, target: usize, fetch: &FetchContext<'_>) -> Option<Job> {
        let answer = self.polling.ask(&job.slice, fetch.fetcher).ok()??;
        let (documents, polling) = (answer.documents(&self.decoder).ok()?, answer.context(&self.decoder).ok()?);
        let Ok(Ok(Status::Completed)) = self.statuses.of(&documents) else { return None };
        let slice = with(&job.slice, POLLING, polling.clone());
        let targets = self.targets(stream, &slice, &documents, fetch).ok()?;
        let is_same = targets.get(target) == job.targets.get(target) && told(&polling) == told(&job.polling);
        let is_other = targets.len() == job.targets.len() && !is_same;
        is_other.then(|| Job { slice: job.slice.clone(), creation: job.creation.clone(), polling, targets })
    }

    /// Tells the API that the result of a job is not needed. If this fails, the job costs the API more than necessary.
    fn abort(&self, stream: &str, slice: &Slice, fetch: &FetchContext<'_>) -> anyhow::Result<()> {
        let problem = "a job may still run, because it could not be aborted";
        part_with(self.abort.as_ref(), slice, fetch, |error| format!("{stream}: {problem}: {error}"))
    }

    /// Deletes a job whose result is no longer needed.
    pub(super) fn delete(&self, stream: &str, slice: &Slice, fetch: &FetchContext<'_>) -> anyhow::Result<()> {
        let problem = "a job whose result is no longer needed could not be deleted";
        part_with(self.delete.as_ref(), slice, fetch, |error| format!("{stream}: {problem}: {error}"))
    }
}

/// Sends the last request about a job, if there is a requester for it. A refusal is only a warning.
fn part_with(
    requester: Option<&JobRequester>,
    slice: &Slice,
    fetch: &FetchContext<'_>,
    warning: impl FnOnce(anyhow::Error) -> String,
) -> anyhow::Result<()> {
    let Some(requester) = requester else { return Ok(()) };
    let sent = match fetch.fetcher.is_stopped() {
        true => requester.ask_in_parting(slice, fetch.fetcher),
        false => requester.ask(slice, fetch.fetcher).map(drop),
    };
    sent.or_else(|error| Ok(fetch.output.log(LogLevel::Warn, &warning(error))?))
}

/// What an answer says, without what each answer has.
fn told(answer: &Value) -> Vec<(&String, &Value)> {
    let members = answer.as_object().into_iter().flatten();
    members.filter(|(name, _)| !["headers", "request"].contains(&name.as_str())).collect()
}

/// A slice with one more field.
fn with(slice: &Slice, name: &str, value: Value) -> Slice {
    let mut slice = slice.clone();
    if let Some(extra) = slice.extra_fields.as_object_mut() {
        extra.insert(name.to_owned(), value);
    }
    slice
}

/// A failure that may be gone at the next attempt.
///
/// # Errors
/// The error, if the user has to fix or ignore something, or if it does not come from the API.
fn mendable(error: anyhow::Error) -> anyhow::Result<Failure> {
    let failure: Failure = error.downcast()?;
    match failure.kind {
        FailureKind::Transient | FailureKind::System if !failure.skips_stream && !failure.skips_slice => Ok(failure),
        _ => Err(failure.into()),
    }
}
