//! `KeysToLower`, `KeysToSnakeCase` and `KeysReplace`: rename members. If two members get one name, the last value
//! counts, at the position of the first.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::super::part::{Builder, Part};
use super::super::placed::Text;
use super::super::template::{Json, Variable};
use super::super::tree::Tree;
use crate::protocol::Failure;
use crate::streams::Record;

/// How deep members are renamed. Deeper ones keep their names.
const MOST_LEVELS: usize = 400;

/// How members are renamed.
#[derive(Debug)]
pub(in crate::sources::declarative) enum KeyNames {
    /// The top-level ones, to lower case.
    Lower,
    /// All except those inside lists, to snake case.
    Snake,
    /// All except those inside lists, with one text replaced by another.
    Replace(Box<Text>, Box<Text>),
}

impl KeyNames {
    /// The renaming that a part describes.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        match part.kind() {
            "KeysToLower" => Some(Self::Lower),
            "KeysToSnakeCase" => Some(Self::Snake),
            _ => {
                let text = |name| builder.text(&part.field(name)?, &["record", "stream_slice"]);
                let (old, new) = (text("old"), text("new"));
                Some(Self::Replace(Box::new(old?), Box::new(new?)))
            }
        }
    }

    /// Renames the members of a record.
    pub(super) fn apply(&self, record: &mut Record<'_>, slice: Variable<'_>) -> Result<(), Failure> {
        let renamed = {
            let text = record.text();
            let tree = Tree::of(&text);
            let renamed = match self {
                Self::Lower => renamed(tree, &|name| name.to_lowercase(), MOST_LEVELS),
                Self::Snake => renamed(tree, &snake_case, 0),
                Self::Replace(old, new) => {
                    let vars = [("record", Variable::Json(Json::Text(&text))), ("stream_slice", slice)];
                    let (old, new) = (old.literal(&vars)?.to_text(), new.literal(&vars)?.to_text());
                    renamed(tree, &|name| name.replace(&old, &new), 0)
                }
            };
            renamed.to_text()
        };
        *record = Record::from_text(renamed);
        Ok(())
    }
}

fn renamed<'t>(tree: Tree<'t>, rename: &dyn Fn(&str) -> String, level: usize) -> Tree<'t> {
    if level > MOST_LEVELS || !tree.is_object() {
        return tree;
    }
    let mut members: IndexMap<Cow<'t, str>, Tree<'t>> = IndexMap::new();
    for (name, value) in tree.into_members().unwrap_or_default() {
        members.insert(Cow::Owned(rename(&name)), renamed(value, rename, level + 1));
    }
    Tree::Object(members)
}

/// The class of a character.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Upper,
    Lower,
    Digit,
    Other,
}

impl Kind {
    fn of(char: char) -> Self {
        match char {
            'A'..='Z' => Self::Upper,
            'a'..='z' => Self::Lower,
            '0'..='9' => Self::Digit,
            _ => Self::Other,
        }
    }
}

/// A name in snake case: words are runs of capitals followed by small letters, runs of small letters, and numbers.
/// Anything between them becomes a `_`, also at either end.
pub(in crate::sources::declarative) fn snake_case(name: &str) -> String {
    let name = any_ascii::any_ascii(name);
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<Kind> = None;
    for char in name.chars() {
        let kind = Kind::of(char);
        let goes_on = before == Some(kind) || (before == Some(Kind::Upper) && kind == Kind::Lower);
        if !goes_on {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| kind != Kind::Other) {
            word.push(char.to_ascii_lowercase());
        }
        before = Some(kind);
    }
    if words.len() >= 3 {
        let last = words.len() - 1;
        let mut at = 0;
        words.retain(|word| {
            at += 1;
            at == 1 || at > last || !word.is_empty()
        });
    }
    if words.first().is_some_and(|word| word.starts_with(|char: char| char.is_ascii_digit())) {
        words.insert(0, String::new());
    }
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_snake_case_are_those_of_the_reference() {
        for (name, snake) in [
            ("URLValue", "urlvalue"),
            ("userID2", "user_id_2"),
            ("1stPlace", "_1_st_place"),
            ("user--id", "user_id"),
            ("__x__", "_x_"),
            ("Value %", "value_"),
            ("$amount", "_amount"),
            ("-", ""),
            ("aB", "a_b"),
            ("", ""),
            ("名前", "ming_qian"),
            ("größe", "grosse"),
        ] {
            assert_eq!(snake_case(name), snake, "{name}");
        }
    }
}
