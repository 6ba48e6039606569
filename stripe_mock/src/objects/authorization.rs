use serde_json::{Value, json};

use super::super::seed::Seed;
use super::merchant::merchant;
use super::{CARDS, object, when};

/// A use of an issued card. Those that are closed have the transaction of the same number.
pub(in super::super) fn authorization(seed: &mut Seed) -> Value {
    let approved = seed.chance(85);
    let status = if approved { *seed.pick(&["closed", "closed", "pending", "reversed"]) } else { "closed" };
    let captured = approved && status == "closed";
    let amount = seed.between(150, 60_000);
    let transactions = if captured { vec![object(seed, "transactions", seed.number)] } else { Vec::new() };
    let pending = json!({
        "amount": amount,
        "amount_details": { "atm_fee": null },
        "currency": "eur",
        "is_amount_controllable": false,
        "merchant_amount": amount,
        "merchant_currency": "eur",
    });
    json!({
        "id": seed.id,
        "object": "issuing.authorization",
        "amount": if captured { 0 } else { amount },
        "amount_details": seed.maybe(80, json!({ "atm_fee": null })),
        "approved": approved,
        "authorization_method": seed.pick(&["chip", "contactless", "online", "swipe", "keyed_in"]),
        "balance_transactions": [],
        "card": object(seed, "cards", seed.number % CARDS + 1),
        "cardholder": seed.maybe(95, seed.id_of("cardholders", seed.number % CARDS + 1)),
        "created": seed.created,
        "currency": "eur",
        "livemode": false,
        "merchant_amount": amount,
        "merchant_currency": "eur",
        "merchant_data": merchant(seed),
        "metadata": {},
        "network_data": seed.maybe(60, json!({ "acquiring_institution_id": "0123" })),
        "pending_request": when(status == "pending" && seed.chance(30), pending),
        "request_history": [{
            "amount": amount,
            "amount_details": { "atm_fee": null },
            "approved": approved,
            "created": seed.created,
            "currency": "eur",
            "merchant_amount": amount,
            "merchant_currency": "eur",
            "reason": if approved { "card_active" } else { "insufficient_funds" },
            "reason_message": null,
        }],
        "status": status,
        "transactions": transactions,
        "treasury": null,
        "verification_data": {
            "address_line1_check": "not_provided",
            "address_postal_code_check": seed.pick(&["match", "mismatch", "not_provided"]),
            "cvc_check": "match",
            "expiry_check": "match",
        },
        "wallet": seed.maybe(20, "apple_pay"),
    })
}
