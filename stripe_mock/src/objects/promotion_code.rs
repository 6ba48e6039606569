use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::{currency, customer_id, object, when};

/// A code that customers type for the coupon of the same number.
pub(in super::super) fn promotion_code(seed: &mut Seed) -> Value {
    let minimum = seed.chance(30);
    json!({
        "id": seed.id,
        "object": "promotion_code",
        "active": seed.chance(75),
        "code": seed.letters(8).to_uppercase(),
        "coupon": object(seed, "coupons", seed.number),
        "created": seed.created,
        "customer": seed.maybe(15, customer_id(seed)),
        "expires_at": seed.maybe(40, seed.created + 60 * DAY),
        "livemode": false,
        "max_redemptions": seed.maybe(40, 100),
        "metadata": { "fair": format!("F{}", seed.between(1, 9)) },
        "restrictions": {
            "first_time_transaction": seed.chance(20),
            "minimum_amount": when(minimum, 5_000),
            "minimum_amount_currency": when(minimum, currency(seed.number)),
        },
        "times_redeemed": seed.between(0, 90),
    })
}
