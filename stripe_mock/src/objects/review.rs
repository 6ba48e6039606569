use serde_json::{Value, json};

use super::super::seed::Seed;
use super::when;

/// A review of the charge of the same number.
pub(in super::super) fn review(seed: &mut Seed) -> Value {
    let open = seed.chance(40);
    let by_rule = seed.chance(70);
    let closed = *seed.pick(&["approved", "refunded", "refunded_as_fraud", "disputed"]);
    let mut review = json!({
        "id": seed.id,
        "object": "review",
        "billing_zip": seed.maybe(80, format!("{:05}", seed.number % 100_000)),
        "charge": seed.maybe(90, seed.id_of("charges", seed.number)),
        "closed_reason": when(!open, closed),
        "created": seed.created,
        "ip_address": seed.maybe(80, "198.51.100.7"),
        "ip_address_location": seed.maybe(70, json!({
            "city": "Göteborg",
            "country": "SE",
            "latitude": 57.7089,
            "longitude": 11.9746,
            "region": "O",
        })),
        "livemode": false,
        "open": open,
        "opened_reason": if by_rule { "rule" } else { "manual" },
        "reason": match (open, by_rule) {
            (false, _) => closed,
            (true, true) => "rule",
            (true, false) => "manual",
        },
        "session": seed.maybe(60, json!({
            "browser": "Firefox",
            "device": "Other",
            "platform": "Linux",
            "version": "118",
        })),
    });
    if seed.chance(80) {
        review["payment_intent"] = json!(seed.id_of("payment_intents", seed.number));
    }
    review
}
