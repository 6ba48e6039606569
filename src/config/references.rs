//! `${NAME}` in a string of the config stands for an environment variable, so that no secret must be in a file.
//!
//! It may be anywhere in a string, more than once. `$${` is a literal `${`; any other `$` is itself. A string that is
//! exactly one reference becomes a number or a boolean if the specification wants that and no string. Names of members
//! stay unchanged.

use serde_json::Value;

use super::schemas::Schemas;
use crate::environment::Environment;
use crate::protocol::Redactor;

/// A part of a string.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// A reference to the variable of this name.
    Variable(&'t str),
    /// A `${` that begins no valid reference.
    Broken,
}

/// Replaces references by the values of their variables. Values in places for secrets are registered.
///
/// # Errors
/// One text for each failed place. Values are not shown.
pub(super) fn resolve(
    config: &mut Value,
    schemas: &Schemas<'_>,
    environment: &Environment,
    redactor: &Redactor,
) -> Result<(), Vec<String>> {
    let mut resolver = Resolver { environment, redactor, problems: Vec::new() };
    resolver.resolve(config, schemas, String::new());
    if resolver.problems.is_empty() { Ok(()) } else { Err(resolver.problems) }
}

/// Whether the value at a JSON pointer is exactly one reference. If it is not replaced, the user probably expects it to
/// be.
pub(super) fn is_at(config: &Value, pointer: &str) -> bool {
    config.pointer(pointer).and_then(Value::as_str).is_some_and(is_one)
}

fn is_one(text: &str) -> bool {
    matches!(pieces(text)[..], [Piece::Variable(_)])
}

/// The first place whose whole text is a reference.
pub(super) fn first_place(config: &Value) -> Option<String> {
    fn find(value: &Value, pointer: &str) -> Option<String> {
        match value {
            Value::String(text) => is_one(text).then(|| place(pointer)),
            Value::Array(items) => items.iter().enumerate().find_map(|(n, item)| find(item, &format!("{pointer}/{n}"))),
            Value::Object(members) => members.iter().find_map(|(name, member)| find(member, &below(pointer, name))),
            _ => None,
        }
    }
    find(config, "")
}

struct Resolver<'a> {
    environment: &'a Environment,
    redactor: &'a Redactor,
    problems: Vec<String>,
}

impl Resolver<'_> {
    fn resolve(&mut self, value: &mut Value, schemas: &Schemas<'_>, pointer: String) {
        match value {
            Value::String(text) if text.contains("${") => {
                let written = std::mem::take(text);
                *value = self.resolved(&written, schemas, &place(&pointer));
                self.redactor.config_references().note(pointer, value.clone(), written);
            }
            Value::Array(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    self.resolve(item, &inherited(schemas, schemas.item(n)), format!("{pointer}/{n}"));
                }
            }
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    self.resolve(member, &inherited(schemas, schemas.member(name)), below(&pointer, name));
                }
            }
            _ => {}
        }
    }

    fn resolved(&mut self, written: &str, schemas: &Schemas<'_>, place: &str) -> Value {
        let pieces = pieces(written);
        let mut text = String::new();
        for piece in &pieces {
            match *piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Variable(name) => match self.environment.get(name).map(|value| value.to_str()) {
                    Some(Some(value)) => {
                        if schemas.is_secret() {
                            // An API may repeat it without the text around it.
                            self.redactor.add(value);
                        }
                        text.push_str(value);
                    }
                    Some(None) => self.problem(place, &format!("refers to {name}, whose value is not valid UTF-8")),
                    None => self.problem(place, &format!("refers to {name}, which is not set or empty")),
                },
                Piece::Broken => self.problem(place, "has a `${` that is not a reference such as `${NAME}`"),
            }
        }
        let is_one = matches!(pieces[..], [Piece::Variable(_)]);
        is_one.then(|| scalar(&text, schemas)).flatten().unwrap_or(Value::String(text))
    }

    fn problem(&mut self, place: &str, what: &str) {
        self.problems.push(format!("`{place}` {what}"));
    }
}

/// Everything inside a secret is secret.
fn inherited<'a>(whole: &Schemas<'a>, part: Schemas<'a>) -> Schemas<'a> {
    if whole.is_secret() { whole.clone() } else { part }
}

/// The number or boolean in a text, if one is wanted and no string.
fn scalar(text: &str, schemas: &Schemas<'_>) -> Option<Value> {
    if schemas.names_type("string") {
        return None;
    }
    match serde_json::from_str(text).ok()? {
        value @ Value::Bool(_) if schemas.names_type("boolean") => Some(value),
        value @ Value::Number(_) if schemas.names_type("integer") || schemas.names_type("number") => Some(value),
        _ => None,
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if before.ends_with('$') {
            // The two of `$$` are one byte each: the rest of the first `$` is before it.
            pieces.extend([Piece::Text(&rest[..at - 1]), Piece::Text("${")]);
            rest = after;
            continue;
        }
        pieces.push(Piece::Text(before));
        if let Some((name, after)) = after.split_once('}').filter(|(name, _)| is_name(name)) {
            pieces.push(Piece::Variable(name));
            rest = after;
        } else {
            pieces.push(Piece::Broken);
            rest = after;
        }
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

/// A name as shells define it (POSIX, 3.216).
fn is_name(name: &str) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_start) && name.chars().all(|c| is_start(c) || c.is_ascii_digit())
}

fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A JSON pointer in messages: `credentials.client_secret`.
pub(super) fn place(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(mut config: Value, schema: &Value, vars: &[(&str, &str)]) -> Result<Value, Vec<String>> {
        let environment = Environment::from_vars(vars.iter().copied());
        resolve(&mut config, &Schemas::of(schema), &environment, &Redactor::default()).map(|()| config)
    }

    #[test]
    fn a_reference_may_be_anywhere_in_a_string_and_every_other_dollar_is_literal() {
        for (written, expected) in [
            ("${A}", "a b"),
            ("x${A}y${B_2}z", "xa by2z"),
            ("${A}${A}", "a ba b"),
            ("$${A}", "${A}"),
            ("$$${A}", "$${A}"),
            ("a$${", "a${"),
            ("pa$$word$", "pa$$word$"),
            ("$A {A} $", "$A {A} $"),
            ("é${B_2}é", "é2é"),
        ] {
            let config = resolved(json!({"k": [written]}), &json!({}), &[("A", "a b"), ("B_2", "2")]);
            assert_eq!(config, Ok(json!({"k": [expected]})), "{written}");
        }
        let nested = resolved(json!("${A}"), &json!({}), &[("A", "${B}"), ("B", "b")]);
        assert_eq!(nested, Ok(json!("${B}")), "a value is not parsed");
    }

    #[test]
    fn every_place_that_cannot_be_resolved_is_named_and_no_value_is() {
        let config = json!({"a": {"b/c": "${NONE}-${EMPTY}"}, "d": ["${}", "${A", "${1}", "${A:-x}"], "ok": "${A}"});
        let problems = resolved(config, &json!({}), &[("A", "value"), ("EMPTY", "")]).unwrap_err();
        let broken = "has a `${` that is not a reference such as `${NAME}`";
        assert_eq!(
            problems,
            [
                "`a.b/c` refers to NONE, which is not set or empty".to_owned(),
                "`a.b/c` refers to EMPTY, which is not set or empty".to_owned(),
                format!("`d.0` {broken}"),
                format!("`d.1` {broken}"),
                format!("`d.2` {broken}"),
                format!("`d.3` {broken}"),
            ]
        );
    }

    #[test]
    fn a_whole_reference_becomes_the_number_or_boolean_that_is_wanted() {
        let schema = json!({"properties": {
            "n": {"type": "integer"}, "b": {"type": ["boolean", "null"]}, "s": {"type": "string"},
            "any": {}, "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            "deep": {"oneOf": [{"properties": {"x": {"$ref": "#/definitions/number"}}}]},
        }, "definitions": {"number": {"type": "number"}}});
        let vars = [("N", "30"), ("B", "true"), ("X", "1.50"), ("T", "many")];
        let config = json!({
            "n": "${N}", "b": "${B}", "s": "${N}", "any": "${N}", "either": "${N}", "deep": {"x": "${X}"}
        });
        let expected = json!({"n": 30, "b": true, "s": "30", "any": "30", "either": "30", "deep": {"x": 1.5}});
        assert_eq!(resolved(config, &schema, &vars), Ok(expected));
        let left = json!({"n": "${T}", "b": "x${B}"});
        assert_eq!(resolved(left, &schema, &vars), Ok(json!({"n": "many", "b": "xtrue"})));
    }

    #[test]
    fn the_value_for_a_secret_is_a_secret_and_is_restored_as_written() {
        let schema = json!({"properties": {"auth": {"airbyte_secret": true}}});
        let environment = Environment::from_vars([("KEY", "k3y-0123456789"), ("ID", "acct_1")]);
        let redactor = Redactor::default();
        let mut config = json!({"auth": {"header": "Bearer ${KEY}"}, "id": "${ID}"});
        resolve(&mut config, &Schemas::of(&schema), &environment, &redactor).unwrap();
        assert_eq!(redactor.redact("k3y-0123456789 acct_1"), "**** acct_1");
        let Value::Object(config) = config else { unreachable!() };
        let restored = redactor.config_references().restore(config);
        assert_eq!(Value::Object(restored), json!({"auth": {"header": "Bearer ${KEY}"}, "id": "${ID}"}));
    }

    #[test]
    fn a_text_that_is_one_reference_is_noticed_and_a_password_with_odd_characters_is_not() {
        assert_eq!(first_place(&json!({"a": "x${Y}", "b": [1, {"c": "${KEY}"}]})), Some("b.1.c".to_owned()));
        assert_eq!(first_place(&json!({"a": "p${w}d", "b": "${", "c": "$${KEY}"})), None);
    }
}
