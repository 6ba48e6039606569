//! Walking over the members of a JSON object in its text, and putting other texts in the place of some of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Hands out name and value of each member of a JSON object as they stand in the text. A text that is no object has
/// no members. [`unquoted`] turns a name's text into the name.
pub fn for_each_member<'t>(object: &'t str, on_member: impl FnMut(&'t RawValue, &'t RawValue)) {
    // A record was checked to be valid JSON when it was found; of any other text the valid start is handed out.
    let _ = Members(on_member).deserialize(&mut serde_json::Deserializer::from_str(object));
}

/// The text that a JSON string stands for. Anything but a JSON string is returned as it is.
#[must_use]
pub fn unquoted(string: &RawValue) -> Cow<'_, str> {
    let text = string.get();
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) if !inside.contains('\\') => Cow::Borrowed(inside),
        _ => serde_json::from_str::<String>(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

struct Members<F>(F);

impl<'de, F: FnMut(&'de RawValue, &'de RawValue)> DeserializeSeed<'de> for Members<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&'de RawValue, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

/// A text in which some parts are replaced. What is not replaced stays as it is, white space included.
#[derive(Debug)]
pub struct Splice<'t> {
    text: &'t str,
    out: String,
    copied: usize,
}

impl<'t> Splice<'t> {
    /// Nothing replaced so far.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, out: String::new(), copied: 0 }
    }

    /// Puts a text in the place of a part. Parts are replaced in the order they stand in; what does not lie in the
    /// text, after the part before, is left alone.
    pub fn replace(&mut self, part: &str, with: &str) {
        let Some(start) = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize) else { return };
        let Some(before) = self.text.get(self.copied..start) else { return };
        if start + part.len() > self.text.len() {
            return;
        }
        if self.out.is_empty() {
            self.out.reserve(self.text.len() + with.len());
        }
        self.out.extend([before, with]);
        self.copied = start + part.len();
    }

    /// The whole text, or `None` if nothing was replaced.
    #[must_use]
    pub fn finish(mut self) -> Option<String> {
        if self.copied == 0 {
            return None;
        }
        self.out.push_str(&self.text[self.copied..]);
        Some(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_handed_out_as_they_stand() {
        let mut seen = Vec::new();
        for_each_member(r#" {"a": 1.10, "\u0062" : {"a": [1, 2]}} "#, |name, value| {
            seen.push((unquoted(name).into_owned(), value.get().to_owned()));
        });
        assert_eq!(seen, [("a".into(), "1.10".into()), ("b".into(), r#"{"a": [1, 2]}"#.to_owned())]);
        for_each_member("[1]", |_, _| panic!("a list has no members"));
    }

    #[test]
    fn what_is_not_replaced_stays() {
        let text = "{ \"a\": 1 , \"b\":2}";
        let mut splice = Splice::new(text);
        for_each_member(text, |name, value| {
            if name.get() == "\"b\"" {
                splice.replace(value.get(), "[3]");
            }
        });
        assert_eq!(splice.finish().as_deref(), Some("{ \"a\": 1 , \"b\":[3]}"));
        assert_eq!(Splice::new(text).finish(), None);
    }

    #[test]
    fn a_part_of_another_text_is_left_alone() {
        let (text, other) = ("12".to_owned(), "345".to_owned());
        let mut splice = Splice::new(&text);
        splice.replace(&other, "x");
        assert_eq!(splice.finish(), None);
    }
}
