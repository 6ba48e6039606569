//! The variables that templates have once a job is created, is completed, and has something to download.

/// The answer to the creation.
pub(in super::super) const CREATION: &str = "creation_response";
/// The answer that said that the job is completed.
pub(in super::super) const POLLING: &str = "polling_response";
/// Where a result is.
pub(in super::super) const TARGET: &str = "download_target";
