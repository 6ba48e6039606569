//! Objects that have no list of their own here and are only seen where `expand[]` asks for them.
//! They are made from their ids.

use serde_json::{Value, json};

/// 2025-01-01T00:00:00Z, when all of them were created.
const CREATED: i64 = 1_735_689_600;

/// The discount that has this id.
pub(super) fn discount(id: &str) -> Value {
    json!({
        "id": id,
        "object": "discount",
        "checkout_session": null,
        "coupon": {
            "id": "FAIR",
            "object": "coupon",
            "amount_off": null,
            "created": CREATED,
            "currency": null,
            "duration": "forever",
            "duration_in_months": null,
            "livemode": false,
            "max_redemptions": null,
            "metadata": {},
            "name": "Met at the fair",
            "percent_off": 12.5,
            "redeem_by": null,
            "times_redeemed": 1,
            "valid": true,
        },
        "customer": null,
        "end": null,
        "invoice": null,
        "invoice_item": null,
        "promotion_code": null,
        "start": CREATED,
        "subscription": null,
    })
}

/// The tax rate that has this id.
pub(super) fn tax_rate(id: &str) -> Value {
    json!({
        "id": id,
        "object": "tax_rate",
        "active": true,
        "country": "SE",
        "created": CREATED,
        "description": null,
        "display_name": "Moms",
        "effective_percentage": null,
        "inclusive": false,
        "jurisdiction": "SE",
        "livemode": false,
        "metadata": {},
        "percentage": 25.0,
        "state": null,
        "tax_type": "vat",
    })
}
