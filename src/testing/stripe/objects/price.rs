use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{CURRENCIES, PRODUCTS, currency, object, when};

/// How many prices share a kind and a currency.
const ALIKE: u64 = 5;

/// A price: by its number paid once, tiered, or recurring per unit.
pub(in super::super) fn price(seed: &mut Seed) -> Value {
    let recurring = seed.number % 4 != 1;
    let tiered = seed.number % 4 == 2;
    let unit = seed.between(500, 20_000);
    let metered = tiered || seed.chance(25);
    let mut price = json!({
        "id": seed.id,
        "object": "price",
        "active": seed.chance(90),
        "billing_scheme": if tiered { "tiered" } else { "per_unit" },
        "created": seed.created,
        "currency": CURRENCIES[place_of_currency(seed.number)],
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": seed.maybe(30, format!("plan_{}", seed.number)),
        "metadata": {},
        "nickname": seed.maybe(40, "For friends"),
        "product": seed.id_of("products", seed.number % PRODUCTS + 1),
        "recurring": when(recurring, json!({
            "aggregate_usage": when(metered, "sum"),
            "interval": seed.pick(&["month", "month", "year"]),
            "interval_count": 1,
            "trial_period_days": null,
            "usage_type": if metered { "metered" } else { "licensed" },
        })),
        "tax_behavior": seed.pick(&["exclusive", "inclusive", "unspecified"]),
        "tiers_mode": when(tiered, "graduated"),
        "transform_quantity": when(!tiered && seed.chance(15), json!({ "divide_by": 10, "round": "up" })),
        "type": if recurring { "recurring" } else { "one_time" },
        "unit_amount": when(!tiered, unit),
        "unit_amount_decimal": when(!tiered, unit.to_string()),
    });
    if tiered {
        price["tiers"] = tiers(unit);
    }
    price
}

/// Two tiers, the second at half the price.
pub(super) fn tiers(unit: u64) -> Value {
    json!([
        {
            "flat_amount": null,
            "flat_amount_decimal": null,
            "unit_amount": unit,
            "unit_amount_decimal": unit.to_string(),
            "up_to": 100,
        },
        {
            "flat_amount": 100,
            "flat_amount_decimal": "100",
            "unit_amount": unit / 2,
            "unit_amount_decimal": (unit / 2).to_string(),
            "up_to": null,
        },
    ])
}

/// A price paid once, in the currency of the object of that number.
pub(super) fn one_time_price(seed: &mut Seed, currency_of: u64) -> Value {
    any_price(seed, currency_of, 1)
}

/// A recurring price per unit, in the currency of the object of that number.
pub(super) fn recurring_price(seed: &mut Seed, currency_of: u64) -> Value {
    any_price(seed, currency_of, 3)
}

fn any_price(seed: &mut Seed, currency_of: u64, kind: u64) -> Value {
    let count = CURRENCIES.len() as u64;
    let place = CURRENCIES.iter().position(|one| *one == currency(currency_of)).unwrap_or(0) as u64;
    let number = 4 * (count * seed.between(0, ALIKE - 1) + place) + kind;
    object(seed, "prices", number)
}

fn place_of_currency(number: u64) -> usize {
    (number / 4) as usize % CURRENCIES.len()
}
