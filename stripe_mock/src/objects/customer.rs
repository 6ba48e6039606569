use serde_json::{Value, json};

use super::super::seed::Seed;
use super::discount::{discount_id, discount_of};
use super::person::Person;
use super::{CURRENCIES, PER_PARENT};

/// A customer.
pub(in super::super) fn customer(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let default_method = seed.id_of("payment_methods", seed.number * PER_PARENT);
    let currency = CURRENCIES[seed.number as usize % CURRENCIES.len()];
    json!({
        "id": seed.id,
        "object": "customer",
        "address": if seed.chance(70) { person.address.clone() } else { Value::Null },
        "balance": -100 * i64::from(seed.chance(10)),
        "created": seed.created,
        "currency": seed.maybe(80, currency),
        "default_source": seed.maybe(20, seed.id_of("bank_accounts", seed.number * PER_PARENT)),
        "delinquent": seed.chance(5),
        "description": seed.maybe(40, "Signed up at the fair; prefers e-mail"),
        "discount": if seed.chance(10) { discount_of(&discount_id(seed.number)) } else { Value::Null },
        "email": person.email,
        "invoice_prefix": seed.letters(8).to_uppercase(),
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": seed.maybe(60, default_method),
            "footer": null,
            "rendering_options": null,
        },
        "livemode": false,
        "metadata": { "crm_id": seed.between(1, 1_000_000).to_string() },
        "name": person.name,
        "next_invoice_sequence": seed.between(1, 40),
        "phone": seed.maybe(50, person.phone.clone()),
        "preferred_locales": if seed.chance(30) { json!(["fr", "en-GB"]) } else { json!([]) },
        "shipping": if seed.chance(50) { person.shipping() } else { Value::Null },
        "tax_exempt": "none",
        "test_clock": null,
    })
}
