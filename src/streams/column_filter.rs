//! Reduces records to the columns that a user chose.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Record;
use crate::json;

/// Keeps the members of a record that are columns, at its top level. Kept members stay unchanged, digit by digit.
///
/// The columns are the `properties` of a schema, usually the one in the configured catalog, from which Airbyte's
/// platform removes what the user did not choose.
///
/// ```
/// use serde_json::json;
/// use source_http::streams::{ColumnFilter, Record};
///
/// let schema = json!({"properties": {"id": {}, "price": {}}});
/// let filter = ColumnFilter::of_schema(schema.as_object().unwrap()).unwrap();
/// let record = filter.apply(Record::from_text(r#"{"id": 1, "note": "x", "price": 1.10}"#));
/// assert_eq!(record.text(), r#"{"id": 1,"price": 1.10}"#);
/// ```
#[derive(Debug, Clone)]
pub struct ColumnFilter {
    columns: HashSet<String>,
}

impl ColumnFilter {
    /// A filter for the properties of a schema. `None` if it lists none: then the columns are unknown, and nothing may
    /// be removed.
    #[must_use]
    pub fn of_schema(schema: &Map<String, Value>) -> Option<Self> {
        let columns: HashSet<String> = columns(schema).map(str::to_owned).collect();
        (!columns.is_empty()).then_some(Self { columns })
    }

    /// The record with only its columns.
    #[must_use]
    pub fn apply<'a>(&self, record: Record<'a>) -> Record<'a> {
        let kept = json::with_fields(&record.text(), |name| self.columns.contains(name));
        kept.map_or(record, Record::from_text)
    }
}

/// The names of a schema's properties.
pub(crate) fn columns(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cut(columns: &Value, record: &str) -> String {
        let schema = json!({ "properties": columns });
        let filter = ColumnFilter::of_schema(schema.as_object().unwrap()).unwrap();
        filter.apply(Record::from_text(record)).text().into_owned()
    }

    #[test]
    fn only_columns_stay_in_their_order_and_with_their_digits() {
        let record = r#"{ "a" : 1e400, "b": {"c": 1, "a": 2}, "c":null,"\u0064": "x" }"#;
        assert_eq!(cut(&json!({"d": {}, "b": {}}), record), r#"{"b": {"c": 1, "a": 2},"\u0064": "x"}"#);
        assert_eq!(cut(&json!({"a": {}, "b": {}, "c": {}, "d": {}}), record), record, "nothing to cut");
        assert_eq!(cut(&json!({"x": {}}), record), "{}");
    }

    #[test]
    fn a_schema_without_columns_cuts_nothing() {
        for schema in [json!({}), json!({"properties": {}}), json!({"properties": null})] {
            assert!(ColumnFilter::of_schema(schema.as_object().unwrap()).is_none(), "{schema}");
        }
    }
}
