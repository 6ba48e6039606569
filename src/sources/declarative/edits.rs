//! Sets and removes values at paths of a tree, by the rules of `dpath`.

use std::borrow::Cow;

use super::steps::{Place, Steps};
use super::tree::Tree;
use crate::protocol::Failure;

/// The longest list that setting an item makes: a longer one is a mistake, and would fill the memory.
const MOST_ITEMS: usize = 10_000;
/// How deep values are searched. Deeper ones stay.
const MOST_LEVELS: usize = 400;

/// Whether a step is an index where it meets a list.
pub(super) fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

/// Sets the value at a path. Missing containers are created: a list if the next step is an index, otherwise an object.
/// False, and the tree may be changed, if a value on the way is neither.
pub(super) fn set<'t>(tree: &mut Tree<'t>, path: &[&str], value: Tree<'t>) -> bool {
    let Some((step, rest)) = path.split_first() else { return false };
    if tree.is_list() {
        let Some(index) = step.parse::<usize>().ok().filter(|index| is_index(step) && *index < MOST_ITEMS) else {
            return false;
        };
        let Some(items) = tree.items() else { return false };
        let is_new = index >= items.len();
        if is_new {
            items.resize(index + 1, Tree::of("null"));
        }
        if rest.is_empty() {
            items[index] = value;
            return true;
        }
        if is_new {
            items[index] = container(rest);
        }
        return set(&mut items[index], rest, value);
    }
    let Some(members) = tree.members() else { return false };
    if rest.is_empty() {
        members.insert(Cow::Owned((*step).to_owned()), value);
        return true;
    }
    set(members.entry(Cow::Owned((*step).to_owned())).or_insert_with(|| container(rest)), rest, value)
}

fn container<'t>(rest: &[&str]) -> Tree<'t> {
    Tree::of(if rest.first().is_some_and(|step| is_index(step)) { "[]" } else { "{}" })
}

/// Removes the values at a path for which `is_meant` is true. The last item of a list at that moment is removed; any
/// other item becomes null, so that the rest keep their places. Returns whether any was found.
///
/// # Errors
/// The errors of `is_meant`.
pub(super) fn remove(
    tree: &mut Tree<'_>,
    path: &Steps,
    is_meant: &mut dyn FnMut(&Tree<'_>) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    remove_within(tree, path, &mut Vec::new(), is_meant)
}

fn remove_within(
    tree: &mut Tree<'_>,
    path: &Steps,
    way: &mut Vec<Place>,
    is_meant: &mut dyn FnMut(&Tree<'_>) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    if way.len() >= MOST_LEVELS {
        return Ok(false);
    }
    let mut removed = false;
    if tree.is_list() {
        let Some(items) = tree.items() else { return Ok(false) };
        let count = items.len();
        let mut inner = Vec::new();
        for index in 0..count {
            way.push(Place::Item(index, count));
            let is_it = path.fits(way) && is_meant(&items[index])?;
            way.pop();
            if !is_it {
                inner.push(index);
            } else if index + 1 == items.len() {
                items.pop();
            } else {
                items[index] = Tree::of("null");
            }
            removed |= is_it;
        }
        for index in inner {
            way.push(Place::Item(index, count));
            removed |= remove_within(&mut items[index], path, way, is_meant)?;
            way.pop();
        }
        return Ok(removed);
    }
    let Some(members) = tree.members() else { return Ok(false) };
    let names: Vec<String> = members.keys().map(|name| name.clone().into_owned()).collect();
    for name in names {
        let Some(value) = members.get(name.as_str()) else { continue };
        way.push(Place::Name(name));
        let is_it = path.fits(way) && is_meant(value)?;
        if let Some(Place::Name(name)) = way.pop()
            && is_it
        {
            members.shift_remove(name.as_str());
            removed = true;
        }
    }
    for (name, value) in members {
        way.push(Place::Name(name.clone().into_owned()));
        removed |= remove_within(value, path, way, is_meant)?;
        way.pop();
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_set(text: &str, path: &[&str]) -> Option<String> {
        let mut tree = Tree::of(text);
        set(&mut tree, path, Tree::of("7")).then(|| tree.to_text())
    }

    fn after_remove(text: &str, path: &[&str]) -> String {
        let mut tree = Tree::of(text);
        remove(&mut tree, &Steps::of_texts(path).unwrap(), &mut |_| Ok(true)).unwrap();
        tree.to_text()
    }

    #[test]
    fn missing_containers_are_created() {
        for (text, path, after) in [
            ("{}", &["a", "0", "c"][..], r#"{"a":[{"c":7}]}"#),
            ("{}", &["n", "2"], r#"{"n":[null,null,7]}"#),
            (r#"{"o":{}}"#, &["o", "0"], r#"{"o":{"0":7}}"#),
            (r#"{"l":[1,{"k":1.10}]}"#, &["l", "1", "k"], r#"{"l":[1,{"k":7}]}"#),
            (r#"{"l":[]}"#, &["l", "1", "x"], r#"{"l":[null,{"x":7}]}"#),
            (r#"{"a":{"b":{}}}"#, &["a", "b", "c", "d"], r#"{"a":{"b":{"c":{"d":7}}}}"#),
        ] {
            assert_eq!(after_set(text, path).as_deref(), Some(after), "{path:?}");
        }
        for (text, path) in [
            (r#"{"a":1}"#, &["a", "b"][..]),
            (r#"{"a":null}"#, &["a", "b"]),
            (r#"{"l":[]}"#, &["l", "x"]),
            (r#"{"l":[]}"#, &["l", "-1"]),
            (r#"{"l":[]}"#, &["l", "123456789"]),
            (r#"{"l":[null]}"#, &["l", "0", "x"]),
        ] {
            assert_eq!(after_set(text, path), None, "{path:?}");
        }
    }

    #[test]
    fn an_item_becomes_null_unless_it_is_the_last() {
        assert_eq!(after_remove(r#"{"l":[1,2,3]}"#, &["l", "*"]), r#"{"l":[null,null]}"#);
        assert_eq!(after_remove(r#"{"l":[1,2,3]}"#, &["l", "1"]), r#"{"l":[1,null,3]}"#);
        assert_eq!(after_remove(r#"{"l":[1,2,3]}"#, &["l", "-1"]), r#"{"l":[1,2]}"#);
        assert_eq!(after_remove(r#"{"l":[{"k":1,"m":2},{"k":3}]}"#, &["l", "*", "k"]), r#"{"l":[{"m":2},{}]}"#);
        assert_eq!(
            after_remove(r#"{"secret":1,"a":{"secret":{"x":1},"b":[{"secret":2}]}}"#, &["**", "secret"]),
            r#"{"a":{"b":[{}]}}"#
        );
        assert_eq!(after_remove(r#"{"_a":1,"b":{"_c":2}}"#, &["_*"]), r#"{"b":{"_c":2}}"#);
        assert_eq!(after_remove(r#"{"a":1,"b":2}"#, &["**"]), "{}");
    }
}
