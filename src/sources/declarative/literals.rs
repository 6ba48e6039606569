//! Converts values between JSON and Python. Templates give Python's values, responses and partitions hold JSON; both
//! must be sent as Python writes them.

use serde_json::{Map, Number, Value};

use super::template::{Literal, quoted};

/// A JSON value as a Python value.
pub(super) fn literal_of(value: &Value) -> Literal {
    match value {
        Value::Null => Literal::None,
        Value::Bool(value) => Literal::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Literal::Int(value),
            None if number.is_u64() => Literal::parse(&number.to_string()).unwrap_or(Literal::None),
            None => Literal::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Literal::Str(text.clone()),
        Value::Array(items) => Literal::List(items.iter().map(literal_of).collect()),
        Value::Object(members) => {
            Literal::Dict(members.iter().map(|(key, value)| (Literal::Str(key.clone()), literal_of(value))).collect())
        }
    }
}

/// A Python value as JSON. A value that JSON cannot express, such as an integer of more than 64 bits, becomes its text.
pub(super) fn json_of(value: &Literal) -> Value {
    match value {
        Literal::None => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Number((*value).into()),
        Literal::Float(float) => Number::from_f64(*float).map_or_else(|| value.to_text().into(), Value::Number),
        Literal::List(items) | Literal::Tuple(items) | Literal::Set(items) => {
            Value::Array(items.iter().map(json_of).collect())
        }
        Literal::Dict(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.to_text(), json_of(value))).collect::<Map<_, _>>())
        }
        Literal::Str(_) | Literal::Big(_) | Literal::Bytes(_) | Literal::Ellipsis => Value::String(value.to_text()),
    }
}

/// Python's `==`: numbers are equal by value, whatever their type.
pub(super) fn is_equal(left: &Literal, right: &Literal) -> bool {
    let all = |left: &[Literal], right: &[Literal]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_equal(left, right))
    };
    match (left, right) {
        (Literal::List(left), Literal::List(right)) | (Literal::Tuple(left), Literal::Tuple(right)) => all(left, right),
        (Literal::Dict(left), Literal::Dict(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.iter().any(|(other, there)| is_equal(key, other) && is_equal(value, there))
                })
        }
        _ if left.type_name() == right.type_name() => left == right,
        _ => match (as_float(left), as_float(right)) {
            (Some(one), Some(other)) => one.to_bits() == other.to_bits(),
            _ => false,
        },
    }
}

#[allow(clippy::cast_precision_loss, reason = "equal integers are equal floats")]
fn as_float(value: &Literal) -> Option<f64> {
    match value {
        Literal::Bool(value) => Some(if *value { 1.0 } else { 0.0 }),
        Literal::Int(value) => Some(*value as f64),
        // Minus zero is zero.
        Literal::Float(value) => Some(*value + 0.0),
        _ => None,
    }
}

/// JSON as Python's `json.dumps` writes it: a blank after each comma and colon, only ASCII. `None` for values that are
/// not JSON, such as bytes or infinite numbers.
pub(super) fn python_json(value: &Literal) -> Option<String> {
    let mut out = String::new();
    write(value, &mut out)?;
    Some(out)
}

fn write(value: &Literal, out: &mut String) -> Option<()> {
    match value {
        Literal::None => out.push_str("null"),
        Literal::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Literal::Float(float) if !float.is_finite() => return None,
        Literal::Int(_) | Literal::Big(_) | Literal::Float(_) => out.push_str(&value.repr()),
        Literal::Str(text) => quoted(out, text),
        Literal::List(items) | Literal::Tuple(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(item, out)?;
            }
            out.push(']');
        }
        Literal::Dict(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                match key {
                    Literal::Str(text) => quoted(out, text),
                    Literal::None => out.push_str("\"null\""),
                    Literal::Bool(key) => quoted(out, if *key { "true" } else { "false" }),
                    Literal::Int(_) | Literal::Big(_) | Literal::Float(_) => quoted(out, &key.repr()),
                    _ => return None,
                }
                out.push_str(": ");
                write(value, out)?;
            }
            out.push('}');
        }
        Literal::Bytes(_) | Literal::Set(_) | Literal::Ellipsis => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Literal {
        Literal::parse(text).unwrap()
    }

    #[test]
    fn json_is_written_as_python_does() {
        let value = Literal::Dict(vec![
            (Literal::Str("k".into()), Literal::Str("\u{e9}\"\\n\u{7f}\u{1f511}\t".into())),
            (Literal::Int(5), Literal::Float(1.0)),
            (Literal::Bool(true), read("[12345678901234567890123, None, (1, {})]")),
        ]);
        let text =
            r#"{"k": "\u00e9\"\\n\u007f\ud83d\udd11\t", "5": 1.0, "true": [12345678901234567890123, null, [1, {}]]}"#;
        assert_eq!(python_json(&value).as_deref(), Some(text));
        for value in ["b'x'", "{1, 2}", "1e400"] {
            assert_eq!(python_json(&Literal::List(vec![read(value)])), None, "{value}");
        }
    }

    #[test]
    fn json_becomes_python_and_back() {
        for value in [json!({"a": [1, 1.5, true, null, "x"], "b": {}}), json!(u64::MAX), json!("1.10")] {
            let there = literal_of(&value);
            let back = if value.is_u64() { json!(value.to_string()) } else { value.clone() };
            assert_eq!(json_of(&there), back);
        }
        assert_eq!(json_of(&read("(1, '2')")), json!([1, "2"]));
        assert_eq!(json_of(&read("1e400")), json!("inf"));
    }

    #[test]
    fn numbers_are_equal_by_value_and_texts_are_not_numbers() {
        for (left, right, equal) in [
            ("1", "1.0", true),
            ("True", "1", true),
            ("{'a': [1]}", "{'a': [1.0]}", true),
            ("{'a': 1}", "{'a': 1, 'b': 2}", false),
            ("'1'", "1", false),
            ("9007199254740993", "9007199254740992", false),
            ("None", "0", false),
            ("-0.0", "0", true),
        ] {
            assert_eq!(is_equal(&read(left), &read(right)), equal, "{left} {right}");
        }
    }
}
