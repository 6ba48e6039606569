use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::{PRODUCTS, currency, when};

/// A coupon, for a share of the price or for an amount.
pub(in super::super) fn coupon(seed: &mut Seed) -> Value {
    let percent = seed.chance(60);
    let amount = seed.between(5, 100) * 100;
    let repeating = seed.chance(30);
    let mut coupon = json!({
        "id": seed.id,
        "object": "coupon",
        "amount_off": when(!percent, amount),
        "created": seed.created,
        "currency": when(!percent, currency(seed.number)),
        "duration": if repeating { "repeating" } else { *seed.pick(&["once", "forever"]) },
        "duration_in_months": when(repeating, seed.between(2, 12)),
        "livemode": false,
        "max_redemptions": seed.maybe(30, 500),
        "metadata": {},
        "name": seed.maybe(80, format!("Thank you no. {}", seed.number)),
        "percent_off": when(percent, seed.between(10, 180) as f64 / 2.0),
        "redeem_by": seed.maybe(40, seed.created + 90 * DAY),
        "times_redeemed": seed.between(0, 400),
        "valid": seed.chance(85),
    });
    if seed.chance(20) {
        coupon["applies_to"] = json!({ "products": [seed.id_of("products", seed.number % PRODUCTS + 1)] });
    }
    coupon
}
