//! The common part of payment intents and setup intents.

use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{object, payment_method_number};

/// Why the bank refused a card.
pub(super) fn card_error(seed: &mut Seed) -> Value {
    let decline_code = *seed.pick(&["insufficient_funds", "lost_card", "do_not_honor"]);
    json!({
        "code": "card_declined",
        "decline_code": decline_code,
        "doc_url": "https://stripe.example/docs/error-codes/card-declined",
        "message": "The bank said no.",
        "payment_method": object(seed, "payment_methods", payment_method_number(seed)),
        "type": "card_error",
    })
}

/// The web page where the customer is to confirm.
pub(super) fn redirect(intent: &str) -> Value {
    json!({
        "redirect_to_url": {
            "return_url": "https://shop.example/done",
            "url": format!("https://hooks.stripe.example/authenticate/{intent}"),
        },
        "type": "redirect_to_url",
    })
}
