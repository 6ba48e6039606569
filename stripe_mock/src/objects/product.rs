use serde_json::{Value, json};

use super::super::seed::Seed;
use super::price::one_time_price_id;

const THINGS: &[&str] = &["Lamp", "Kettle", "Notebook", "Bicycle bell", "Café table"];
const STYLES: &[&str] = &["Plain", "Striped", "Foldable", "Second-hand"];

/// A product.
pub(in super::super) fn product(seed: &mut Seed) -> Value {
    let name = format!("{} {}", seed.pick(STYLES), seed.pick(THINGS));
    let price = one_time_price_id(seed);
    let updated = seed.created + seed.between(0, 3600) as i64;
    json!({
        "id": seed.id,
        "object": "product",
        "active": seed.chance(90),
        "attributes": [],
        "created": seed.created,
        "default_price": seed.maybe(80, price),
        "description": seed.maybe(60, "Made to last; the colour may differ from the picture."),
        "images": if seed.chance(40) {
            json!([format!("https://shop.example/images/{}.jpg", seed.letters(12))])
        } else {
            json!([])
        },
        "livemode": false,
        "metadata": { "shelf": seed.between(1, 60).to_string() },
        "name": name,
        "package_dimensions": if seed.chance(30) {
            json!({ "height": 12.5, "length": 30.0, "weight": 18.25, "width": 20.0 })
        } else {
            Value::Null
        },
        "shippable": seed.maybe(70, true),
        "statement_descriptor": seed.maybe(10, "EXAMPLE SHOP"),
        "tax_code": seed.maybe(20, "txcd_99999999"),
        "type": "service",
        "unit_label": seed.maybe(20, "piece"),
        "updated": updated,
        "url": seed.maybe(30, "https://shop.example/lamp"),
    })
}
