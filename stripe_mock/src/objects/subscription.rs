use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::discount::{discount_id, discount_of};
use super::tax_rate::{tax_rate_id, tax_rate_of};
use super::{account_id, children, currency, customer_id, join, list, payment_method_id, when};

const MONTH: i64 = 30 * DAY;

/// A subscription. Its items are those of the same numbers.
pub(in super::super) fn subscription(seed: &mut Seed) -> Value {
    let status = *seed.pick(&["active", "active", "active", "trialing", "past_due", "canceled", "canceled"]);
    let canceled = status == "canceled";
    let trialing = status == "trialing";
    let by_invoice = seed.chance(15);
    let start = seed.created;
    let ending = status == "active" && seed.chance(10);
    let first = json!({
        "id": seed.id,
        "object": "subscription",
        "application": null,
        "application_fee_percent": seed.maybe(5, 2.5),
        "automatic_tax": { "enabled": false },
        "billing_cycle_anchor": start,
        "billing_thresholds": seed.maybe(5, json!({ "amount_gte": 50_000, "reset_billing_cycle_anchor": false })),
        "cancel_at": when(ending, start + MONTH),
        "cancel_at_period_end": ending,
        "canceled_at": when(canceled, start + MONTH),
        "cancellation_details": {
            "comment": when(canceled && seed.chance(30), "Moved to another shop"),
            "feedback": when(canceled, "too_expensive"),
            "reason": when(canceled, "cancellation_requested"),
        },
        "collection_method": if by_invoice { "send_invoice" } else { "charge_automatically" },
        "created": start,
        "currency": currency(seed.number),
        "current_period_end": start + MONTH,
        "current_period_start": start,
        "customer": customer_id(seed),
        "days_until_due": when(by_invoice, 30),
        "default_payment_method": seed.maybe(60, payment_method_id(seed)),
        "default_source": seed.maybe(10, seed.id_of("bank_accounts", 1)),
        "default_tax_rates": if seed.chance(30) { json!([tax_rate_of(&tax_rate_id(seed.number))]) } else { json!([]) },
        "description": seed.maybe(20, "A box every month"),
        "discount": if seed.chance(10) { discount_of(&discount_id(seed.number)) } else { Value::Null },
        "ended_at": when(canceled, start + MONTH),
    });
    let weekly = seed.chance(5);
    let second = json!({
        "items": list(
            children(seed, "subscription_items"),
            format!("/v1/subscription_items?subscription={}", seed.id),
        ),
        "latest_invoice": seed.maybe(95, seed.id_of("invoices", seed.number)),
        "livemode": false,
        "metadata": { "box": seed.between(1, 6).to_string() },
        "next_pending_invoice_item_invoice": when(weekly, start + 7 * DAY),
        "on_behalf_of": null,
        "pause_collection": seed.maybe(5, json!({ "behavior": "void", "resumes_at": start + 2 * MONTH })),
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": when(weekly, json!({ "interval": "week", "interval_count": 1 })),
        "pending_setup_intent": seed.maybe(5, seed.id_of("setup_intents", seed.number)),
        "pending_update": seed.maybe(3, json!({ "billing_cycle_anchor": null, "expires_at": start + DAY, "subscription_items": null, "trial_end": null, "trial_from_plan": null })),
        "schedule": seed.maybe(20, seed.id_of("subscription_schedule", seed.number)),
        "start_date": start,
        "status": status,
        "test_clock": null,
        "transfer_data": seed.maybe(5, json!({ "amount_percent": 80.0, "destination": account_id(seed) })),
        "trial_end": when(trialing, start + 14 * DAY),
        "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
        "trial_start": when(trialing, start),
    });
    join(first, second)
}
