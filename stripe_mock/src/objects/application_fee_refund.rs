use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{currency, parent_id, parent_number};

/// A part of an application fee that was given back.
pub(in super::super) fn application_fee_refund(seed: &mut Seed) -> Value {
    let transaction = seed.foreign_id("txn_");
    json!({
        "id": seed.id,
        "object": "fee_refund",
        "amount": seed.between(10, 900),
        "balance_transaction": seed.maybe(90, transaction),
        "created": seed.created,
        "currency": currency(parent_number(seed)),
        "fee": parent_id(seed, "application_fees"),
        "metadata": {},
    })
}
