//! `incremental_sync`: a stream's cursor from the manifest, and the values of each slice for its requests.

mod bounds;
mod count;
mod fields;
mod formats;
mod steps;

use std::sync::Arc;

use serde_json::Value;

use self::bounds::Bound;
use self::fields::{config_text, option};
use self::formats::Formats;
pub(super) use self::steps::span;
use self::steps::{Steps, clamp, tell_gaps};
use super::options::{Injection, RequestOption};
use super::part::{Builder, Part, flat};
use crate::protocol::{Failure, StreamState};
use crate::streams::cursor::{CountCursor, DatetimeCursor, Moment, PartitionedCursor};
use crate::streams::{Cursor, ParentStream, Record, RequestContext, Scope, Slice, SliceContext, Slices};

/// The cursor of a stream.
pub(super) struct Incremental {
    kind: Kind,
    /// Where requests get the ends of a slice, each with its member of the slice.
    options: Vec<(RequestOption, String)>,
    /// Whether the selector leaves out records outside of the wanted time.
    pub(super) is_client_side: bool,
}

/// The partitions of a stream, as far as its cursor needs to know.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    /// They are the records of parent streams, and nothing else.
    pub(super) of_parents: bool,
    /// Several records make one partition: then there is one state for all, as in the reference.
    pub(super) are_groups: bool,
    /// The member whose text identifies them in older states: `LegacyToPerPartitionStateMigration`.
    pub(super) legacy: Option<String>,
    /// All parents are read before the first partition is made.
    pub(super) at_once: bool,
}

/// The config's key that makes new partitions start from the beginning.
const WHOLE_WHEN_NEW: &str = "__new_partitions_from_start";
/// The config's key that pages data feeds until a whole page is older than the state.
const UNSORTED: &str = "__unsorted_feeds";

enum Kind {
    Datetime(Box<DatetimeCursor>),
    Partitioned(Box<PartitionedCursor>),
    Count(CountCursor),
}

impl Incremental {
    /// The cursor that a part describes, with the `router` of its stream, if it has one.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, router: Option<Partitions>) -> Option<Self> {
        match part.kind() {
            "DatetimeBasedCursor" => {
                let cursor = datetime(builder, part)?;
                Some(match router {
                    Some(router) => {
                        let is_global = router.are_groups || part.flag("global_substream_cursor") == Some(true);
                        cursor.partitioned(is_global, switch(builder, part, WHOLE_WHEN_NEW), router)
                    }
                    None => cursor,
                })
            }
            "IncrementingCountCursor" if router.is_some() => {
                let text = "an IncrementingCountCursor cannot be kept for each partition. Remove the partition router, or \
                            use a DatetimeBasedCursor";
                builder.error(part, text);
                None
            }
            "IncrementingCountCursor" => {
                let (cursor, option) = count::build(builder, part)?;
                Some(Self { kind: Kind::Count(cursor), options: option.into_iter().collect(), is_client_side: false })
            }
            kind => {
                builder.refuse(part, &format!("the incremental sync `{kind}`"));
                None
            }
        }
    }

    fn partitioned(self, is_global: bool, is_whole_when_new: bool, partitions: Partitions) -> Self {
        let kind = match self.kind {
            Kind::Datetime(cursor) => {
                let mut cursor = PartitionedCursor::new(*cursor);
                if is_global {
                    cursor = cursor.global();
                }
                if partitions.of_parents {
                    cursor = cursor.of_parents();
                }
                if let Some(member) = partitions.legacy {
                    cursor = cursor.with_legacy_states_of(member);
                }
                if partitions.at_once {
                    cursor = cursor.made_at_once();
                }
                if is_whole_when_new {
                    cursor = cursor.whole_when_new();
                }
                Kind::Partitioned(Box::new(cursor))
            }
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// The slices, of the router's partitions, if there is a router.
    ///
    /// # Errors
    /// If the state cannot be used, or `partitions` fails.
    pub(super) fn slices<'a>(
        &'a self,
        cx: &SliceContext<'a>,
        parents: &'a [ParentStream],
        partitions: impl FnOnce() -> anyhow::Result<Slices<'a>>,
    ) -> anyhow::Result<Slices<'a>> {
        match &self.kind {
            Kind::Partitioned(cursor) => cursor.slices_of(parents, partitions, cx),
            Kind::Datetime(_) | Kind::Count(_) => self.cursor().stream_slices(&[], cx),
        }
    }

    /// The cursor.
    pub(super) fn cursor(&self) -> &dyn Cursor {
        match &self.kind {
            Kind::Datetime(cursor) => &**cursor,
            Kind::Partitioned(cursor) => &**cursor,
            Kind::Count(cursor) => cursor,
        }
    }

    /// The value in a state, for all partitions. `None` if it has none, none that can be read, or a count.
    pub(super) fn value_in(&self, state: &StreamState) -> Option<Moment> {
        match &self.kind {
            Kind::Datetime(cursor) => cursor.value_in(state),
            Kind::Partitioned(cursor) => cursor.each().value_in(state.get("state")?.as_object()?),
            Kind::Count(_) => None,
        }
    }

    /// Warnings about the read.
    pub(super) fn take_warning(&self) -> Option<String> {
        match &self.kind {
            Kind::Partitioned(cursor) => cursor.take_warning(),
            Kind::Datetime(_) | Kind::Count(_) => None,
        }
    }

    /// The cursor of one window, if its windows are times.
    pub(super) fn datetime(&self) -> Option<&DatetimeCursor> {
        match &self.kind {
            Kind::Datetime(cursor) => Some(cursor),
            Kind::Partitioned(cursor) => Some(cursor.each()),
            Kind::Count(_) => None,
        }
    }

    /// The request options for its values.
    pub(super) fn options(&self) -> impl Iterator<Item = &RequestOption> {
        self.options.iter().map(|(option, _)| option)
    }

    /// The values of a slice for its requests.
    pub(super) fn injections(&self, slice: &Slice) -> Vec<Injection> {
        let value = |name: &str| slice.span().get(name).cloned();
        self.options.iter().filter_map(|(option, name)| Some(option.inject(value(name)?))).collect()
    }

    /// Whether the selector keeps a record.
    ///
    /// # Errors
    /// If the slice cannot be read with such a cursor value in it.
    pub(super) fn keeps(&self, record: &Record<'_>, cx: &RequestContext<'_>) -> Result<bool, Failure> {
        match &self.kind {
            Kind::Datetime(cursor) => Ok(cursor.judge(record, cx.state)? == Scope::In),
            Kind::Partitioned(cursor) => Ok(cursor.each().judge(record, cx.state)? == Scope::In),
            Kind::Count(_) => Ok(true),
        }
    }
}

fn datetime(builder: &Builder<'_>, part: &Part<'_>) -> Option<Incremental> {
    let field = part.field("cursor_field").and_then(|field| config_text(builder, &field));
    let boundaries = boundaries(builder, part);
    let format = part.text("datetime_format")?;
    let listed = part.field("cursor_datetime_formats");
    let listed = listed.iter().flat_map(|list| list.node.as_list().unwrap_or_default());
    let formats = Formats::new(listed.filter_map(|format| format.as_text().map(str::to_owned)).collect(), format);
    let start = part.field("start_datetime").and_then(|start| {
        let bound = Bound::build(builder, &start, format)?;
        builder.noted_failure(&start, bound.moment())
    });
    let end = flat(part.present("end_datetime").map(|end| Bound::build(builder, &end, format)));
    let steps = Steps::build(builder, part);
    let clamping = flat(part.field("clamping").map(|clamping| clamp(builder, &clamping)));
    let start_option = option(builder, part, "start_time_option");
    let end_option = option(builder, part, "end_time_option");
    let (field, [start_field, end_field], steps) = (field?, boundaries?, steps?);
    tell_gaps(builder, part, &steps, &formats);
    let mut cursor = DatetimeCursor::new(field, formats, start?, Moment::utc(0));
    let clock = Arc::clone(&builder.env.clock);
    let now = move || Moment::utc(clock.now().as_microsecond());
    cursor = cursor.now(now.clone());
    cursor = match end? {
        Some(bound) => cursor.until(move || bound.moment()),
        None => cursor.until(move || Ok(now())),
    };
    if let Some(step) = steps.step {
        cursor = cursor.step(step);
    }
    if let Some(unit) = steps.granularity {
        cursor = cursor.granularity(unit);
    }
    if let Some(lookback) = steps.lookback {
        cursor = cursor.lookback(lookback);
    }
    if let Some(to) = clamping? {
        cursor = cursor.clamped(to);
    }
    if part.flag("is_compare_strictly") == Some(true) {
        cursor = cursor.strictly();
    }
    if part.flag("allow_catalog_defined_cursor_field") == Some(true) {
        cursor = cursor.or_another();
    }
    let is_data_feed = part.flag("is_data_feed") == Some(true);
    let is_client_side = part.flag("is_client_side_incremental") == Some(true);
    if is_data_feed {
        cursor = cursor.data_feed();
        if switch(builder, part, UNSORTED) {
            cursor = cursor.unsorted();
        }
    }
    if is_data_feed && is_client_side {
        builder.warn(
            part,
            "`is_client_side_incremental` is not needed beside `is_data_feed`, which leaves records out, too",
        );
    }
    let options = [(start_option?, start_field.clone()), (end_option?, end_field.clone())];
    let options = options.into_iter().filter_map(|(option, field)| Some((option?, field))).collect();
    let cursor = cursor.boundaries(start_field, end_field);
    let kind = Kind::Datetime(Box::new(cursor));
    Some(Incremental { kind, options, is_client_side: is_client_side && !is_data_feed })
}

/// Whether the config turns this on.
fn switch(builder: &Builder<'_>, part: &Part<'_>, name: &str) -> bool {
    match builder.env.config.get(name) {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => {
            builder.error(part, format!("the setting {name} has to be true or false"));
            false
        }
    }
}

fn boundaries(builder: &Builder<'_>, part: &Part<'_>) -> Option<[String; 2]> {
    let name = |field: &str, default: &str| match part.present(field) {
        Some(field) => config_text(builder, &field),
        None => Some(default.to_owned()),
    };
    let (start, end) = (name("partition_field_start", "start_time"), name("partition_field_end", "end_time"));
    let (start, end) = (start?, end?);
    if start == end {
        builder.error(part, format!("both ends of a slice are called `{start}`. Give each its own name"));
        return None;
    }
    Some([start, end])
}

#[cfg(test)]
mod tests;
