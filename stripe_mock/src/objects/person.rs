//! Names and addresses.

use serde_json::{Value, json};

use super::super::seed::Seed;

const FIRST: &[&str] = &["Ada", "Bruno", "Chiara", "Daisuke", "Elif", "Fatou", "Grażyna", "Håkon", "Inés", "Jürgen"];
const LAST: &[&str] =
    &["Abel", "Brandt", "Castellanos", "Dubois", "Eriksen", "Fujimoto", "García", "Hopper", "Ødegård", "Kowalski"];
const PLACES: &[(&str, &str, &str)] = &[
    ("Lisbon", "PT", "1100-148"),
    ("Zürich", "CH", "8001"),
    ("Austin", "US", "78701"),
    ("Göteborg", "SE", "411 06"),
    ("Nantes", "FR", "44000"),
    ("Leeds", "GB", "LS1 4DY"),
];
const STREETS: &[&str] = &["Harbour Lane", "Station Road", "Orchard Walk", "Mill Street"];

/// A name with what follows from it.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) address: Value,
}

impl Person {
    pub(super) fn new(seed: &mut Seed) -> Self {
        let (first, last) = (*seed.pick(FIRST), *seed.pick(LAST));
        let (city, country, postal_code) = *seed.pick(PLACES);
        let street = *seed.pick(STREETS);
        Self {
            name: format!("{first} {last}"),
            email: format!("customer{}@shop.example", seed.between(1, 99_999)),
            phone: format!("+1555{:07}", seed.between(0, 9_999_999)),
            address: json!({
                "city": city,
                "country": country,
                "line1": format!("{} {street}", seed.between(1, 240)),
                "line2": seed.maybe(20, "Second floor"),
                "postal_code": postal_code,
                "state": null,
            }),
        }
    }

    /// The `billing_details` of Stripe's objects.
    pub(super) fn billing_details(&self) -> Value {
        json!({ "address": self.address, "email": self.email, "name": self.name, "phone": self.phone })
    }

    /// The `shipping` of Stripe's objects.
    pub(super) fn shipping(&self) -> Value {
        json!({
            "address": self.address,
            "carrier": null,
            "name": self.name,
            "phone": self.phone,
            "tracking_number": null,
        })
    }
}
