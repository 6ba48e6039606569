use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{PER_PARENT, currency, customer_id, list, when};

/// A credit note for the invoice of the same number.
pub(in super::super) fn credit_note(seed: &mut Seed) -> Value {
    let amount = seed.between(500, 20_000);
    let voided = seed.chance(10);
    let refunded = seed.chance(40);
    let token = seed.letters(40);
    json!({
        "id": seed.id,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": seed.created,
        "currency": currency(seed.number),
        "customer": customer_id(seed),
        "customer_balance_transaction": when(
            !refunded,
            seed.id_of("customer_balance_transactions", seed.number),
        ),
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": seed.maybe(90, seed.created),
        "invoice": seed.id_of("invoices", seed.number),
        "lines": list(vec![line(seed, amount)], format!("/v1/credit_notes/{}/lines", seed.id)),
        "livemode": false,
        "memo": seed.maybe(40, "Sorry about the scratch"),
        "metadata": {},
        "number": format!("EX-{:06}-CN-01", seed.number),
        "out_of_band_amount": null,
        "pdf": format!("https://invoice.stripe.example/credit_notes/{token}/pdf"),
        "reason": seed.maybe(70, "product_unsatisfactory"),
        "refund": when(refunded, seed.id_of("refunds", seed.number)),
        "shipping_cost": null,
        "status": if voided { "void" } else { "issued" },
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "tax_amounts": [],
        "total": amount,
        "total_excluding_tax": amount,
        "type": "post_payment",
        "voided_at": when(voided, seed.created + 3_600),
    })
}

fn line(seed: &mut Seed, amount: u64) -> Value {
    json!({
        "id": seed.foreign_id("cnli_"),
        "object": "credit_note_line_item",
        "amount": amount,
        "amount_excluding_tax": amount,
        "description": "One of the lamps",
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": seed.id_of("invoice_line_items", seed.number * PER_PARENT),
        "livemode": false,
        "quantity": 1,
        "tax_amounts": [],
        "tax_rates": [],
        "type": "invoice_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": amount.to_string(),
        "unit_amount_excluding_tax": amount.to_string(),
    })
}
