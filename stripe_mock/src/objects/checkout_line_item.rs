use serde_json::{Value, json};

use super::super::seed::Seed;
use super::discount::{discount_id, discount_of};
use super::price::one_time_price;
use super::tax_rate::{tax_rate_id, tax_rate_of};
use super::{currency, parent_id, parent_number};

/// What is bought in a checkout session: every third line with a tax of a quarter, every fifth
/// with a discount of a tenth.
pub(in super::super) fn checkout_line_item(seed: &mut Seed) -> Value {
    let session = parent_number(seed);
    let price = one_time_price(seed, session);
    let unit = price["unit_amount"].as_u64().unwrap_or(0);
    let quantity = seed.between(1, 3);
    let subtotal = quantity * unit;
    let discount = if seed.number.is_multiple_of(5) { subtotal / 10 } else { 0 };
    let tax = if seed.number.is_multiple_of(3) { (subtotal - discount) / 4 } else { 0 };
    let discounts = match discount {
        0 => json!([]),
        _ => json!([{ "amount": discount, "discount": discount_of(&discount_id(seed.number)) }]),
    };
    let taxes = match tax {
        0 => json!([]),
        _ => json!([{
            "amount": tax,
            "rate": tax_rate_of(&tax_rate_id(0)),
            "taxability_reason": "standard_rated",
            "taxable_amount": subtotal - discount,
        }]),
    };
    json!({
        "id": seed.id,
        "object": "item",
        "amount_discount": discount,
        "amount_subtotal": subtotal,
        "amount_tax": tax,
        "amount_total": subtotal - discount + tax,
        "currency": currency(session),
        "description": format!("{quantity} × lamp"),
        "discounts": discounts,
        "price": price,
        "quantity": quantity,
        "taxes": taxes,
        "_parent": parent_id(seed, "checkout_sessions"),
    })
}
