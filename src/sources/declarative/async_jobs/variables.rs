//! The template variables of a job that is created, completed, or has results to download.

/// The answer to the creation.
pub(in super::super) const CREATION: &str = "creation_response";
/// The answer that reported the job as completed.
pub(in super::super) const POLLING: &str = "polling_response";
/// The place of a result.
pub(in super::super) const TARGET: &str = "download_target";
