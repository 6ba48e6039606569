//! The response cache: what was answered once in a run is not requested again. It is for streams that several others
//! read, such as a parent and its children; a stream opts in. It lives in a file, so that memory does not depend on
//! it, and only as long as the run. And it never breaks one: whatever is wrong with the file costs a warning and the
//! requests that would have been saved.
//!
//! `response_cache` is the whole; `lookup` is how one request uses it; `cache_key` says which requests are the
//! same, and `credential` for whom; `single_flight` lets one of several threads fetch and the others wait; `store` is the
//! file, and `entry` a response in it.

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
