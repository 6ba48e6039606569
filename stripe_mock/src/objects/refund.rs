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
    let failed = seed.chance(5);
    let reason = *seed.pick(REASONS);
    let reason = seed.maybe(85, reason);
    let mut refund = json!({
        "id": seed.id_of("refunds", seed.number),
        "object": "refund",
        "amount": amount,
        "balance_transaction": seed.maybe(97, transaction),
        "charge": seed.id_of("charges", seed.number),
        "created": seed.created,
        "currency": currency,
        "metadata": {},
        "payment_intent": payment_intent,
        "reason": reason,
        "receipt_number": seed.maybe(30, format!("{:04}-{:04}", seed.number % 10_000, amount % 10_000)),
        "source_transfer_reversal": null,
        "status": if failed { "failed" } else { "succeeded" },
        "transfer_reversal": seed.maybe(10, seed.id_of("transfer_reversals", seed.number)),
    });
    if failed {
        refund["failure_balance_transaction"] = json!(seed.foreign_id("txn_"));
        refund["failure_reason"] = json!("lost_or_stolen_card");
    }
    refund
}
