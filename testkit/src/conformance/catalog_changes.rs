//! The effect of a new catalog on the tables that destinations made of the old one.

use std::collections::BTreeMap;

/// The changes from one catalog to a later one that break tables: removed streams and fields, changed types, keys and
/// cursors, removed modes. Both are [outlines](super::outline()).
pub fn catalog_changes(old: &str, new: &str) -> Vec<String> {
    let new: BTreeMap<String, &str> = places(new).collect();
    let told = |(place, before): (String, &str)| match new.get(&place) {
        None => Some(format!("{place} is gone")),
        Some(now) if is_kept(before, now) => None,
        Some(now) => Some(format!("{place} was {before}, and is {now}")),
    };
    places(old).filter_map(told).collect()
}

/// Each stream, and each field with its stream, and its description.
fn places(outline: &str) -> impl Iterator<Item = (String, &str)> {
    let mut stream = "";
    outline.lines().filter_map(|line| line.split_once(" = ")).map(move |(place, said)| {
        if let Some(field) = place.strip_prefix(' ') {
            return (format!("{stream} {field}"), said);
        }
        stream = place;
        (place.to_owned(), said)
    })
}

/// Whether the description of a field or a stream is unchanged. A stream may get more modes.
fn is_kept(before: &str, now: &str) -> bool {
    match (before.rsplit_once("; "), now.rsplit_once("; ")) {
        (Some((before, old_modes)), Some((now, modes))) => {
            let modes: Vec<&str> = modes.split(", ").collect();
            before == now && old_modes.split(", ").all(|mode| modes.contains(&mode))
        }
        _ => before == now,
    }
}
