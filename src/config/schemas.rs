//! Finds the parts of a specification that describe a value of the config: in nested objects, lists and alternatives,
//! behind references. All alternatives count, whichever the value fits.

use serde_json::{Map, Value};

/// The specification of one value: every schema that may apply.
#[derive(Debug, Clone)]
pub(super) struct Schemas<'a> {
    specification: &'a Value,
    schemas: Vec<&'a Value>,
}

impl<'a> Schemas<'a> {
    /// Those of a whole config.
    pub(super) fn of(specification: &'a Value) -> Self {
        Self { specification, schemas: Vec::new() }.with([specification])
    }

    /// Those of an object's member.
    pub(super) fn member(&self, name: &str) -> Self {
        let members = self.schemas.iter().flat_map(|schema| {
            let own = schema["properties"].get(name);
            // Any matching pattern: an extra schema does no harm.
            let by_pattern = schema["patternProperties"].as_object().into_iter().flat_map(Map::values);
            let others = by_pattern.chain(schema.get("additionalProperties")).filter(move |_| own.is_none());
            own.into_iter().chain(others)
        });
        Self { specification: self.specification, schemas: Vec::new() }.with(members)
    }

    /// Those of a list's item.
    pub(super) fn item(&self, place: usize) -> Self {
        let items = self.schemas.iter().flat_map(|schema| {
            let of_all = schema.get("items").filter(|items| items.is_object());
            let by_place = ["prefixItems", "items"].into_iter().filter_map(move |name| schema[name].get(place));
            of_all.into_iter().chain(by_place)
        });
        Self { specification: self.specification, schemas: Vec::new() }.with(items)
    }

    /// Those of the value at a JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Self {
        pointer.split('/').skip(1).fold(self.clone(), |schemas, name| match name.parse() {
            Ok(place) if schemas.names().is_none_or(|names| !names.contains(&name)) => schemas.item(place),
            _ => schemas.member(&name.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// Whether the value is a secret, with everything in it.
    pub(super) fn is_secret(&self) -> bool {
        self.schemas.iter().any(|schema| schema["airbyte_secret"] == true)
    }

    /// Whether a value of this JSON Schema type is named.
    pub(super) fn names_type(&self, name: &str) -> bool {
        let types = self.schemas.iter().map(|schema| &schema["type"]);
        types
            .into_iter()
            .any(|types| types == name || types.as_array().is_some_and(|types| types.iter().any(|t| t == name)))
    }

    /// The names of an object's members. `None` if any name is allowed, or they are unknown.
    pub(super) fn names(&self) -> Option<Vec<&'a str>> {
        let is_open = |schema: &&Value| {
            let is_elsewhere = |target: &str| match target.strip_prefix('#') {
                Some(pointer) => self.specification.pointer(pointer).is_none(),
                None => true,
            };
            schema.get("patternProperties").is_some()
                || schema["additionalProperties"].is_object()
                || schema["$ref"].as_str().is_some_and(is_elsewhere)
        };
        let properties: Vec<_> = self.schemas.iter().filter_map(|schema| schema["properties"].as_object()).collect();
        if properties.is_empty() || self.schemas.iter().any(is_open) {
            return None;
        }
        Some(properties.into_iter().flat_map(Map::keys).map(String::as_str).collect())
    }

    /// Examples, and the default.
    pub(super) fn examples(&self) -> Vec<&'a str> {
        let examples = self.schemas.iter().filter_map(|schema| schema["examples"].as_array()).flatten();
        let defaults = self.schemas.iter().filter_map(|schema| schema.get("default"));
        examples.chain(defaults).filter_map(Value::as_str).collect()
    }

    /// Adds schemas, and all their parts; each once, as one may refer to itself.
    fn with(mut self, schemas: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut open: Vec<&Value> = schemas.into_iter().collect();
        while let Some(schema) = open.pop() {
            if self.schemas.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            self.schemas.push(schema);
            let lists = ["oneOf", "anyOf", "allOf"].iter().filter_map(|name| schema[name].as_array()).flatten();
            let others = ["if", "then", "else"].iter().filter_map(|name| schema.get(name));
            let target = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
            open.extend(lists.chain(others).chain(target.and_then(|target| self.specification.pointer(target))));
        }
        self
    }
}
