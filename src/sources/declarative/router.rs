//! Partition routers: the partitions of a stream, from a list or from the records of parent streams, and what of them goes
//! into requests. Everything here is pure: the caller reads the parents.

mod list;
mod parent;
mod partition;

use serde_json::{Map, Value};

pub(super) use list::ListRouter;
pub(super) use parent::ParentConfig;
pub(super) use partition::Partition;

use super::field_path::is_truthy;
use super::part::{Builder, Part};
use crate::protocol::Failure;

/// Gives the partitions that parents make, in their order.
pub(super) type ReadParents<'r, O, E> = dyn FnMut(&[ParentConfig<O>]) -> Result<Vec<Partition>, E> + 'r;

/// A router. `O` is where a value goes into a request: what the caller makes of a `RequestOption`.
#[derive(Debug)]
pub(super) enum Router<O> {
    /// `ListPartitionRouter`.
    List(Box<ListRouter<O>>),
    /// `SubstreamPartitionRouter`: the parents' records one after the other, parent by parent.
    Substream(Vec<ParentConfig<O>>),
    /// A list of routers: each partition of one with each of the others, those of the last one varying fastest.
    Product(Vec<Router<O>>),
}

impl<O> Router<O> {
    /// The router that `partition_router` is: a component, or a list of them. `option` makes a `RequestOption` into what
    /// the caller needs. `is_incremental`: the stream has a cursor, so that `incremental_dependency` means something,
    /// which is refused.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        is_incremental: bool,
        option: &mut dyn FnMut(&Part<'_>) -> Option<O>,
    ) -> Option<Self> {
        if part.node.as_list().is_some() {
            let mut routers: Vec<Option<Self>> =
                part.items().map(|one| Self::build(builder, &one, is_incremental, option)).collect();
            // A list of one is that one; of none, there is one partition without fields.
            return match routers.len() {
                1 => routers.pop().flatten(),
                _ => routers.into_iter().collect::<Option<_>>().map(Self::Product),
            };
        }
        match part.kind() {
            "ListPartitionRouter" => ListRouter::build(builder, part, option).map(Box::new).map(Self::List),
            "SubstreamPartitionRouter" => {
                let list = part.field("parent_stream_configs")?;
                let parents: Vec<_> =
                    list.items().map(|one| ParentConfig::build(builder, &one, is_incremental, option)).collect();
                if parents.is_empty() {
                    builder.error(part, "a SubstreamPartitionRouter needs at least one parent stream");
                    return None;
                }
                parents.into_iter().collect::<Option<_>>().map(Self::Substream)
            }
            kind => {
                builder.refuse(part, &format!("the partition router {kind}"));
                None
            }
        }
    }

    /// The parents of all routers, in their order.
    pub(super) fn parents(&self) -> Vec<&ParentConfig<O>> {
        match self {
            Self::List(_) => Vec::new(),
            Self::Substream(parents) => parents.iter().collect(),
            Self::Product(routers) => routers.iter().flat_map(Self::parents).collect(),
        }
    }

    /// Where its values go into requests.
    pub(super) fn options(&self) -> Vec<&O> {
        match self {
            Self::List(list) => list.option.iter().collect(),
            Self::Substream(parents) => parents.iter().filter_map(|parent| parent.option.as_ref()).collect(),
            Self::Product(routers) => routers.iter().flat_map(Self::options).collect(),
        }
    }

    /// The partitions. `read` gives the partitions of a substream's parents.
    ///
    /// # Errors
    /// If a template cannot be evaluated, and those of `read`.
    pub(super) fn partitions<E: From<Failure>>(&self, read: &mut ReadParents<'_, O, E>) -> Result<Vec<Partition>, E> {
        match self {
            Self::List(list) => Ok(list.partitions()?),
            Self::Substream(parents) => read(parents),
            Self::Product(routers) => {
                let lists = routers.iter().map(|router| router.partitions(read)).collect::<Result<Vec<_>, E>>()?;
                Ok(product(&lists))
            }
        }
    }

    /// What of a slice goes into a request: where, and the value. A value that Python takes for false does not go. If two
    /// go to the same place, the first counts.
    ///
    /// # Errors
    /// If the name of a partition's field cannot be evaluated.
    pub(super) fn injections<'r>(&'r self, slice: &Map<String, Value>) -> Result<Vec<(&'r O, Value)>, Failure> {
        let mut found = Vec::new();
        self.inject(slice, &mut found)?;
        Ok(found)
    }

    fn inject<'r>(&'r self, slice: &Map<String, Value>, found: &mut Vec<(&'r O, Value)>) -> Result<(), Failure> {
        let mut add = |option: Option<&'r O>, field: String| {
            if let (Some(option), Some(value)) = (option, slice.get(&field))
                && is_truthy(&value.to_string())
            {
                found.push((option, value.clone()));
            }
        };
        match self {
            Self::List(list) => add(list.option.as_ref(), list.field()?),
            Self::Substream(parents) => {
                for parent in parents {
                    add(parent.option.as_ref(), parent.field()?);
                }
            }
            Self::Product(routers) => {
                for router in routers {
                    router.inject(slice, found)?;
                }
            }
        }
        Ok(())
    }
}

/// Each with each. Where two have the same field, that of the first router counts.
fn product(lists: &[Vec<Partition>]) -> Vec<Partition> {
    let mut all = vec![Partition::default()];
    for list in lists {
        let with = |before: &Partition| -> Vec<Partition> {
            let join = |one: &Partition| {
                let mut joined = before.clone();
                for (name, value) in &one.partition {
                    joined.partition.entry(name).or_insert_with(|| value.clone());
                }
                for (name, value) in &one.extra_fields {
                    joined.extra_fields.entry(name).or_insert_with(|| value.clone());
                }
                joined
            };
            list.iter().map(join).collect()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

#[cfg(test)]
mod tests;
