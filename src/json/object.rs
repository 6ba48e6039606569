//! One object in its text: looking up members without parsing the others. Where the text was read from a response, the
//! places of the members are known already; of any other text, one pass finds them.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::members::{for_each_member, unquoted};
use super::scan::{self, Sink};

/// A JSON object's text.
#[derive(Debug, Clone, Copy)]
pub struct Object<'t> {
    /// UTF-8. Most records are never read as characters, and checking twice would cost as much as copying them.
    text: &'t [u8],
    /// Where the names of its members begin, if known and without escapes.
    names: Option<&'t [u32]>,
}

impl<'t> Object<'t> {
    /// An object without known positions. A text that is not an object has no members.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), names: None }
    }

    /// An object in a text that is UTF-8. If `names` are given, no name is spelt with escapes, and the object stands on
    /// one line.
    pub(crate) fn found(text: &'t [u8], names: Option<&'t [u32]>) -> Self {
        Self { text, names }
    }

    /// Its text.
    #[must_use]
    pub fn text(self) -> &'t str {
        std::str::from_utf8(self.text).unwrap_or_default()
    }

    /// Its text, which is UTF-8.
    pub(crate) fn bytes(self) -> &'t [u8] {
        self.text
    }

    /// Where the names of its members begin, if that is known.
    pub(crate) fn names(self) -> Option<&'t [u32]> {
        self.names
    }

    /// The text of a member, or `None` if there is none of this name. The first of a repeated name counts.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'t str> {
        match self.names {
            Some(_) => self.value_called(self.position(name)?, name),
            None => super::field(self.text(), name),
        }
    }

    /// The place of the first member of this name among those that are known.
    pub(crate) fn position(self, name: &str) -> Option<usize> {
        self.names?.iter().position(|at| self.is_called(*at, name.as_bytes()))
    }

    /// The place of the last member of this name among those that are known.
    pub(crate) fn last_position(self, name: &str) -> Option<usize> {
        self.names?.iter().rposition(|at| self.is_called(*at, name.as_bytes()))
    }

    /// The places of the members that are called like the one at a place, and stand before it.
    pub(crate) fn namesakes_before(self, place: usize) -> impl Iterator<Item = usize> + use<'t> {
        let names = self.names.unwrap_or_default();
        let name = names.get(place).and_then(|at| self.name(*at)).unwrap_or_default();
        // Few names begin alike.
        let same = move |at: u32| self.text.get(at as usize + 1) == name.first() && self.is_called(at, name);
        names.iter().take(place).enumerate().filter(move |(_, at)| same(**at)).map(|(place, _)| place)
    }

    /// The value of the member at a place.
    pub(crate) fn value(self, place: usize) -> Option<&'t str> {
        let name = self.name(*self.names?.get(place)?)?;
        std::str::from_utf8(self.text.get(self.value_span(place, name.len())?)?).ok()
    }

    /// The value of the member at a place, which has this name.
    pub(crate) fn value_called(self, place: usize, name: &str) -> Option<&'t str> {
        std::str::from_utf8(self.text.get(self.value_span(place, name.len())?)?).ok()
    }

    /// Where the value of the member at a place stands. The name has this many bytes.
    pub(crate) fn value_span(self, place: usize, name: usize) -> Option<Range<usize>> {
        let span = self.span(place)?;
        let after_name = self.text.get(span.start + name + 2..span.end)?.trim_ascii_start();
        let value = after_name.strip_prefix(b":")?.trim_ascii_start();
        Some(span.end - value.len()..span.end)
    }

    /// From the name of the member at a place to the end of its value.
    pub(crate) fn span(self, place: usize) -> Option<Range<usize>> {
        let names = self.names?;
        let start = *names.get(place)? as usize;
        // The text is known to be JSON: a value ends before the comma of the next member, or with the object.
        let next = names.get(place + 1).map_or(self.text.len().checked_sub(1)?, |next| *next as usize);
        let span = self.text.get(start..next)?.trim_ascii_end();
        let span = if place + 1 < names.len() { span.strip_suffix(b",")?.trim_ascii_end() } else { span };
        Some(start..start + span.len())
    }

    /// The places of the members that are null.
    pub(crate) fn nulls(self) -> impl Iterator<Item = usize> + use<'t> {
        let count = self.names.map_or(0, <[u32]>::len);
        // Of all values, this one alone ends in such a way: others end in a quote, a bracket, a digit or another word.
        (0..count).filter(move |place| self.span(*place).is_some_and(|span| self.text[span].ends_with(b"null")))
    }

    fn name(self, at: u32) -> Option<&'t [u8]> {
        let inside = self.text.get(at as usize + 1..)?;
        inside.get(..memchr(b'"', inside)?)
    }

    fn is_called(self, at: u32, name: &[u8]) -> bool {
        let at = at as usize;
        // From the opening quote to the closing one, which few names share.
        let length = name.len() + 1;
        self.text.get(at + length) == Some(&b'"') && self.text.get(at + 1..at + length) == Some(name)
    }
}

/// Where the names of an object's members begin. `None` if the text is not an object on one line, or if a name is spelt with
/// escapes.
pub(crate) fn names_of(text: &[u8]) -> Option<Vec<u32>> {
    if text.first() != Some(&b'{') || u32::try_from(text.len()).is_err() {
        return None;
    }
    let mut names = Vec::new();
    let mut one_line = OneLine::new(&mut names, 0);
    let end = scan::value(text, 0, &mut one_line).ok()?;
    let has_escapes = one_line.has_escapes;
    let is_plain = !(has_escapes && has_escaped_name(text, &names));
    (end == text.len() && is_plain).then_some(names)
}

/// As [`super::field`], but of a name that occurs twice, the last is taken, as in Python.
pub(crate) fn last_field<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let object = object.trim();
    // One pass, which looks at no value, if the object is on one line.
    if let Some(names) = names_of(object.as_bytes()) {
        let known = Object::found(object.as_bytes(), Some(&names));
        return object.get(known.value_span(known.last_position(name)?, name.len())?);
    }
    let mut last = None;
    for_each_member(object, |found, value| {
        if unquoted(found) == name {
            last = Some(value);
        }
    });
    last
}

/// Whether one of the names at these positions has escapes.
pub(super) fn has_escaped_name(text: &[u8], names: &[u32]) -> bool {
    let mut left = names;
    // From one escape to the next. Most are in values, and the rest of the value is of no interest.
    while let Some((first, rest)) = left.split_first() {
        let start = *first as usize;
        let Some(escape) = text.get(start..).and_then(|text| memchr(b'\\', text)) else { return false };
        let passed = rest.partition_point(|name| *name as usize <= start + escape);
        let name = left[passed] as usize;
        let of_name = text.get(name + 1..).unwrap_or_default();
        if memchr2(b'"', b'\\', of_name).is_some_and(|at| of_name[at] == b'\\') {
            return true;
        }
        left = &left[passed + 1..];
    }
    false
}

/// Notes the names of an object that stands on one line.
pub(super) struct OneLine<'n> {
    names: &'n mut Vec<u32>,
    start: usize,
    pub(super) has_escapes: bool,
}

impl<'n> OneLine<'n> {
    /// Names are counted from the beginning of the object, which is at `start`.
    pub(super) fn new(names: &'n mut Vec<u32>, start: usize) -> Self {
        Self { names, start, has_escapes: false }
    }
}

impl Sink for OneLine<'_> {
    const ONE_LINE: bool = true;

    #[inline]
    fn name(&mut self, at: usize, _: u64) {
        self.names.push(to_u32(at - self.start));
    }

    fn end(&mut self, has_escapes: bool) {
        self.has_escapes = has_escapes;
    }
}

/// All of it lies within a text that is not longer.
pub(super) fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_with_and_without_positions() {
        let text = r#"{"a":1.10, "ab" : {"b":2},"b":[3], "a":4}"#;
        let names = [1, 11, 26, 35];
        for object in [Object::new(text), Object::found(text.as_bytes(), Some(&names))] {
            assert_eq!(object.field("a"), Some("1.10"));
            assert_eq!(object.field("ab"), Some(r#"{"b":2}"#));
            assert_eq!(object.field("b"), Some("[3]"));
            assert_eq!((object.field(""), object.field("abc"), object.field("c")), (None, None, None));
        }
    }

    #[test]
    fn an_escape_in_a_name_is_told_from_those_in_values() {
        for (text, expected) in [
            (r#"{"a":"\\\"","b":["\n",{"\t":"\\"}],"c":"x\u0041"}"#, false),
            (r#"{"a":1,"b":"","c\u0041":""}"#, true),
            (r#"{"\n":1,"b":2}"#, true),
            (r#"{"a":"\n","b\\":2}"#, true),
            (r#"{"a":"\n\n\n","b":2,"c":{"d\n":1}, "e\"":1}"#, true),
            (r#"{"a":"","b":2}"#, false),
            ("{}", false),
        ] {
            let mut names = Vec::new();
            scan::value(text.as_bytes(), 0, &mut OneLine::new(&mut names, 0)).unwrap();
            assert_eq!(has_escaped_name(text.as_bytes(), &names), expected, "{text}");
            assert_eq!(names_of(text.as_bytes()).is_none(), expected, "{text}");
        }
    }

    #[test]
    fn one_pass_finds_the_names_of_an_object_on_one_line() {
        let text = r#"{"a":[1, {"x":null}],"b":null, "c" : "null","b":7,"a":null}"#;
        let names = names_of(text.as_bytes()).unwrap();
        let object = Object::found(text.as_bytes(), Some(&names));
        let values: Vec<_> = (0..names.len()).map(|place| object.value(place).unwrap()).collect();
        assert_eq!(values, [r#"[1, {"x":null}]"#, "null", "\"null\"", "7", "null"]);
        assert_eq!(object.nulls().collect::<Vec<_>>(), [1, 4]);
        assert_eq!(object.namesakes_before(4).collect::<Vec<_>>(), [0]);
        assert_eq!((object.position("b"), object.last_position("b"), object.position("x")), (Some(1), Some(3), None));
        assert_eq!(names_of(b"{}").as_deref(), Some(&[][..]));
        for unknown in ["[]", "{\"a\":1} ", "{\"a\":\n1}", r#"{"\u0061":1}"#, "{\"a\":1", "", "null"] {
            assert_eq!(names_of(unknown.as_bytes()), None, "{unknown}");
        }
    }
}
