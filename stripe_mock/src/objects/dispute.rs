use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::person::Person;
use super::{currency, object, when};

/// A dispute over the charge of the same number.
pub(in super::super) fn dispute(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let amount = seed.between(1_000, 90_000);
    let status = *seed.pick(&["needs_response", "under_review", "won", "lost", "warning_closed"]);
    let answered = status != "needs_response";
    let mut transaction = object(seed, "balance_transactions", seed.number);
    transaction["amount"] = json!(-(amount as i64));
    transaction["net"] = json!(-(amount as i64) - 1_500);
    transaction["fee"] = json!(1_500);
    transaction["reporting_category"] = json!("dispute");
    transaction["source"] = json!(seed.id);
    transaction["type"] = json!("adjustment");
    json!({
        "id": seed.id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [transaction],
        "charge": seed.id_of("charges", seed.number),
        "created": seed.created,
        "currency": currency(seed.number),
        "evidence": evidence(seed, &person, answered),
        "evidence_details": {
            "due_by": when(!answered, seed.created + 9 * DAY),
            "has_evidence": answered,
            "past_due": false,
            "submission_count": u8::from(answered),
        },
        "is_charge_refundable": !answered,
        "livemode": false,
        "metadata": {},
        "payment_intent": seed.maybe(90, seed.id_of("payment_intents", seed.number)),
        "reason": seed.pick(&["fraudulent", "product_not_received", "duplicate", "general"]),
        "status": status,
    })
}

/// The shop's evidence.
fn evidence(seed: &mut Seed, person: &Person, answered: bool) -> Value {
    json!({
        "access_activity_log": null,
        "billing_address": format!("{}, {}", person.address["line1"], person.address["city"]),
        "cancellation_policy": null,
        "cancellation_policy_disclosure": null,
        "cancellation_rebuttal": null,
        "customer_communication": when(answered, seed.foreign_id("file_")),
        "customer_email_address": person.email,
        "customer_name": person.name,
        "customer_purchase_ip": seed.maybe(60, "192.0.2.44"),
        "customer_signature": null,
        "duplicate_charge_documentation": null,
        "duplicate_charge_explanation": null,
        "duplicate_charge_id": null,
        "product_description": when(answered, "A lamp, sent on the day of the order"),
        "receipt": when(answered, seed.foreign_id("file_")),
        "refund_policy": null,
        "refund_policy_disclosure": null,
        "refund_refusal_explanation": null,
        "service_date": null,
        "service_documentation": null,
        "shipping_address": null,
        "shipping_carrier": when(answered, "DHL"),
        "shipping_date": null,
        "shipping_documentation": null,
        "shipping_tracking_number": when(answered, seed.letters(14)),
        "uncategorized_file": null,
        "uncategorized_text": null,
    })
}
