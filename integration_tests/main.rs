//! Drives the connector from outside, over pipes and real sockets. One file a feature; what they share is in
//! `support`. Every output passes the protocol check of `source_http::testing`.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod paging;
mod records;
mod response_rules;
mod retry;
mod support;
