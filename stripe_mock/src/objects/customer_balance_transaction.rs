use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{CURRENCIES, parent_id, parent_number, when};

/// A change of a customer's balance.
pub(in super::super) fn customer_balance_transaction(seed: &mut Seed) -> Value {
    let kind = *seed.pick(&["adjustment", "applied_to_invoice", "credit_note"]);
    let amount = seed.between(100, 5_000) as i64;
    let amount = if kind == "applied_to_invoice" { amount } else { -amount };
    let currency = CURRENCIES[parent_number(seed) as usize % CURRENCIES.len()];
    json!({
        "id": seed.id,
        "object": "customer_balance_transaction",
        "amount": amount,
        "created": seed.created,
        "credit_note": when(kind == "credit_note", seed.id_of("credit_notes", seed.number)),
        "currency": currency,
        "customer": parent_id(seed, "customers"),
        "description": seed.maybe(40, "As a thank you"),
        "ending_balance": amount - seed.between(0, 2_000) as i64,
        "invoice": when(kind == "applied_to_invoice", seed.id_of("invoices", seed.number)),
        "livemode": false,
        "metadata": {},
        "type": kind,
    })
}
