//! The parents of a stream: turns a parent's records into slices, by the rules of its `ParentStreamConfig`.

use std::sync::Arc;

use super::options::RequestOption;
use super::router::{PARENT_SLICE, ParentConfig, Partition, Partitions, Router};
use crate::protocol::Failure;
use crate::streams::{HttpStream, MakesSlice, ParentStream, Record, Slice, SliceContext, Slices};

/// Makes slices of a parent's records.
struct ParentPartitions(Arc<ParentConfig<RequestOption>>);

impl MakesSlice for ParentPartitions {
    fn slice_of(&self, record: &Record<'_>, own: &Slice) -> Result<Option<Slice>, Failure> {
        Ok(self.0.partition(&record.text(), own.partition())?.map(slice_of))
    }
}

/// A parent of a stream. `at_once`: it is read before the first partition is made, together with others.
///
/// # Errors
/// If the name of the partition's field cannot be evaluated.
pub(super) fn parent(
    stream: Arc<dyn HttpStream>,
    config: &Arc<ParentConfig<RequestOption>>,
    at_once: bool,
) -> Result<ParentStream, Failure> {
    let (field, extra) = (config.field()?, config.extra_names());
    let maker = Arc::new(ParentPartitions(Arc::clone(config)));
    let parent = ParentStream::made_by(stream, maker, &field, PARENT_SLICE).extra_fields(extra);
    // If parents are combined, Airbyte's runtime writes no states of them, and the child's value does not apply to any.
    Ok(if config.is_incremental { parent.with_own_state(!at_once) } else { parent })
}

/// The slices of a router whose parents, in its order, are `parents`.
///
/// # Errors
/// If a template cannot be evaluated, or a parent that must be read first cannot be read.
pub(super) fn slices<'a>(
    router: &'a Router<RequestOption>,
    parents: &'a [ParentStream],
    cx: &SliceContext<'a>,
) -> anyhow::Result<Slices<'a>> {
    if let Router::Substream(_) = router {
        return Ok(of_parents(parents, cx));
    }
    let mut left = parents;
    let partitions = router.partitions(&mut |configs| {
        let (own, others) = left.split_at_checked(configs.len()).unwrap_or((left, &[]));
        left = others;
        let slices = of_parents(own, cx).map(|slice| slice.map(|slice| partition_of(&slice)));
        Ok(Box::new(slices) as Partitions<'a>)
    })?;
    Ok(Box::new(partitions.map(|partition| partition.map(slice_of))))
}

/// The slices of parents, one parent after the other.
fn of_parents<'a>(parents: &'a [ParentStream], cx: &SliceContext<'a>) -> Slices<'a> {
    let cx = *cx;
    Box::new(parents.iter().flat_map(move |parent| match parent.slices(&cx) {
        Ok(slices) => slices,
        Err(error) => Box::new(std::iter::once(Err(error))),
    }))
}

/// A partition as a slice.
fn slice_of(partition: Partition) -> Slice {
    Slice::of_partition(partition.partition).with_extra(partition.extra_fields)
}

fn partition_of(slice: &Slice) -> Partition {
    Partition { partition: slice.partition().clone(), extra_fields: slice.extra().clone() }
}
