//! The test kit of `source-http`: a scripted HTTP server, a connector that runs inside the test in virtual time, the
//! protocol check of every output, and Airbyte's rules for connectors.
//!
//! Tests, examples and benches run a connector over real sockets, so everything here uses plain HTTP/1.1 on 127.0.0.1
//! and plain text on pipes. The project's own tests use it, and so can authors of connectors.
//!
//! Test code is the only caller, so a misuse (an unknown resource name, text that is not JSON) panics with a message that
//! names the mistake.

#![allow(
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
    reason = "a test kit waits in real time, panics on misuse, and invents small numbers"
)]

mod client;
pub mod conformance;
mod in_process;
mod items;
pub mod json_text;
pub mod protocol;
pub mod server;
mod streams_source;

pub use client::{Client, Response};
pub use in_process::{Finished, InProcess};
pub use items::Items;
pub use protocol::{ErrorTrace, Messages};
pub use server::{Fault, Handler, Reply, Request, Routes, Server};
