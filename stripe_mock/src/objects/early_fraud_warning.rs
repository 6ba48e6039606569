use serde_json::{Value, json};

use super::super::seed::Seed;

/// A card network's opinion of the charge of the same number.
pub(in super::super) fn early_fraud_warning(seed: &mut Seed) -> Value {
    let mut warning = json!({
        "id": seed.id,
        "object": "radar.early_fraud_warning",
        "actionable": seed.chance(60),
        "charge": seed.id_of("charges", seed.number),
        "created": seed.created,
        "fraud_type": seed.pick(&["made_with_stolen_card", "made_with_lost_card", "unauthorized_use_of_card", "misc"]),
        "livemode": false,
    });
    if seed.chance(80) {
        warning["payment_intent"] = json!(seed.id_of("payment_intents", seed.number));
    }
    warning
}
