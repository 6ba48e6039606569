//! Drives the connector from outside, over pipes and real sockets. One file a feature; what they share is in
//! `support`. Every output passes the protocol check of `source_http::testing`.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, reason = "a test reads better without borrows")]

mod at_least_once;
mod auth;
mod bad_input;
mod budget;
mod cache;
mod check;
mod cli;
mod conformance;
mod discover;
mod docs;
mod endless;
mod examples;
mod faults;
mod heartbeat;
mod hostile;
mod incremental;
mod memory;
mod memory_pressure;
mod network;
mod paging;
mod probe;
mod proxy;
mod read;
mod records;
mod response_rules;
mod resume;
mod retry;
mod secrets;
mod signals;
mod skip;
mod stop;
mod storm;
mod stripe;
mod stripe_losses;
mod stripe_schemas;
mod stripe_streams;
mod sub_stream;
mod support;
mod tls;
mod workers;
