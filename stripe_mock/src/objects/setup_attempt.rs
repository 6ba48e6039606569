use serde_json::{Value, json};

use super::super::seed::Seed;
use super::card_face::{card_checks, card_face, three_d_secure};
use super::intent::card_error;
use super::person::Person;
use super::{PER_PARENT, customer_id, join, parent_id, payment_method_id};

/// An attempt of a setup intent: the first is refused in part, the second goes well.
pub(in super::super) fn setup_attempt(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let failed = seed.number % PER_PARENT == 1 && seed.chance(50);
    let face = card_face(seed, &person.address["country"]);
    let network = face["brand"].clone();
    let checked = json!({
        "checks": card_checks(seed),
        "network": network,
        "three_d_secure": three_d_secure(seed),
        "wallet": null,
    });
    json!({
        "id": seed.id,
        "object": "setup_attempt",
        "application": null,
        "created": seed.created,
        "customer": seed.maybe(95, customer_id(seed)),
        "flow_directions": null,
        "livemode": false,
        "on_behalf_of": null,
        "payment_method": payment_method_id(seed),
        "payment_method_details": { "card": join(face, checked), "type": "card" },
        "setup_error": if failed { card_error(seed) } else { Value::Null },
        "setup_intent": parent_id(seed, "setup_intents"),
        "status": if failed { "failed" } else { "succeeded" },
        "usage": "off_session",
    })
}
