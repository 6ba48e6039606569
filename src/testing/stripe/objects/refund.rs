use serde_json::{Value, json};

use super::super::seed::Seed;
use super::currency;

const REASONS: &[&str] = &["requested_by_customer", "duplicate", "fraudulent"];

/// A refund of the charge of the same number.
pub(in super::super) fn refund(seed: &mut Seed) -> Value {
    let amount = seed.between(250, 250_000);
    let currency = currency(seed.number);
    let payment_intent = seed.id_of("payment_intents", seed.number);
    refund_of(seed, amount, currency, &payment_intent)
}

/// The refund of the charge of the seed's number.
pub(super) fn refund_of(seed: &mut Seed, amount: u64, currency: &str, payment_intent: &str) -> Value {
    let transaction = seed.foreign_id("txn_");
    json!({
        "id": seed.id_of("refunds", seed.number),
        "object": "refund",
        "amount": amount,
        "balance_transaction": transaction,
        "charge": seed.id_of("charges", seed.number),
        "created": seed.created,
        "currency": currency,
        "metadata": {},
        "payment_intent": payment_intent,
        "reason": seed.pick(REASONS),
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    })
}
