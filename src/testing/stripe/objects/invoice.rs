use serde_json::{Value, json};

use super::super::seed::Seed;
use super::person::Person;
use super::{CURRENCIES, CUSTOMERS, join};

const MONTH: i64 = 30 * 24 * 60 * 60;

/// An invoice with one to three lines, most of them paid.
pub(in super::super) fn invoice(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let currency = *seed.pick(CURRENCIES);
    let paid = seed.chance(85);
    let lines: Vec<Value> = (0..seed.between(1, 3)).map(|_| line_item(seed, currency)).collect();
    let total: u64 = lines.iter().filter_map(|line| line["amount"].as_u64()).sum();
    let open = if paid { 0 } else { total };
    let at = |time: i64, when: bool| if when { json!(time) } else { Value::Null };
    let token = seed.letters(48);
    let first = json!({
        "id": seed.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Example shop",
        "account_tax_ids": null,
        "amount_due": total,
        "amount_paid": total - open,
        "amount_remaining": open,
        "amount_shipping": 0,
        "application": null,
        "application_fee_amount": null,
        "attempt_count": 1,
        "attempted": true,
        "auto_advance": false,
        "automatic_tax": { "enabled": false, "status": null },
        "billing_reason": "subscription_cycle",
        "charge": if paid { json!(seed.id_of("charges", seed.number)) } else { Value::Null },
        "collection_method": "charge_automatically",
        "created": seed.created,
        "currency": currency,
        "custom_fields": null,
        "customer": seed.id_of("customers", seed.number % CUSTOMERS + 1),
        "customer_address": person.address,
        "customer_email": person.email,
        "customer_name": person.name,
        "customer_phone": person.phone,
        "customer_shipping": null,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": null,
        "default_source": null,
        "default_tax_rates": [],
        "description": null,
        "discount": null,
        "discounts": [],
        "due_date": at(seed.created + MONTH, !paid),
        "effective_at": seed.created,
        "ending_balance": 0,
        "footer": null,
    });
    let second = json!({
        "from_invoice": null,
        "hosted_invoice_url": format!("https://invoice.stripe.example/i/{token}"),
        "invoice_pdf": format!("https://invoice.stripe.example/i/{token}/pdf"),
        "last_finalization_error": null,
        "latest_revision": null,
        "lines": {
            "object": "list",
            "data": lines,
            "has_more": false,
            "total_count": lines.len(),
            "url": format!("/v1/invoices/{}/lines", seed.id),
        },
        "livemode": false,
        "metadata": {},
        "next_payment_attempt": at(seed.created + MONTH / 10, !paid),
        "number": format!("EX-{:06}", seed.number),
        "on_behalf_of": null,
        "paid": paid,
        "paid_out_of_band": false,
        "payment_intent": seed.foreign_id("pi_"),
        "payment_settings": {
            "default_mandate": null,
            "payment_method_options": null,
            "payment_method_types": null,
        },
        "period_end": seed.created,
        "period_start": seed.created - MONTH,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "quote": null,
        "receipt_number": null,
        "rendering_options": null,
        "shipping_cost": null,
        "shipping_details": null,
        "starting_balance": 0,
        "statement_descriptor": null,
        "status": if paid { "paid" } else { "open" },
        "status_transitions": {
            "finalized_at": seed.created + 60,
            "marked_uncollectible_at": null,
            "paid_at": at(seed.created + 90, paid),
            "voided_at": null,
        },
        "subscription": seed.foreign_id("sub_"),
        "subscription_details": { "metadata": null },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "tax": null,
        "test_clock": null,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_tax_amounts": [],
        "transfer_data": null,
        "webhooks_delivered_at": seed.created + 1,
    });
    join(first, second)
}

fn line_item(seed: &mut Seed, currency: &str) -> Value {
    let quantity = seed.between(1, 5);
    let unit = seed.between(500, 20_000);
    let product = seed.between(1, 50);
    json!({
        "id": seed.foreign_id("il_"),
        "object": "line_item",
        "amount": quantity * unit,
        "amount_excluding_tax": quantity * unit,
        "currency": currency,
        "description": format!("{quantity} × plan {product}"),
        "discount_amounts": [],
        "discountable": true,
        "discounts": [],
        "livemode": false,
        "metadata": {},
        "period": { "end": seed.created, "start": seed.created - MONTH },
        "price": {
            "id": seed.foreign_id("price_"),
            "object": "price",
            "active": true,
            "billing_scheme": "per_unit",
            "created": seed.created - MONTH,
            "currency": currency,
            "custom_unit_amount": null,
            "livemode": false,
            "lookup_key": null,
            "metadata": {},
            "nickname": null,
            "product": seed.id_of("products", product),
            "recurring": {
                "aggregate_usage": null,
                "interval": "month",
                "interval_count": 1,
                "trial_period_days": null,
                "usage_type": "licensed",
            },
            "tax_behavior": "unspecified",
            "tiers_mode": null,
            "transform_quantity": null,
            "type": "recurring",
            "unit_amount": unit,
            "unit_amount_decimal": unit.to_string(),
        },
        "proration": false,
        "proration_details": { "credited_items": null },
        "quantity": quantity,
        "subscription": seed.foreign_id("sub_"),
        "subscription_item": seed.foreign_id("si_"),
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription",
        "unit_amount_excluding_tax": unit.to_string(),
    })
}
