//! Merges the values of several components into one request: requester, authenticator, paginator, partition routers,
//! cursor, in this order. A name that two of them set is a mistake, except that the first of several routers counts,
//! and the cursor before a router.

use std::sync::Arc;

use super::super::literals::{is_equal, literal_of};
use super::super::options::{By, Injection, Place};
use super::super::template::Literal;
use crate::protocol::Failure;

/// The component that set a field: the requester itself has no [`By`].
struct Set {
    path: Vec<String>,
    by: Option<By>,
    from: Arc<str>,
}

/// The merged fields.
pub(super) struct Merge {
    place: Place,
    entries: Vec<(Literal, Literal)>,
    /// The requester, for messages.
    own: Arc<str>,
    set: Vec<Set>,
}

impl Merge {
    /// Begins with the requester's own fields.
    pub(super) fn new(place: Place, own: &Arc<str>, entries: Vec<(Literal, Literal)>) -> Self {
        Self { place, entries, own: Arc::clone(own), set: Vec::new() }
    }

    /// Adds a value.
    ///
    /// # Errors
    /// A config failure that names both components if the name is taken.
    pub(super) fn add(&mut self, injection: &Injection) -> Result<(), Failure> {
        let sliced = matches!(injection.by, By::Router | By::Cursor);
        let path = &injection.path[..];
        let before = self.set.iter().find(|set| set.path[..] == *path && sliced && is_sliced(set));
        match before.and_then(|set| set.by) {
            // The first router counts.
            Some(By::Router) if injection.by == By::Router => return Ok(()),
            Some(_) => remove(&mut self.entries, path),
            None => {}
        }
        let value = literal_of(&injection.value);
        let added = match self.place {
            Place::BodyJson => put_deep(&mut self.entries, path, value),
            _ => put_flat(&mut self.entries, &path.join("."), value),
        };
        added.map_err(|()| self.clash(injection))?;
        self.set.push(Set { path: path.to_vec(), by: Some(injection.by), from: Arc::clone(&injection.from) });
        Ok(())
    }

    /// All fields.
    pub(super) fn done(self) -> Vec<(Literal, Literal)> {
        self.entries
    }

    fn clash(&self, injection: &Injection) -> Failure {
        let path = &injection.path[..];
        let meets = |set: &&Set| {
            let shorter = set.path.len().min(path.len());
            set.path[..shorter] == path[..shorter]
        };
        let other = self.set.iter().find(meets).map_or(&self.own, |set| &set.from);
        let (what, name) = (self.place.field(), path.join("."));
        Failure::config(format!("{other} and {} both set the {what} `{name}`. Keep one of them.", injection.from))
    }
}

fn is_sliced(set: &Set) -> bool {
    matches!(set.by, Some(By::Router | By::Cursor))
}

fn is_key(entry: &(Literal, Literal), key: &str) -> bool {
    matches!(&entry.0, Literal::Str(known) if known == key)
}

fn put_flat(entries: &mut Vec<(Literal, Literal)>, key: &str, value: Literal) -> Result<(), ()> {
    if entries.iter().any(|entry| is_key(entry, key)) {
        return Err(());
    }
    entries.push((Literal::Str(key.to_owned()), value));
    Ok(())
}

/// Sets a value at the end of a path. An equal value may exist; objects are merged.
fn put_deep(entries: &mut Vec<(Literal, Literal)>, path: &[String], value: Literal) -> Result<(), ()> {
    let [key, rest @ ..] = path else { return Err(()) };
    let value = match rest {
        [] => value,
        rest => rest.iter().rev().fold(value, |value, key| Literal::Dict(vec![(Literal::Str(key.clone()), value)])),
    };
    merge(entries, Literal::Str(key.clone()), value)
}

fn merge(entries: &mut Vec<(Literal, Literal)>, key: Literal, value: Literal) -> Result<(), ()> {
    match entries.iter_mut().find(|(known, _)| is_equal(known, &key)) {
        None => entries.push((key, value)),
        Some((_, known)) => match (known, value) {
            (Literal::Dict(known), Literal::Dict(members)) => {
                members.into_iter().try_for_each(|(key, value)| merge(known, key, value))?;
            }
            (known, value) if is_equal(known, &value) => {}
            _ => return Err(()),
        },
    }
    Ok(())
}

fn remove(entries: &mut Vec<(Literal, Literal)>, path: &[String]) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        entries.retain(|entry| !is_key(entry, key));
    } else if let Some((_, Literal::Dict(members))) = entries.iter_mut().find(|entry| is_key(entry, key)) {
        remove(members, rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::literals::json_of;
    use super::*;

    fn merged(place: Place, own: &Value, injections: &[(By, &[&str], Value)]) -> Result<Value, String> {
        let Literal::Dict(entries) = literal_of(own) else { panic!() };
        let mut merge = Merge::new(place, &"requester".into(), entries);
        for (by, path, value) in injections {
            let path = path.iter().map(|key| (*key).to_owned()).collect();
            let from = format!("{by:?}").into();
            merge
                .add(&Injection { place, path, value: value.clone(), by: *by, from })
                .map_err(|failure| failure.message)?;
        }
        Ok(json_of(&Literal::Dict(merge.done())))
    }

    #[test]
    fn a_name_twice_is_a_failure_that_names_both_components() {
        let told = merged(Place::Parameter, &json!({"limit": "2"}), &[(By::Paginator, &["limit"], json!(2))]);
        let text = "requester and Paginator both set the query parameter `limit`. Keep one of them.";
        assert_eq!(told.unwrap_err(), text);
        let both = [(By::Authenticator, &["k"][..], json!(1)), (By::Router, &["k"][..], json!(1))];
        let told = merged(Place::BodyData, &json!({}), &both).unwrap_err();
        assert!(told.starts_with("Authenticator and Router both set the field of the form `k`"), "{told}");
    }

    #[test]
    fn json_is_merged_deeply_and_equal_values_are_allowed() {
        let own = json!({"req": 1, "nest": {"r": 1}});
        let all = [
            (By::Authenticator, &["nest", "auth"][..], json!("T")),
            (By::Paginator, &["nest", "page"][..], json!(0)),
            (By::Paginator, &["req"][..], json!(1.0)),
            (By::Router, &["nest", "sec"][..], json!("v1")),
        ];
        let sent = merged(Place::BodyJson, &own, &all).unwrap();
        assert_eq!(sent.to_string(), r#"{"req":1,"nest":{"r":1,"auth":"T","page":0,"sec":"v1"}}"#);
        let scalar = [(By::Paginator, &["req", "page"][..], json!(1))];
        assert!(merged(Place::BodyJson, &own, &scalar).is_err());
        let different = [(By::Paginator, &["req"][..], json!(2))];
        assert!(merged(Place::BodyJson, &own, &different).is_err());
    }

    #[test]
    fn the_first_router_counts_and_the_cursor_before_a_router() {
        let all = [
            (By::Router, &["a"][..], json!(1)),
            (By::Router, &["a"][..], json!(2)),
            (By::Router, &["b"][..], json!(3)),
            (By::Cursor, &["b"][..], json!(4)),
        ];
        assert_eq!(merged(Place::Parameter, &json!({}), &all), Ok(json!({"a": 1, "b": 4})));
    }
}
