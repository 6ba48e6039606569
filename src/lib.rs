//! Airbyte sources for HTTP APIs, and the parts to write more of them.
//!
//! A source is a [`Source`]: what it wants to be configured with, and the streams of a config. A stream is a value
//! that implements [`streams::HttpStream`]: a base URL, a path, where the records are, how to page. [`run()`] turns a
//! [`Registry`] of sources and a command line into a connector that speaks the Airbyte protocol.
//!
//! The house, each floor using only the floors below it:
//!
//! | where | what |
//! | --- | --- |
//! | [`run()`], [`cli`], `commands` | a command line becomes one of `spec`, `check`, `discover` and `read` |
//! | [`sync`] | one read: streams, pages, checkpoints, statuses |
//! | [`source`] | the [`Source`] contract, the registry, the config |
//! | [`streams`] | the [`streams::HttpStream`] contract, its parts, the built-in sources |
//! | [`http`] | one request: budget, cache, credentials, transport, retry |
//! | [`protocol`] | Airbyte messages, catalogs, states, failures; the only writer of stdout |
//! | [`json`], [`clock`] | records as text; time and chance as values |

mod bug;
pub mod cli;
pub mod clock;
mod commands;
mod config;
pub mod http;
pub mod json;
pub mod protocol;
mod run;
pub mod source;
pub mod streams;
pub mod sync;
#[cfg(feature = "testing")]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::similar_names,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a test kit waits in real time, panics on misuse, and makes up small numbers"
)]
pub mod testing;

pub use bug::tell_through_the_protocol;
pub use run::{Host, run};
pub use source::{Registry, Source};

/// The examples in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
