//! Explains why a value does not fit its field, at the place of the fault.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::super::components::{Component, Components, Entry, Kind};
use super::super::faults::{self, Fault, Faults, Severity, nearest, quoted};
use super::super::node::{Map, Node, Value};
use super::super::path::Path;
use super::matches::{Matcher, first_repeated, is_whole, number, within};
use super::{Alternative, alternatives};

pub(super) struct Explainer<'a, 'f> {
    table: &'a Components,
    matcher: Matcher<'a>,
    /// The values that were checked, each as some component.
    seen: HashSet<(usize, usize)>,
    faults: &'f mut Faults,
}

impl<'a, 'f> Explainer<'a, 'f> {
    pub(super) fn new(table: &'a Components, faults: &'f mut Faults) -> Self {
        Self { table, matcher: Matcher::new(table), seen: HashSet::new(), faults }
    }

    /// Notes the faults of a whole manifest.
    pub(super) fn root(&mut self, place: usize, manifest: &Node) {
        self.at(place, manifest, &Path::ROOT);
    }

    /// Notes the faults of the component there.
    pub(super) fn at(&mut self, place: usize, node: &Node, path: &Path<'_>) {
        if let Some(Entry::Component(component)) = self.table.entry(place) {
            self.component(place, component, node, path);
        }
    }

    /// Notes the faults of a value of this kind: at least one if it is not of the kind, none if it is.
    pub(super) fn inspect(&mut self, kind: &'a Kind, node: &Node, path: &Path<'_>) {
        if matches!(node.value(), Value::Unresolved) {
            return;
        }
        let mut all = Vec::new();
        alternatives(self.table, kind, &mut all);
        let fits = all.iter().find(|one| match one {
            Alternative::Component(place, _) => self.matcher.matches(&Kind::Named(*place), node),
            Alternative::Plain(kind) => self.matcher.matches(kind, node),
        });
        match fits.copied().or_else(|| meant(&all, node)) {
            Some(Alternative::Component(place, component)) => self.component(place, component, node, path),
            Some(Alternative::Plain(kind)) => self.plain(kind, node, path),
            None => self.none(&all, node, path),
        }
    }

    fn error(&mut self, kind: faults::Kind, node: &Node, path: &Path<'_>, message: String) {
        self.faults.error(kind, node.mark(), path.to_string(), message);
    }

    fn plain(&mut self, kind: &'a Kind, node: &Node, path: &Path<'_>) {
        match (kind, node.value()) {
            (Kind::List { items, least, unique }, Value::List(list)) => {
                if list.len() < *least {
                    let message = format!("has {} of at least {least} items", list.len());
                    self.error(faults::Kind::WrongValue, node, path, message);
                }
                if let Some(again) = first_repeated(list).filter(|_| *unique) {
                    self.error(faults::Kind::WrongValue, again, path, "has the same item twice".to_owned());
                }
                for (index, item) in list.iter().enumerate() {
                    self.inspect(items, item, &path.index(index));
                }
            }
            (Kind::Mapping(values), Value::Map(map)) => {
                if !matches!(**values, Kind::Any) {
                    for (key, value) in map {
                        self.inspect(values, value, &path.key(key));
                    }
                }
            }
            (Kind::Integer(bounds) | Kind::Number(bounds), _) if number(node).is_some() => {
                if matches!(kind, Kind::Integer(_)) && !is_whole(node) {
                    self.error(faults::Kind::WrongType, node, path, "has to be a whole number".to_owned());
                } else if number(node).is_some_and(|number| !within(number, *bounds)) {
                    let least = bounds.least.map(|least| format!("at least {least}"));
                    let above = bounds.above.map(|above| format!("more than {above}"));
                    let message = format!("has to be {}", least.or(above).unwrap_or_default());
                    self.error(faults::Kind::WrongValue, node, path, message);
                }
            }
            _ if self.matcher.matches(kind, node) => {}
            _ => self.none(&[Alternative::Plain(kind)], node, path),
        }
    }

    fn component(&mut self, place: usize, component: &'a Component, node: &Node, path: &Path<'_>) {
        let Some(map) = node.as_map() else {
            if !component.loose && !matches!(node.value(), Value::Unresolved) {
                self.none(&[Alternative::Component(place, component)], node, path);
            }
            return;
        };
        if !self.seen.insert((place, node.address())) {
            return;
        }
        let name = if component.name.contains('.') { "this mapping" } else { component.name };
        for field in &component.fields {
            match map.get(field.name) {
                Some(value) if field.name == "type" => self.type_word(component, value, path),
                Some(value) => self.inspect(&field.kind, value, &path.name(field.name)),
                None if field.required => self.missing(component, name, field.name, map, node, path),
                None => {}
            }
        }
        if !component.one_of.is_empty() && !component.one_of.iter().any(|field| map.get(field).is_some()) {
            let message = format!("{name} needs one of {}", component.one_of.join(", "));
            self.error(faults::Kind::MissingField, node, path, message);
        }
        self.unknown_fields(component, name, map, path);
    }

    fn type_word(&mut self, component: &Component, value: &Node, path: &Path<'_>) {
        if let Some(word) = component.type_word().filter(|word| value.as_text() != Some(word)) {
            let message = format!("`type` has to be {word}");
            self.error(faults::Kind::UnknownComponent, value, path, message);
        }
    }

    fn missing(&mut self, component: &Component, name: &str, field: &str, map: &Map, node: &Node, path: &Path<'_>) {
        let message = match component.type_word().filter(|_| field == "type") {
            Some(word) => format!("`type` is missing: `type: {word}`"),
            None => format!("{name} needs the field `{field}`"),
        };
        let mut fault = Fault::new(Severity::Error, faults::Kind::MissingField, node.mark(), path.to_string(), message);
        // A mistyped field is named together with the field that it is meant for.
        let unknown = map.iter().filter_map(|(key, _)| key.as_text()).filter(|key| component.field(key).is_none());
        if let Some(written) = nearest(field, unknown) {
            let _ = write!(fault.message, "; there is a `{written}`");
        }
        self.faults.add(fault);
    }

    fn unknown_fields(&mut self, component: &Component, name: &str, map: &Map, path: &Path<'_>) {
        let parameters = map.get("$parameters").and_then(Node::as_map);
        for (key, _) in map {
            let shown = match key.as_text() {
                Some(text) if component.field(text).is_some() => continue,
                // A parameter of an outer component becomes a field of every inner one.
                Some(text)
                    if !component.closed
                        && (text == "$parameters" || parameters.is_some_and(|map| map.get(text).is_some())) =>
                {
                    continue;
                }
                Some(text) => text.to_owned(),
                None => key.kind().to_owned(),
            };
            let severity = if component.closed { Severity::Error } else { Severity::Warning };
            let ignored = if component.closed { "" } else { "; it is ignored" };
            let message = format!("{name} has no field {}{ignored}", quoted(&shown));
            let fault = Fault::new(severity, faults::Kind::UnknownField, key.mark(), path.to_string(), message);
            self.faults.add(fault.near(&shown, component.fields.iter().map(|field| field.name)));
        }
    }

    /// A value that matches none of the alternatives.
    fn none(&mut self, all: &[Alternative<'_>], node: &Node, path: &Path<'_>) {
        let types: Vec<&str> = all.iter().filter_map(component_type).collect();
        let words: Vec<&str> = all.iter().filter_map(word).collect();
        let path = path.to_string();
        let add = |kind, node: &Node, message: String| Fault::new(Severity::Error, kind, node.mark(), path, message);
        let fault = match (node.as_map(), node.get("type"), node.as_text()) {
            (Some(_), Some(named), _) if !types.is_empty() => {
                let Some(text) = named.as_text() else {
                    let message = format!("`type` has to be the name of a component, not {}", named.kind());
                    self.faults.add(add(faults::Kind::UnknownComponent, named, message));
                    return;
                };
                let exists = self.table.types().any(|known| known == text);
                let what = if exists { "cannot stand here" } else { "is not a component" };
                let message = format!("{} {what}. Write {}", quoted(text), list(&types));
                let near_here = nearest(text, types.iter().copied());
                let mut fault = add(faults::Kind::UnknownComponent, named, message);
                fault.nearest = near_here
                    .or_else(|| if exists { None } else { nearest(text, self.table.types()) })
                    .map(str::to_owned);
                fault
            }
            (Some(_), None, _) if types.len() > 1 => {
                let message = format!("`type` is missing: {}", list(&types));
                add(faults::Kind::MissingField, node, message)
            }
            (_, _, Some(text)) if !words.is_empty() => {
                let message = format!("{} is not allowed; {} is", quoted(text), list(&words));
                add(faults::Kind::WrongValue, node, message).near(text, words.iter().copied())
            }
            _ => {
                let mut wanted: Vec<String> = Vec::new();
                for one in all {
                    let name = describe(one);
                    if !wanted.contains(&name) {
                        wanted.push(name);
                    }
                }
                let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
                let message = format!("has to be {}, not {}", list(&wanted), node.kind());
                add(faults::Kind::WrongType, node, message)
            }
        };
        self.faults.add(fault);
    }
}

/// The intended alternative of a value that matches none.
fn meant<'a>(all: &[Alternative<'a>], node: &Node) -> Option<Alternative<'a>> {
    let mut found = all.iter().copied().filter(|one| match (one, node.value()) {
        (Alternative::Component(_, component), Value::Map(map)) => {
            let named = map.get("type").map(Node::as_text);
            match (component.type_word(), named) {
                (Some(word), Some(named)) => named == Some(word),
                _ => true,
            }
        }
        (Alternative::Plain(Kind::Mapping(_)), Value::Map(_))
        | (Alternative::Plain(Kind::List { .. }), Value::List(_)) => true,
        (Alternative::Plain(Kind::Integer(_) | Kind::Number(_)), _) => number(node).is_some(),
        _ => false,
    });
    let first = found.next()?;
    let single = found.next().is_none();
    // Without a type it could be any of several components.
    let decided = single || node.get("type").is_some() || node.as_map().is_none();
    decided.then_some(first)
}

fn component_type(one: &Alternative<'_>) -> Option<&'static str> {
    match one {
        Alternative::Component(_, component) => component.type_word(),
        Alternative::Plain(_) => None,
    }
}

fn word(one: &Alternative<'_>) -> Option<&'static str> {
    match one {
        Alternative::Plain(Kind::Word(word)) => Some(word),
        _ => None,
    }
}

fn describe(one: &Alternative<'_>) -> String {
    match one {
        Alternative::Component(_, component) => {
            format!("a mapping{}", component.type_word().map(|word| format!(" `type: {word}`")).unwrap_or_default())
        }
        Alternative::Plain(kind) => match kind {
            Kind::Any | Kind::Named(_) | Kind::OneOf(_) => "anything",
            Kind::Null => "null",
            Kind::Boolean => "true or false",
            Kind::Integer(_) => "a whole number",
            Kind::Number(_) => "a number",
            Kind::Text => "text",
            Kind::Word(word) => word,
            Kind::List { .. } => "a list",
            Kind::Mapping(_) => "a mapping",
        }
        .to_owned(),
    }
}

/// `a, b or c`, at most a dozen.
fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., last] if some.len() < 12 => format!("{} or {last}", some.join(", ")),
        words => format!("{} or one of {} others", words[..12].join(", "), words.len() - 12),
    }
}
