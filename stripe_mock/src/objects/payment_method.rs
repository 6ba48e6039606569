use serde_json::{Value, json};

use super::super::seed::Seed;
use super::card_face::{card_checks, card_face};
use super::person::Person;
use super::{join, parent_id};

/// A payment method of a customer: a card, or one of three others.
pub(in super::super) fn payment_method(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let kind = *seed.pick(&["card", "card", "card", "sepa_debit", "us_bank_account", "link"]);
    let details = match kind {
        "card" => card(seed, &person),
        "sepa_debit" => json!({
            "bank_code": "19043",
            "branch_code": "",
            "country": "AT",
            "fingerprint": seed.letters(16),
            "generated_from": { "charge": null, "setup_attempt": null },
            "last4": "3201",
        }),
        "us_bank_account" => json!({
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "Bank of the harbour",
            "financial_connections_account": null,
            "fingerprint": seed.letters(16),
            "last4": "6789",
            "networks": { "preferred": "ach", "supported": ["ach"] },
            "routing_number": "110000000",
            "status_details": null,
        }),
        _ => json!({ "email": person.email }),
    };
    let mut method = json!({
        "id": seed.id,
        "object": "payment_method",
        "billing_details": person.billing_details(),
        "created": seed.created,
        "customer": parent_id(seed, "customers"),
        "livemode": false,
        "metadata": {},
        "type": kind,
    });
    method[kind] = details;
    method
}

fn card(seed: &mut Seed, person: &Person) -> Value {
    let face = card_face(seed, &person.address["country"]);
    let checks = card_checks(seed);
    let network = face["brand"].clone();
    let wallet = json!({ "apple_pay": {}, "dynamic_last4": "9911", "type": "apple_pay" });
    let kept = json!({
        "checks": seed.maybe(90, checks),
        "generated_from": null,
        "networks": { "available": [network], "preferred": null },
        "three_d_secure_usage": { "supported": true },
        "wallet": seed.maybe(15, wallet),
    });
    join(face, kept)
}
