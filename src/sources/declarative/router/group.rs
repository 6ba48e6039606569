//! `GroupingPartitionRouter`: merges several partitions of another router into one, for APIs that accept lists.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::part::{Builder, Part};
use super::partition::{PARENT_SLICE, known_as};
use super::{Partition, Partitions, Router};
use crate::protocol::Failure;

/// Partitions in groups.
#[derive(Debug)]
pub(in crate::sources::declarative) struct GroupRouter<O> {
    pub(in crate::sources::declarative) router: Router<O>,
    size: usize,
    deduplicates: bool,
    place: String,
}

impl<O: Send + Sync> GroupRouter<O> {
    /// The router that a part describes.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        is_incremental: bool,
        option: &mut dyn FnMut(&Part<'_>) -> Option<O>,
    ) -> Option<Self> {
        let inner = part.field("underlying_partition_router")?;
        let router = Router::build(builder, &inner, is_incremental, option)?;
        let size = part.field("group_size")?.node.to_json().as_u64().and_then(|size| usize::try_from(size).ok());
        let Some(size) = size.filter(|size| *size > 0) else {
            builder.error(part, "`group_size` has to be 1 or more");
            return None;
        };
        if !router.options().is_empty() {
            builder.error(
                &inner,
                "a router in a group cannot have a `request_option`: use `stream_partition` in the requester",
            );
            return None;
        }
        let deduplicates = part.flag("deduplicate").unwrap_or(true);
        Some(Self { router, size, deduplicates, place: builder.place(part) })
    }

    /// The groups, made as the other router returns its partitions.
    pub(super) fn partitions<'a>(&'a self, mut inner: Partitions<'a>) -> Partitions<'a> {
        let mut seen = HashSet::new();
        Box::new(std::iter::from_fn(move || {
            let mut group = Vec::new();
            while group.len() < self.size
                && let Some(one) = inner.next()
            {
                let known = one.and_then(|one| Ok((self.key(&one)?, one)));
                match known {
                    Ok((key, _)) if self.deduplicates && !seen.insert(key.clone()) => {}
                    Ok((_, one)) => group.push(one),
                    Err(error) => return Some(Err(error)),
                }
            }
            (!group.is_empty()).then(|| Ok(joined(&group)))
        }))
    }

    /// The key of equal partitions: the value of their one field.
    fn key(&self, partition: &Partition) -> Result<String, Failure> {
        let mut own = partition.partition.iter().filter(|(name, _)| *name != PARENT_SLICE);
        match (own.next(), own.next()) {
            (Some((_, value)), None) => Ok(known_as(value)),
            _ => Err(Failure::config(format!(
                "{}: the partitions of a GroupingPartitionRouter have to have one field each. Correct the router in it.",
                self.place
            ))),
        }
    }
}

/// Merges the partitions of a group into lists of values. The fields are those of the first partition.
fn joined(group: &[Partition]) -> Partition {
    let lists = |names: Vec<&String>, of: fn(&Partition) -> &Map<String, Value>| -> Map<String, Value> {
        let list = |name: &String| group.iter().map(|one| of(one).get(name).cloned().unwrap_or_default()).collect();
        names.into_iter().map(|name| (name.clone(), list(name))).collect()
    };
    let own = group.iter().take(1).flat_map(|first| first.partition.keys()).collect();
    let mut extra: Vec<&String> = Vec::new();
    for name in group.iter().flat_map(|one| one.extra_fields.keys()) {
        if !extra.contains(&name) {
            extra.push(name);
        }
    }
    Partition { partition: lists(own, |one| &one.partition), extra_fields: lists(extra, |one| &one.extra_fields) }
}
