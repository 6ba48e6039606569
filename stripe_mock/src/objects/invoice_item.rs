use serde_json::{Value, json};

use super::super::seed::Seed;
use super::price::one_time_price;
use super::tax_rate::{tax_rate_id, tax_rate_of};
use super::{currency, customer_id, when};

/// Something to be put on the next invoice of a customer.
pub(in super::super) fn invoice_item(seed: &mut Seed) -> Value {
    let quantity = seed.between(1, 4);
    let price = one_time_price(seed, seed.number);
    let unit = price["unit_amount"].as_u64().unwrap_or(0);
    let billed = seed.chance(70);
    json!({
        "id": seed.id,
        "object": "invoiceitem",
        "amount": quantity * unit,
        "currency": currency(seed.number),
        "customer": customer_id(seed),
        "date": seed.created,
        "description": seed.maybe(80, format!("Repair no. {}", seed.number)),
        "discountable": true,
        "discounts": [],
        "invoice": when(billed, seed.id_of("invoices", seed.number)),
        "livemode": false,
        "metadata": {},
        "period": { "end": seed.created, "start": seed.created },
        "price": price,
        "proration": false,
        "quantity": quantity,
        "subscription": seed.maybe(20, seed.id_of("subscriptions", seed.number)),
        "tax_rates": if seed.chance(30) { json!([tax_rate_of(&tax_rate_id(seed.number))]) } else { json!([]) },
        "test_clock": null,
        "unit_amount": unit,
        "unit_amount_decimal": unit.to_string(),
    })
}
