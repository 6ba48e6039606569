//! Partition routers: the partitions of a stream, from a list or from the records of parent streams, and their values
//! for requests. Everything here is pure: the caller reads the parents.

mod group;
mod list;
mod parent;
mod partition;
mod product;
mod union;

use std::sync::Arc;

use serde_json::{Map, Value};

use self::group::GroupRouter;
pub(super) use list::ListRouter;
pub(super) use parent::{FIRST_PAGE, ParentConfig};
pub(super) use partition::{PARENT_SLICE, Partition, Partitions};

use self::union::UnionRouter;
use super::field_path::is_truthy;
use super::part::{Builder, Part};
use crate::protocol::Failure;

/// Returns the partitions of parents, in order.
pub(super) type ReadParents<'r, 'a, O> = dyn FnMut(&'a [Arc<ParentConfig<O>>]) -> anyhow::Result<Partitions<'a>> + 'r;

/// A router. `O` is where a value goes in a request: the caller's form of a `RequestOption`.
#[derive(Debug)]
pub(super) enum Router<O> {
    /// `ListPartitionRouter`.
    List(Box<ListRouter<O>>),
    /// `SubstreamPartitionRouter`: the parents' records, parent by parent.
    Substream(Vec<Arc<ParentConfig<O>>>),
    /// A list of routers: all combinations of their partitions; the last one varies fastest.
    Product(Vec<Router<O>>),
    /// `UnionPartitionRouter`.
    Union(Box<UnionRouter<O>>),
    /// `GroupingPartitionRouter`.
    Group(Box<GroupRouter<O>>),
}

impl<O: Send + Sync> Router<O> {
    /// Builds `partition_router`: a component, or a list of them. `option` converts a `RequestOption` for the caller.
    /// `is_incremental`: the stream has a cursor, so that `incremental_dependency` has an effect.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        is_incremental: bool,
        option: &mut dyn FnMut(&Part<'_>) -> Option<O>,
    ) -> Option<Self> {
        if part.node.as_list().is_some() {
            let mut routers: Vec<Option<Self>> =
                part.items().map(|one| Self::build(builder, &one, is_incremental, option)).collect();
            // A list of one is that one; an empty list is one partition without fields.
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
                parents.into_iter().map(|parent| parent.map(Arc::new)).collect::<Option<_>>().map(Self::Substream)
            }
            "UnionPartitionRouter" => {
                UnionRouter::build(builder, part, is_incremental, option).map(Box::new).map(Self::Union)
            }
            "GroupingPartitionRouter" => {
                GroupRouter::build(builder, part, is_incremental, option).map(Box::new).map(Self::Group)
            }
            kind => {
                builder.refuse(part, &format!("the partition router {kind}"));
                None
            }
        }
    }

    /// Whether all parents are read before the first partition is made.
    pub(super) fn is_made_at_once(&self) -> bool {
        match self {
            Self::List(_) | Self::Substream(_) => false,
            Self::Product(_) => true,
            Self::Union(union) => union.routers.iter().any(Self::is_made_at_once),
            Self::Group(group) => group.router.is_made_at_once(),
        }
    }

    /// The parents of all routers, in their order.
    pub(super) fn parents(&self) -> Vec<&Arc<ParentConfig<O>>> {
        match self {
            Self::List(_) => Vec::new(),
            Self::Substream(parents) => parents.iter().collect(),
            Self::Product(routers) => routers.iter().flat_map(Self::parents).collect(),
            Self::Union(union) => union.routers.iter().flat_map(Self::parents).collect(),
            Self::Group(group) => group.router.parents(),
        }
    }

    /// Where its values go in requests.
    pub(super) fn options(&self) -> Vec<&O> {
        match self {
            Self::List(list) => list.option.iter().collect(),
            Self::Substream(parents) => parents.iter().filter_map(|parent| parent.option.as_ref()).collect(),
            Self::Product(routers) => routers.iter().flat_map(Self::options).collect(),
            Self::Union(union) => union.routers.iter().flat_map(Self::options).collect(),
            Self::Group(group) => group.router.options(),
        }
    }

    /// The names of its partitions' fields, without those of the parents. It omits one that cannot be evaluated.
    pub(super) fn fields(&self) -> Vec<String> {
        match self {
            Self::List(list) => list.field().into_iter().collect(),
            Self::Substream(parents) => parents.iter().filter_map(|parent| parent.field().ok()).collect(),
            Self::Product(routers) => routers.iter().flat_map(Self::fields).collect(),
            Self::Union(union) => union.field().into_iter().collect(),
            Self::Group(group) => group.router.fields(),
        }
    }

    /// The partitions, made as they are read if possible. `read` returns the partitions of a substream's parents.
    ///
    /// # Errors
    /// If a template cannot be evaluated, and the errors of `read`.
    pub(super) fn partitions<'a>(&'a self, read: &mut ReadParents<'_, 'a, O>) -> anyhow::Result<Partitions<'a>> {
        match self {
            Self::List(list) => Ok(Box::new(list.partitions()?.into_iter().map(Ok))),
            Self::Substream(parents) => read(parents),
            Self::Product(routers) => {
                let lists = routers.iter().map(|router| router.partitions(read)?.collect::<anyhow::Result<Vec<_>>>());
                Ok(Box::new(product::each_with_each(lists.collect::<anyhow::Result<_>>()?).map(Ok)))
            }
            Self::Union(union) => union.partitions(read),
            Self::Group(group) => Ok(group.partitions(group.router.partitions(read)?)),
        }
    }

    /// The values of a slice for a request, router by router, with their places. A value that Python takes for false is
    /// omitted. The first one for a place counts.
    ///
    /// # Errors
    /// If the name of a partition's field cannot be evaluated.
    pub(super) fn injections<'r>(&'r self, slice: &Map<String, Value>) -> Result<Vec<Vec<(&'r O, Value)>>, Failure> {
        let put = |option: Option<&'r O>, field: String| {
            let value = slice.get(&field).filter(|value| is_truthy(&value.to_string()));
            option.zip(value.cloned())
        };
        Ok(match self {
            Self::List(list) => vec![put(list.option.as_ref(), list.field()?).into_iter().collect()],
            Self::Substream(parents) => {
                let all = parents.iter().map(|parent| Ok(put(parent.option.as_ref(), parent.field()?)));
                vec![all.filter_map(Result::transpose).collect::<Result<_, Failure>>()?]
            }
            Self::Product(routers) => {
                let all = routers.iter().map(|router| router.injections(slice));
                all.collect::<Result<Vec<_>, Failure>>()?.concat()
            }
            // They have none.
            Self::Union(_) | Self::Group(_) => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
