//! Generates configs that fit a specification.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use super::schema_nodes::types;

/// Tries for one config that fits.
const TRIES: usize = 20;

/// N configs that fit the specification, given as the whole message. The same on every call.
///
/// # Panics
/// If the specification is not a JSON Schema, or requires values without giving an example.
pub fn sample_configs(spec: &Value, count: usize) -> Vec<Value> {
    let schema = &spec["connectionSpecification"];
    let validator = jsonschema::options().should_validate_formats(true).build(schema).expect("a JSON Schema");
    let mut maker = Maker(StdRng::seed_from_u64(1));
    let configs = (0..count * TRIES).map(|_| maker.value(schema)).filter(|config| validator.is_valid(config));
    let configs: Vec<Value> = configs.take(count).collect();
    assert_eq!(configs.len(), count, "the specification wants values that it gives no example of");
    configs
}

struct Maker(StdRng);

impl Maker {
    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    fn value(&mut self, schema: &Value) -> Value {
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        let known = ["enum", "examples"].iter().filter_map(|word| schema[word].as_array()).flatten();
        let known: Vec<&Value> = known.chain(schema.get("default")).collect();
        let must_be_known =
            schema.get("enum").is_some() || (schema.get("pattern").is_some() && self.date(schema).is_none());
        if !known.is_empty() && (must_be_known || self.below(3) == 0) {
            return known[self.below(known.len())].clone();
        }
        match types(schema.get("type")).first().copied() {
            Some("boolean") => json!(self.below(2) == 1),
            Some("integer") => json!(self.number(schema).round()),
            Some("number") => json!(self.number(schema)),
            Some("array") => (0..self.below(4)).map(|n| self.item(&schema["items"], n)).collect(),
            Some("string") => self.date(schema).unwrap_or_else(|| self.text()),
            _ => self.object(schema),
        }
    }

    fn item(&mut self, schema: &Value, n: usize) -> Value {
        match self.value(schema) {
            // Lists may need distinct values.
            Value::String(text) if schema.get("enum").is_none() => json!(format!("{text}{n}")),
            value => value,
        }
    }

    fn number(&mut self, schema: &Value) -> f64 {
        let from = schema["minimum"].as_f64().unwrap_or(0.0);
        let to = schema["maximum"].as_f64().unwrap_or(from + 1000.0);
        let place = self.below(101) as f64;
        from + (to - from) * place / 100.0
    }

    fn date(&mut self, schema: &Value) -> Option<Value> {
        let (year, month, day) = (2000 + self.below(30), 1 + self.below(12), 1 + self.below(28));
        let date = format!("{year}-{month:02}-{day:02}");
        match schema["format"].as_str()? {
            "date" => Some(json!(date)),
            "date-time" => Some(json!(format!("{date}T{:02}:{:02}:00Z", self.below(24), self.below(60)))),
            _ => None,
        }
    }

    fn text(&mut self) -> Value {
        const LETTERS: [char; 8] = ['a', 'Z', '0', '_', '-', '.', 'é', '日'];
        (0..=self.below(24)).map(|_| LETTERS[self.below(LETTERS.len())]).collect::<String>().into()
    }

    /// Optional settings are present half of the time.
    fn object(&mut self, schema: &Value) -> Value {
        let mut members = Map::new();
        let options = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
        let option = (!options.is_empty()).then(|| self.below(options.len()));
        for part in std::iter::once(schema).chain(option.map(|n| &options[n])) {
            let required = part["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            for (name, member) in part["properties"].as_object().into_iter().flatten() {
                if required.iter().any(|known| known == name) || self.below(2) == 0 {
                    members.insert(name.clone(), self.value(member));
                }
            }
        }
        Value::Object(members)
    }
}
