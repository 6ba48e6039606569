//! A record: the text of a JSON object, with access to some of its members without parsing the rest.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json::{self, Object};

/// A record as text. It is written as the API sent it, digit by digit, unless a member is set.
///
/// A stream sees each of its records in [`super::HttpStream::transform`]:
///
/// ```
/// # use source_http::protocol::Failure;
/// # use source_http::streams::{HttpStream, Record, RequestContext, Transformed};
/// # struct Orders;
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders".into() }
///     fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
///         if record.get("draft") == Some(true) {
///             return Ok(Transformed::Nothing);
///         }
///         record.set("shop", cx.slice_value("shop"));
///         Ok(record.into())
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Record<'a> {
    text: Text<'a>,
    /// Members that follow the text: their names, and their values as JSON. Most streams set one new member, which
    /// needs no copy of the rest.
    added: Vec<(String, String)>,
    /// The API's name of this version.
    version: Option<Box<str>>,
}

#[derive(Debug, Clone)]
enum Text<'a> {
    /// Part of a response.
    Found(Object<'a>),
    /// Made by a stream.
    Made(String),
}

impl<'a> Record<'a> {
    /// A record of this text, which must be a JSON object.
    #[must_use]
    pub fn from_text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = match text.into() {
            Cow::Borrowed(text) => Text::Found(Object::new(text)),
            Cow::Owned(text) => Text::Made(text),
        };
        Self { text, added: Vec::new(), version: None }
    }

    /// A record that was found in a response.
    pub(crate) fn found(object: Object<'a>) -> Self {
        Self { text: Text::Found(object), added: Vec::new(), version: None }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let text = self.object().text();
        if self.added.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::with_capacity(text.len() + 64);
        self.write_with_added(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap_or_default().into()
    }

    /// Appends the text as one line.
    pub fn write_one_line(&self, out: &mut Vec<u8>) {
        match self.object().line() {
            Some(line) => self.write_with_added(out, line),
            None => json::write_one_line(out, &self.text()),
        }
    }

    /// Appends the text of the object, with the added members before its closing brace.
    fn write_with_added(&self, out: &mut Vec<u8>, text: &[u8]) {
        let Some(body) = text.strip_suffix(b"}").filter(|_| !self.added.is_empty()) else {
            return out.extend_from_slice(text);
        };
        out.extend_from_slice(body);
        let mut is_first = body.trim_ascii_end().ends_with(b"{");
        for (name, value) in &self.added {
            out.extend_from_slice(if is_first { b"" } else { b"," });
            json::write_string(out, name);
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
            is_first = false;
        }
        out.push(b'}');
    }

    /// Whether it is unchanged from a response.
    pub(crate) fn is_as_found(&self) -> bool {
        matches!(self.text, Text::Found(_)) && self.added.is_empty() && self.version.is_none()
    }

    /// Its text, if it is unchanged from a response.
    pub(crate) fn as_found(&self) -> Option<&'a str> {
        match &self.text {
            Text::Found(object) if self.is_as_found() => Some(object.text()),
            _ => None,
        }
    }

    fn object(&self) -> Object<'_> {
        match &self.text {
            Text::Found(object) => *object,
            Text::Made(text) => Object::new(text),
        }
    }

    /// Sets the API's name of this version of the record: an event's id, an entity tag. It is not written; see
    /// [`super::Cursor::overlap`].
    pub fn set_version(&mut self, version: &str) {
        self.version = Some(version.into());
    }

    /// The value of [`Record::set_version`].
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// A member's text, or `None` if it is missing.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        // None of them is in the text.
        let added = self.added.iter().find(|(added, _)| added == name);
        added.map(|(_, value)| value.as_str()).or_else(|| self.object().field(name))
    }

    /// A member found by a path of names.
    #[must_use]
    pub fn field_at(&self, path: &[impl AsRef<str>]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        let outermost = self.field(first.as_ref())?;
        if rest.is_empty() { Some(outermost) } else { json::field_at(outermost, rest) }
    }

    /// A member as a value of a Rust type, or `None` if it is missing, null, or of another type.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str::<Option<T>>(self.field(name)?).ok().flatten()
    }

    /// Sets a member: replaces it in place, or appends it. The text of the other members stays unchanged. The value is
    /// anything that serde can write as JSON, by value or by reference, including the results of [`Record::get`] or a
    /// slice's `get`: `None` becomes `null`, so that the record keeps the column. To remove a member, see
    /// [`Record::remove`]. A value that JSON cannot hold changes nothing: a map whose keys are not texts, or a type
    /// that refuses to be written.
    ///
    /// ```
    /// use source_http::streams::Record;
    ///
    /// let mut record = Record::from_text(r#"{"id":7}"#);
    /// record.set("number", record.get::<u64>("id"));
    /// record.set("shop", record.get::<String>("shop"));
    /// assert_eq!(record.text(), r#"{"id":7,"number":7,"shop":null}"#);
    /// ```
    pub fn set(&mut self, name: &str, value: impl Serialize) {
        let Ok(value) = serde_json::to_string(&value) else { return };
        if let Some((_, added)) = self.added.iter_mut().find(|(added, _)| added == name) {
            *added = value;
        } else if self.object().line().is_some() && self.object().field(name).is_none() {
            self.added.push((name.to_owned(), value));
        } else {
            self.text = Text::Made(json::with_field(&self.text(), name, &value));
            self.added.clear();
        }
    }

    /// Sets the member at a path of names, as [`Record::set`] does; missing objects on the way are created. False,
    /// without any change, if a value on the way is not an object or the path is empty.
    pub fn set_at(&mut self, path: &[impl AsRef<str>], value: &impl Serialize) -> bool {
        if let [name] = path {
            self.set(name.as_ref(), value);
            return true;
        }
        let Ok(value) = serde_json::to_string(value) else { return false };
        let text = json::with_field_at(&self.text(), path, &value);
        self.replace(text)
    }

    /// Removes the member at a path of names. False if it is missing.
    pub fn remove_at(&mut self, path: &[impl AsRef<str>]) -> bool {
        let text = json::without_field_at(&self.text(), path);
        self.replace(text)
    }

    fn replace(&mut self, text: Option<String>) -> bool {
        let Some(text) = text else { return false };
        self.text = Text::Made(text);
        self.added.clear();
        true
    }

    /// Removes a member, if it exists. The text of the other members stays unchanged.
    pub fn remove(&mut self, name: &str) {
        if self.field(name).is_some() {
            self.remove_at(&[name]);
        }
    }

    /// The record as a tree. This costs digits and speed: numbers beyond 64 bits become doubles.
    ///
    /// # Errors
    /// If the text is nested too deeply for a tree.
    pub fn to_value(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.text())?)
    }

    /// The same record, with this one's text.
    #[must_use]
    pub fn borrowed(&self) -> Record<'_> {
        Record { text: Text::Found(self.object()), added: self.added.clone(), version: self.version.clone() }
    }

    /// The record with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        let version = self.version.clone();
        match self.text {
            Text::Made(text) if self.added.is_empty() => Record { text: Text::Made(text), added: self.added, version },
            _ => Record { version, ..Record::from_text(self.text().into_owned()) },
        }
    }
}

impl PartialEq for Record<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Record<'_> {}

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
        assert_eq!(record.field_at(&["m", "k"]).unwrap(), "1.10");
    }

    #[test]
    fn setting_a_member_leaves_the_others_unchanged() {
        let mut record = Record::from_text(r#"{"a":1e400, "b":1.10}"#);
        record.set("b", "x");
        record.set("c", [1]);
        assert_eq!(record.text(), r#"{"a":1e400, "b":"x","c":[1]}"#);
    }

    #[test]
    fn a_member_at_a_path_is_set_and_removed_and_the_rest_keeps_its_digits() {
        let mut record = Record::from_text(r#"{"a":1e400, "m":{"k":1.10, "n":2}}"#);
        record.set("b", 1);
        assert!(record.set_at(&["m", "n"], &"x") && record.set_at(&["new", "x"], &true) && record.set_at(&["c"], &2));
        assert!(!record.set_at(&["a", "x"], &1), "a number has no members");
        assert_eq!(record.text(), r#"{"a":1e400, "m":{"k":1.10, "n":"x"},"b":1,"new":{"x":true},"c":2}"#);
        assert!(record.remove_at(&["m", "n"]) && record.remove_at(&["b"]) && !record.remove_at(&["m", "x"]));
        assert_eq!(record.text(), r#"{"a":1e400,"m":{"k":1.10},"new":{"x":true},"c":2}"#);
    }

    #[test]
    fn a_member_is_removed_whether_the_api_or_the_stream_has_set_it() {
        let mut record = Record::from_text(r#"{"a":1e400, "b":1.10}"#);
        record.remove("c");
        assert_eq!(record.text(), r#"{"a":1e400, "b":1.10}"#);
        record.set("c", 1);
        record.remove("b");
        assert_eq!(record.text(), r#"{"a":1e400,"c":1}"#);
        record.remove("c");
        record.remove("a");
        assert_eq!(record.text(), "{}");
    }
}
