//! Airbyte sources for HTTP APIs, and the parts to write more of them.
//!
//! A source is a [`Source`]: its specification, and the streams of a config. A stream is a value that implements
//! [`streams::HttpStream`]: a base URL, a path, the place of the records, pagination. [`run()`] turns a [`Registry`] of
//! sources and a command line into a connector that speaks the Airbyte protocol.
//!
//! # Write a stream
//!
//! Implement [`streams::HttpStream`] for a plain struct, [`Source`] for the connector, and pass it to [`run()`] as
//! [`Registry::of`] it. Every method but the first three has a default, and most needs of an API have a ready-made
//! part, which the struct holds and returns:
//!
//! | need | method | ready-made |
//! | --- | --- | --- |
//! | credentials | [`authenticator`](streams::HttpStream::authenticator) | [`http::auth`]: tokens, API keys, OAuth 2.0 |
//! | pages | [`pager`](streams::HttpStream::pager) | [`streams::pager`]: cursors, numbers, offsets, links |
//! | limited requests | [`request_budget`](streams::HttpStream::request_budget) | [`http::budget`]: windows, by path |
//! | other retries | [`retry_rules`](streams::HttpStream::retry_rules) | [`http::ResponseRule`], as a table |
//! | one request for each record of another stream | [`parents`](streams::HttpStream::parents) | [`streams::ParentStream`] |
//! | such lists fetched once | [`use_cache`](streams::HttpStream::use_cache) | [`http::cache`] |
//! | incremental reads | [`cursor`](streams::HttpStream::cursor) | [`streams::CursorField`] |
//! | reads by spans of time | [`cursor`](streams::HttpStream::cursor) | [`streams::DateCursor`] |
//! | a POST with a body | [`request_body`](streams::HttpStream::request_body) | [`http::RequestBody`] |
//! | proxies, certificates, timeouts | [`request_options`](streams::HttpStream::request_options) | [`http::RequestOptions`] |
//! | records in another shape | [`transform`](streams::HttpStream::transform) | [`streams::Record`], [`streams::Normalizer`] |
//! | schemas as files | [`schemas`](streams::HttpStream::schemas) | [`streams::SchemaFolder`] |
//!
//! The package `source-http-testkit` is the test kit: a scripted HTTP server, a connector that runs inside the test in
//! virtual time, and a check of all output. `docs/write-a-source.md` builds `examples/employees.rs`, a complete
//! connector with two streams, step by step; `docs/cookbook/` has one page a feature, and `docs/how-it-works.md` an
//! overview.
//!
//! # The house
//!
//! Each layer uses only the layers below it:
//!
//! | where | what |
//! | --- | --- |
//! | [`run()`], [`cli`], `commands` | turns a command line into `spec`, `check`, `discover`, `read` or a command for
//! people |
//! | [`terminal`] | the display for a person at a terminal, on stderr |
//! | [`sources`] | the [`Registry`], and the built-in sources |
//! | [`sync`] | one read: streams, pages, checkpoints, statuses |
//! | [`source`] | the [`Source`] contract, the config |
//! | [`streams`] | the [`streams::HttpStream`] contract, and its ready-made parts |
//! | [`http`] | one request: budget, cache, credentials, transport, retry |
//! | [`protocol`] | Airbyte messages, catalogs, states, failures; the only writer of stdout |
//! | [`json`], [`clock`], [`stop`], [`memory`], [`Environment`] | records as text; time, randomness, stop requests,
//! memory and the environment as values |

mod buffers;
pub mod cli;
pub mod clock;
mod commands;
mod config;
#[cfg(doctest)]
mod cookbook;
mod environment;
mod fused_writer;
pub mod http;
pub mod json;
mod locks;
pub mod memory;
mod nearest;
mod panics;
mod pipe;
mod platform;
mod probes;
pub mod protocol;
mod replacement;
mod run;
pub mod source;
pub mod sources;
pub mod stop;
pub mod streams;
pub mod sync;
pub mod terminal;
mod uuid;
#[cfg(unix)]
mod watch;
mod whole_lines;
mod workers;

pub use environment::Environment;
pub use run::{Host, launch, run};
pub use source::Source;
pub use sources::{Program, Registry};

/// The examples in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So are those of the guide.
#[cfg(doctest)]
#[doc = include_str!("../docs/write-a-source.md")]
struct WriteASource;
