//! Whether a value fits a field: yes or no, as in JSON Schema.

use std::collections::HashMap;

use super::super::components::{Bounds, Component, Components, Entry, Kind};
use super::super::node::{Node, Value};

/// Answers are kept, so a part used in a hundred places is checked once.
pub(super) struct Matcher<'a> {
    table: &'a Components,
    known: HashMap<(usize, usize), bool>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(table: &'a Components) -> Self {
        Self { table, known: HashMap::new() }
    }

    /// Whether a value is of this kind. The stand-in for a reference to nothing is of any kind.
    pub(super) fn matches(&mut self, kind: &Kind, node: &Node) -> bool {
        if matches!(node.value(), Value::Unresolved) {
            return true;
        }
        match kind {
            Kind::Any => true,
            Kind::Null => matches!(node.value(), Value::Null),
            Kind::Boolean => matches!(node.value(), Value::Bool(_)),
            Kind::Text => node.as_text().is_some(),
            Kind::Word(word) => node.as_text() == Some(word),
            Kind::Integer(bounds) => number(node).is_some_and(|number| is_whole(node) && within(number, *bounds)),
            Kind::Number(bounds) => number(node).is_some_and(|number| within(number, *bounds)),
            Kind::List { items, least, unique } => node.as_list().is_some_and(|list| {
                list.len() >= *least
                    && (!unique || first_repeated(list).is_none())
                    && list.iter().all(|item| self.matches(items, item))
            }),
            Kind::Mapping(values) => node.as_map().is_some_and(|map| {
                matches!(**values, Kind::Any) || map.iter().all(|(_, value)| self.matches(values, value))
            }),
            Kind::OneOf(kinds) => kinds.iter().any(|kind| self.matches(kind, node)),
            Kind::Named(place) => self.named(*place, node),
        }
    }

    fn named(&mut self, place: usize, node: &Node) -> bool {
        let table = self.table;
        match table.entry(place) {
            None => true,
            Some(Entry::Alias(kind)) => self.matches(kind, node),
            Some(Entry::Component(component)) => {
                if let Some(known) = self.known.get(&(place, node.address())) {
                    return *known;
                }
                let answer = self.component(component, node);
                self.known.insert((place, node.address()), answer);
                answer
            }
        }
    }

    fn component(&mut self, component: &Component, node: &Node) -> bool {
        let Some(map) = node.as_map() else { return component.loose };
        // The type rules out most alternatives.
        if let (Some(word), Some(found)) = (component.type_word(), map.get("type"))
            && found.as_text() != Some(word)
        {
            return false;
        }
        if !component.one_of.is_empty() && !component.one_of.iter().any(|field| map.get(field).is_some()) {
            return false;
        }
        if component.closed && map.iter().any(|(key, _)| key.as_text().is_none_or(|key| component.field(key).is_none()))
        {
            return false;
        }
        component.fields.iter().all(|field| match map.get(field.name) {
            Some(value) => self.matches(&field.kind, value),
            None => !field.required,
        })
    }
}

/// The value of a number; true and false are not numbers.
#[allow(clippy::cast_precision_loss, reason = "it is compared with small bounds")]
pub(super) fn number(node: &Node) -> Option<f64> {
    match node.value() {
        Value::Integer(value) => Some(*value as f64),
        Value::BigInteger(text) => text.parse().ok(),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

pub(super) fn is_whole(node: &Node) -> bool {
    match node.value() {
        Value::Integer(_) | Value::BigInteger(_) => true,
        Value::Float(value) => value.is_finite() && value.fract().abs() < f64::MIN_POSITIVE,
        _ => false,
    }
}

pub(super) fn within(number: f64, bounds: Bounds) -> bool {
    // NaN is not below anything, as in Python.
    !bounds.least.is_some_and(|least| number < least) && !bounds.above.is_some_and(|above| number <= above)
}

/// The first repeated item. In JSON Schema, 1 and 1.0 are equal, but 1 and true are not.
pub(super) fn first_repeated(list: &[Node]) -> Option<&Node> {
    let truth = |node: &Node| matches!(node.value(), Value::Bool(_));
    list.iter().enumerate().find_map(|(index, item)| {
        let before = list.get(..index)?;
        before.iter().any(|other| truth(item) == truth(other) && item.is_same_key(other)).then_some(item)
    })
}
