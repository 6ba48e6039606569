//! Settings that the specification does not know. They are no error, because JSON Schema accepts them, and have no
//! effect: usually a mistyped name.

use serde_json::Value;
use strsim::jaro_winkler;

use super::schemas::Schemas;

/// How similar two names must be to suggest one for the other, from 0 to 1.
const LIKENESS: f64 = 0.8;
/// Characters of a name that are shown.
const LONGEST_NAME: usize = 60;
/// The prefix of members that Airbyte's platform adds to configs.
const PLATFORMS_OWN: &str = "__";

/// The settings that the specification does not know, each with the name that may be intended: `` `star_date` (did you
/// mean `start_date`?), `x` ``. Values are not shown. `None` if there are none.
pub(super) fn unknown_settings(config: &Value, schemas: &Schemas<'_>) -> Option<String> {
    let mut found = Vec::new();
    find(config, schemas, "", &mut found);
    (!found.is_empty()).then(|| found.join(", "))
}

fn find(value: &Value, schemas: &Schemas<'_>, place: &str, found: &mut Vec<String>) {
    match value {
        _ if schemas.is_secret() => {}
        Value::Object(members) => {
            let known = schemas.names();
            let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
            for (name, member) in members {
                match &known {
                    Some(known) if !known.contains(&name.as_str()) => {
                        let free = known.iter().filter(|known| !members.contains_key(**known));
                        let meant = nearest(name, free).map(|meant| format!(" (did you mean `{}`?)", below(meant)));
                        if !name.starts_with(PLATFORMS_OWN) {
                            let name: String = name.chars().take(LONGEST_NAME).collect();
                            found.push(format!("`{}`{}", below(&name), meant.unwrap_or_default()));
                        }
                    }
                    _ => find(member, &schemas.member(name), &below(name), found),
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                find(item, &schemas.item(n), &format!("{place}.{n}"), found);
            }
        }
        _ => {}
    }
}

/// The most similar name, if any is close.
fn nearest<'n, 's: 'n>(name: &str, known: impl Iterator<Item = &'n &'s str>) -> Option<&'s str> {
    let name = name.to_lowercase();
    let likeness = known.map(|known| (jaro_winkler(&name, &known.to_lowercase()), *known));
    let likely = likeness.filter(|(likeness, _)| *likeness >= LIKENESS);
    likely.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unknown(config: &Value, schema: &Value) -> Option<String> {
        unknown_settings(config, &Schemas::of(schema))
    }

    #[test]
    fn an_unknown_setting_is_named_with_the_nearest_one_that_is_not_set() {
        let schema = json!({"properties": {
            "start_date": {"type": "string"}, "end_date": {}, "auth": {"oneOf": [
                {"properties": {"type": {"const": "key"}, "api_key": {"airbyte_secret": true}}},
                {"properties": {"type": {"const": "oauth"}, "client_id": {}}},
            ]},
            "shops": {"type": "array", "items": {"properties": {"name": {}}}},
        }});
        for (config, expected) in [
            (json!({"star_date": "s3cret"}), Some("`star_date` (did you mean `start_date`?)")),
            (json!({"startDate": 1, "zzz": 2}), Some("`startDate` (did you mean `start_date`?), `zzz`")),
            (json!({"start_date": 1, "star_date": 2}), Some("`star_date`")),
            (json!({"auth": {"type": "key", "apikey": 1}}), Some("`auth.apikey` (did you mean `auth.api_key`?)")),
            (json!({"shops": [{"name": 1}, {"nam": 1}]}), Some("`shops.1.nam` (did you mean `shops.1.name`?)")),
            (json!({"start_date": 1, "auth": {"client_id": 1}, "__injected": {"a": 1}}), None),
        ] {
            assert_eq!(unknown(&config, &schema).as_deref(), expected, "{config}");
        }
    }

    #[test]
    fn with_open_names_none_is_unknown() {
        for schema in [
            json!({}),
            json!({"type": "object"}),
            json!({"properties": {"a": {}}, "patternProperties": {"^x": {}}}),
            json!({"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}),
            json!({"properties": {"a": {}}, "allOf": [{"$ref": "https://example.com/other.json"}]}),
        ] {
            assert_eq!(unknown(&json!({"b": 1}), &schema), None, "{schema}");
        }
        let boilerplate = json!({"properties": {"a": {}}, "additionalProperties": true});
        assert_eq!(unknown(&json!({"b": 1}), &boilerplate).as_deref(), Some("`b`"));
        let free = json!({"properties": {"headers": {"type": "object"}}});
        assert_eq!(unknown(&json!({"headers": {"x": {"y": 1}}}), &free), None);
    }
}
