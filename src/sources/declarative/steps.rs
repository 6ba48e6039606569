//! Paths that find values in JSON text, by the rules of `dpath`: a step may be a glob, and `**` is any number of steps.
//! Only the values along the path are parsed; matches are returned as their text.

mod glob;

use std::borrow::Cow;

use indexmap::IndexMap;

use super::template::Literal;
use crate::json;
use glob::fits;

/// How deep a path searches a value. Deeper values are not found.
const MOST_LEVELS: usize = 400;

/// A path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps(Vec<Step>);

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// The member of this name, or the item of this index if the name is one.
    Name { name: String, index: Option<i64> },
    /// Members and items whose name or index matches.
    Glob(String),
    /// Any number of steps.
    Deep,
    /// An item only: a number does not match names.
    Item(i64),
    /// Matches nothing: null, a list.
    Nothing,
}

/// The place of a value in its parent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Segment<'s> {
    /// The name of a member.
    Name(&'s str),
    /// The index of an item, and the number of items.
    Item(usize, usize),
}

/// As [`Segment`], owned, for walking a path.
#[derive(Debug)]
pub(super) enum Place {
    /// The name of a member.
    Name(String),
    /// The index of an item, and the number of items.
    Item(usize, usize),
}

impl Place {
    fn segment(&self) -> Segment<'_> {
        match self {
            Self::Name(name) => Segment::Name(name),
            Self::Item(index, count) => Segment::Item(*index, *count),
        }
    }
}

impl Steps {
    /// A path of plain texts. `None` if it has more than one `**`.
    pub(super) fn of_texts<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Option<Self> {
        Self(texts.into_iter().map(|text| Step::of_text(text.as_ref())).collect()).checked()
    }

    /// A path of template results: a number finds items only. `None` if it has more than one `**`.
    pub(super) fn of_literals(literals: &[Literal]) -> Option<Self> {
        Self(literals.iter().map(Step::of_literal).collect()).checked()
    }

    fn checked(self) -> Option<Self> {
        let deep = self.0.iter().filter(|step| **step == Step::Deep).count();
        (deep < 2).then_some(self)
    }

    /// Whether it is empty, and so finds the value itself.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a step is exactly `*`, so that all matches are wanted.
    pub(super) fn has_star(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Glob(glob) if glob == "*"))
    }

    /// Whether a step is a glob.
    pub(super) fn has_globs(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Glob(_) | Step::Deep))
    }

    /// The names, if each step is one and none could be an index.
    pub(super) fn names(&self) -> Option<Vec<&str>> {
        let name = |step: &'_ Step| matches!(step, Step::Name { index: None, .. });
        self.0.iter().all(name).then(|| {
            let names = self.0.iter().filter_map(|step| match step {
                Step::Name { name, .. } => Some(name.as_str()),
                _ => None,
            });
            names.collect()
        })
    }

    /// The values that it finds, at most `most`, in the order of `dpath`'s walk.
    pub(super) fn find<'t>(&self, text: &'t str, most: usize) -> Vec<&'t str> {
        let text = text.trim();
        if self.is_empty() {
            return vec![text];
        }
        if let Some(names) = self.names() {
            return names.iter().try_fold(text, |text, name| member(text, name)).into_iter().collect();
        }
        let mut found = Vec::new();
        find(&Positions::start(&self.0), text, 0, most, &mut found);
        found
    }

    /// Whether it matches this place.
    pub(super) fn fits(&self, way: &[Place]) -> bool {
        let start = Positions::start(&self.0);
        way.iter().fold(start, |positions, place| positions.after(place.segment())).is_end()
    }
}

impl Step {
    fn of_text(text: &str) -> Self {
        if text == "**" {
            return Self::Deep;
        }
        if text.contains(['*', '?', '[']) {
            return Self::Glob(text.to_owned());
        }
        Self::Name { name: text.to_owned(), index: index_of(text) }
    }

    #[allow(clippy::cast_possible_truncation, reason = "Python's int() cuts, too; no list is that long")]
    fn of_literal(literal: &Literal) -> Self {
        match literal {
            Literal::Str(text) => Self::of_text(text),
            Literal::Int(index) => Self::Item(*index),
            Literal::Bool(value) => Self::Item((*value).into()),
            Literal::Float(value) if value.is_finite() => Self::Item(value.trunc() as i64),
            _ => Self::Nothing,
        }
    }

    fn fits(&self, segment: Segment<'_>) -> bool {
        match (self, segment) {
            (Self::Deep, _) => true,
            (Self::Name { name, .. }, Segment::Name(segment)) => name == segment,
            (Self::Glob(glob), Segment::Name(segment)) => fits(glob, segment),
            (Self::Name { index: Some(wanted), .. } | Self::Item(wanted), Segment::Item(index, count)) => {
                i64::try_from(index).is_ok_and(|index| {
                    index == *wanted || i64::try_from(count).is_ok_and(|count| index - count == *wanted)
                })
            }
            (Self::Glob(glob), Segment::Item(index, _)) => fits(glob, &index.to_string()),
            _ => false,
        }
    }
}

/// A text as Python's `int` reads it.
fn index_of(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.contains('_') {
        true => matches!(Literal::parse(text)?, Literal::Int(_)).then(|| text.replace('_', "").parse().ok())?,
        false => text.parse().ok(),
    }
}

/// The possible positions along a path, several with a `**`.
#[derive(Clone)]
struct Positions<'s> {
    steps: &'s [Step],
    at: Vec<usize>,
}

impl<'s> Positions<'s> {
    fn start(steps: &'s [Step]) -> Self {
        let mut at = vec![0];
        if steps.first() == Some(&Step::Deep) {
            at.push(1);
        }
        Self { steps, at }
    }

    fn after(&self, segment: Segment<'_>) -> Self {
        let mut at = Vec::with_capacity(self.at.len());
        let mut add = |place: usize| {
            if !at.contains(&place) {
                at.push(place);
            }
        };
        for &place in &self.at {
            let Some(step) = self.steps.get(place).filter(|step| step.fits(segment)) else { continue };
            if *step == Step::Deep {
                add(place);
            }
            add(place + 1);
            // A `**` may match no step.
            if self.steps.get(place + 1) == Some(&Step::Deep) {
                add(place + 2);
            }
        }
        Self { steps: self.steps, at }
    }

    fn is_end(&self) -> bool {
        self.at.contains(&self.steps.len())
    }

    fn goes_on(&self) -> bool {
        self.at.iter().any(|place| *place < self.steps.len())
    }
}

/// All of a value's children, then their children: `dpath`'s order.
fn find<'t>(positions: &Positions<'_>, text: &'t str, level: usize, most: usize, found: &mut Vec<&'t str>) {
    if level > MOST_LEVELS {
        return;
    }
    let mut inner = Vec::new();
    let mut child = |segment: Segment<'_>, value: &'t str| {
        let after = positions.after(segment);
        if after.is_end() {
            found.push(value);
        }
        if after.goes_on() {
            inner.push((after, value));
        }
    };
    match text.as_bytes().first() {
        Some(b'{') => members(text).iter().for_each(|(name, value)| child(Segment::Name(name), value)),
        Some(b'[') => {
            let items = items(text);
            items.iter().enumerate().for_each(|(index, item)| child(Segment::Item(index, items.len()), item));
        }
        _ => {}
    }
    for (after, value) in inner {
        if found.len() >= most {
            break;
        }
        find(&after, value, level + 1, most, found);
    }
    found.truncate(most);
}

/// The members of an object. For a repeated name, the last value counts, at the position of the first, as in Python.
pub(super) fn members(object: &str) -> IndexMap<Cow<'_, str>, &str> {
    let mut members = IndexMap::new();
    json::for_each_member(object, |name, value| {
        members.insert(json::unquoted(name), value);
    });
    members
}

/// The member of a name; of several, the last.
pub(super) fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let mut found = None;
    json::for_each_member(object, |other, value| {
        if json::unquoted(other) == name {
            found = Some(value);
        }
    });
    found
}

/// The items of a list.
pub(super) fn items(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    json::for_each_element(list, |item| items.push(item));
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(path: &[&str], text: &'t str) -> Vec<&'t str> {
        Steps::of_texts(path).unwrap().find(text, usize::MAX)
    }

    #[test]
    fn a_path_finds_names_indexes_and_globs_in_the_order_of_the_text() {
        let text = r#"{"a": [{"k":1.10}, {"k": 2, "x[1]":3}], "a1": {"1": "one"}, "b": 1, "b": 2}"#;
        assert_eq!(found(&["a", "*", "k"], text), ["1.10", "2"]);
        assert_eq!(found(&["a", "01", "k"], text), ["2"]);
        assert_eq!(found(&["a", "-2", "k"], text), ["1.10"]);
        assert_eq!(found(&["a", "2"], text), [""; 0]);
        assert_eq!(found(&["a?", "1"], text), ["\"one\""]);
        assert_eq!(found(&["b"], text), ["2"], "of two with the name, the last");
        assert_eq!(found(&["a", "1", "x[[]1]"], text), ["3"]);
        assert_eq!(found(&["a", "1", "x[1]"], text), [""; 0]);
        assert_eq!(found(&["**", "k"], text), ["1.10", "2"]);
        assert_eq!(found(&["a", "**"], r#"{"a":{"b":{"c":1}}}"#), [r#"{"b":{"c":1}}"#, r#"{"c":1}"#, "1"]);
        assert!(Steps::of_texts(["**", "a", "**"]).is_none());
    }

    #[test]
    fn a_number_from_a_template_finds_items_and_no_names() {
        let number = Steps::of_literals(&[Literal::Int(1)]).unwrap();
        assert_eq!(number.find(r#"{"1": 5}"#, 9), [""; 0]);
        assert_eq!(number.find("[4, 5]", 9), ["5"]);
        assert_eq!(Steps::of_literals(&[Literal::Int(-1)]).unwrap().find("[4, 5, 6]", 9), ["6"]);
        assert_eq!(Steps::of_literals(&[Literal::None]).unwrap().find("[4]", 9), [""; 0]);
    }
}
