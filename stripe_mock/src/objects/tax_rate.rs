use serde_json::{Value, json};

/// Name, country, percentage and kind.
const TAXES: &[(&str, &str, f64, &str)] = &[
    ("VAT", "SE", 25.0, "vat"),
    ("VAT", "FR", 20.0, "vat"),
    ("GST", "AU", 10.0, "gst"),
    ("Sales tax", "US", 8.25, "sales_tax"),
];

/// The id of a tax rate, one of a few.
pub(super) fn tax_rate_id(number: u64) -> String {
    format!("txr_{:024}", number % TAXES.len() as u64)
}

/// The tax rate of that id.
pub(in super::super) fn tax_rate_of(id: &str) -> Value {
    let number = id.strip_prefix("txr_").and_then(|number| number.parse::<usize>().ok()).unwrap_or(0);
    let (name, country, percentage, kind) = TAXES[number % TAXES.len()];
    json!({
        "id": id,
        "object": "tax_rate",
        "active": true,
        "country": country,
        "created": 1_546_300_800,
        "description": null,
        "display_name": name,
        "effective_percentage": null,
        "inclusive": false,
        "jurisdiction": country,
        "livemode": false,
        "metadata": {},
        "percentage": percentage,
        "state": null,
        "tax_type": kind,
    })
}
