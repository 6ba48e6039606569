//! Several routers in a list: combines each partition of one with each of the others.

use super::partition::Partition;

/// All combinations; the last list varies fastest. If two have the same field, the first list's counts.
pub(super) fn each_with_each(lists: Vec<Vec<Partition>>) -> impl Iterator<Item = Partition> + Send {
    let is_empty = lists.iter().any(Vec::is_empty);
    let mut next: Option<Vec<usize>> = (!is_empty).then(|| vec![0; lists.len()]);
    std::iter::from_fn(move || {
        let places = next.take()?;
        let joined = join(lists.iter().zip(&places).filter_map(|(list, place)| list.get(*place)));
        next = after(places, &lists);
        Some(joined)
    })
}

/// The next combination of indexes, like counting. `None` after the last.
fn after(mut places: Vec<usize>, lists: &[Vec<Partition>]) -> Option<Vec<usize>> {
    for (place, list) in places.iter_mut().zip(lists).rev() {
        *place += 1;
        if *place < list.len() {
            return Some(places);
        }
        *place = 0;
    }
    None
}

fn join<'p>(parts: impl Iterator<Item = &'p Partition>) -> Partition {
    let mut joined = Partition::default();
    for part in parts {
        for (name, value) in &part.partition {
            joined.partition.entry(name).or_insert_with(|| value.clone());
        }
        for (name, value) in &part.extra_fields {
            joined.extra_fields.entry(name).or_insert_with(|| value.clone());
        }
    }
    joined
}
