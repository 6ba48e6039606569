//! `AsyncRetriever`: an API that makes a report of what is asked for, and hands it out once it is ready. A slice is one
//! job: it is created, its status is asked for until it has ended, and then its results are downloaded as pages.

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
