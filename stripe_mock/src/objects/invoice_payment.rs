use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{currency, when};

/// The payment of the invoice of the same number, in the shape of API version 2025-03-31.basil.
pub(in super::super) fn invoice_payment(seed: &mut Seed) -> Value {
    let status = *seed.pick(&["paid", "paid", "paid", "open", "canceled"]);
    let amount = seed.between(500, 100_000);
    json!({
        "id": seed.id,
        "object": "invoice_payment",
        "amount_paid": when(status == "paid", amount),
        "amount_requested": amount,
        "created": seed.created,
        "currency": currency(seed.number),
        "invoice": seed.id_of("invoices", seed.number),
        "is_default": seed.chance(90),
        "livemode": false,
        "payment": {
            "payment_intent": seed.id_of("payment_intents", seed.number),
            "type": "payment_intent",
        },
        "status": status,
        "status_transitions": {
            "canceled_at": when(status == "canceled", seed.created + 3_600),
            "paid_at": when(status == "paid", seed.created + 90),
        },
    })
}
