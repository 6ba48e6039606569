//! A mock of the Stripe API, for tests, demos and benches of the Stripe source.
//!
//! It lists made-up objects the way Stripe does at API version 2022-11-15: newest first, cursor
//! pages, `created` windows, event types, errors with Stripe's shape. It is strict where Stripe
//! is, so that a wrong request fails a test: an unknown parameter, a limit over 100 or a cursor
//! that does not exist are errors. The data depends on nothing but the builder's settings, also
//! not on the clock, and every object is rendered once, at the start.
//!
//! ```ignore
//! let mock = StripeMock::builder().count("charges", 250).start();
//! // ... run `source-http read` with the URL mock.url() and the key mock.key() ...
//! assert_eq!(messages.records("charges").len(), mock.objects("charges").len());
//! ```
//!
//! What it leaves out: `expand[]` is accepted but changes nothing (a charge always carries its
//! refunds), an object may name another one that does not exist, and nothing can be written.

mod api;
mod api_error;
mod builder;
mod changes;
mod collection;
mod expanded;
mod expansion;
mod generator;
mod list_query;
mod mock;
mod object;
mod objects;
mod page;
mod plans;
mod relation;
mod resource;
mod seed;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod version;

pub use builder::StripeMockBuilder;
pub use mock::StripeMock;

/// The clock of a mock that is given none: 2026-01-01T00:00:00Z, in seconds since 1970.
pub const DEFAULT_NOW: i64 = 1_767_225_600;

/// The API key of a mock that is given none.
pub const DEFAULT_KEY: &str = "sk_test_mock0000000000000000abcd";

const DAY: i64 = 24 * 60 * 60;
