//! Looking up and setting single members of a JSON object in its text.

use std::ops::ControlFlow;

use super::members::{find_member, for_each_member, unquoted};

/// The text of a top-level member of a JSON object, or `None` if the text is no object or lacks the member.
/// Of a name that occurs twice, the first is taken.
#[must_use]
pub fn field<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    find_member(object, |found, value| match unquoted(found) == name {
        true => ControlFlow::Break(value),
        false => ControlFlow::Continue(()),
    })
}

/// The text of a member found by a path of names.
#[must_use]
pub fn field_at<'t>(object: &'t str, path: &[impl AsRef<str>]) -> Option<&'t str> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(object, |text, name| field(text, name.as_ref()))?;
    field(parent, last.as_ref())
}

/// The object with a member set to a JSON text: replaced where it stands, or else appended.
/// A text that is not an object is returned as it is.
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

/// The object with those of its members whose names are wanted, each with the text it has. `None` if that is all of them.
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
        // From the name to the end of the value, with what stands between them.
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
    fn what_is_not_there_is_none() {
        assert!(field(r#"{"a":1}"#, "b").is_none());
        assert!(field("[1]", "b").is_none());
        assert!(field("{", "b").is_none());
        assert!(field_at(r#"{"a":1}"#, &["a", "b"]).is_none());
        assert!(field_at(r#"{"a":1}"#, &[""; 0]).is_none());
    }

    #[test]
    fn a_member_is_replaced_where_it_stands_or_appended() {
        assert_eq!(with_field(r#"{"a":1, "b":2}"#, "a", "3"), r#"{"a":3, "b":2}"#);
        assert_eq!(with_field(r#"{"a":1 } "#, "b", "[]"), r#"{"a":1 ,"b":[]}"#);
        assert_eq!(with_field("{}", "b", "2"), r#"{"b":2}"#);
        assert_eq!(with_field("[]", "b", "2"), "[]");
    }

    #[test]
    fn members_that_are_not_wanted_are_cut_and_the_others_keep_their_text() {
        let object = r#"{"a" : 1.10, "b\u0041": [1], "c": null}"#;
        assert_eq!(with_fields(object, |name| name != "bA").unwrap(), r#"{"a" : 1.10,"c": null}"#);
        assert_eq!(with_fields(object, |_| false).unwrap(), "{}");
        assert!(with_fields(object, |_| true).is_none());
    }
}
