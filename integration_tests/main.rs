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
mod cloud;
mod config_env;
mod conformance;
mod discover;
mod docs;
mod endless;
mod examples;
mod fault_table;
mod faults;
mod golden_cases;
mod gone_page;
mod heartbeat;
mod hostile;
mod house;
mod incremental;
mod jsonl;
mod memory;
mod memory_pressure;
mod network;
mod paging;
mod people;
mod probe;
mod proxy;
mod read;
mod records;
mod response_rules;
mod resume;
mod retry;
mod secrets;
mod shell;
mod signals;
mod skip;
mod slice_members;
mod state_file;
mod stop;
mod storm;
mod stripe;
mod stripe_changed;
mod stripe_losses;
mod stripe_schemas;
mod stripe_streams;
mod sub_stream;
mod summary;
mod support;
mod tls;
mod workers;
