//! Names and values of a query or a form, and how they get into a URL.

use ::url::Url;

use super::super::template::Literal;
use super::url;
use crate::protocol::Failure;

/// Names and values as they are sent: a list becomes its items, and null is omitted.
pub(super) fn pairs(
    entries: Vec<(Literal, Literal)>,
    what: &str,
    place: &str,
) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut pairs = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let name = name.to_text();
        let values = match value {
            Literal::Dict(_) => {
                let text = format!("{place}: the {what} `{name}` is an object, which cannot be sent there.");
                return Err(Failure::config(text));
            }
            Literal::List(items) | Literal::Tuple(items) | Literal::Set(items) => items,
            value => vec![value],
        };
        let values = values.into_iter().filter(|value| *value != Literal::None).map(|value| value.to_text());
        pairs.push((name, values.collect()));
    }
    Ok(pairs)
}

pub(super) fn repeated(pairs: &[(String, Vec<String>)]) -> Vec<(String, String)> {
    let one = |(name, values): &(String, Vec<String>)| {
        values.iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    pairs.iter().flat_map(one).collect()
}

/// Appends query parameters to those of the URL, except those that it already has with the same first value.
pub(super) fn add_to_query(url: &mut Url, parameters: &[(String, Vec<String>)]) {
    let known: Vec<(String, String)> = url.query_pairs().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    let is_there = |(name, values): &(String, Vec<String>)| {
        let first = known.iter().find(|(known, value)| known == name && !value.is_empty());
        matches!((first, &values[..]), (Some((_, known)), [value]) if known == value)
    };
    let added: Vec<_> = parameters.iter().filter(|pair| !is_there(pair)).cloned().collect();
    let added = url::urlencoded(&repeated(&added));
    if added.is_empty() {
        return;
    }
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{added}"),
        _ => added,
    };
    url.set_query(Some(&query));
}
