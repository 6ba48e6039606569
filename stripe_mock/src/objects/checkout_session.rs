use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::person::Person;
use super::{children, currency, customer_id, join, when};

/// A checkout session; what is bought are the line items of the same numbers.
pub(in super::super) fn checkout_session(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let mode = *seed.pick(&["payment", "payment", "subscription", "setup"]);
    let status = *seed.pick(&["complete", "complete", "open", "expired"]);
    let done = status == "complete";
    let sells = mode != "setup";
    let lines = children(seed, "checkout_sessions_line_items");
    let sum = |field: &str| -> u64 { lines.iter().filter_map(|line| line[field].as_u64()).sum() };
    let customer = when(done || seed.chance(50), customer_id(seed));
    let expires_at = seed.created + DAY;
    let recovery = json!({
        "recovery": { "allow_promotion_codes": false, "enabled": true, "expires_at": expires_at + 30 * DAY, "url": null },
    });
    let payment_link = seed.foreign_id("plink_");
    let fragment = seed.letters(160);
    let first = json!({
        "id": seed.id,
        "object": "checkout.session",
        "after_expiration": seed.maybe(20, recovery),
        "allow_promotion_codes": seed.maybe(50, true),
        "amount_subtotal": when(sells, sum("amount_subtotal")),
        "amount_total": when(sells, sum("amount_total")),
        "automatic_tax": { "enabled": false, "status": null },
        "billing_address_collection": seed.maybe(30, "auto"),
        "cancel_url": seed.maybe(80, "https://shop.example/cart"),
        "client_reference_id": seed.maybe(40, format!("cart-{}", seed.number)),
        "consent": seed.maybe(20, json!({ "promotions": "opt_out", "terms_of_service": "accepted" })),
        "consent_collection": seed.maybe(20, json!({ "promotions": "auto", "terms_of_service": "required" })),
        "created": seed.created,
        "currency": when(sells, currency(seed.number)),
        "currency_conversion": null,
        "custom_fields": custom_fields(seed),
        "custom_text": { "shipping_address": null, "submit": { "message": "It is sent tomorrow." } },
        "customer": customer,
        "customer_creation": when(mode == "payment", "if_required"),
        "customer_details": when(done, json!({
            "address": person.address,
            "email": person.email,
            "name": person.name,
            "phone": null,
            "tax_exempt": "none",
            "tax_ids": [],
        })),
        "customer_email": seed.maybe(30, person.email.clone()),
    });
    let second = json!({
        "expires_at": expires_at,
        "invoice": when(done && mode == "subscription", seed.id_of("invoices", seed.number)),
        "invoice_creation": when(mode == "payment", json!({
            "enabled": false,
            "invoice_data": {
                "account_tax_ids": null,
                "custom_fields": null,
                "description": null,
                "footer": null,
                "metadata": {},
                "rendering_options": null,
            },
        })),
        "livemode": false,
        "locale": seed.maybe(50, "auto"),
        "metadata": {},
        "mode": mode,
        "payment_intent": when(mode == "payment", seed.id_of("payment_intents", seed.number)),
        "payment_link": seed.maybe(20, payment_link),
        "payment_method_collection": when(sells, "always"),
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": match (sells, done) {
            (false, _) => "no_payment_required",
            (true, true) => "paid",
            (true, false) => "unpaid",
        },
        "phone_number_collection": { "enabled": false },
        "recovered_from": null,
        "setup_intent": when(mode == "setup", seed.id_of("setup_intents", seed.number)),
        "shipping_address_collection": seed.maybe(40, json!({ "allowed_countries": ["PT", "SE"] })),
        "shipping_cost": null,
        "shipping_details": when(sells && done && seed.chance(50), person.shipping()),
        "shipping_options": [{ "shipping_amount": 0, "shipping_rate": seed.id_of("shipping_rates", 1) }],
        "status": status,
        "submit_type": seed.maybe(20, "pay"),
        "subscription": when(done && mode == "subscription", seed.id_of("subscriptions", seed.number)),
        "success_url": seed.maybe(90, "https://shop.example/thanks"),
        "tax_id_collection": { "enabled": false },
        "total_details": when(sells, json!({
            "amount_discount": sum("amount_discount"),
            "amount_shipping": 0,
            "amount_tax": sum("amount_tax"),
        })),
        "url": when(status == "open", format!("https://checkout.stripe.example/c/pay/{}#{fragment}", seed.id)),
    });
    join(first, second)
}

/// A question of the shop's own, in some sessions.
fn custom_fields(seed: &mut Seed) -> Value {
    if !seed.chance(20) {
        return json!([]);
    }
    json!([{
        "dropdown": null,
        "key": "engraving",
        "label": { "custom": "Engraving", "type": "custom" },
        "numeric": null,
        "optional": true,
        "text": { "maximum_length": 20, "minimum_length": null, "value": "For Håkon" },
        "type": "text",
    }])
}
