//! Fills in missing types, and copies `$parameters` into every component below. The rules are those of airbyte-cdk
//! 7.39.1 (`manifest_component_transformer.py`), quirks included: a connector may depend on any of them.
//!
//! A part with the same parameters is made once and shared.

use std::collections::HashMap;
use std::sync::Arc;

use super::default_types::{custom_type, default_type};
use super::faults::{Faults, Kind};
use super::node::{Map, Mark, Node, Value};
use super::path::Path;
use super::read::MOST_LEVELS;
use super::resolve::MOST_NODES;

/// The most components made for one manifest. Airbyte's largest needs a tenth of it.
const MOST_COMPONENTS: usize = 1_000_000;

/// Fills in the types and parameters of a resolved manifest. With `parent_wins`, the parameters of an outer component
/// win over those of an inner one: the rule for the streams of a `DynamicDeclarativeStream`.
pub fn propagate(resolved: &Node, parent_wins: bool, faults: &mut Faults) -> Node {
    let mut propagator = Propagator {
        parent_wins,
        made: HashMap::new(),
        known: HashMap::new(),
        levels: 0,
        components: 0,
        full: false,
        faults,
    };
    let none = propagator.parameters(Map::default());
    let made = propagator.mapping(resolved, None, &none, &Path::ROOT);
    if propagator.full { Node::new(Value::Unresolved, resolved.mark()) } else { made }
}

/// The parameters in force at some place. Equal ones share one `Arc`.
type Parameters = Arc<Map>;

/// A component apart from its parameters: its place, and the type that it gets if it has none.
type Origin = (usize, Option<&'static str>);

struct Propagator<'a> {
    parent_wins: bool,
    /// The result for a node with these parameters. The node is kept, so that its address stays unique.
    made: HashMap<(Origin, *const Map), (Node, Node)>,
    known: HashMap<Vec<(usize, usize)>, Parameters>,
    levels: usize,
    components: usize,
    full: bool,
    faults: &'a mut Faults,
}

impl Propagator<'_> {
    /// Returns the one set of parameters with this content. Keys and values are equal if they are the same nodes.
    fn parameters(&mut self, map: Map) -> Parameters {
        let content: Vec<_> = map.iter().map(|(key, value)| (key.address(), value.address())).collect();
        Arc::clone(self.known.entry(content).or_insert_with(|| Arc::new(map)))
    }

    /// A mapping that may be a component.
    fn mapping(&mut self, node: &Node, filled_in: Option<&'static str>, parent: &Parameters, path: &Path<'_>) -> Node {
        let Some(map) = node.as_map() else { return node.clone() };
        let filled_in = if map.get("type").is_some() { None } else { filled_in };
        let is_schema = is_schema(map);
        let plain = map.get("type").is_none() && filled_in.is_none() && nested_components(map).next().is_none();
        if (is_schema || plain) && map.get("$parameters").is_none() {
            return node.clone();
        }
        let key = ((node.address(), filled_in), Arc::as_ptr(parent));
        if let Some((_, made)) = self.made.get(&key) {
            return made.clone();
        }
        self.components += 1;
        if self.full || self.levels >= MOST_LEVELS || self.components > MOST_COMPONENTS {
            self.too_much(node, path);
            return node.clone();
        }
        self.levels += 1;
        let made = self.make(node, map, filled_in, parent, path);
        self.levels -= 1;
        if made.size() > MOST_NODES || made.depth() as usize > MOST_LEVELS {
            self.too_much(node, path);
        }
        self.made.insert(key, (node.clone(), made.clone()));
        made
    }

    fn too_much(&mut self, node: &Node, path: &Path<'_>) {
        if !self.full {
            let message = "`$parameters` and references make this manifest too large or too deeply nested";
            self.faults.error(Kind::Limit, node.mark(), path.to_string(), message);
        }
        self.full = true;
    }

    fn make(
        &mut self,
        node: &Node,
        map: &Map,
        filled_in: Option<&'static str>,
        parent: &Parameters,
        path: &Path<'_>,
    ) -> Node {
        let mut fields = map.clone();
        if let Some(filled_in) = filled_in {
            fields.insert(Node::text("type", node.mark()), Node::text(filled_in, node.mark()));
        }
        let own = fields.remove("$parameters");
        let place = own.as_ref().map_or(node.mark(), |(_, own)| own.mark());
        let mut current = self.overlay(parent, own.as_ref().map(|(_, own)| own), path);

        if is_schema(&fields) {
            return Node::new(Value::Map(fields), node.mark());
        }
        if fields.get("type").is_none() {
            let places: Vec<usize> = nested_components(&fields).collect();
            for place in places {
                if let Some((key, value)) = fields.entry(place).cloned() {
                    fields.set(place, self.mapping(&value, None, &current, &path.key(&key)));
                }
            }
            return Node::new(Value::Map(fields), node.mark());
        }

        // Fields that consist of one parameter: such a list is the same list as the parameter's.
        let mut from_parameters = Vec::new();
        for (key, value) in current.iter() {
            if !fields.get_node(key).is_some_and(Node::is_truthy) {
                fields.insert(key.clone(), value.clone());
                from_parameters.push(value.address());
            }
        }
        for place in 0..fields.len() {
            let Some((key, value)) = fields.entry(place).cloned() else { continue };
            let here = path.key(&key);
            let made = match value.value() {
                Value::Map(_) | Value::List(_) => {
                    // A parameter does not apply inside the field with its own name.
                    let withheld = current.get_node(&key).cloned();
                    if withheld.is_some() {
                        current = self.without(&current, &key);
                    }
                    let made = self.field(&fields, &key, &value, &current, &here);
                    if let Some(withheld) = withheld.filter(Node::is_truthy) {
                        let very_same = from_parameters.contains(&withheld.address())
                            && withheld.address() == value.address()
                            && withheld.as_list().is_some();
                        current = self.with(&current, &key, if very_same { &made } else { &withheld });
                    }
                    made
                }
                _ => continue,
            };
            fields.set(place, made);
        }
        if !current.is_empty() {
            fields.insert(Node::text("$parameters", place), Node::new(Value::Map((*current).clone()), place));
        }
        Node::new(Value::Map(fields), node.mark())
    }

    /// A field of a component: a mapping, or a list whose mappings are handled.
    fn field(&mut self, fields: &Map, key: &Node, value: &Node, current: &Parameters, path: &Path<'_>) -> Node {
        let parent = fields.get("type").and_then(Node::as_text).unwrap_or_default().to_owned();
        let field = key.as_text().unwrap_or_default();
        let filled_in = |node: &Node| {
            let custom = node.get("class_name").is_some();
            if custom { custom_type(&parent, field) } else { default_type(&parent, field) }
        };
        let Some(items) = value.as_list() else {
            return self.mapping(value, filled_in(value), current, path);
        };
        let mut same = true;
        let mut made = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let new = self.mapping(item, filled_in(item), current, &path.index(index));
            same &= new.address() == item.address();
            made.push(new);
        }
        if same { value.clone() } else { Node::new(Value::List(made), value.mark()) }
    }

    /// The parameters inside a component that has its own.
    fn overlay(&mut self, parent: &Parameters, own: Option<&Node>, path: &Path<'_>) -> Parameters {
        let Some(own) = own else { return Arc::clone(parent) };
        let Some(own_map) = own.as_map() else {
            if matches!(own.value(), Value::Unresolved) {
                return Arc::clone(parent);
            }
            let message = format!("`$parameters` has to be a mapping, not {}", own.kind());
            self.faults.error(Kind::Parameters, own.mark(), path.name("$parameters").to_string(), message);
            return Arc::clone(parent);
        };
        let (below, above) = if self.parent_wins { (own_map, &**parent) } else { (&**parent, own_map) };
        let mut all = below.clone();
        for (key, value) in above {
            all.insert(key.clone(), value.clone());
        }
        self.parameters(all)
    }

    fn without(&mut self, current: &Parameters, key: &Node) -> Parameters {
        let left = current.iter().filter(|(known, _)| !known.is_same_key(key)).cloned().collect();
        self.parameters(Map::new(left))
    }

    fn with(&mut self, current: &Parameters, key: &Node, value: &Node) -> Parameters {
        let mut all = (**current).clone();
        all.insert(key.clone(), value.clone());
        self.parameters(all)
    }
}

/// Whether a mapping is treated as a JSON schema, in which nothing is filled in.
fn is_schema(map: &Map) -> bool {
    match map.get("type").map(Node::value) {
        Some(Value::Text(text)) => &**text == "object",
        Some(Value::List(_) | Value::Map(_)) => true,
        _ => false,
    }
}

/// The indexes of the component fields in a mapping without type.
fn nested_components(map: &Map) -> impl Iterator<Item = usize> + '_ {
    map.iter()
        .enumerate()
        .filter_map(|(place, (_, value))| value.get("type").is_some_and(Node::is_truthy).then_some(place))
}

/// Fills in a missing `type` of the manifest, before its references are resolved.
pub(super) fn with_source_type(manifest: &Node) -> Node {
    let Some(map) = manifest.as_map().filter(|map| map.get("type").is_none()) else { return manifest.clone() };
    let mut map = map.clone();
    map.insert(Node::text("type", Mark::default()), Node::text("DeclarativeSource", Mark::default()));
    Node::new(Value::Map(map), manifest.mark())
}
