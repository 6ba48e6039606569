use serde_json::{Value, json};

use super::super::seed::Seed;
use super::person::Person;
use super::refund::refund_of;
use super::{CURRENCIES, CUSTOMERS, join};

const BRANDS: &[(&str, &str)] = &[("visa", "4242"), ("mastercard", "4444"), ("amex", "0005"), ("discover", "1117")];

/// A card payment, one in six refunded.
pub(in super::super) fn charge(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let amount = seed.between(250, 250_000);
    let currency = *seed.pick(CURRENCIES);
    let refunded = seed.chance(16);
    let failed = !refunded && seed.chance(8);
    let paid = !failed;
    let customer = seed.id_of("customers", seed.number % CUSTOMERS + 1);
    let transaction = seed.id_of("balance_transactions", seed.number);
    let payment_intent = seed.foreign_id("pi_");
    let receipt = seed.letters(160);
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
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": if paid { json!(transaction) } else { Value::Null },
        "billing_details": {
            "address": person.address,
            "email": person.email,
            "name": person.name,
            "phone": person.phone,
        },
        "calculated_statement_descriptor": "EXAMPLE SHOP",
        "captured": paid,
        "created": seed.created,
        "currency": currency,
        "customer": customer,
        "description": format!("Order {order} from the example shop"),
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": if failed { json!("card_declined") } else { Value::Null },
        "failure_message": if failed { json!("The bank said no.") } else { Value::Null },
        "fraud_details": {},
    });
    let second = json!({
        "invoice": null,
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
        "on_behalf_of": null,
        "outcome": outcome(seed, failed),
        "paid": paid,
        "payment_intent": payment_intent,
        "payment_method": seed.foreign_id("pm_"),
        "payment_method_details": card(seed, &person),
        "radar_options": {},
        "receipt_email": person.email,
        "receipt_number": seed.maybe(50, format!("{}-{}", order % 10_000, order / 100)),
        "receipt_url": format!("https://pay.stripe.example/receipts/{receipt}"),
        "refunded": refunded,
        "refunds": {
            "object": "list",
            "data": refunds,
            "has_more": false,
            "total_count": i32::from(refunded),
            "url": refunds_url,
        },
        "review": null,
        "shipping": person.shipping(),
        "source": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": seed.maybe(30, "ORDER"),
        "status": if failed { "failed" } else { "succeeded" },
        "transfer_data": null,
        "transfer_group": seed.maybe(10, format!("group_{order}")),
    });
    join(first, second)
}

fn outcome(seed: &mut Seed, failed: bool) -> Value {
    let status = if failed { "declined_by_network" } else { "approved_by_network" };
    json!({
        "network_status": status,
        "reason": if failed { json!("generic_decline") } else { Value::Null },
        "risk_level": "normal",
        "risk_score": seed.between(0, 64),
        "seller_message": if failed { "Declined." } else { "Done." },
        "type": if failed { "issuer_declined" } else { "authorized" },
    })
}

fn card(seed: &mut Seed, person: &Person) -> Value {
    let (brand, last4) = *seed.pick(BRANDS);
    json!({
        "card": {
            "amount_authorized": null,
            "brand": brand,
            "checks": {
                "address_line1_check": "pass",
                "address_postal_code_check": seed.pick(&["pass", "unchecked"]),
                "cvc_check": "pass",
            },
            "country": person.address["country"],
            "exp_month": seed.between(1, 12),
            "exp_year": seed.between(2026, 2034),
            "fingerprint": seed.letters(16),
            "funding": seed.pick(&["credit", "debit", "prepaid"]),
            "installments": null,
            "last4": last4,
            "mandate": null,
            "network": brand,
            "network_token": { "used": seed.chance(40) },
            "three_d_secure": if seed.chance(25) {
                json!({
                    "authentication_flow": "frictionless",
                    "result": "authenticated",
                    "result_reason": null,
                    "version": "2.2.0",
                })
            } else {
                Value::Null
            },
            "wallet": null,
        },
        "type": "card",
    })
}
