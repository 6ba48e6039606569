//! Bank accounts and cards for payments and payouts.

use serde_json::{Value, json};

use super::super::seed::Seed;
use super::card_face::card_face;
use super::person::Person;
use super::{join, parent_id, when};

/// A payment source of a customer, every third a card.
pub(in super::super) fn payment_source(seed: &mut Seed) -> Value {
    let owner = json!({ "customer": parent_id(seed, "customers") });
    let source = if seed.number.is_multiple_of(3) { card(seed) } else { bank_account(seed) };
    join(source, owner)
}

/// The payout account of a connected account: every third is a card.
pub(in super::super) fn external_account(seed: &mut Seed) -> Value {
    let card_account = seed.number.is_multiple_of(3);
    let owner = json!({
        "account": parent_id(seed, "accounts"),
        "available_payout_methods": if card_account { json!(["standard", "instant"]) } else { json!(["standard"]) },
        "default_for_currency": seed.number % 2 == 1,
    });
    if card_account {
        return join(join(card(seed), json!({ "currency": "usd" })), owner);
    }
    let requirements = json!({
        "currently_due": [],
        "errors": [],
        "past_due": [],
        "pending_verification": [],
    });
    let account = join(bank_account(seed), owner);
    join(account, json!({ "future_requirements": requirements, "requirements": requirements }))
}

fn bank_account(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let american = seed.chance(50);
    json!({
        "id": seed.id,
        "object": "bank_account",
        "account_holder_name": seed.maybe(90, person.name),
        "account_holder_type": seed.pick(&["individual", "company", "company"]),
        "account_type": when(american, "checking"),
        "bank_name": seed.maybe(90, "Bank of the harbour"),
        "country": if american { "US" } else { "PT" },
        "currency": if american { "usd" } else { "eur" },
        "fingerprint": seed.letters(16),
        "last4": format!("{:04}", seed.between(0, 9_999)),
        "metadata": {},
        "routing_number": when(american, "110000000"),
        "status": seed.pick(&["new", "verified", "validated"]),
    })
}

/// A card in the form before payment methods.
fn card(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let face = json!({
        "id": format!("card_{:024}", seed.number),
        "object": "card",
        "address_city": person.address["city"],
        "address_country": person.address["country"],
        "address_line1": person.address["line1"],
        "address_line1_check": seed.maybe(80, "pass"),
        "address_line2": person.address["line2"],
        "address_state": null,
        "address_zip": person.address["postal_code"],
        "address_zip_check": seed.maybe(80, "pass"),
    });
    let rest = json!({
        "cvc_check": seed.maybe(90, "pass"),
        "dynamic_last4": null,
        "metadata": {},
        "name": seed.maybe(80, person.name),
        "tokenization_method": null,
    });
    join(join(face, card_face(seed, &person.address["country"])), rest)
}
