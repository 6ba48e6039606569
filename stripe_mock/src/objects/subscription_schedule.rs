use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::price::{one_time_price_id, recurring_price_id};
use super::tax_rate::{tax_rate_id, tax_rate_of};
use super::{currency, customer_id, payment_method_id, when};

const YEAR: i64 = 365 * DAY;

/// The plan for the subscription of the same number.
pub(in super::super) fn subscription_schedule(seed: &mut Seed) -> Value {
    let status = *seed.pick(&["active", "active", "not_started", "completed", "released", "canceled"]);
    let subscription = seed.id_of("subscriptions", seed.number);
    let end = seed.created + YEAR;
    let over = |of: &str| when(status == of, end);
    let settings = json!({
        "application_fee_percent": null,
        "automatic_tax": { "enabled": false },
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": null,
        "collection_method": "charge_automatically",
        "default_payment_method": seed.maybe(50, payment_method_id(seed)),
        "description": null,
        "invoice_settings": { "days_until_due": null },
        "on_behalf_of": null,
        "transfer_data": null,
    });
    json!({
        "id": seed.id,
        "object": "subscription_schedule",
        "application": null,
        "canceled_at": over("canceled"),
        "completed_at": over("completed"),
        "created": seed.created,
        "current_phase": when(status == "active", json!({ "end_date": end, "start_date": seed.created })),
        "customer": customer_id(seed),
        "default_settings": settings,
        "end_behavior": seed.pick(&["release", "cancel"]),
        "livemode": false,
        "metadata": {},
        "phases": [phase(seed, seed.created), phase(seed, end)],
        "released_at": over("released"),
        "released_subscription": when(status == "released", subscription.clone()),
        "status": status,
        "subscription": when(matches!(status, "active" | "completed"), subscription),
        "test_clock": null,
    })
}

/// A year of it.
fn phase(seed: &Seed, start: i64) -> Value {
    let price = recurring_price_id(seed);
    let extra = one_time_price_id(seed);
    json!({
        "add_invoice_items": [{ "price": extra, "quantity": 1, "tax_rates": [] }],
        "application_fee_percent": null,
        "automatic_tax": { "enabled": false },
        "billing_cycle_anchor": null,
        "billing_thresholds": null,
        "collection_method": null,
        "coupon": null,
        "currency": currency(seed.number),
        "default_payment_method": null,
        "default_tax_rates": [],
        "description": null,
        "end_date": start + YEAR,
        "invoice_settings": null,
        "items": [{
            "billing_thresholds": null,
            "metadata": {},
            "price": price,
            "quantity": 1,
            "tax_rates": [tax_rate_of(&tax_rate_id(seed.number))],
        }],
        "metadata": {},
        "on_behalf_of": null,
        "proration_behavior": "create_prorations",
        "start_date": start,
        "transfer_data": null,
        "trial_end": null,
    })
}
