//! The response cache: a run does not repeat an answered request. It serves streams that several others read, such as a
//! parent and its children; a stream opts in. It is a file, so that memory does not depend on it, and lives as long as
//! the run. It never fails a run: a fault of the file costs a warning and the requests that it would have saved.
//!
//! `response_cache` is the whole; `lookup` is one request's use of it; `cache_key` says which requests are equal, and
//! `credential` for whom; `single_flight` lets one of several threads fetch while the others wait; `store` is the file,
//! and `entry` a response in it.

mod cache_key;
mod credential;
mod entry;
mod lookup;
mod response_cache;
mod single_flight;
mod store;

pub(in crate::http) use credential::Credential;
#[doc(hidden)]
pub use entry::read_entry;
pub use response_cache::ResponseCache;
