//! A mock of the Stripe API, for tests, demos and benches of the Stripe source.
//!
//! It lists generated objects like Stripe at API version 2022-11-15: newest first, cursor pages, `created` windows,
//! event types, errors in Stripe's form. It is strict where Stripe is, so that a wrong request fails a test: an unknown
//! parameter, a limit over 100 or an unknown cursor are errors. The data depends only on the builder's settings and the
//! changes made, and every object is rendered once.
//!
//! ```ignore
//! let mock = StripeMock::builder().count("invoices", 250).children("invoice_line_items", 12).start();
//! // ... run `source-http read` with the URL mock.url() and the key mock.key() ...
//! assert_eq!(messages.records("invoices").len(), mock.objects("invoices").len());
//! mock.set_now(mock.now() + 60);
//! mock.update("invoices", &mock.ids("invoices")[0], |invoice| drop(invoice.insert("paid".into(), true.into())));
//! // ... the next read finds the event ...
//! ```
//!
//! - **Children** have a parent, by which their lists are requested. The first ten of some are also inside it, in lists
//!   and in events; `relation` is the table.
//! - **`expand[]`** accepts the paths in `expansion` and refuses all others. The expanded content is otherwise omitted,
//!   or an id.
//! - **Changes** ([`StripeMock::create`], [`update`](StripeMock::update),
//!   [`delete`](StripeMock::delete)) come with their event; those that begin with `push_` or
//!   `remove_` do not. A script can make them as lines of text: [`StripeMock::command`].
//! - **Lateness**: what happens to a running mock is shown up to two minutes after its stamp, each object and event after a
//!   time of its own: [`StripeMockBuilder::late_by`]. What was there before is shown at once.
//! - **The account's version**: events have their objects in another API version than lists, and without expansions:
//!   [`StripeMockBuilder::account_version`].
//! - **Refusals**: of one object or the whole account ([`StripeMock::refuse`],
//!   [`refuse_account`](StripeMock::refuse_account)), objects deleted while their list is read
//!   ([`delete_cursors`](StripeMock::delete_cursors)), permissions and rates ([`StripeMockBuilder::forbid`],
//!   [`rate_limit_per_second`](StripeMockBuilder::rate_limit_per_second)), planned faults ([`StripeMock::fail_for`],
//!   [`fault_next`](StripeMock::fault_next)).
//! - **Versions**: the header `Stripe-Version` selects resources that exist only in some API versions.
//!
//! It does not support most of `expand[]`, requests that write, or references to missing objects.

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
    reason = "a mock panics on misuse, and invents small numbers"
)]

mod api;
mod api_error;
mod builder;
mod changes;
mod collection;
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
mod script;
mod seed;
mod store;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod version;

pub use builder::StripeMockBuilder;
pub use mock::StripeMock;

/// The default clock: 2026-01-01T00:00:00Z, in seconds since 1970.
pub const DEFAULT_NOW: i64 = 1_767_225_600;

/// The default API key.
pub const DEFAULT_KEY: &str = "sk_test_mock0000000000000000abcd";

const DAY: i64 = 24 * 60 * 60;
