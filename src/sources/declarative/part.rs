//! A component of a manifest while it is built. The manifest is already resolved and checked, so each field has its
//! type. Building finds the faults that no schema can: templates that cannot be parsed, unknown names, options that
//! exclude each other, components that do not run here. It finds all of them at once.

mod builder;

pub(super) use self::builder::Builder;
use super::manifest::{Node, Path};
use super::template::Literal;
use crate::streams::HttpStream;

/// A node of the manifest, its path, and the component that its templates belong to.
#[derive(Clone, Copy)]
pub(super) struct Part<'p> {
    pub(super) node: &'p Node,
    pub(super) path: Path<'p>,
    /// The `$parameters` of the component.
    parameters: Option<&'p Node>,
}

/// Makes a stream of the component that has its retriever.
pub(super) type BuildRetriever<'b> = dyn FnMut(&Part<'_>) -> Option<Box<dyn HttpStream>> + 'b;

impl<'p> Part<'p> {
    /// The part at a path; `parameters` are those of the component around it.
    pub(super) fn new(node: &'p Node, path: Path<'p>, parameters: Option<&'p Node>) -> Self {
        Self { node, path, parameters: node.get("$parameters").or(parameters) }
    }

    /// Another node at the same place, of the same component.
    pub(super) fn of_node<'a>(&'a self, node: &'a Node) -> Part<'a> {
        Part { node, path: self.path, parameters: self.parameters }
    }

    /// The value of `type`.
    pub(super) fn kind(&self) -> &'p str {
        self.node.get("type").and_then(Node::as_text).unwrap_or_default()
    }

    /// The field of this name, if it exists and is not null.
    pub(super) fn field<'a>(&'a self, name: &'a str) -> Option<Part<'a>> {
        let node = self.node.get(name).filter(|node| !matches!(node.value(), super::manifest::Value::Null))?;
        Some(Part::new(node, self.path.name(name), self.parameters))
    }

    /// The items of a list, each with its place. `None` if it is not a list.
    pub(super) fn items(&self) -> impl Iterator<Item = Part<'_>> {
        let items = self.node.as_list().unwrap_or_default().iter().enumerate();
        items.map(|(index, item)| Part::new(item, self.path.index(index), self.parameters))
    }

    /// The keys and values of a mapping, each with its place.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Part<'_>, Part<'_>)> {
        let entries = self.node.as_map().into_iter().flatten();
        entries.filter(|(key, _)| key.as_text() != Some("$parameters")).map(|(key, value)| {
            let path = self.path.key(key);
            (Part::new(key, path, self.parameters), Part::new(value, path, self.parameters))
        })
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> Option<&'p str> {
        self.node.get(name).and_then(Node::as_text)
    }

    /// The field of this name, if it exists and Python takes it for true: not empty, not zero.
    pub(super) fn present<'a>(&'a self, name: &'a str) -> Option<Part<'a>> {
        self.field(name).filter(|field| field.node.is_truthy())
    }

    /// The items of a list field, as texts.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.field(name).iter().flat_map(Part::items).map(|item| literal(item.node).to_text()).collect()
    }

    /// The HTTP statuses in a list field.
    pub(super) fn statuses(&self, name: &str) -> Vec<u16> {
        self.texts(name).iter().filter_map(|status| status.parse().ok()).collect()
    }

    /// A boolean field.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.node.get(name)?.value() {
            super::manifest::Value::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

/// A field that is missing, or was built; nothing if it could not be.
#[allow(clippy::option_option, reason = "a missing field differs from a wrong one")]
pub(super) fn flat<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    match field {
        None => Some(None),
        Some(built) => built.map(Some),
    }
}

/// A node as a plain Python value.
pub(super) fn literal(node: &Node) -> Literal {
    use super::manifest::Value as Yaml;
    match node.value() {
        Yaml::Null | Yaml::Unresolved => Literal::None,
        Yaml::Bool(value) => Literal::Bool(*value),
        Yaml::Integer(value) => Literal::Int(*value),
        Yaml::BigInteger(digits) => Literal::parse(digits).unwrap_or(Literal::None),
        Yaml::Float(value) => Literal::Float(*value),
        Yaml::Text(text) => Literal::Str(text.to_string()),
        Yaml::Bytes(bytes) => Literal::Bytes(bytes.to_vec()),
        Yaml::List(items) => Literal::List(items.iter().map(literal).collect()),
        Yaml::Set(items) => Literal::Set(items.iter().map(literal).collect()),
        Yaml::Pair(pair) => Literal::Tuple(vec![literal(&pair.0), literal(&pair.1)]),
        Yaml::Map(map) => Literal::Dict(map.iter().map(|(key, value)| (literal(key), literal(value))).collect()),
        // A date where a text is expected occurs only if nothing checks it.
        Yaml::Date(_) | Yaml::DateTime(..) => Literal::Str(node.key_text()),
    }
}
