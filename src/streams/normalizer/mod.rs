//! Converts records to the types of their schema, for APIs that send `"1.5"` where they promise 1.5. Destinations
//! create columns of those types, and lose a value of another type, or the whole record.
//!
//! `plan` is a compiled schema; `convert` converts one value's text; `integer` recognises whole numbers. Only wrong
//! values are rewritten: a correct number keeps all its digits.

mod convert;
mod integer;
mod plan;

use serde_json::{Map, Value};

use super::Record;
use convert::Warnings;
use plan::Plan;

/// Converts the members of records to the types in a JSON Schema. Off by default: see
/// [`super::SchemaUse::normalizes_records`]. It parses each record, which costs about as much as reading it.
///
/// | type in the schema | converted values |
/// | --- | --- |
/// | `string` | a number to its digits, a boolean to `true` or `false`, an object or list to its JSON text |
/// | `number` | a text that is a JSON number |
/// | `integer` | a text that is a whole number, and a whole number written with a fraction or exponent: 1.0 to 1 |
/// | `boolean` | the texts true, t, yes, y, on, 1 and false, f, no, n, off, 0 in any case; the numbers 1 and 0 |
/// | `array` | a text, number or boolean to a list of it |
///
/// Objects and lists are converted recursively. Null stays null. A value that cannot be converted, such as 1.9 for an
/// integer, stays unchanged, and [`Normalizer::take_warnings`] reports its field once. Values with several types
/// besides null in the schema, or with `anyOf`, `oneOf` or `$ref`, stay unchanged. Threads may share a normalizer.
///
/// ```
/// use serde_json::json;
/// use source_http::streams::{Normalizer, Record};
///
/// let schema = json!({"type": "object", "properties": {
///     "price": {"type": ["null", "number"]},
///     "count": {"type": "integer"},
/// }});
/// let normalizer = Normalizer::new(schema.as_object().unwrap());
/// let record = normalizer.normalize(Record::from_text(r#"{"price":"1.50","count":1.9}"#));
/// assert_eq!(record.text(), r#"{"price":1.50,"count":1.9}"#);
/// assert_eq!(normalizer.take_warnings().len(), 1);
/// ```
#[derive(Debug)]
pub struct Normalizer {
    plan: Option<Plan>,
    warnings: Warnings,
}

impl Normalizer {
    /// A normalizer for that schema.
    #[must_use]
    pub fn new(schema: &Map<String, Value>) -> Self {
        let mut fields = 0;
        let plan = Plan::compile(schema, String::new(), &mut fields);
        Self { plan, warnings: Warnings::new(fields) }
    }

    /// The record, its members converted.
    #[must_use]
    pub fn normalize<'a>(&self, record: Record<'a>) -> Record<'a> {
        let Some(plan) = &self.plan else { return record };
        match convert::convert_members(plan, &record.text(), &self.warnings) {
            Some(text) => Record::from_text(text),
            None => record,
        }
    }

    /// The fields that could not be converted since the last call: a sentence for each, the first time it happens.
    pub fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }
}

#[cfg(test)]
mod tests;
