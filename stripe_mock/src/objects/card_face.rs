use serde_json::{Value, json};

use super::super::seed::Seed;

const BRANDS: &[(&str, &str)] = &[("visa", "4242"), ("mastercard", "4444"), ("amex", "0005"), ("discover", "1117")];

/// The common part of all forms of a payment card.
pub(super) fn card_face(seed: &mut Seed, country: &Value) -> Value {
    let (brand, last4) = *seed.pick(BRANDS);
    json!({
        "brand": brand,
        "country": country,
        "exp_month": seed.between(1, 12),
        "exp_year": seed.between(2026, 2034),
        "fingerprint": seed.letters(16),
        "funding": seed.pick(&["credit", "debit", "prepaid"]),
        "last4": last4,
    })
}

/// The results of the checks of a card's address and code.
pub(super) fn card_checks(seed: &mut Seed) -> Value {
    json!({
        "address_line1_check": "pass",
        "address_postal_code_check": seed.pick(&["pass", "unchecked"]),
        "cvc_check": seed.maybe(90, "pass"),
    })
}

/// The 3-D Secure step of a quarter of the payments.
pub(super) fn three_d_secure(seed: &mut Seed) -> Value {
    seed.maybe(
        25,
        json!({
            "authentication_flow": "frictionless",
            "result": "authenticated",
            "result_reason": null,
            "version": "2.2.0",
        }),
    )
}
