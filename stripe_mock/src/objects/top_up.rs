use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::when;

/// Money put into the balance.
pub(in super::super) fn top_up(seed: &mut Seed) -> Value {
    let status = *seed.pick(&["succeeded", "succeeded", "succeeded", "pending", "failed", "canceled"]);
    let failed = status == "failed";
    let amount = seed.between(10_000, 900_000);
    let transaction = seed.foreign_id("txn_");
    let source = source(seed, amount);
    json!({
        "id": seed.id,
        "object": "topup",
        "amount": amount,
        "balance_transaction": when(status == "succeeded", transaction),
        "created": seed.created,
        "currency": "usd",
        "description": seed.maybe(60, "Before the sale"),
        "expected_availability_date": seed.maybe(80, seed.created + 5 * DAY),
        "failure_code": when(failed, "insufficient_funds"),
        "failure_message": when(failed, "There was too little in the account."),
        "livemode": false,
        "metadata": {},
        "source": seed.maybe(85, source),
        "statement_descriptor": seed.maybe(40, "TOP UP"),
        "status": status,
        "transfer_group": seed.maybe(20, format!("group_{}", seed.number)),
    })
}

/// The bank account that the money came from.
fn source(seed: &mut Seed, amount: u64) -> Value {
    json!({
        "id": seed.foreign_id("src_"),
        "object": "source",
        "ach_debit": {
            "bank_name": "Bank of the harbour",
            "country": "US",
            "fingerprint": seed.letters(16),
            "last4": "6789",
            "routing_number": "110000000",
            "type": "individual",
        },
        "amount": amount,
        "client_secret": format!("src_client_secret_{}", seed.letters(24)),
        "created": seed.created,
        "currency": "usd",
        "flow": "code_verification",
        "livemode": false,
        "metadata": {},
        "owner": {
            "address": null,
            "email": "owner@shop.example",
            "name": "Ada Hopper",
            "phone": null,
            "verified_address": null,
            "verified_email": null,
            "verified_name": null,
            "verified_phone": null,
        },
        "statement_descriptor": null,
        "status": "chargeable",
        "type": "ach_debit",
        "usage": "reusable",
    })
}
