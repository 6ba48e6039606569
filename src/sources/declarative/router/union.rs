//! `UnionPartitionRouter`: the partitions of several routers, one after the other, each value once.

use std::collections::HashSet;

use super::super::part::{Builder, Part};
use super::super::placed::Text;
use super::partition::known_as;
use super::{Partition, Partitions, ReadParents, Router};
use crate::protocol::Failure;

/// Several routers whose partitions have the same field.
#[derive(Debug)]
pub(in crate::sources::declarative) struct UnionRouter<O> {
    field: Text,
    pub(super) routers: Vec<Router<O>>,
    place: String,
}

impl<O: Send + Sync> UnionRouter<O> {
    /// The router that a part describes.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        is_incremental: bool,
        option: &mut dyn FnMut(&Part<'_>) -> Option<O>,
    ) -> Option<Self> {
        let field = builder.text(&part.field("partition_field")?, &[])?;
        let name = builder.noted_failure(part, field.literal(&[]))?.to_text();
        let list = part.field("partition_routers")?;
        let mut routers = Vec::new();
        let mut is_good = true;
        for inner in list.items() {
            let router = Router::build(builder, &inner, is_incremental, option);
            if let Some(router) = &router {
                for other in router.fields().iter().filter(|other| **other != name) {
                    builder.error(
                        &inner,
                        format!("its partitions have the field `{other}`, and those of the union `{name}`"),
                    );
                    is_good = false;
                }
                if !router.options().is_empty() {
                    builder.error(
                        &inner,
                        "a router in a union cannot have a `request_option`: use `stream_partition` in the requester",
                    );
                    is_good = false;
                }
            }
            routers.push(router);
        }
        if routers.len() < 2 {
            builder.error(part, "a UnionPartitionRouter needs at least two routers");
            return None;
        }
        let routers = routers.into_iter().collect::<Option<_>>()?;
        Some(Self { field, routers, place: builder.place(part) }).filter(|_| is_good)
    }

    /// The field with the value.
    pub(super) fn field(&self) -> Result<String, Failure> {
        Ok(self.field.literal(&[])?.to_text())
    }

    /// The partitions, reduced to the field. Their other values become extra fields.
    pub(super) fn partitions<'a>(&'a self, read: &mut ReadParents<'_, 'a, O>) -> anyhow::Result<Partitions<'a>> {
        let field = self.field()?;
        let inner = self.routers.iter().map(|router| router.partitions(read)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut seen = HashSet::new();
        let mut reduced = move |partition: Partition| -> Result<Option<Partition>, Failure> {
            let Partition { mut partition, mut extra_fields } = partition;
            let Some(value) = partition.remove(&field) else {
                return Err(self.wrong(&format!("a partition has no field `{field}`")));
            };
            if value.is_object() || value.is_array() {
                return Err(self.wrong(&format!("the field `{field}` of a partition is an object or a list")));
            }
            if !seen.insert(known_as(&value)) {
                return Ok(None);
            }
            extra_fields.extend(partition);
            Ok(Some(Partition { partition: [(field.clone(), value)].into_iter().collect(), extra_fields }))
        };
        let all = inner.into_iter().flatten();
        Ok(Box::new(all.filter_map(move |one| one.and_then(|one| Ok(reduced(one)?)).transpose())))
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::config(format!("{}: {what}, which a union cannot compare. Correct the routers.", self.place))
    }
}
