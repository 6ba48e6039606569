use serde_json::{Value, json};

use super::super::seed::Seed;
use super::person::Person;
use super::{PER_PARENT, children, list, object};

/// A connected account.
pub(in super::super) fn account(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let ready = seed.chance(80);
    let due: &[&str] = if ready { &[] } else { &["external_account", "tos_acceptance.date"] };
    let requirements = json!({
        "alternatives": [],
        "current_deadline": null,
        "currently_due": due,
        "disabled_reason": if ready { Value::Null } else { json!("requirements.past_due") },
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    });
    let kind = *seed.pick(&["company", "individual", "non_profit"]);
    let mut account = json!({
        "id": seed.id,
        "object": "account",
        "business_profile": {
            "mcc": seed.maybe(60, "5734"),
            "name": format!("{} & friends", person.name),
            "product_description": null,
            "support_address": null,
            "support_email": person.email,
            "support_phone": person.phone,
            "support_url": null,
            "url": "https://shop.example",
        },
        "business_type": seed.maybe(90, kind),
        "capabilities": { "card_payments": "active", "transfers": "active" },
        "charges_enabled": ready,
        "controller": { "is_controller": true, "type": "application" },
        "country": person.address["country"],
        "created": seed.created,
        "default_currency": "eur",
        "details_submitted": ready,
        "email": person.email,
        "external_accounts": list(
            children(seed, "external_accounts"),
            format!("/v1/accounts/{}/external_accounts", seed.id),
        ),
        "future_requirements": {
            "alternatives": [],
            "current_deadline": null,
            "currently_due": [],
            "disabled_reason": null,
            "errors": [],
            "eventually_due": [],
            "past_due": [],
            "pending_verification": [],
        },
        "metadata": {},
        "payouts_enabled": ready,
        "requirements": requirements,
        "settings": settings(),
        "tos_acceptance": { "date": if ready { json!(seed.created) } else { Value::Null } },
        "type": seed.pick(&["standard", "express", "custom"]),
    });
    match account["business_type"].as_str() {
        Some("individual") => account["individual"] = object(seed, "persons", seed.number * PER_PARENT),
        Some(_) => account["company"] = company(&person),
        None => {}
    }
    account
}

fn company(person: &Person) -> Value {
    json!({
        "address": person.address,
        "directors_provided": true,
        "executives_provided": true,
        "name": format!("{} & friends", person.name),
        "owners_provided": true,
        "phone": person.phone,
        "tax_id_provided": true,
        "verification": {
            "document": { "back": null, "details": null, "details_code": null, "front": null },
        },
    })
}

fn settings() -> Value {
    json!({
        "bacs_debit_payments": {},
        "branding": {
            "icon": null,
            "logo": null,
            "primary_color": "#20603c",
            "secondary_color": null,
        },
        "card_issuing": { "tos_acceptance": { "date": null, "ip": null } },
        "card_payments": {
            "decline_on": { "avs_failure": false, "cvc_failure": true },
            "statement_descriptor_prefix": null,
        },
        "dashboard": { "display_name": null, "timezone": "Etc/UTC" },
        "payments": { "statement_descriptor": null },
        "payouts": {
            "debit_negative_balances": true,
            "schedule": { "delay_days": 2, "interval": "daily" },
            "statement_descriptor": null,
        },
        "sepa_debit_payments": {},
    })
}
