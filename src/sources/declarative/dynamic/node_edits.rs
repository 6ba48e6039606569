//! Sets values in a tree of the manifest, by the rules of `dpath`. Unchanged values keep their places in the file.

use super::super::edits::is_index;
use super::super::manifest::{Map, Mark, Node, Value};
use super::super::part::literal;
use super::super::steps::{Place, Steps};

/// The longest list that setting an item makes.
const MOST_ITEMS: usize = 10_000;

/// Sets all values at a path, and returns their number.
pub(super) fn set(tree: &mut Node, path: &Steps, value: &Node) -> usize {
    let mut found = 0;
    *tree = set_within(tree, path, value, &mut Vec::new(), &mut found);
    found
}

fn set_within(tree: &Node, path: &Steps, value: &Node, way: &mut Vec<Place>, found: &mut usize) -> Node {
    let mut child = |place: Place, node: &Node| {
        way.push(place);
        let new = if path.fits(way) {
            *found += 1;
            in_place_of(node, value, way)
        } else {
            set_within(node, path, value, way, found)
        };
        way.pop();
        new
    };
    let before = |changed: &[Node], known: &mut dyn Iterator<Item = &Node>| {
        changed.iter().zip(known).all(|(new, known)| new.address() == known.address())
    };
    match tree.value() {
        Value::Map(map) => {
            let new: Vec<Node> = map.iter().map(|(key, node)| child(Place::Name(key.key_text()), node)).collect();
            if before(&new, &mut map.iter().map(|(_, node)| node)) {
                return tree.clone();
            }
            let entries = map.iter().map(|(key, _)| key.clone()).zip(new).collect();
            Node::new(Value::Map(Map::new(entries)), tree.mark())
        }
        Value::List(items) => {
            let new: Vec<Node> =
                items.iter().enumerate().map(|(index, node)| child(Place::Item(index, items.len()), node)).collect();
            if before(&new, &mut items.iter()) {
                return tree.clone();
            }
            Node::new(Value::List(new), tree.mark())
        }
        _ => tree.clone(),
    }
}

/// The value that replaces an older one. A number instead of text becomes text, as component fields expect; but a
/// stream's name must be text.
fn in_place_of(old: &Node, value: &Node, way: &[Place]) -> Node {
    let is_name = matches!(way, [Place::Name(name)] if name == "name");
    let is_scalar =
        matches!(value.value(), Value::Bool(_) | Value::Integer(_) | Value::BigInteger(_) | Value::Float(_));
    match old.as_text() {
        Some(_) if is_scalar && !is_name => Node::text(literal(value).to_text(), old.mark()),
        _ => Node::new(value.value().clone(), old.mark()),
    }
}

/// Sets the value at a path of names and indexes. Missing containers are created: a list if the next step is an index,
/// otherwise a mapping. False if a value on the way is neither.
pub(super) fn create(tree: &mut Node, path: &[String], value: &Node) -> bool {
    let Some(new) = created(tree, path, value) else { return false };
    *tree = new;
    true
}

fn created(tree: &Node, path: &[String], value: &Node) -> Option<Node> {
    let Some((step, rest)) = path.split_first() else { return Some(value.clone()) };
    let empty = || {
        let is_list = rest.first().is_some_and(|step| is_index(step));
        let value = if is_list { Value::List(Vec::new()) } else { Value::Map(Map::default()) };
        Node::new(value, Mark::default())
    };
    let new = match tree.value() {
        Value::Map(map) => {
            let child = map.get(step).cloned().unwrap_or_else(empty);
            let mut map = map.clone();
            map.insert(Node::text(step.as_str(), Mark::default()), created(&child, rest, value)?);
            Value::Map(map)
        }
        Value::List(items) => {
            let index = step.parse::<usize>().ok().filter(|index| is_index(step) && *index < MOST_ITEMS)?;
            let mut items = items.clone();
            let child = items.get(index).cloned().unwrap_or_else(empty);
            while items.len() <= index {
                items.push(Node::new(Value::Null, Mark::default()));
            }
            items[index] = created(&child, rest, value)?;
            Value::List(items)
        }
        _ => return None,
    };
    Some(Node::new(new, tree.mark()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after_set(path: &[&str], value: &serde_json::Value) -> (usize, serde_json::Value) {
        let mut tree = Node::from_json(&json!({"a": {"path": "x", "n": 1}, "l": [{"path": ""}, 2], "name": ""}));
        let found = set(&mut tree, &Steps::of_texts(path).unwrap(), &Node::from_json(value));
        (found, tree.to_json())
    }

    #[test]
    fn existing_values_are_set_and_a_number_in_place_of_text_becomes_text() {
        let (found, tree) = after_set(&["**", "path"], &json!(7));
        assert_eq!((found, tree), (2, json!({"a": {"path": "7", "n": 1}, "l": [{"path": "7"}, 2], "name": ""})));
        let (found, tree) = after_set(&["l", "1"], &json!([true]));
        assert_eq!((found, &tree["l"]), (1, &json!([{"path": ""}, [true]])));
        assert_eq!(after_set(&["a", "*"], &json!(true)).1["a"], json!({"path": "True", "n": true}));
        assert_eq!(after_set(&["name"], &json!(7)).1["name"], json!(7), "a name that is not text is an error");
        for nowhere in [&["a", "nope"][..], &["l", "5"], &["a", "n", "m"]] {
            assert_eq!(after_set(nowhere, &json!(1)).0, 0, "{nowhere:?}");
        }
    }

    #[test]
    fn missing_containers_are_created() {
        let after = |path: &[&str]| {
            let mut tree = Node::from_json(&json!({"a": {}, "l": [1], "t": "x"}));
            let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
            create(&mut tree, &path, &Node::from_json(&json!(9))).then(|| tree.to_json())
        };
        assert_eq!(after(&["a", "b", "1", "c"]).unwrap()["a"], json!({"b": [null, {"c": 9}]}));
        assert_eq!(after(&["l", "2"]).unwrap()["l"], json!([1, null, 9]));
        for wrong in [&["t", "b"][..], &["l", "x"], &["l", "99999"]] {
            assert_eq!(after(wrong), None, "{wrong:?}");
        }
    }
}
