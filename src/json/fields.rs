//! Looking up and setting single members of a JSON object in its text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text of a top-level member of a JSON object, or `None` if the text is no object or lacks the member.
/// Of a name that occurs twice, the first is taken.
#[must_use]
pub fn field<'t>(object: &'t str, name: &str) -> Option<&'t RawValue> {
    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_str(object);
    // Finding the member ends the walk with an error, which spares the rest of the text.
    let _ = Find { name, found: &mut found }.deserialize(&mut deserializer);
    found
}

/// The text of a member found by a path of names.
#[must_use]
pub fn field_at<'t>(object: &'t str, path: &[impl AsRef<str>]) -> Option<&'t RawValue> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(object, |text, name| field(text, name.as_ref()).map(RawValue::get))?;
    field(parent, last.as_ref())
}

/// The object with a member set to a JSON text: replaced where it stands, or else appended.
/// A text that is not an object is returned as it is.
#[must_use]
pub fn with_field(object: &str, name: &str, value: &str) -> String {
    if let Some(old) = field(object, name) {
        let start = old.get().as_ptr() as usize - object.as_ptr() as usize;
        return [&object[..start], value, &object[start + old.get().len()..]].concat();
    }
    let Some(body) = object.trim_end().strip_suffix('}') else {
        return object.to_owned();
    };
    let comma = if body.trim_end().ends_with('{') { "" } else { "," };
    let mut key = Vec::new();
    super::write_string(&mut key, name);
    [body, comma, &String::from_utf8_lossy(&key), ":", value, "}"].concat()
}

struct Find<'n, 'f, 't> {
    name: &'n str,
    found: &'f mut Option<&'t RawValue>,
}

impl<'de> DeserializeSeed<'de> for Find<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Find<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_it) = map.next_key_seed(IsName(self.name))? {
            if is_it {
                *self.found = Some(map.next_value()?);
                return Err(serde::de::Error::custom("found"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// Compares a key without keeping it.
struct IsName<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_as_the_text_it_is() {
        let object = r#" {"a": {"id": 7}, "b\u0041": [1, 1.10], "id": null} "#;
        assert_eq!(field(object, "bA").unwrap().get(), "[1, 1.10]");
        assert_eq!(field(object, "id").unwrap().get(), "null");
        assert_eq!(field_at(object, &["a", "id"]).unwrap().get(), "7");
    }

    #[test]
    fn what_is_not_there_is_none() {
        assert!(field(r#"{"a":1}"#, "b").is_none());
        assert!(field("[1]", "b").is_none());
        assert!(field("{", "b").is_none());
        assert!(field_at(r#"{"a":1}"#, &["a", "b"]).is_none());
        assert!(field_at(r#"{"a":1}"#, &[""; 0]).is_none());
    }

    #[test]
    fn a_member_is_replaced_where_it_stands_or_appended() {
        assert_eq!(with_field(r#"{"a":1, "b":2}"#, "a", "3"), r#"{"a":3, "b":2}"#);
        assert_eq!(with_field(r#"{"a":1 } "#, "b", "[]"), r#"{"a":1 ,"b":[]}"#);
        assert_eq!(with_field("{}", "b", "2"), r#"{"b":2}"#);
        assert_eq!(with_field("[]", "b", "2"), "[]");
    }
}
