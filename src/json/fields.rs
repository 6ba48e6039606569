//! Finds and sets single members of a JSON object in its text.

use std::ops::ControlFlow;

use super::members::{find_member, for_each_member, unquoted};

/// The text of a top-level member of a JSON object, or `None` if the text is not an object or lacks the member. The
/// first of a repeated name counts.
#[must_use]
pub fn field<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    find_member(object, |found, value| match unquoted(found) == name {
        true => ControlFlow::Break(value),
        false => ControlFlow::Continue(()),
    })
}

/// The text of a member at a path of names.
#[must_use]
pub fn field_at<'t>(object: &'t str, path: &[impl AsRef<str>]) -> Option<&'t str> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(object, |text, name| field(text, name.as_ref()))?;
    field(parent, last.as_ref())
}

/// The object with a member set to a JSON text: replaced in place, otherwise appended. A text that is not an object is
/// returned unchanged.
#[must_use]
pub fn with_field(object: &str, name: &str, value: &str) -> String {
    if let Some(old) = field(object, name) {
        let start = old.as_ptr() as usize - object.as_ptr() as usize;
        return [&object[..start], value, &object[start + old.len()..]].concat();
    }
    let Some(body) = object.trim_end().strip_suffix('}') else {
        return object.to_owned();
    };
    let comma = if body.trim_end().ends_with('{') { "" } else { "," };
    let mut key = Vec::new();
    super::write_string(&mut key, name);
    [body, comma, &String::from_utf8_lossy(&key), ":", value, "}"].concat()
}

/// The object with a member at a path of names set to a JSON text. Missing objects on the way are created. `None` if a
/// value on the way is not an object, or the path is empty.
#[must_use]
pub fn with_field_at(object: &str, path: &[impl AsRef<str>], value: &str) -> Option<String> {
    let (name, rest) = path.split_first()?;
    if !object.trim_start().starts_with('{') {
        return None;
    }
    let name = name.as_ref();
    if rest.is_empty() {
        return Some(with_field(object, name, value));
    }
    Some(with_field(object, name, &with_field_at(field(object, name).unwrap_or("{}"), rest, value)?))
}

/// The object without the member at a path of names. `None` if there is no such member.
#[must_use]
pub fn without_field_at(object: &str, path: &[impl AsRef<str>]) -> Option<String> {
    let (name, rest) = path.split_first()?;
    let name = name.as_ref();
    if rest.is_empty() {
        return with_fields(object, |other| other != name);
    }
    Some(with_field(object, name, &without_field_at(field(object, name)?, rest)?))
}

/// The object with only its wanted members, their texts unchanged. `None` if that is all of them.
#[must_use]
pub fn with_fields(object: &str, mut is_wanted: impl FnMut(&str) -> bool) -> Option<String> {
    let mut kept = String::new();
    let mut is_cut = false;
    for_each_member(object, |name, value| {
        if !is_wanted(&unquoted(name)) {
            is_cut = true;
            return;
        }
        kept.push(if kept.is_empty() { '{' } else { ',' });
        // From the name to the end of the value, with the text between them.
        let start = name.as_ptr() as usize - object.as_ptr() as usize;
        let end = value.as_ptr() as usize - object.as_ptr() as usize + value.len();
        kept.push_str(&object[start..end]);
    });
    kept.push_str(if kept.is_empty() { "{}" } else { "}" });
    is_cut.then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_as_the_text_it_is() {
        let object = r#" {"a": {"id": 7}, "b\u0041": [1, 1.10], "id": null} "#;
        assert_eq!(field(object, "bA").unwrap(), "[1, 1.10]");
        assert_eq!(field(object, "id").unwrap(), "null");
        assert_eq!(field_at(object, &["a", "id"]).unwrap(), "7");
    }

    #[test]
    fn a_missing_member_is_none() {
        assert!(field(r#"{"a":1}"#, "b").is_none());
        assert!(field("[1]", "b").is_none());
        assert!(field("{", "b").is_none());
        assert!(field_at(r#"{"a":1}"#, &["a", "b"]).is_none());
        assert!(field_at(r#"{"a":1}"#, &[""; 0]).is_none());
    }

    #[test]
    fn a_member_is_replaced_in_place_or_appended() {
        assert_eq!(with_field(r#"{"a":1, "b":2}"#, "a", "3"), r#"{"a":3, "b":2}"#);
        assert_eq!(with_field(r#"{"a":1 } "#, "b", "[]"), r#"{"a":1 ,"b":[]}"#);
        assert_eq!(with_field("{}", "b", "2"), r#"{"b":2}"#);
        assert_eq!(with_field("[]", "b", "2"), "[]");
    }

    #[test]
    fn a_member_at_a_path_is_set_and_the_rest_keeps_its_text() {
        let object = r#"{"a": {"b": 1.10, "c":1e400}, "d": 2}"#;
        let set = |path: &[&str]| with_field_at(object, path, "[]");
        assert_eq!(set(&["a", "b"]).unwrap(), r#"{"a": {"b": [], "c":1e400}, "d": 2}"#);
        assert_eq!(set(&["a", "x", "y"]).unwrap(), r#"{"a": {"b": 1.10, "c":1e400,"x":{"y":[]}}, "d": 2}"#);
        assert_eq!(set(&["e"]).unwrap(), r#"{"a": {"b": 1.10, "c":1e400}, "d": 2,"e":[]}"#);
        assert_eq!((set(&["d", "b"]), set(&[])), (None, None), "a number has no members");
    }

    #[test]
    fn an_existing_member_at_a_path_is_removed() {
        let object = r#"{"a": {"b": 1.10, "c":1e400}, "d": 2}"#;
        let cut = |path: &[&str]| without_field_at(object, path);
        assert_eq!(cut(&["a", "b"]).unwrap(), r#"{"a": {"c":1e400}, "d": 2}"#);
        assert_eq!(cut(&["a"]).unwrap(), r#"{"d": 2}"#);
        assert_eq!((cut(&["a", "x"]), cut(&["d", "x"]), cut(&["x", "y"]), cut(&[])), (None, None, None, None));
    }

    #[test]
    fn members_that_are_not_wanted_are_cut_and_the_others_keep_their_text() {
        let object = r#"{"a" : 1.10, "b\u0041": [1], "c": null}"#;
        assert_eq!(with_fields(object, |name| name != "bA").unwrap(), r#"{"a" : 1.10,"c": null}"#);
        assert_eq!(with_fields(object, |_| false).unwrap(), "{}");
        assert!(with_fields(object, |_| true).is_none());
    }
}
