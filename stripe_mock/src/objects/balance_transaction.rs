use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::{currency, parent_id};

/// The balance transaction of the charge of the same number. Every fourth waits for a payout.
pub(in super::super) fn balance_transaction(seed: &mut Seed) -> Value {
    let amount = seed.between(250, 250_000);
    let fee = amount * 29 / 1000 + 30;
    let currency = currency(seed.number);
    let waits = seed.number.is_multiple_of(4);
    let mut transaction = json!({
        "id": seed.id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": seed.created + 2 * DAY,
        "created": seed.created,
        "currency": currency,
        "description": seed.maybe(70, format!("Order {}", seed.number)),
        "exchange_rate": seed.maybe(20, 1.0874),
        "fee": fee,
        "fee_details": [{
            "amount": fee,
            "application": null,
            "currency": currency,
            "description": "Processing fees",
            "type": "stripe_fee",
        }],
        "net": amount as i64 - fee as i64,
        "reporting_category": "charge",
        "source": seed.id_of("charges", seed.number),
        "status": if waits { "pending" } else { "available" },
        "type": "charge",
    });
    if !waits {
        transaction["_parent"] = json!(parent_id(seed, "payouts"));
    }
    transaction
}
