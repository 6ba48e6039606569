use serde_json::{Value, json};

use super::super::seed::Seed;
use super::intent::{card_error, redirect};
use super::{PER_PARENT, customer_id, payment_method_id, when};

/// An intent to keep a payment method of a customer. Its last attempt is the second of its two.
pub(in super::super) fn setup_intent(seed: &mut Seed) -> Value {
    let status = *seed.pick(&["succeeded", "succeeded", "requires_payment_method", "requires_action", "canceled"]);
    let refused = status == "requires_payment_method";
    let mandate = seed.foreign_id("mandate_");
    let secret = seed.letters(25);
    let mut intent = json!({
        "id": seed.id,
        "object": "setup_intent",
        "application": null,
        "automatic_payment_methods": seed.maybe(30, json!({ "allow_redirects": "never", "enabled": true })),
        "cancellation_reason": when(status == "canceled", "abandoned"),
        "client_secret": format!("{}_secret_{secret}", seed.id),
        "created": seed.created,
        "customer": seed.maybe(95, customer_id(seed)),
        "description": seed.maybe(30, "For the next orders"),
        "flow_directions": null,
        "last_setup_error": if refused { card_error(seed) } else { Value::Null },
        "latest_attempt": seed.maybe(95, seed.id_of("setup_attempts", seed.number * PER_PARENT)),
        "livemode": false,
        "mandate": seed.maybe(20, mandate),
        "metadata": { "from": "checkout" },
        "next_action": when(status == "requires_action", redirect(&seed.id)),
        "on_behalf_of": null,
        "payment_method": when(!refused, payment_method_id(seed)),
        "payment_method_options": {
            "card": { "mandate_options": null, "network": null, "request_three_d_secure": "automatic" },
        },
        "payment_method_types": ["card"],
        "single_use_mandate": null,
        "status": status,
        "usage": "off_session",
    });
    if seed.chance(20) {
        intent["attach_to_self"] = json!(false);
    }
    intent
}
