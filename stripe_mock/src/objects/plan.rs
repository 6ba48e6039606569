use serde_json::{Value, json};

use super::super::seed::Seed;
use super::price::tiers;
use super::{CURRENCIES, PRODUCTS, when};

/// A plan, the form of prices before there were prices.
pub(in super::super) fn plan(seed: &mut Seed) -> Value {
    let tiered = seed.chance(25);
    let metered = tiered || seed.chance(20);
    let unit = seed.between(500, 20_000);
    let mut plan = json!({
        "id": seed.id,
        "object": "plan",
        "active": seed.chance(90),
        "aggregate_usage": when(metered, *seed.pick(&["sum", "max", "last_ever"])),
        "amount": when(!tiered, unit),
        "amount_decimal": when(!tiered, unit.to_string()),
        "billing_scheme": if tiered { "tiered" } else { "per_unit" },
        "created": seed.created,
        "currency": seed.pick(CURRENCIES),
        "interval": seed.pick(&["month", "month", "week", "year"]),
        "interval_count": seed.pick(&[1, 1, 3]),
        "livemode": false,
        "metadata": {},
        "nickname": seed.maybe(50, "Gold"),
        "product": seed.maybe(95, seed.id_of("products", seed.number % PRODUCTS + 1)),
        "tiers_mode": when(tiered, "volume"),
        "transform_usage": when(!tiered && seed.chance(20), json!({ "divide_by": 100, "round": "down" })),
        "trial_period_days": seed.maybe(20, 14),
        "usage_type": if metered { "metered" } else { "licensed" },
    });
    if tiered {
        plan["tiers"] = tiers(unit);
    }
    plan
}
