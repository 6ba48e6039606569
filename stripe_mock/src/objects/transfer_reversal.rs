use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{currency, parent_id, parent_number};

/// A part of a transfer that was taken back.
pub(in super::super) fn transfer_reversal(seed: &mut Seed) -> Value {
    let transaction = seed.foreign_id("txn_");
    let refund = seed.foreign_id("pyr_");
    json!({
        "id": seed.id,
        "object": "transfer_reversal",
        "amount": seed.between(100, 9_000),
        "balance_transaction": seed.maybe(95, transaction),
        "created": seed.created,
        "currency": currency(parent_number(seed)),
        "destination_payment_refund": seed.maybe(80, refund),
        "metadata": {},
        "source_refund": seed.maybe(30, seed.id_of("refunds", seed.number)),
        "transfer": parent_id(seed, "transfers"),
    })
}
