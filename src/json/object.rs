//! One object in its text: looking up members without parsing the others. Where the text was read from a response, the
//! places of the members are known already.

use super::scan::{self, Skip};

/// A JSON object's text.
#[derive(Debug, Clone, Copy)]
pub struct Object<'t> {
    text: &'t str,
    /// Where the names of its members begin, if that is known and none is spelt with escapes.
    names: Option<&'t [u32]>,
}

impl<'t> Object<'t> {
    /// The object of this text, of which nothing is known. A text that is no object has no members.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, names: None }
    }

    /// An object whose names begin at these places, and none of them is spelt with escapes.
    pub(super) fn with_names(text: &'t str, names: &'t [u32]) -> Self {
        Self { text, names: Some(names) }
    }

    /// Its text.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.text
    }

    /// Whether the places of its members are known. Such a text is on one line, too.
    pub(crate) fn is_indexed(self) -> bool {
        self.names.is_some()
    }

    /// The text of a member, or `None` if there is none of this name. Of a name that occurs twice, the first is taken.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'t str> {
        let Some(names) = self.names else { return super::field(self.text, name) };
        let bytes = self.text.as_bytes();
        let value = names.iter().find_map(|at| {
            let after = bytes.get(*at as usize + 1..)?.strip_prefix(name.as_bytes())?.strip_prefix(b"\"")?;
            Some(bytes.len() - after.len())
        })?;
        let colon = scan::white_space(bytes, value, &mut Skip).ok()?;
        let start = scan::white_space(bytes, colon + 1, &mut Skip).ok()?;
        let end = scan::value(bytes, start, &mut Skip).ok()?;
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_their_places_and_without_them() {
        let text = r#"{"a":1.10, "ab" : {"b":2},"b":[3], "a":4}"#;
        let names = [1, 11, 26, 35];
        for object in [Object::new(text), Object::with_names(text, &names)] {
            assert_eq!(object.field("a"), Some("1.10"));
            assert_eq!(object.field("ab"), Some(r#"{"b":2}"#));
            assert_eq!(object.field("b"), Some("[3]"));
            assert_eq!((object.field(""), object.field("abc"), object.field("c")), (None, None, None));
        }
    }
}
