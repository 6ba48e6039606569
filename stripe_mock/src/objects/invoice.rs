use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::discount::{discount_id, discount_of};
use super::person::Person;
use super::tax_rate::tax_rate_id;
use super::{children, currency, customer_id, join, list, payment_method_id, when};

const MONTH: i64 = 30 * DAY;

/// An invoice, most of them paid. Its lines are those of the same numbers.
pub(in super::super) fn invoice(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let paid = seed.chance(85);
    let lines = children(seed, "invoice_line_items");
    let subtotal = sum(&lines, |line| &line["amount"]);
    let discount = sum(&lines, |line| &line["discount_amounts"][0]["amount"]);
    let tax = sum(&lines, |line| &line["tax_amounts"][0]["amount"]);
    let total = subtotal - discount + tax;
    let discounts = match discount {
        0 => json!([]),
        _ => json!([{ "amount": discount, "discount": discount_id(seed.number) }]),
    };
    let taxes = match tax {
        0 => json!([]),
        _ => json!([{
            "amount": tax,
            "inclusive": false,
            "tax_rate": tax_rate_id(0),
            "taxability_reason": "standard_rated",
            "taxable_amount": subtotal - discount,
        }]),
    };
    let open = if paid { 0 } else { total };
    let token = seed.letters(48);
    let first = json!({
        "id": seed.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Example shop",
        "account_tax_ids": seed.maybe(20, json!(["txi_000000000000000000000001"])),
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
        "charge": when(paid, seed.id_of("charges", seed.number)),
        "collection_method": "charge_automatically",
        "created": seed.created,
        "currency": currency(seed.number),
        "custom_fields": seed.maybe(10, json!([{ "name": "Order", "value": token.get(..6) }])),
        "customer": customer_id(seed),
        "customer_address": person.address,
        "customer_email": person.email,
        "customer_name": person.name,
        "customer_phone": person.phone,
        "customer_shipping": seed.maybe(10, person.shipping()),
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": seed.maybe(20, payment_method_id(seed)),
        "default_source": null,
        "default_tax_rates": [],
        "description": seed.maybe(20, "The box of this month"),
        "discount": if discount > 0 { discount_of(&discount_id(seed.number)) } else { Value::Null },
        "discounts": if discount > 0 { json!([discount_id(seed.number)]) } else { json!([]) },
        "due_date": when(!paid, seed.created + MONTH),
        "effective_at": seed.created,
        "ending_balance": 0,
        "footer": seed.maybe(20, "Thank you. Example shop, Harbour Lane 1"),
    });
    let second = json!({
        "from_invoice": null,
        "hosted_invoice_url": format!("https://invoice.stripe.example/i/{token}"),
        "invoice_pdf": format!("https://invoice.stripe.example/i/{token}/pdf"),
        "last_finalization_error": seed.maybe(2, json!({ "message": "The customer has no address.", "type": "invalid_request_error" })),
        "latest_revision": null,
        "lines": list(lines, format!("/v1/invoices/{}/lines", seed.id)),
        "livemode": false,
        "metadata": {},
        "next_payment_attempt": when(!paid, seed.created + MONTH / 10),
        "number": format!("EX-{:06}", seed.number),
        "on_behalf_of": null,
        "paid": paid,
        "paid_out_of_band": false,
        "payment_intent": seed.id_of("payment_intents", seed.number),
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
        "receipt_number": seed.maybe(40, format!("{:04}-{:04}", seed.number % 10_000, total % 10_000)),
        "rendering_options": seed.maybe(10, json!({ "amount_tax_display": "include_inclusive_tax" })),
        "shipping_cost": null,
        "shipping_details": seed.maybe(10, person.shipping()),
        "starting_balance": 0,
        "statement_descriptor": seed.maybe(10, "EXAMPLE SHOP"),
        "status": if paid { "paid" } else { "open" },
        "status_transitions": {
            "finalized_at": seed.created + 60,
            "marked_uncollectible_at": null,
            "paid_at": when(paid, seed.created + 90),
            "voided_at": null,
        },
        "subscription": seed.id_of("subscriptions", seed.number),
        "subscription_details": { "metadata": null },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "tax": when(tax > 0, tax),
        "test_clock": null,
        "total": total,
        "total_discount_amounts": discounts,
        "total_excluding_tax": subtotal - discount,
        "total_tax_amounts": taxes,
        "transfer_data": null,
        "webhooks_delivered_at": seed.created + 1,
    });
    join(first, second)
}

fn sum(lines: &[Value], field: fn(&Value) -> &Value) -> u64 {
    lines.iter().filter_map(|line| field(line).as_u64()).sum()
}
