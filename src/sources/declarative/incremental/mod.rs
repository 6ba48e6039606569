//! `incremental_sync`: the cursor of a stream, as the manifest has it, and what of each slice goes into requests.

mod bounds;
mod count;
mod formats;

use std::sync::Arc;

use serde_json::Value;

use self::bounds::Bound;
use self::formats::Formats;
use super::options::{By, Injection, RequestOption};
use super::part::{Builder, Part};
use super::request::flat;
use super::template::Literal;
use super::template::datetime::{Span, parse_duration};
use crate::protocol::Failure;
use crate::streams::cursor::{Clamping, CountCursor, DatetimeCursor, Moment, PartitionedCursor, TimeSpan};
use crate::streams::{Cursor, Record, RequestContext, Scope, Slice, SliceContext, Slices};

/// The cursor of a stream.
pub(super) struct Incremental {
    kind: Kind,
    /// Where the ends of a slice go in a request, each with the member of the slice that it is.
    options: Vec<(RequestOption, String)>,
    /// Whether records outside of the wanted time are left out by the selector.
    pub(super) is_client_side: bool,
}

enum Kind {
    Datetime(Box<DatetimeCursor>),
    Partitioned(Box<PartitionedCursor>),
    Count(CountCursor),
}

impl Incremental {
    /// The cursor that a part is. `router`: the stream has partitions, and whether they are the records of parents.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, router: Option<bool>) -> Option<Self> {
        match part.kind() {
            "DatetimeBasedCursor" => {
                let cursor = datetime(builder, part)?;
                Some(match router {
                    Some(of_parents) => {
                        cursor.partitioned(part.flag("global_substream_cursor") == Some(true), of_parents)
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
            "IncrementingCountCursor" => count::build(builder, part),
            kind => {
                builder.refuse(part, &format!("the incremental sync `{kind}`"));
                None
            }
        }
    }

    fn partitioned(self, is_global: bool, of_parents: bool) -> Self {
        let kind = match self.kind {
            Kind::Datetime(cursor) => {
                let mut cursor = PartitionedCursor::new(*cursor);
                if is_global {
                    cursor = cursor.global();
                }
                if of_parents {
                    cursor = cursor.of_parents();
                }
                Kind::Partitioned(Box::new(cursor))
            }
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// The slices, of the partitions that the router gives, if there is one.
    ///
    /// # Errors
    /// If the state cannot be used, or `partitions` fails.
    pub(super) fn slices<'a>(
        &'a self,
        cx: &SliceContext<'a>,
        partitions: impl FnOnce() -> anyhow::Result<Slices<'a>>,
    ) -> anyhow::Result<Slices<'a>> {
        match &self.kind {
            Kind::Partitioned(cursor) => cursor.slices_of(partitions()?, cx),
            Kind::Datetime(_) | Kind::Count(_) => self.cursor().stream_slices(&[], cx),
        }
    }

    fn counting(cursor: CountCursor, options: Vec<(RequestOption, String)>) -> Self {
        Self { kind: Kind::Count(cursor), options, is_client_side: false }
    }

    /// The cursor.
    pub(super) fn cursor(&self) -> &dyn Cursor {
        match &self.kind {
            Kind::Datetime(cursor) => &**cursor,
            Kind::Partitioned(cursor) => &**cursor,
            Kind::Count(cursor) => cursor,
        }
    }

    /// Where it puts something into requests.
    pub(super) fn options(&self) -> impl Iterator<Item = &RequestOption> {
        self.options.iter().map(|(option, _)| option)
    }

    /// What of a slice goes into its requests.
    pub(super) fn injections(&self, slice: &Slice) -> Vec<Injection> {
        let value = |name: &str| slice.span().get(name).cloned();
        self.options.iter().filter_map(|(option, name)| Some(option.inject(value(name)?))).collect()
    }

    /// Whether the selector lets a record go on.
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
    let end = flat(present(part, "end_datetime").map(|end| Bound::build(builder, &end, format)));
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

/// A field that is there and not empty.
fn present<'a>(part: &'a Part<'_>, name: &'a str) -> Option<Part<'a>> {
    part.field(name).filter(|field| field.node.is_truthy())
}

/// What a field gives with the config, once.
fn config_value(builder: &Builder<'_>, part: &Part<'_>) -> Option<Literal> {
    let text = builder.text(part, &[])?;
    builder.noted_failure(part, text.literal(&[]))
}

fn config_text(builder: &Builder<'_>, part: &Part<'_>) -> Option<String> {
    let text = config_value(builder, part)?.to_text();
    if text.is_empty() {
        builder.error(part, "it is empty with this config");
        return None;
    }
    Some(text)
}

fn option(builder: &Builder<'_>, part: &Part<'_>, name: &str) -> Option<Option<RequestOption>> {
    flat(part.field(name).map(|option| RequestOption::build(builder, &option, By::Cursor)))
}

fn boundaries(builder: &Builder<'_>, part: &Part<'_>) -> Option<[String; 2]> {
    let name = |field: &str, default: &str| match present(part, field) {
        Some(field) => config_text(builder, &field),
        None => Some(default.to_owned()),
    };
    let (start, end) = (name("partition_field_start", "start_time"), name("partition_field_end", "end_time"));
    let (start, end) = (start?, end?);
    if start == end {
        builder.error(part, format!("both ends of a slice are called `{start}`. Give each a name of its own"));
        return None;
    }
    Some([start, end])
}

/// The spans of time of a cursor.
struct Steps {
    step: Option<TimeSpan>,
    granularity: Option<TimeSpan>,
    lookback: Option<TimeSpan>,
}

impl Steps {
    fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let (step, granularity) = (present(part, "step"), present(part, "cursor_granularity"));
        if step.is_some() != granularity.is_some() {
            let text = "`step` and `cursor_granularity` belong together. Set both of them, or none";
            builder.error(part, text);
            return None;
        }
        // A template that gives nothing is none.
        let evaluated = |part: Option<Part<'_>>| match part {
            None => Some(None),
            Some(part) => match config_value(builder, &part)? {
                value if value.truth() => span(builder, &part, &value.to_text()).map(Some),
                _ => Some(None),
            },
        };
        let lookback = evaluated(present(part, "lookback_window"));
        let unit = granularity.map(|part| span(builder, &part, part.node.as_text().unwrap_or_default()));
        let length = evaluated(step);
        let (step, granularity, lookback) = (length?, flat(unit)?, lookback?);
        // A unit of no time is none.
        let granularity = granularity.filter(|unit| *unit != TimeSpan::micros(0));
        for (name, span) in [("step", step), ("cursor_granularity", granularity)] {
            if span.is_some_and(|span| !span.is_positive()) {
                builder.error(part, format!("`{name}` has to be longer than zero"));
                return None;
            }
        }
        Some(Self { step, granularity, lookback })
    }
}

/// A duration of ISO 8601.
fn span(builder: &Builder<'_>, part: &Part<'_>, text: &str) -> Option<TimeSpan> {
    let span = match parse_duration(text) {
        Ok(Span::Delta(delta)) => i64::try_from(delta.0).ok().map(TimeSpan::micros),
        Ok(Span::Duration(duration)) => {
            let months = duration.total_months();
            let micros = i64::try_from(duration.delta.0).ok();
            let months = i64::try_from(months.truncated()).ok().filter(|_| months.is_whole());
            months.zip(micros).map(|(months, micros)| TimeSpan { months, micros })
        }
        Err(_) => None,
    };
    if span.is_none() {
        let text = "it has to be a duration of ISO 8601 with this config, such as `P1M`, `P7D` or `PT1H`";
        builder.error(part, text);
    }
    span
}

fn clamp(builder: &Builder<'_>, part: &Part<'_>) -> Option<Clamping> {
    const DAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
    let target = part.field("target").and_then(|target| config_value(builder, &target))?.to_text();
    match target.as_str() {
        "DAY" => Some(Clamping::Day),
        "MONTH" => Some(Clamping::Month),
        "WEEK" => {
            let details = part.field("target_details");
            let weekday = details.as_ref().and_then(|details| details.text("weekday"));
            let day = weekday.and_then(|weekday| DAYS.iter().position(|day| *day == weekday));
            if day.is_none() {
                builder.error(part, format!("weeks need `target_details.weekday`, one of {}", DAYS.join(", ")));
            }
            day.and_then(|day| u8::try_from(day).ok()).map(Clamping::Week)
        }
        _ => {
            builder.error(part, "`target` has to be DAY, WEEK or MONTH with this config");
            None
        }
    }
}

/// Between the windows of a unit that is coarser than the data, the API may have records that nobody asks for.
fn tell_gaps(builder: &Builder<'_>, part: &Part<'_>, steps: &Steps, formats: &Formats) {
    let Some(unit) = steps.granularity.filter(|_| steps.step.is_some()) else { return };
    let finest = formats.all().map(finest_unit).min().unwrap_or(i64::MAX);
    if unit.months == 0 && unit.micros > finest {
        let text = "`cursor_granularity` is coarser than the formats of the cursor: if the API cuts to the exact time, what is \
                    stamped in the last unit of a window is in none. Use the smallest unit that the API knows";
        builder.warn(part, text);
    }
}

/// The smallest unit that a format tells, in microseconds.
fn finest_unit(format: &str) -> i64 {
    let has = |directives: &[&str]| directives.iter().any(|directive| format.contains(directive));
    match format {
        "%ms" => 1_000,
        "%epoch_microseconds" | "%s_as_float" => 1,
        _ if has(&["%_ms"]) => 1_000,
        _ if has(&["%f"]) => 1,
        _ if has(&["%S", "%s", "%c", "%X", "%T"]) => 1_000_000,
        _ if has(&["%M"]) => 60_000_000,
        _ if has(&["%H", "%I"]) => 3_600_000_000,
        _ => 86_400_000_000,
    }
}

/// The value of a boundary that is no moment.
const WITHOUT_END: &str = "inf";

/// The names of a counting slice's members.
fn counting_members(start: Value) -> [(&'static str, Value); 2] {
    [("start", start), ("end", Value::from(WITHOUT_END))]
}
