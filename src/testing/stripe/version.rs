//! What was different in other versions of the API.

use super::resource::Resource;

/// The version of a request that names none.
const DEFAULT: &str = "2022-11-15";

/// The first version in which billing has another shape.
const BASIL: &str = "2025-03-31";

/// Whether the resource is there in that version of the API. A version is a date, with a name
/// after it since late 2024.
pub(super) fn serves(resource: &Resource, version: Option<&str>) -> bool {
    let version = version.unwrap_or(DEFAULT);
    let date = version.split('.').next().unwrap_or_default();
    match resource.name {
        "invoice_payments" => date >= BASIL,
        "usage_records" => date < BASIL,
        _ => true,
    }
}
