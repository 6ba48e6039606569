use serde_json::{Value, json};

use super::super::seed::Seed;
use super::price::recurring_price;
use super::tax_rate::{tax_rate_id, tax_rate_of};
use super::{parent_id, parent_number};

/// A price of a subscription, and how many of it.
pub(in super::super) fn subscription_item(seed: &mut Seed) -> Value {
    let price = recurring_price(seed, parent_number(seed));
    let metered = price["recurring"]["usage_type"] == "metered";
    let mut item = json!({
        "id": seed.id,
        "object": "subscription_item",
        "billing_thresholds": seed.maybe(10, json!({ "usage_gte": 1_000 })),
        "created": seed.created,
        "metadata": {},
        "price": price,
        "subscription": parent_id(seed, "subscriptions"),
        "tax_rates": if seed.chance(20) { json!([tax_rate_of(&tax_rate_id(seed.number))]) } else { json!([]) },
    });
    if !metered {
        item["quantity"] = json!(seed.between(1, 5));
    }
    item
}
