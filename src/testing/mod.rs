//! The project's own test kit: a scripted HTTP server, a mock Stripe API that runs on it,
//! the check that every connector output has to pass, and Airbyte's rules for connectors.
//!
//! Integration tests, examples and benches drive the built binary as a child process over real
//! sockets, so everything here talks plain HTTP/1.1 on 127.0.0.1 and plain text on pipes. A
//! connector author can use the same kit for their own streams.
//!
//! Test code is the only caller, so a misuse (an unknown resource name, text that is no JSON)
//! panics with a message that names the mistake.

pub mod conformance;
mod in_process;
pub mod json_text;
pub mod protocol;
pub mod server;
mod streams_source;
pub mod stripe;
#[cfg(test)]
mod test_client;
mod virtual_clock;

pub use in_process::{Finished, InProcess};
pub use protocol::{ErrorTrace, Messages};
pub use server::{Fault, Handler, Reply, Request, Routes, Server};
pub use stripe::{StripeMock, StripeMockBuilder};
pub use virtual_clock::{FixedRandom, VirtualClock};

/// Reads any bytes as an entry of the response cache's file: for fuzzing.
///
/// # Panics
/// If what they are read as is not what is kept of it.
pub fn read_cache_entry(bytes: &[u8]) {
    crate::http::cache::read_any(bytes);
}
