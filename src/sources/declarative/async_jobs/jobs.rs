//! The jobs of a stream: their requesters and their time limits.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::decoder::Decoder;
use super::super::extractor::Extractor;
use super::super::part::{Builder, Part, flat};
use super::finished::Job;
use super::limit::JobLimit;
use super::requester::JobRequester;
use super::status::Statuses;
use super::variables::{CREATION, POLLING};
use crate::http::budget::RequestBudget;
use crate::protocol::Failure;

/// Default time limit of a job.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The jobs of a stream.
pub(in super::super) struct Jobs {
    pub(super) creation: JobRequester,
    pub(super) polling: JobRequester,
    /// Requests the places of the results, if the last status answer does not have them.
    pub(super) targets: Option<JobRequester>,
    pub(super) abort: Option<JobRequester>,
    pub(super) delete: Option<JobRequester>,
    /// Decodes the answers about a job.
    pub(super) decoder: Decoder,
    pub(super) statuses: Statuses,
    /// Finds the places of the results; without it there is one.
    pub(super) target_extractor: Option<Extractor>,
    /// How long a job may run.
    pub(super) timeout: Duration,
    /// How long to wait after a failed job.
    pub(super) retry_wait: Option<Duration>,
    pub(super) limit: Arc<JobLimit>,
    /// The jobs whose results are being downloaded, by number.
    pub(super) known: Mutex<HashMap<u64, Arc<Job>>>,
    pub(super) next_number: AtomicU64,
}

impl Jobs {
    /// The jobs of a retriever. `extra` are the names of the slices' extra fields.
    pub(in super::super) fn build(
        builder: &Builder<'_>,
        retriever: &Part<'_>,
        extra: &[&str],
        budget: Option<&Arc<RequestBudget>>,
        limit: &Arc<JobLimit>,
    ) -> Option<Self> {
        let decoder = Decoder::build(builder, retriever.field("decoder").as_ref(), None, None);
        if let Some(requester) = retriever.field("download_target_requester")
            && retriever.field("download_target_extractor").is_none()
        {
            builder.error(
                &requester,
                "nothing takes the targets out of its answer. Add `download_target_extractor` to the AsyncRetriever",
            );
            return None;
        }
        let requester = |field: &str, more: &[&str]| {
            let part = retriever.field(field)?;
            Some(JobRequester::build(builder, &part, &[extra, more].concat(), budget))
        };
        let creation = requester("creation_requester", &[])?;
        let polling = requester("polling_requester", &[CREATION])?;
        let targets = requester("download_target_requester", &[CREATION, POLLING]);
        let abort = requester("abort_requester", &[CREATION]);
        let delete = requester("delete_requester", &[CREATION]);
        let statuses = Statuses::build(builder, retriever);
        let target_extractor = retriever.field("download_target_extractor");
        let target_extractor = target_extractor.map(|extractor| Extractor::build(builder, &extractor));
        let minutes = number(builder, retriever, "polling_job_timeout");
        let seconds = number(builder, retriever, "failed_retry_wait_time_in_seconds");
        let (minutes, seconds) = (minutes?, seconds?);
        Some(Self {
            creation: creation?,
            polling: polling?,
            targets: flat(targets)?,
            abort: flat(abort)?,
            delete: flat(delete)?,
            decoder: decoder?,
            statuses: statuses?,
            target_extractor: flat(target_extractor)?,
            timeout: minutes.map_or(TIMEOUT, |minutes| Duration::from_secs(minutes.saturating_mul(60))),
            retry_wait: seconds.map(Duration::from_secs),
            limit: Arc::clone(limit),
            known: Mutex::default(),
            next_number: AtomicU64::new(0),
        })
    }
}

/// The number that a field or its template gives, if it is there and above 0.
#[allow(clippy::option_option, reason = "a wrong number differs from a missing one")]
fn number(builder: &Builder<'_>, part: &Part<'_>, name: &str) -> Option<Option<u64>> {
    let Some(field) = part.field(name) else { return Some(None) };
    let text = builder.value(&field)?.to_text();
    match text.trim().parse::<u64>() {
        Ok(number) => Some(Some(number).filter(|number| *number > 0)),
        Err(_) if text.trim().is_empty() || text == "None" => Some(None),
        Err(_) => {
            builder.error(&field, "it has to be a whole number, 0 or more. Correct it, or the setting it uses");
            None
        }
    }
}

/// How many jobs of a manifest may run at the same time: `max_concurrent_async_job_count`.
///
/// # Errors
/// If it is not a whole number.
pub(in super::super) fn limit(builder: &Builder<'_>, manifest: &Part<'_>) -> Result<Arc<JobLimit>, Failure> {
    let name = "max_concurrent_async_job_count";
    let most = number(builder, manifest, name)
        .ok_or_else(|| builder.failure(manifest, &format!("{name} has to be a whole number from 1 on")))?;
    Ok(Arc::new(JobLimit::new(most.and_then(|most| usize::try_from(most).ok()).unwrap_or(1))))
}
