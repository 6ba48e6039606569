use serde_json::{Value, json};

use super::super::resource::{RESOURCES, Resource};
use super::super::seed::Seed;
use super::{customer_id, object};

/// The id of the discount on the object of that number.
pub(super) fn discount_id(number: u64) -> String {
    format!("di_{number:024}")
}

/// The discount of that id, by the coupon of the same number.
pub(in super::super) fn discount_of(id: &str) -> Value {
    let number = id.strip_prefix("di_").and_then(|number| number.parse().ok()).unwrap_or(1);
    let seed = Seed::new(&RESOURCES[Resource::place("coupons")], number, 1_577_836_800);
    json!({
        "id": id,
        "object": "discount",
        "checkout_session": null,
        "coupon": object(&seed, "coupons", number),
        "customer": customer_id(&seed),
        "end": null,
        "invoice": null,
        "invoice_item": null,
        "promotion_code": null,
        "start": seed.created,
        "subscription": null,
    })
}
