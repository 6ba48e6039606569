use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::discount::discount_id;
use super::price::{one_time_price, recurring_price};
use super::tax_rate::tax_rate_id;
use super::{PER_PARENT, currency, parent_id, parent_number, when};

const MONTH: i64 = 30 * DAY;

/// A line of an invoice: the first is for a subscription, the second may be for an invoice item.
/// Every seventh invoice has a discount of a tenth, every third a tax of a quarter.
pub(in super::super) fn invoice_line_item(seed: &mut Seed) -> Value {
    let invoice = parent_number(seed);
    let for_item = seed.number.is_multiple_of(PER_PARENT) && seed.chance(50);
    let price = if for_item { one_time_price(seed, invoice) } else { recurring_price(seed, invoice) };
    let unit = price["unit_amount"].as_u64().unwrap_or(0);
    let quantity = seed.between(1, 5);
    let amount = quantity * unit;
    let discount = if invoice.is_multiple_of(7) { amount / 10 } else { 0 };
    let taxed = invoice.is_multiple_of(3);
    let tax_rate = tax_rate_id(0);
    let mut line = json!({
        "id": seed.id,
        "object": "line_item",
        "amount": amount,
        "amount_excluding_tax": amount,
        "currency": currency(invoice),
        "description": format!("{quantity} × {}", if for_item { "repair" } else { "plan" }),
        "discount_amounts": amounts(discount > 0, json!({
            "amount": discount,
            "discount": discount_id(invoice),
        })),
        "discountable": true,
        "discounts": [],
        "livemode": false,
        "metadata": {},
        "period": { "end": seed.created, "start": if for_item { seed.created } else { seed.created - MONTH } },
        "price": price,
        "proration": false,
        "proration_details": { "credited_items": null },
        "quantity": quantity,
        "subscription": when(!for_item, seed.id_of("subscriptions", invoice)),
        "tax_amounts": amounts(taxed, json!({
            "amount": (amount - discount) / 4,
            "inclusive": false,
            "tax_rate": tax_rate,
            "taxability_reason": "standard_rated",
            "taxable_amount": amount - discount,
        })),
        "tax_rates": [],
        "type": if for_item { "invoiceitem" } else { "subscription" },
        "unit_amount_excluding_tax": unit.to_string(),
        "_parent": parent_id(seed, "invoices"),
    });
    if for_item {
        line["invoice_item"] = json!(seed.id_of("invoice_items", invoice));
    } else {
        line["subscription_item"] = json!(seed.id_of("subscription_items", seed.number));
    }
    line
}

/// One element or none.
fn amounts(is_so: bool, one: Value) -> Value {
    if is_so { json!([one]) } else { json!([]) }
}
