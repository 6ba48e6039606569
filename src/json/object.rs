//! One object in its text: finds members without parsing the others. If the text comes from a response, the positions
//! of the members are known.

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

    /// An object found in UTF-8 text. If `names` are given, no name has escapes, and the object is on one line.
    pub(super) fn found(text: &'t [u8], names: Option<&'t [u32]>) -> Self {
        Self { text, names }
    }

    /// Its text.
    #[must_use]
    pub fn text(self) -> &'t str {
        std::str::from_utf8(self.text).unwrap_or_default()
    }

    /// Its text as one line, if it is known to be one.
    pub(crate) fn line(self) -> Option<&'t [u8]> {
        self.names.map(|_| self.text)
    }

    /// The text of a member, or `None` if there is none of this name. The first of a repeated name counts.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'t str> {
        let Some(names) = self.names else { return super::field(self.text(), name) };
        // From the opening quote to the closing one, which few names share.
        let length = name.len() + 1;
        let is_it = |at: usize| {
            self.text.get(at + length) == Some(&b'"') && self.text.get(at + 1..at + length) == Some(name.as_bytes())
        };
        let member = names.iter().position(|at| is_it(*at as usize))?;
        // The text is known to be JSON: a value ends before the comma of the next member, or with the object.
        let next = names.get(member + 1).map_or(self.text.len() - 1, |next| *next as usize);
        let after_name = self.text.get(names[member] as usize + length + 1..next)?.trim_ascii();
        let value = after_name.strip_prefix(b":")?.trim_ascii_start();
        let value = if member + 1 < names.len() { value.strip_suffix(b",")?.trim_ascii_end() } else { value };
        std::str::from_utf8(value).ok()
    }
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
}
