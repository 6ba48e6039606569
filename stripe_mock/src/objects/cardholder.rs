use serde_json::{Value, json};

use super::super::seed::Seed;
use super::person::Person;
use super::when;

/// A person or a company with issued cards.
pub(in super::super) fn cardholder(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let (first_name, last_name) = person.name.split_once(' ').unwrap_or_default();
    let company = seed.chance(30);
    let past_due = seed.chance(10);
    let individual = json!({
        "card_issuing": { "user_terms_acceptance": { "date": seed.created, "ip": "203.0.113.9", "user_agent": null } },
        "dob": { "day": seed.between(1, 28), "month": seed.between(1, 12), "year": seed.between(1950, 2004) },
        "first_name": first_name,
        "last_name": last_name,
        "verification": { "document": { "back": null, "front": seed.maybe(50, seed.id_of("files", seed.number)) } },
    });
    json!({
        "id": seed.id,
        "object": "issuing.cardholder",
        "billing": { "address": person.address },
        "company": when(company, json!({ "tax_id_provided": true })),
        "created": seed.created,
        "email": seed.maybe(85, person.email),
        "individual": when(!company, individual),
        "livemode": false,
        "metadata": {},
        "name": person.name,
        "phone_number": seed.maybe(70, person.phone),
        "preferred_locales": seed.maybe(60, json!(["en"])),
        "requirements": {
            "disabled_reason": when(past_due, "requirements.past_due"),
            "past_due": if past_due { json!(["individual.verification.document"]) } else { json!([]) },
        },
        "spending_controls": seed.maybe(90, json!({
            "allowed_categories": [],
            "blocked_categories": ["betting_casino_gambling"],
            "spending_limits": [{ "amount": 200_000, "categories": [], "interval": "monthly" }],
            "spending_limits_currency": "eur",
        })),
        "status": if past_due { "inactive" } else { "active" },
        "type": if company { "company" } else { "individual" },
    })
}
