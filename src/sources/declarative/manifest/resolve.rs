//! References: `$ref`, and any text that begins with `#/`. The rules are those of airbyte-cdk 7.39.1
//! (`manifest_reference_resolver.py`): a reference starts at the root of the unresolved manifest.
//!
//! The target of a reference is resolved once and then shared. Airbyte's runtime copies it, and makes 54 MB of a
//! manifest of 227 KB.

use std::collections::HashMap;

use super::faults::{Fault, Faults, Kind, Severity, nearest, quoted};
use super::node::{Map, Node, Value};
use super::path::Path;
use super::read::MOST_LEVELS;

/// The most nodes of a resolved manifest, counted as if nothing were shared. Airbyte's large ones have a million.
pub const MOST_NODES: u64 = 20_000_000;

/// Fields whose values belong to the connector's config: texts there are not references.
const CONFIG_VALUES: &str = "config_overrides";

/// The manifest with its references replaced by their targets. Every reference to nothing is a fault, and null in the
/// result.
pub fn resolve(manifest: &Node, faults: &mut Faults) -> Node {
    let mut resolver = Resolver { root: manifest, done: HashMap::new(), levels: 0, full: false, faults };
    let whole = resolver.node(manifest, &Path::ROOT);
    let too_many = whole.size() > MOST_NODES;
    if too_many && !resolver.full {
        resolver.too_large(manifest, "");
    }
    if too_many { Node::new(Value::Unresolved, manifest.mark()) } else { whole }
}

struct Resolver<'a> {
    root: &'a Node,
    /// By the address of an unresolved node; nothing while it is being resolved.
    done: HashMap<usize, Option<Node>>,
    levels: usize,
    /// Whether a limit was hit, after which nothing more is made.
    full: bool,
    faults: &'a mut Faults,
}

impl Resolver<'_> {
    fn node(&mut self, node: &Node, path: &Path<'_>) -> Node {
        match node.value() {
            Value::List(_) | Value::Map(_) => {}
            Value::Text(text) if text.starts_with("#/") => return self.reference(node, text, path),
            _ => return node.clone(),
        }
        if let Some(Some(done)) = self.done.get(&node.address()) {
            return done.clone();
        }
        if self.full {
            return Node::new(Value::Unresolved, node.mark());
        }
        if self.levels >= MOST_LEVELS {
            self.too_deep(node, path);
            return Node::new(Value::Unresolved, node.mark());
        }
        self.done.insert(node.address(), None);
        self.levels += 1;
        let resolved = match node.value() {
            Value::List(items) => self.list(node, items, path),
            Value::Map(map) => self.map(node, map, path),
            _ => node.clone(),
        };
        self.levels -= 1;
        if resolved.size() > MOST_NODES {
            self.too_large(node, &path.to_string());
        } else if resolved.depth() as usize > MOST_LEVELS {
            self.too_deep(node, path);
        }
        self.done.insert(node.address(), Some(resolved.clone()));
        resolved
    }

    fn too_large(&mut self, node: &Node, path: &str) {
        if !self.full {
            let message = format!("references and aliases make this a manifest of more than {MOST_NODES} values");
            self.faults.error(Kind::Limit, node.mark(), path, message);
        }
        self.full = true;
    }

    fn too_deep(&mut self, node: &Node, path: &Path<'_>) {
        if !self.full {
            let message = format!("references make more than {MOST_LEVELS} lists and mappings nested");
            self.faults.error(Kind::Limit, node.mark(), path.to_string(), message);
        }
        self.full = true;
    }

    fn list(&mut self, node: &Node, items: &[Node], path: &Path<'_>) -> Node {
        let resolved: Vec<Node> =
            items.iter().enumerate().map(|(index, item)| self.node(item, &path.index(index))).collect();
        let same = resolved.iter().zip(items).all(|(new, old)| new.address() == old.address());
        if same { node.clone() } else { Node::new(Value::List(resolved), node.mark()) }
    }

    fn map(&mut self, node: &Node, map: &Map, path: &Path<'_>) -> Node {
        let mut same = true;
        let mut own = Vec::with_capacity(map.len());
        for (key, value) in map {
            let resolved = match key.as_text() {
                Some("$ref") => continue,
                Some(CONFIG_VALUES) => value.clone(),
                _ => self.node(value, &path.key(key)),
            };
            same &= resolved.address() == value.address();
            own.push((key.clone(), resolved));
        }
        let Some(reference) = map.get("$ref") else {
            return if same { node.clone() } else { Node::new(Value::Map(Map::new(own)), node.mark()) };
        };
        let target = self.node(reference, path);
        match target.value() {
            Value::Map(referenced) if !own.is_empty() => {
                // The fields beside `$ref` win, and those of the target come first.
                let entries = referenced.iter().cloned().chain(own).collect();
                Node::new(Value::Map(Map::new(entries)), node.mark())
            }
            // Fields beside a reference to anything but a mapping are dropped.
            _ => target,
        }
    }

    fn reference(&mut self, node: &Node, text: &str, path: &Path<'_>) -> Node {
        let nothing = Node::new(Value::Unresolved, node.mark());
        if let Some(Some(done)) = self.done.get(&node.address()) {
            return done.clone();
        }
        if self.full {
            return nothing;
        }
        let (kind, message) = match look_up(self.root, text) {
            Ok(target) if matches!(self.done.get(&target.address()), Some(None)) => {
                let message = format!("the reference {} leads to a value that contains it", quoted(text));
                (Kind::CircularReference, message)
            }
            Ok(_) if self.levels >= MOST_LEVELS => {
                self.too_deep(node, path);
                return nothing;
            }
            Ok(target) => {
                self.levels += 1;
                self.done.insert(node.address(), None);
                let resolved = self.node(target, path);
                self.done.insert(node.address(), Some(resolved.clone()));
                self.levels -= 1;
                return resolved;
            }
            Err(problem) => problem,
        };
        if !self.full {
            let mut fault = Fault::new(Severity::Error, kind, node.mark(), path.to_string(), message);
            if kind == Kind::UndefinedReference {
                fault.nearest = nearest_target(self.root, text);
            }
            self.faults.add(fault);
        }
        nothing
    }
}

/// The unresolved node that a reference points to. At each level, the rest of the reference is tried as one key, then
/// its part up to the next slash, which is an index if it looks like a whole number.
fn look_up<'a>(root: &'a Node, reference: &str) -> Result<&'a Node, (Kind, String)> {
    let (mut node, mut way) = (root, String::new());
    // Python's `.` matches anything but a line feed, so a reference ends at one.
    let line = |text: &str| text.split('\n').next().unwrap_or_default().to_owned();
    let mut rest = line(reference.strip_prefix("#/").unwrap_or(reference));
    while !rest.is_empty() {
        if let Some(found) = node.as_map().and_then(|map| map.get(&rest)) {
            return Ok(found);
        }
        let (head, tail) = rest.split_once('/').unwrap_or((&rest, ""));
        let index = python_integer(head);
        node = match (node.value(), index) {
            (Value::Map(map), Some(index)) => map.get_node(&Node::new(Value::Integer(index), node.mark())),
            (Value::Map(map), None) => map.get(head),
            (Value::List(items), Some(index)) => {
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let index = if index < 0 { index + length } else { index };
                usize::try_from(index).ok().and_then(|index| items.get(index))
            }
            _ => {
                let through = format!("the reference {} leads through {}", quoted(reference), node.kind());
                return Err((Kind::ReferenceThroughValue, through));
            }
        }
        .ok_or_else(|| {
            let within = if way.is_empty() { "the manifest".to_owned() } else { quoted(&way) };
            let message =
                format!("the reference {} leads nowhere: {within} has no {}", quoted(reference), quoted(head));
            (Kind::UndefinedReference, message)
        })?;
        way = if way.is_empty() { head.to_owned() } else { format!("{way}/{head}") };
        rest = tail.to_owned();
    }
    Ok(node)
}

/// A whole number as Python's `int()` reads it: surrounding blanks, a sign, single underscores between digits.
fn python_integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let good = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if good { text.replace('_', "").parse().ok() } else { None }
}

/// The likely meaning of a reference to nothing: its last wrong part, corrected.
fn nearest_target(root: &Node, reference: &str) -> Option<String> {
    let rest = reference.strip_prefix("#/")?;
    let (mut node, mut way) = (root, String::from("#"));
    let mut parts = rest.split('/');
    for part in parts.by_ref() {
        let map = node.as_map()?;
        if let Some(found) = map.get(part) {
            node = found;
            way = format!("{way}/{part}");
            continue;
        }
        let known = nearest(part, map.iter().filter_map(|(key, _)| key.as_text()))?;
        way = format!("{way}/{known}");
        break;
    }
    let tail: Vec<&str> = parts.collect();
    let mended = tail.iter().fold(way, |way, part| format!("{way}/{part}"));
    look_up(root, &mended).is_ok().then_some(mended)
}
