use serde_json::{Value, json};

use super::super::seed::Seed;
use super::CURRENCIES;

const NAMES: &[&str] = &["Ground", "Express", "Next day", "Pick up at the shop"];

/// A shipping rate with one price.
pub(in super::super) fn shipping_rate(seed: &mut Seed) -> Value {
    let days = seed.between(1, 5);
    let estimate = json!({
        "maximum": { "unit": "business_day", "value": days + 2 },
        "minimum": if seed.chance(80) { json!({ "unit": "business_day", "value": days }) } else { Value::Null },
    });
    json!({
        "id": seed.id,
        "object": "shipping_rate",
        "active": seed.chance(80),
        "created": seed.created,
        "delivery_estimate": seed.maybe(70, estimate),
        "display_name": seed.pick(NAMES),
        "fixed_amount": { "amount": seed.between(0, 2_500), "currency": seed.pick(CURRENCIES) },
        "livemode": false,
        "metadata": {},
        "tax_behavior": seed.pick(&["exclusive", "inclusive", "unspecified"]),
        "tax_code": seed.maybe(50, "txcd_92010001"),
        "type": "fixed_amount",
    })
}
