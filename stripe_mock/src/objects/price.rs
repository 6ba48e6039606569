use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{CURRENCIES, PRODUCTS, currency, object, when};

/// The number decides the kind of price. Other objects refer to some of each kind and currency.
const SORTS: u64 = 5;
const ALIKE: u64 = 5;

const ONE_TIME: u64 = 1;
const TIERED: u64 = 2;
const CUSTOM: u64 = 4;
const RECURRING: u64 = 0;

/// A price: paid once, tiered, of the customer's choice, or recurring per unit.
pub(in super::super) fn price(seed: &mut Seed) -> Value {
    let sort = seed.number % SORTS;
    let (tiered, custom) = (sort == TIERED, sort == CUSTOM);
    let recurring = sort != ONE_TIME && !custom;
    let fixed = !tiered && !custom;
    let unit = seed.between(500, 20_000);
    let metered = tiered || seed.chance(25);
    let mut price = json!({
        "id": seed.id,
        "object": "price",
        "active": seed.chance(90),
        "billing_scheme": if tiered { "tiered" } else { "per_unit" },
        "created": seed.created,
        "currency": CURRENCIES[(seed.number / SORTS) as usize % CURRENCIES.len()],
        "custom_unit_amount": when(custom, json!({ "maximum": null, "minimum": 500, "preset": unit })),
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
        "transform_quantity": when(fixed && seed.chance(15), json!({ "divide_by": 10, "round": "up" })),
        "type": if recurring { "recurring" } else { "one_time" },
        "unit_amount": when(fixed, unit),
        "unit_amount_decimal": when(fixed, unit.to_string()),
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
pub(super) fn one_time_price(seed: &Seed, currency_of: u64) -> Value {
    object(seed, "prices", number_of(ONE_TIME, seed, currency_of))
}

/// A recurring price per unit, in the currency of the object of that number.
pub(super) fn recurring_price(seed: &Seed, currency_of: u64) -> Value {
    object(seed, "prices", number_of(RECURRING, seed, currency_of))
}

/// The id of a price paid once, in the currency of the generated object.
pub(super) fn one_time_price_id(seed: &Seed) -> String {
    seed.id_of("prices", number_of(ONE_TIME, seed, seed.number))
}

/// The id of a recurring price, in the currency of the generated object.
pub(super) fn recurring_price_id(seed: &Seed) -> String {
    seed.id_of("prices", number_of(RECURRING, seed, seed.number))
}

fn number_of(sort: u64, seed: &Seed, currency_of: u64) -> u64 {
    let currencies = CURRENCIES.len() as u64;
    let place = CURRENCIES.iter().position(|one| *one == currency(currency_of)).unwrap_or(0) as u64;
    let alike = seed.number % ALIKE + 1;
    SORTS * (currencies * alike + place) + sort
}
