use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::person::Person;
use super::{object, when};

/// An issued card of the cardholder of the same number.
pub(in super::super) fn issuing_card(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let physical = seed.chance(60);
    let canceled = seed.chance(12);
    let replacement = seed.number > 1 && seed.chance(10);
    json!({
        "id": seed.id,
        "object": "issuing.card",
        "brand": "Visa",
        "cancellation_reason": when(canceled, *seed.pick(&["lost", "stolen"])),
        "cardholder": object(seed, "cardholders", seed.number),
        "created": seed.created,
        "currency": "eur",
        "exp_month": seed.between(1, 12),
        "exp_year": seed.between(2026, 2031),
        "financial_account": null,
        "last4": format!("{:04}", seed.between(0, 9_999)),
        "livemode": false,
        "metadata": {},
        "replaced_by": when(canceled && seed.chance(50), seed.id_of("cards", seed.number + 1)),
        "replacement_for": when(replacement, seed.id_of("cards", seed.number.saturating_sub(1))),
        "replacement_reason": when(replacement, "damaged"),
        "shipping": when(physical, shipping(seed, &person)),
        "spending_controls": {
            "allowed_categories": null,
            "blocked_categories": null,
            "spending_limits": [{ "amount": 50_000, "categories": [], "interval": "daily" }],
            "spending_limits_currency": "eur",
        },
        "status": if canceled { "canceled" } else { *seed.pick(&["active", "active", "inactive"]) },
        "type": if physical { "physical" } else { "virtual" },
        "wallets": {
            "apple_pay": { "eligible": true, "ineligible_reason": null },
            "google_pay": { "eligible": false, "ineligible_reason": "unsupported_region" },
            "primary_account_identifier": null,
        },
    })
}

fn shipping(seed: &mut Seed, person: &Person) -> Value {
    json!({
        "address": person.address,
        "carrier": seed.maybe(80, "dhl"),
        "customs": null,
        "eta": seed.created + 6 * DAY,
        "name": person.name,
        "phone_number": seed.maybe(40, person.phone.clone()),
        "require_signature": seed.maybe(60, false),
        "service": "standard",
        "status": seed.pick(&["pending", "shipped", "delivered"]),
        "tracking_number": seed.maybe(50, "JD0146000000000001"),
        "tracking_url": null,
        "type": "individual",
    })
}
