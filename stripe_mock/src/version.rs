//! The differences of other API versions.

use serde_json::Value;

use super::resource::Resource;
use source_http::json::{field, for_each_member, unquoted, with_field};

/// The version of a request that names none.
pub(super) const PINNED: &str = "2022-11-15";

/// The first version in which billing has another form.
const BASIL: &str = "2025-03-31";

/// The first version in which lists inside objects are objects, not bare arrays.
const LIST_OBJECTS: &str = "2014-08-20";

/// The first version in which a payout is not a transfer.
const PAYOUTS: &str = "2017-04-06";

/// An object in its event form in that version. The real differences depend on the object; one member of this name
/// represents them.
pub(super) fn rendered(object: &str, version: &str) -> String {
    if version == PINNED {
        return object.to_owned();
    }
    let mut text = with_field(object, "shape_of_version", &Value::from(version).to_string());
    if version < PAYOUTS && field(&text, "object") == Some("\"payout\"") {
        text = with_field(&text, "object", "\"transfer\"");
    }
    if version < LIST_OBJECTS {
        let mut lists = Vec::new();
        for_each_member(&text, |name, value| {
            if field(value, "object") == Some("\"list\"") && value.starts_with('{') {
                lists.push((unquoted(name).into_owned(), field(value, "data").unwrap_or("[]").to_owned()));
            }
        });
        for (name, data) in lists {
            text = with_field(&text, &name, &data);
        }
    }
    text
}

/// Whether the resource exists in that version of the API. A version is a date, followed by a name since late 2024.
pub(super) fn serves(resource: &Resource, version: Option<&str>) -> bool {
    let version = version.unwrap_or(PINNED);
    let date = version.split('.').next().unwrap_or_default();
    match resource.name {
        "invoice_payments" => date >= BASIL,
        "usage_records" => date < BASIL,
        _ => true,
    }
}
