//! Iterates over the members of a JSON object, or the elements of a list, in its text; and replaces parts of a text.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::scan::{self, Skip};

/// Hands out name and value of each member of a JSON object, as they are in the text. A text that is not an object has
/// no members. [`unquoted`] decodes a name's text.
pub fn for_each_member<'t>(object: &'t str, mut on_member: impl FnMut(&'t str, &'t str)) {
    let _: Option<()> = find_member(object, |name, value| {
        on_member(name, value);
        ControlFlow::Continue(())
    });
}

/// As [`for_each_member`], until something is found.
pub(super) fn find_member<'t, T>(
    object: &'t str,
    mut on_member: impl FnMut(&'t str, &'t str) -> ControlFlow<T>,
) -> Option<T> {
    let mut name = None;
    find_part(object, b'{', |part, follows| {
        match name.take() {
            None if follows == b':' => name = Some(part),
            Some(name) if follows != b':' => return on_member(name, part),
            // A record was checked to be JSON when it was found; for any other text the valid start is handed out.
            _ => {}
        }
        ControlFlow::Continue(())
    })
}

/// Hands out the elements of a JSON list, as they are in the text. A text that is not a list has none.
pub fn for_each_element<'t>(list: &'t str, mut on_element: impl FnMut(&'t str)) {
    let _: Option<()> = find_part(list, b'[', |element, _| {
        on_element(element);
        ControlFlow::Continue(())
    });
}

/// Hands out the content of a container, names and values alike, each with the byte after it, until something is found.
fn find_part<'t, T>(text: &'t str, opening: u8, mut on_part: impl FnMut(&'t str, u8) -> ControlFlow<T>) -> Option<T> {
    let bytes = text.as_bytes();
    let mut at = scan::white_space(bytes, 0);
    let mut separator = *bytes.get(at)?;
    if separator != opening {
        return None;
    }
    loop {
        let start = scan::white_space(bytes, at + 1);
        // The end of an empty container, or of the valid start, has no value.
        let end = scan::value(bytes, start, &mut Skip).ok()?;
        at = scan::white_space(bytes, end);
        separator = *bytes.get(at)?;
        if let ControlFlow::Break(found) = on_part(text.get(start..end)?, separator) {
            return Some(found);
        }
        if !matches!(separator, b',' | b':') {
            return None;
        }
    }
}

/// The decoded text of a JSON string. Anything else is returned unchanged.
#[must_use]
pub fn unquoted(string: &str) -> Cow<'_, str> {
    match string.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) if !inside.contains('\\') => Cow::Borrowed(inside),
        _ => serde_json::from_str::<String>(string).map_or(Cow::Borrowed(string), Cow::Owned),
    }
}

/// A text with some parts replaced. The rest stays unchanged, white space included.
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

    /// Replaces a part with a text. Parts must come in the order of the text; a part outside of it, or before an
    /// earlier one, is ignored.
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
    fn members_are_handed_out_as_they_are_in_the_text() {
        let mut seen = Vec::new();
        for_each_member(r#" {"a": 1.10, "\u0062" : {"a": [1, 2]}} "#, |name, value| {
            seen.push((unquoted(name).into_owned(), value.to_owned()));
        });
        assert_eq!(seen, [("a".into(), "1.10".into()), ("b".into(), r#"{"a": [1, 2]}"#.to_owned())]);
        for_each_member("[1]", |_, _| panic!("a list has no members"));
        for_each_member(" {} ", |_, _| panic!("there are none"));
    }

    #[test]
    fn elements_are_handed_out_as_they_are_in_the_text() {
        let mut seen = Vec::new();
        for_each_element(" [ 1.10 , {\"a\": [2]},\n\"x\"] ", |element| seen.push(element));
        assert_eq!(seen, ["1.10", "{\"a\": [2]}", "\"x\""]);
        for_each_element("{\"a\":1}", |_| panic!("an object has no elements"));
        for_each_element("[ ]", |_| panic!("there are none"));
    }

    #[test]
    fn the_valid_start_of_a_truncated_text_is_handed_out() {
        let mut seen = Vec::new();
        for_each_member("{\"a\":1,\"b\":2", |name, value| seen.push((name, value)));
        for_each_member("{\"c\"}", |name, value| seen.push((name, value)));
        assert_eq!(seen, [("\"a\"", "1")]);
    }

    #[test]
    fn the_rest_stays_unchanged() {
        let text = "{ \"a\": 1 , \"b\":2}";
        let mut splice = Splice::new(text);
        for_each_member(text, |name, value| {
            if name == "\"b\"" {
                splice.replace(value, "[3]");
            }
        });
        assert_eq!(splice.finish().as_deref(), Some("{ \"a\": 1 , \"b\":[3]}"));
        assert_eq!(Splice::new(text).finish(), None);
    }

    #[test]
    fn a_part_of_another_text_is_ignored() {
        let (text, other) = ("12".to_owned(), "345".to_owned());
        let mut splice = Splice::new(&text);
        splice.replace(&other, "x");
        assert_eq!(splice.finish(), None);
    }
}
