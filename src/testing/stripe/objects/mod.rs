//! Made-up Stripe objects with the fields, types and sizes of real ones at API version
//! 2022-11-15. Every field that Stripe always sends is there.

mod account;
mod balance_transaction;
mod charge;
mod customer;
mod event;
mod invoice;
mod person;
mod product;
mod refund;

use serde_json::Value;

pub(super) use account::account;
pub(super) use balance_transaction::balance_transaction;
pub(super) use charge::charge;
pub(super) use customer::customer;
pub(super) use event::event;
pub(super) use invoice::invoice;
pub(super) use product::product;
pub(super) use refund::refund;

/// How many different customers the other objects name.
const CUSTOMERS: u64 = 500;

const CURRENCIES: &[&str] = &["usd", "eur", "gbp", "chf", "sek"];

/// Both objects' fields in one: the `json!` macro takes about 40 fields at a time.
fn join(mut first: Value, second: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut first, second) {
        fields.extend(more);
    }
    first
}
