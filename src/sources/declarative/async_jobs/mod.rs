//! `AsyncRetriever`: the API creates a report on request, and returns it once it is ready. A slice is one job: create
//! it, poll its status until it has ended, then download its results as pages.

mod finished;
mod job;
mod jobs;
mod limit;
mod pages;
mod requester;
mod status;
mod variables;

pub(super) use self::jobs::{Jobs, limit};
pub(super) use self::limit::JobLimit;
pub(super) use self::requester::{Answer, JobRequester};
pub(super) use self::variables::{CREATION, POLLING, TARGET};
