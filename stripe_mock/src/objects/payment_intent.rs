use serde_json::{Value, json};

use super::super::seed::Seed;
use super::intent::{card_error, redirect};
use super::person::Person;
use super::{account_id, currency, customer_id, join, payment_method_id, when};

/// The payment intent of the charge of the same number.
pub(in super::super) fn payment_intent(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let amount = seed.between(250, 250_000);
    let status =
        *seed.pick(&["succeeded", "succeeded", "succeeded", "requires_payment_method", "requires_action", "canceled"]);
    let paid = status == "succeeded";
    let canceled = status == "canceled";
    let refused = status == "requires_payment_method";
    let secret = seed.letters(25);
    let first = json!({
        "id": seed.id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": if paid { amount } else { 0 },
        "application": null,
        "application_fee_amount": seed.maybe(10, 123),
        "automatic_payment_methods": seed.maybe(50, json!({ "allow_redirects": "always", "enabled": true })),
        "canceled_at": when(canceled, seed.created + 3_600),
        "cancellation_reason": when(canceled, "requested_by_customer"),
        "capture_method": "automatic",
        "client_secret": format!("{}_secret_{secret}", seed.id),
        "confirmation_method": "automatic",
        "created": seed.created,
        "currency": currency(seed.number),
        "customer": seed.maybe(95, customer_id(seed)),
        "description": seed.maybe(70, format!("Order {}", seed.number)),
        "invoice": seed.maybe(40, seed.id_of("invoices", seed.number)),
        "last_payment_error": if refused { card_error(seed) } else { Value::Null },
        "latest_charge": when(paid || refused, seed.id_of("charges", seed.number)),
        "livemode": false,
        "metadata": { "order_id": seed.number.to_string() },
    });
    let second = json!({
        "next_action": when(status == "requires_action", redirect(&seed.id)),
        "on_behalf_of": null,
        "payment_method": when(!refused, payment_method_id(seed)),
        "payment_method_options": {
            "card": {
                "installments": null,
                "mandate_options": null,
                "network": null,
                "request_three_d_secure": "automatic",
            },
        },
        "payment_method_types": ["card"],
        "processing": null,
        "receipt_email": seed.maybe(60, person.email.clone()),
        "review": seed.maybe(3, seed.id_of("reviews", seed.number)),
        "setup_future_usage": seed.maybe(40, "off_session"),
        "shipping": seed.maybe(50, person.shipping()),
        "statement_descriptor": seed.maybe(10, "EXAMPLE SHOP"),
        "statement_descriptor_suffix": null,
        "status": status,
        "transfer_data": seed.maybe(10, json!({ "destination": account_id(seed) })),
        "transfer_group": seed.maybe(10, format!("group_{}", seed.number)),
    });
    join(first, second)
}
