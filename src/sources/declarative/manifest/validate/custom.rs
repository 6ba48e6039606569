//! Components that are the connector's own Python classes.

use std::collections::HashSet;

use super::super::node::{Mark, Node};
use super::super::path::Path;

/// A component that is a Python class: `type: CustomRetriever` and the like, with `class_name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomClass {
    /// The class, such as `source_declarative_manifest.components.MyRetriever`.
    pub class_name: String,
    /// The `type`.
    pub component: String,
    /// The place of its first definition.
    pub mark: Mark,
    /// The path of its first use.
    pub path: String,
    /// The streams that need it, in the order of the manifest; those of `dynamic_streams` by their names there. Empty
    /// if no stream needs it, such as a class in `check` or `spec`.
    pub streams: Vec<String>,
}

/// The Python classes that a manifest with types filled in needs. An unused entry of `definitions` is not needed.
pub fn custom_classes(manifest: &Node) -> Vec<CustomClass> {
    let mut found = Vec::new();
    let Some(map) = manifest.as_map() else { return found };
    for (key, value) in map {
        let path = Path::ROOT;
        let path = path.key(key);
        match (key.as_text(), value.as_list()) {
            (Some("definitions" | "schemas" | "metadata"), _) => {}
            (Some("streams" | "dynamic_streams"), Some(streams)) => {
                for (index, stream) in streams.iter().enumerate() {
                    let name = stream.get("name").and_then(Node::as_text);
                    let name = name.map_or_else(|| path.index(index).to_string(), str::to_owned);
                    walk(stream, &path.index(index), Some(&name), &mut HashSet::new(), &mut found);
                }
            }
            _ => walk(value, &path, None, &mut HashSet::new(), &mut found),
        }
    }
    found
}

/// The Python classes that one component needs. `path` is the way to it.
pub fn classes_of(component: &Node, path: &Path<'_>) -> Vec<CustomClass> {
    let mut found = Vec::new();
    walk(component, path, None, &mut HashSet::new(), &mut found);
    found
}

fn walk(node: &Node, path: &Path<'_>, stream: Option<&str>, seen: &mut HashSet<usize>, found: &mut Vec<CustomClass>) {
    let nested = node.as_map().is_some() || node.as_list().is_some();
    if !nested || !seen.insert(node.address()) {
        return;
    }
    for (index, item) in node.as_list().unwrap_or_default().iter().enumerate() {
        walk(item, &path.index(index), stream, seen, found);
    }
    let Some(map) = node.as_map() else { return };
    let text = |name: &str| map.get(name).and_then(Node::as_text);
    if let (Some(component), Some(class_name)) =
        (text("type").filter(|name| name.starts_with("Custom")), text("class_name"))
    {
        note(component, class_name, node.mark(), path, stream, found);
    }
    for (key, value) in map {
        // Parameters are already fields of the component; a schema has no components.
        let schema =
            key.as_text() == Some("$parameters") || (key.as_text() == Some("schema") && text("type").is_some());
        if !schema {
            walk(value, &path.key(key), stream, seen, found);
        }
    }
}

fn note(
    component: &str,
    class_name: &str,
    mark: Mark,
    path: &Path<'_>,
    stream: Option<&str>,
    found: &mut Vec<CustomClass>,
) {
    let same = |known: &&mut CustomClass| known.class_name == class_name && known.component == component;
    if found.iter_mut().find(same).is_none() {
        let (class_name, component) = (class_name.to_owned(), component.to_owned());
        found.push(CustomClass { class_name, component, mark, path: path.to_string(), streams: Vec::new() });
    }
    if let (Some(known), Some(stream)) = (found.iter_mut().find(same), stream)
        && known.streams.last().is_none_or(|last| last != stream)
    {
        known.streams.push(stream.to_owned());
    }
}
