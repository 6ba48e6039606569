use serde_json::{Value, json};

use super::super::seed::Seed;

const SHOPS: &[(&str, &str, &str, &str, &str)] = &[
    ("grocery_stores_supermarkets", "5411", "Corner grocery", "Leeds", "GB"),
    ("taxicabs_limousines", "4121", "Harbour taxi", "Lisbon", "PT"),
    ("computer_software_stores", "5734", "Softwares AB", "Göteborg", "SE"),
    ("eating_places_restaurants", "5812", "Chez Inés", "Nantes", "FR"),
];

/// The shop where an issued card was used.
pub(super) fn merchant(seed: &mut Seed) -> Value {
    let (category, category_code, name, city, country) = *seed.pick(SHOPS);
    json!({
        "category": category,
        "category_code": category_code,
        "city": city,
        "country": country,
        "name": name,
        "network_id": format!("{:012}", seed.between(1, 999_999_999_999)),
        "postal_code": seed.maybe(80, "1100-148"),
        "state": null,
        "terminal_id": seed.maybe(50, "02030405"),
    })
}
