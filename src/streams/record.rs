//! A record: the text of a JSON object, with access to some of its members without parsing the rest.

use std::borrow::Cow;

use memchr::memmem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::record_edits::{Change, Edits, NONE};
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
    /// UTF-8, the text of an object: part of a response, or made by a stream.
    text: Cow<'a, [u8]>,
    /// Where the names of its members begin, if that is known: see [`Object`].
    names: Option<Cow<'a, [u32]>>,
    /// What is different from the text. A page keeps its text once, and a record that is changed is not copied.
    edits: Cow<'a, Edits>,
}

impl<'a> Record<'a> {
    /// A record of this text, which must be a JSON object.
    #[must_use]
    pub fn from_text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self { text, names: None, edits: Cow::Borrowed(&NONE) }
    }

    /// A record that was found in a response.
    pub(crate) fn found(object: Object<'a>) -> Self {
        let text = Cow::Borrowed(object.bytes());
        Self { text, names: object.names().map(Cow::Borrowed), edits: Cow::Borrowed(&NONE) }
    }

    /// Finds where its members are, if that is not known, so that each of them is found at once.
    pub(crate) fn index(&mut self) {
        if self.names.is_none() {
            self.names = json::names_of(&self.text).map(Cow::Owned);
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        if self.is_unchanged() {
            return Cow::Borrowed(self.object().text());
        }
        let mut out = Vec::with_capacity(self.text.len() + 64);
        self.edits.write(&mut out, self.object());
        String::from_utf8(out).unwrap_or_default().into()
    }

    /// Appends the text as one line.
    pub fn write_one_line(&self, out: &mut Vec<u8>) {
        match self.names {
            Some(_) => self.edits.write(out, self.object()),
            None => json::write_one_line(out, &self.text()),
        }
    }

    /// Whether it is its text.
    fn is_unchanged(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether it is unchanged from a response.
    pub(crate) fn is_as_found(&self) -> bool {
        self.is_of_found() && self.is_unchanged() && self.edits.version.is_none()
    }

    /// Whether its text is what was found in a response.
    pub(crate) fn is_of_found(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// Its text, if it is unchanged from a response.
    pub(crate) fn as_found(&self) -> Option<&'a str> {
        match self.text {
            Cow::Borrowed(text) if self.is_as_found() => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Whether its text has a member.
    pub(crate) fn has_members(&self) -> bool {
        let inside = self.text.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        inside.is_none_or(|inside| !inside.trim_ascii().is_empty())
    }

    /// How it differs from its text.
    pub(crate) fn into_edits(self) -> Edits {
        self.edits.into_owned()
    }

    /// The record with other differences from its text, which another record of the same text had.
    pub(crate) fn with_edits<'b>(&'b self, edits: &'b Edits) -> Record<'b> {
        let mut record = Record { edits: Cow::Borrowed(edits), ..self.borrowed() };
        if !edits.changed.is_empty() {
            record.index();
        }
        record
    }

    fn object(&self) -> Object<'_> {
        Object::found(&self.text, self.names.as_deref())
    }

    /// Sets the API's name of this version of the record: an event's id, an entity tag. It is not written; see
    /// [`super::Cursor::overlap`].
    pub fn set_version(&mut self, version: &str) {
        self.edits.to_mut().version = Some(version.into());
    }

    /// The value of [`Record::set_version`].
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.edits.version.as_deref()
    }

    /// A member's text, or `None` if it is missing.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.member(name, Object::position, json::field)
    }

    /// A member's text; of several with the name, the last, as Python reads it.
    pub(crate) fn last_field(&self, name: &str) -> Option<&str> {
        self.member(name, Object::last_position, json::last_field)
    }

    /// The member of this name: at the place of the text that `find` returns, or where `look_up` finds it if no places
    /// are known.
    #[inline]
    fn member<'s>(
        &'s self,
        name: &str,
        find: impl FnOnce(Object<'s>, &str) -> Option<usize>,
        look_up: impl FnOnce(&'s str, &str) -> Option<&'s str>,
    ) -> Option<&'s str> {
        // None of them is in the text, which is longer.
        if let Some((_, value)) = self.edits.added.iter().find(|(added, _)| added == name) {
            return Some(value);
        }
        if self.names.is_none() {
            return look_up(self.object().text(), name);
        }
        let place = find(self.object(), name)?;
        match self.edits.change(place) {
            Some(change) => change.value(),
            None => self.object().value_called(place, name),
        }
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
        if let Ok(value) = serde_json::to_string(&value) {
            self.set_text(name, value);
        }
    }

    /// Sets a member to a JSON text.
    fn set_text(&mut self, name: &str, value: String) {
        self.index();
        if let Some(at) = self.edits.added.iter().position(|(added, _)| added == name) {
            self.edits.to_mut().added[at].1 = value;
            return;
        }
        let object = self.object();
        let place = object.position(name).filter(|place| self.edits.change(*place) != Some(&Change::LeftOut));
        match (place, self.names.is_some()) {
            (Some(place), _) => self.edits.to_mut().set_change(place, Change::Value(value.into())),
            (None, true) => self.edits.to_mut().added.push((name.to_owned(), value)),
            (None, false) => self.replace(json::with_field(object.text(), name, &value)),
        }
    }

    /// Sets the member at a path of names, as [`Record::set`] does; missing objects on the way are created. False,
    /// without any change, if a value on the way is not an object or the path is empty.
    pub fn set_at(&mut self, path: &[impl AsRef<str>], value: &impl Serialize) -> bool {
        let (Ok(value), Some((name, rest))) = (serde_json::to_string(value), path.split_first()) else { return false };
        let name = name.as_ref();
        let value = match rest {
            [] => Some(value),
            rest => json::with_field_at(self.field(name).unwrap_or("{}"), rest, &value),
        };
        value.map(|value| self.set_text(name, value)).is_some()
    }

    /// Removes the member at a path of names. False if it is missing.
    pub fn remove_at(&mut self, path: &[impl AsRef<str>]) -> bool {
        self.index();
        let Some((name, rest)) = path.split_first() else { return false };
        let name = name.as_ref();
        let Some(value) = self.field(name) else { return false };
        if !rest.is_empty() {
            let cut = json::without_field_at(value, rest);
            return cut.map(|value| self.set_text(name, value)).is_some();
        }
        if self.edits.added.iter().any(|(added, _)| added == name) {
            self.edits.to_mut().added.retain(|(added, _)| added != name);
        } else if let Some(last) = self.object().last_position(name) {
            let all: Vec<usize> = self.object().namesakes_before(last).chain([last]).collect();
            let edits = self.edits.to_mut();
            for place in all {
                edits.set_change(place, Change::LeftOut);
            }
        } else if let Some(text) = json::without_field_at(self.object().text(), &[name]) {
            self.replace(text);
        }
        true
    }

    /// Takes out the members that are null.
    pub(crate) fn remove_nulls(&mut self) {
        // Most texts have none, which is faster to see than their members.
        if self.names.is_none() && memmem::find(&self.text, b"null").is_none() && self.is_unchanged() {
            return;
        }
        self.index();
        if self.names.is_none() {
            let (text, mut nulls) = (self.object().text(), Vec::new());
            json::for_each_member(text, |name, value| {
                if value == "null" {
                    nulls.push(json::unquoted(name));
                }
            });
            if let Some(text) = json::with_fields(text, |name| !nulls.iter().any(|null| null == name)) {
                self.replace(text);
            }
            return;
        }
        let nulls: Vec<usize> = self.object().nulls().filter(|place| self.edits.change(*place).is_none()).collect();
        // Of several with one name, the last counts.
        let hidden: Vec<usize> = nulls.iter().flat_map(|null| self.object().namesakes_before(*null)).collect();
        if !nulls.is_empty() {
            let changed = &mut self.edits.to_mut().changed;
            for place in &hidden {
                changed.retain(|(known, _)| known != place);
            }
            changed.extend(nulls.into_iter().chain(hidden).map(|place| (place, Change::LeftOut)));
            changed.sort_unstable_by_key(|(place, _)| *place);
            changed.dedup_by_key(|(place, _)| *place);
        }
        if self.edits.added.iter().any(|(_, value)| value == "null") {
            self.edits.to_mut().added.retain(|(_, value)| value != "null");
        }
        let is_null = |change: &Change| change.value() == Some("null");
        if self.edits.changed.iter().any(|(_, change)| is_null(change)) {
            let changed = &mut self.edits.to_mut().changed;
            for (_, change) in changed.iter_mut().filter(|(_, change)| is_null(change)) {
                *change = Change::LeftOut;
            }
        }
    }

    /// Has another text, in which all that was different is.
    fn replace(&mut self, text: String) {
        (self.text, self.names) = (Cow::Owned(text.into_bytes()), None);
        let version = self.edits.version.clone();
        self.edits = Cow::Owned(Edits { version, ..Edits::default() });
    }

    /// Removes a member, if it exists. The text of the other members stays unchanged.
    pub fn remove(&mut self, name: &str) {
        self.remove_at(&[name]);
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
        Record {
            text: Cow::Borrowed(&self.text),
            names: self.names.as_deref().map(Cow::Borrowed),
            edits: Cow::Borrowed(&self.edits),
        }
    }

    /// The record with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        Record {
            text: Cow::Owned(self.text.into_owned()),
            names: self.names.map(|names| Cow::Owned(names.into_owned())),
            edits: Cow::Owned(self.edits.into_owned()),
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
        assert_eq!(record.text(), r#"{"a":1e400, "m":{"k":1.10},"new":{"x":true},"c":2}"#);
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

    /// The same text with the places of its members known, and unknown.
    fn both(text: &'static str) -> [Record<'static>; 2] {
        let mut indexed = Record::from_text(text);
        indexed.index();
        [indexed, Record::from_text(text)]
    }

    #[test]
    fn many_changes_are_written_together_and_what_stands_between_the_others_is_kept() {
        for mut record in both(r#"{ "a":1 , "b" : {"x":1},"c":3,  "d":4,"e":5 }"#) {
            record.remove("a");
            assert!(record.set_at(&["b", "y"], &2) && record.remove_at(&["b", "x"]));
            record.remove("e");
            record.set("e", "new");
            record.set("f", 6);
            record.remove("f");
            assert_eq!(record.text(), r#"{"b" : {"y":2},"c":3,  "d":4,"e":"new"}"#);
            assert_eq!((record.field("a"), record.field("e"), record.field("f")), (None, Some("\"new\""), None));
            for name in ["b", "c", "d"] {
                record.remove(name);
            }
            assert_eq!(record.into_owned().borrowed().text(), r#"{"e":"new"}"#);
        }
    }

    #[test]
    fn nulls_are_taken_out_and_of_a_name_that_is_there_twice_the_last_counts() {
        let without = |text: &'static str| {
            let texts = both(text).map(|mut record| {
                record.remove_nulls();
                record.text().into_owned()
            });
            assert_eq!(texts[0], texts[1], "{text}");
            texts[0].clone()
        };
        assert_eq!(without(r#"{"a":null,"b":{"c":null},"d":"null","e":null}"#), r#"{"b":{"c":null},"d":"null"}"#);
        assert_eq!(without(r#"{"a":null}"#), "{}");
        assert_eq!(without(r#"{"a":null,"b":1,"a":2}"#), r#"{"b":1,"a":2}"#);
        assert_eq!(without(r#"{"a":1,"b":1,"a":null}"#), r#"{"b":1}"#);
        assert_eq!(without("{\n\"a\": null,\n\"\\u0062\": null, \"c\": 1}"), r#"{"c": 1}"#);
    }

    #[test]
    fn values_that_were_set_to_null_are_taken_out_too() {
        for mut record in both(r#"{"a":1,"b":2}"#) {
            record.set("a", None::<u8>);
            record.set("c", None::<u8>);
            record.remove_nulls();
            assert_eq!(record.text(), r#"{"b":2}"#);
        }
    }

    #[test]
    fn of_a_repeated_name_templates_see_the_last_member_on_one_line_and_on_several() {
        for text in [r#"{"a":1,"b":2,"a":3}"#, "{\n\"a\": 1, \"b\": 2, \"a\": 3}", r#"{"a":1,"\u0062":2,"a":3}"#] {
            let mut indexed = Record::from_text(text);
            indexed.index();
            for record in [Record::from_text(text), indexed] {
                assert_eq!((record.field("a"), record.last_field("a")), (Some("1"), Some("3")), "{text}");
            }
        }
    }

    #[test]
    fn what_is_different_fits_another_record_of_the_same_text() {
        let text = r#"{"a":1,"b":2}"#;
        let mut record = Record::from_text(text);
        record.remove("a");
        record.set("c", 3);
        let edits = record.into_edits();
        assert_eq!(Record::from_text(text).with_edits(&edits).text(), r#"{"b":2,"c":3}"#);
    }
}
