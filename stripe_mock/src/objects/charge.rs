use serde_json::{Value, json};

use super::super::seed::Seed;
use super::card_face::{card_checks, card_face, three_d_secure};
use super::person::Person;
use super::refund::refund_of;
use super::{account_id, currency, customer_id, join, list, payment_method_id, when};

/// A card payment, one in six refunded.
pub(in super::super) fn charge(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let amount = seed.between(250, 250_000);
    let currency = currency(seed.number);
    let refunded = seed.chance(16);
    let failed = !refunded && seed.chance(8);
    let paid = !failed;
    let customer = customer_id(seed);
    let transaction = seed.id_of("balance_transactions", seed.number);
    let payment_intent = seed.id_of("payment_intents", seed.number);
    let receipt = seed.letters(160);
    let has_fee = paid && seed.chance(10);
    let application = seed.foreign_id("ca_");
    let order = seed.between(100_000, 999_999);
    let refunds: Vec<Value> =
        if refunded { vec![refund_of(seed, amount, currency, &payment_intent)] } else { Vec::new() };
    let refunds_url = format!("/v1/charges/{}/refunds", seed.id);
    let first = json!({
        "id": seed.id,
        "object": "charge",
        "amount": amount,
        "amount_captured": if paid { amount } else { 0 },
        "amount_refunded": if refunded { amount } else { 0 },
        "application": when(has_fee, application),
        "application_fee": when(has_fee, seed.id_of("application_fees", seed.number)),
        "application_fee_amount": when(has_fee, amount / 50),
        "balance_transaction": when(paid, transaction),
        "billing_details": person.billing_details(),
        "calculated_statement_descriptor": "EXAMPLE SHOP",
        "captured": paid,
        "created": seed.created,
        "currency": currency,
        "customer": customer,
        "description": format!("Order {order} from the example shop"),
        "disputed": paid && seed.chance(2),
        "failure_balance_transaction": null,
        "failure_code": when(failed, "card_declined"),
        "failure_message": when(failed, "The bank said no."),
        "fraud_details": {},
    });
    let second = json!({
        "invoice": seed.maybe(30, seed.id_of("invoices", seed.number)),
        "livemode": false,
        "metadata": {
            "order_id": order.to_string(),
            "cart": seed.letters(32),
            "channel": seed.pick(&["web", "app", "phone \"desk\""]),
            "campaign": seed.letters(16),
            "warehouse_reservation": seed.letters(40),
            "utm": format!("source=newsletter&medium=e-mail&content={}", seed.letters(24)),
            "note": "Leave at the door \u{1F6AA}, ring twice",
        },
        "on_behalf_of": when(has_fee, account_id(seed)),
        "outcome": outcome(seed, failed),
        "paid": paid,
        "payment_intent": payment_intent,
        "payment_method": payment_method_id(seed),
        "payment_method_details": card(seed, &person),
        "radar_options": {},
        "receipt_email": person.email,
        "receipt_number": seed.maybe(50, format!("{}-{}", order % 10_000, order / 100)),
        "receipt_url": format!("https://pay.stripe.example/receipts/{receipt}"),
        "refunded": refunded,
        "refunds": list(refunds, refunds_url),
        "review": seed.maybe(3, seed.id_of("reviews", seed.number)),
        "shipping": person.shipping(),
        "source": null,
        "source_transfer": null,
        "statement_descriptor": seed.maybe(10, "EXAMPLE SHOP"),
        "statement_descriptor_suffix": seed.maybe(30, "ORDER"),
        "status": if failed { "failed" } else { "succeeded" },
        "transfer_data": when(has_fee, json!({ "amount": null, "destination": account_id(seed) })),
        "transfer_group": seed.maybe(10, format!("group_{order}")),
    });
    join(first, second)
}

fn outcome(seed: &mut Seed, failed: bool) -> Value {
    let status = if failed { "declined_by_network" } else { "approved_by_network" };
    json!({
        "network_status": status,
        "reason": when(failed, "generic_decline"),
        "risk_level": "normal",
        "risk_score": seed.between(0, 64),
        "seller_message": if failed { "Declined." } else { "Done." },
        "type": if failed { "issuer_declined" } else { "authorized" },
    })
}

fn card(seed: &mut Seed, person: &Person) -> Value {
    let face = card_face(seed, &person.address["country"]);
    let network = face["brand"].clone();
    let payment = json!({
        "amount_authorized": null,
        "checks": card_checks(seed),
        "installments": null,
        "mandate": null,
        "network": network,
        "network_token": { "used": seed.chance(40) },
        "three_d_secure": three_d_secure(seed),
        "wallet": null,
    });
    json!({ "card": join(face, payment), "type": "card" })
}
