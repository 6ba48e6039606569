//! The durations of a datetime cursor: step, smallest unit, lookback, and boundaries.

use super::super::part::{Builder, Part, flat};
use super::super::template::datetime::{Span, parse_duration};
use super::formats::Formats;
use crate::streams::cursor::{Clamping, TimeSpan};

/// The durations of a cursor.
pub(super) struct Steps {
    pub(super) step: Option<TimeSpan>,
    pub(super) granularity: Option<TimeSpan>,
    pub(super) lookback: Option<TimeSpan>,
}

impl Steps {
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let (step, granularity) = (part.present("step"), part.present("cursor_granularity"));
        if step.is_some() != granularity.is_some() {
            let text = "`step` and `cursor_granularity` belong together. Set both of them, or none";
            builder.error(part, text);
            return None;
        }
        // A template that gives nothing means none.
        let evaluated = |part: Option<Part<'_>>| match part {
            None => Some(None),
            Some(part) => match builder.value(&part)? {
                value if value.truth() => span(builder, &part, &value.to_text()).map(Some),
                _ => Some(None),
            },
        };
        let lookback = evaluated(part.present("lookback_window"));
        let unit = granularity.map(|part| span(builder, &part, part.node.as_text().unwrap_or_default()));
        let length = evaluated(step);
        let (step, granularity, lookback) = (length?, flat(unit)?, lookback?);
        // A unit of zero length means none.
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
pub(in crate::sources::declarative) fn span(builder: &Builder<'_>, part: &Part<'_>, text: &str) -> Option<TimeSpan> {
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

pub(super) fn clamp(builder: &Builder<'_>, part: &Part<'_>) -> Option<Clamping> {
    const DAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
    let target = part.field("target").and_then(|target| builder.value(&target))?.to_text();
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

/// With windows of a unit coarser than the data, the API may have records between them that no request covers.
pub(super) fn tell_gaps(builder: &Builder<'_>, part: &Part<'_>, steps: &Steps, formats: &Formats) {
    let Some(unit) = steps.granularity.filter(|_| steps.step.is_some()) else { return };
    let finest = formats.all().map(finest_unit).min().unwrap_or(i64::MAX);
    if unit.months == 0 && unit.micros > finest {
        let text = "`cursor_granularity` is coarser than the formats of the cursor: if the API filters by the exact time, \
                    records in the last unit of a window are missed. Use the smallest unit that the API knows";
        builder.warn(part, text);
    }
}

/// The smallest unit of a format, in microseconds.
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
