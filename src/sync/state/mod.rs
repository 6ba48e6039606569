//! What a stream has read, as its states report it: `progress` knows which slices are done, begun and left; `ledger`,
//! which records a state may cover; `position` is a place within a slice, and `stale` knows which state it belongs to;
//! `refusals` are the slices that an API refuses; `file` keeps states between runs.

pub(in crate::sync) mod file;
pub(in crate::sync) mod ledger;
pub(in crate::sync) mod position;
pub(in crate::sync) mod progress;
pub(in crate::sync) mod refusals;
pub(in crate::sync) mod stale;
