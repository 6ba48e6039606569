use serde_json::{Value, json};

use super::super::seed::Seed;
use super::person::Person;

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
    json!({
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
        "business_type": seed.maybe(70, "company"),
        "capabilities": { "card_payments": "active", "transfers": "active" },
        "charges_enabled": ready,
        "controller": { "is_controller": true, "type": "application" },
        "country": person.address["country"],
        "created": seed.created,
        "default_currency": "eur",
        "details_submitted": ready,
        "email": person.email,
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": false,
            "total_count": 0,
            "url": format!("/v1/accounts/{}/external_accounts", seed.id),
        },
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
