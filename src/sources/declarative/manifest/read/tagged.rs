//! Values with an explicit type, as in `!!str 1`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::faults::quoted;
use super::super::node::{Map, Node, Value};
use super::scalar;

const YAML: &str = "tag:yaml.org,2002:";

/// The value of a scalar with a tag.
pub(super) fn scalar(tag: &str, text: &str) -> Result<Value, String> {
    match tag.strip_prefix(YAML) {
        Some("str") => Ok(Value::Text(text.into())),
        Some("null") => Ok(Value::Null),
        Some("bool") => scalar::bool(text),
        Some("int") => scalar::integer(text).map(|(value, _)| value),
        Some("float") => scalar::float(text).map(|(value, _)| value),
        Some("timestamp") => scalar::timestamp(text),
        Some("binary") => binary(text),
        Some("seq" | "omap" | "pairs") => Err(format!("`!!{}` takes a list", name(tag))),
        Some("map" | "set") => Err(format!("`!!{}` takes a mapping", name(tag))),
        _ => Err(unknown(tag)),
    }
}

/// The value of a list, with a tag or without.
pub(super) fn sequence(tag: Option<&str>, items: Vec<Node>) -> Result<Value, String> {
    let Some(tag) = tag else { return Ok(Value::List(items)) };
    match tag.strip_prefix(YAML) {
        Some("seq") => Ok(Value::List(items)),
        Some("omap" | "pairs") => {
            let pair = |item: &Node| match item.as_map().map(|map| (map.len(), map.entry(0))) {
                Some((1, Some((key, value)))) => {
                    Ok(Node::new(Value::Pair(Box::new((key.clone(), value.clone()))), item.mark()))
                }
                _ => Err(format!("`!!{}` takes a list of mappings with one key each", name(tag))),
            };
            items.iter().map(pair).collect::<Result<_, _>>().map(Value::List)
        }
        Some("str" | "int" | "float" | "bool" | "null" | "binary" | "timestamp") => Err(no_scalar(tag, "a list")),
        Some("map" | "set") => Err(format!("`!!{}` takes a mapping", name(tag))),
        _ => Err(unknown(tag)),
    }
}

/// The value of a mapping, with a tag or without.
pub(super) fn mapping(tag: Option<&str>, map: Map) -> Result<Value, String> {
    let Some(tag) = tag else { return Ok(Value::Map(map)) };
    match tag.strip_prefix(YAML) {
        Some("map") => Ok(Value::Map(map)),
        Some("set") => Ok(Value::Set(map.iter().map(|(key, _)| key.clone()).collect())),
        Some("str" | "int" | "float" | "bool" | "null" | "binary" | "timestamp") => Err(no_scalar(tag, "a mapping")),
        Some("seq" | "omap" | "pairs") => Err(format!("`!!{}` takes a list", name(tag))),
        _ => Err(unknown(tag)),
    }
}

fn name(tag: &str) -> &str {
    tag.strip_prefix(YAML).unwrap_or(tag)
}

fn no_scalar(tag: &str, found: &str) -> String {
    format!("`!!{}` takes a single value, but this is {found}", name(tag))
}

fn unknown(tag: &str) -> String {
    let shown = tag.strip_prefix(YAML).map_or_else(|| tag.to_owned(), |name| format!("!!{name}"));
    format!("the tag {} is unknown; a text that begins with `!` needs quotes", quoted(&shown))
}

/// Base64 with other characters in between, as Python's `base64.decodebytes` reads it.
fn binary(text: &str) -> Result<Value, String> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let wrong = || "`!!binary` takes base64".to_owned();
    if !text.is_ascii() {
        return Err(wrong());
    }
    let letter = |char: &char| char.is_ascii_alphanumeric() || ['+', '/'].contains(char);
    let letters: String = text.chars().filter(letter).collect();
    if letters.len() % 4 == 1 || (!letters.len().is_multiple_of(4) && !text.contains('=')) {
        return Err(wrong());
    }
    LENIENT.decode(letters).map(|bytes| Value::Bytes(bytes.into())).map_err(|_| wrong())
}
