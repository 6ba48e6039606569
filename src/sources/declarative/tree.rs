//! A JSON value that is parsed only as far as a change needs. The rest stays text, digit by digit.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::steps::{items, members};
use crate::json;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree<'t> {
    /// An object whose members are known.
    Object(IndexMap<Cow<'t, str>, Tree<'t>>),
    /// A list whose items are known.
    List(Vec<Tree<'t>>),
    /// The text of any value.
    Text(Cow<'t, str>),
}

impl<'t> Tree<'t> {
    /// The value of a JSON text.
    pub(super) fn of(text: &'t str) -> Self {
        Self::Text(Cow::Borrowed(text.trim()))
    }

    /// The value of a text made here.
    pub(super) fn made(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    fn starts_with(&self, open: u8) -> bool {
        matches!(self, Self::Text(text) if text.as_bytes().first() == Some(&open))
    }

    /// Whether it is an object.
    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_)) || self.starts_with(b'{')
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_)) || self.starts_with(b'[')
    }

    /// The members, of an object.
    pub(super) fn members(&mut self) -> Option<&mut IndexMap<Cow<'t, str>, Tree<'t>>> {
        if self.starts_with(b'{')
            && let Self::Text(text) = self
        {
            let opened = match text {
                Cow::Borrowed(text) => members(text).into_iter().map(|(name, value)| (name, Self::of(value))).collect(),
                Cow::Owned(text) => {
                    let members = members(text).into_iter();
                    members.map(|(name, value)| (name.into_owned().into(), Self::made(value.to_owned()))).collect()
                }
            };
            *self = Self::Object(opened);
        }
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The items, of a list.
    pub(super) fn items(&mut self) -> Option<&mut Vec<Tree<'t>>> {
        if self.starts_with(b'[')
            && let Self::Text(text) = self
        {
            let opened = match text {
                Cow::Borrowed(text) => items(text).into_iter().map(Self::of).collect(),
                Cow::Owned(text) => items(text).into_iter().map(|item| Self::made(item.to_owned())).collect(),
            };
            *self = Self::List(opened);
        }
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The members, of an object that is no longer needed.
    pub(super) fn into_members(mut self) -> Option<IndexMap<Cow<'t, str>, Tree<'t>>> {
        self.members()?;
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Its JSON.
    pub(super) fn to_text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    json::write_string(out, name);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_parts_keep_their_text() {
        let mut tree = Tree::of(r#"{"a": {"n": 1.10, "m":[1e400]}, "b": [ {"x": 1}, 2 ]}"#);
        let members = tree.members().unwrap();
        members["a"].members().unwrap().insert("k\"".into(), Tree::made("7".to_owned()));
        members["b"].items().unwrap().push(Tree::made(r#"{"y": 1}"#.to_owned()));
        assert!(members["b"].items().unwrap()[2].members().unwrap()["y"] == Tree::made("1".to_owned()));
        assert_eq!(tree.to_text(), r#"{"a":{"n":1.10,"m":[1e400],"k\"":7},"b":[{"x": 1},2,{"y":1}]}"#);
        assert!(Tree::of("1").members().is_none() && Tree::of("{}").items().is_none());
    }
}
