use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::CURRENCIES;

/// The balance transaction of the charge of the same number.
pub(in super::super) fn balance_transaction(seed: &mut Seed) -> Value {
    let amount = seed.between(250, 250_000);
    let fee = amount * 29 / 1000 + 30;
    let currency = *seed.pick(CURRENCIES);
    json!({
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
        "status": seed.pick(&["available", "pending"]),
        "type": "charge",
    })
}
