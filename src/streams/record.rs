//! A record: the text of a JSON object, and access to a few of its members without parsing the rest.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::json;

/// A record as text. What the API sent goes out as it was, digit by digit, unless a member is set.
///
/// A stream sees each of its records in [`super::HttpStream::transform`]:
///
/// ```
/// # use source_http::streams::{HttpStream, Record, RequestContext};
/// # struct Orders;
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
///     fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Option<Record<'a>> {
///         if record.get("draft") == Some(true) {
///             return None;
///         }
///         record.set("shop", &cx.slice.get("shop"));
///         Some(record)
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a>(Cow<'a, str>);

impl<'a> Record<'a> {
    /// A record of this text, which must be a JSON object.
    #[must_use]
    pub fn from_text(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A member's text, or `None` if it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&RawValue> {
        json::field(&self.0, name)
    }

    /// A member found by a path of names.
    #[must_use]
    pub fn field_at(&self, path: &[impl AsRef<str>]) -> Option<&RawValue> {
        json::field_at(&self.0, path)
    }

    /// A member as a value of a Rust type, or `None` if it is not there, null, or of another type.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str::<Option<T>>(self.field(name)?.get()).ok().flatten()
    }

    /// Sets a member: replaced where it stands, or appended. The other members' text stays as it is.
    pub fn set(&mut self, name: &str, value: &impl Serialize) {
        // Only a map with keys that are no texts, or a type that refuses, cannot be JSON; then the member stays.
        if let Ok(value) = serde_json::to_string(value) {
            self.0 = json::with_field(&self.0, name, &value).into();
        }
    }

    /// The record as a tree. This is where digits and speed are lost: numbers beyond 64 bits become doubles.
    ///
    /// # Errors
    /// If the text is nested too deeply for a tree.
    pub fn to_value(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.0)?)
    }

    /// The same record, with this one's text.
    #[must_use]
    pub fn borrowed(&self) -> Record<'_> {
        Record(Cow::Borrowed(&self.0))
    }

    /// The record with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        Record(self.0.into_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_read_as_its_type_and_null_is_none() {
        let record = Record::from_text(r#"{"id":"a","n":7,"x":null,"m":{"k":1.10}}"#);
        assert_eq!(record.get::<String>("id").as_deref(), Some("a"));
        assert_eq!(record.get::<i64>("n"), Some(7));
        assert_eq!(record.get::<i64>("id"), None);
        assert_eq!(record.get::<i64>("x"), None);
        assert_eq!(record.field_at(&["m", "k"]).unwrap().get(), "1.10");
    }

    #[test]
    fn setting_a_member_leaves_the_others_as_they_were() {
        let mut record = Record::from_text(r#"{"a":1e400, "b":1.10}"#);
        record.set("b", &"x");
        record.set("c", &vec![1]);
        assert_eq!(record.text(), r#"{"a":1e400, "b":"x","c":[1]}"#);
    }
}
