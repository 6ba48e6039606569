//! Slices of time for APIs that can filter by it: from a start or a state's cursor up to now, cut in steps.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cursor::whole_number;
use super::{DateWindows, Slice};
use crate::protocol::Failure;

/// The API's notation of moments, in requests and in the cursor field of records.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateFormat {
    /// Seconds since the epoch, as a number.
    EpochSeconds,
    /// Milliseconds since the epoch, as a number.
    EpochMillis,
    /// `2026-11-01T08:00:00Z` (RFC 3339), with fractional digits if there are any.
    Rfc3339,
    /// `2026-11-01`, the day in UTC.
    Day,
}

impl DateFormat {
    /// Reads a moment; `None` if it is not one. Numbers may be written as texts.
    #[must_use]
    pub fn parse(&self, value: &Value) -> Option<Timestamp> {
        let number = || i64::try_from(whole_number(value)?).ok();
        match self {
            Self::EpochSeconds => Timestamp::from_second(number()?).ok(),
            Self::EpochMillis => Timestamp::from_millisecond(number()?).ok(),
            Self::Rfc3339 | Self::Day => {
                let text = value.as_str()?;
                let day = || Some(text.parse::<Date>().ok()?.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp());
                text.parse().ok().or_else(day)
            }
        }
    }

    /// Writes a moment.
    #[must_use]
    pub fn write(&self, at: Timestamp) -> Value {
        match self {
            Self::EpochSeconds => json!(at.as_second()),
            Self::EpochMillis => json!(at.as_millisecond()),
            Self::Rfc3339 => json!(at.to_string()),
            Self::Day => json!(at.to_zoned_datetime(TimeZone::UTC).date().to_string()),
        }
    }
}

/// Cuts time into slices `{"start": ..., "end": ...}`, oldest first, both ends included.
///
/// ```
/// use std::time::Duration;
///
/// use source_http::streams::{DateFormat, DateSlicer};
///
/// let slicer = DateSlicer {
///     step: Duration::from_secs(7 * 86_400),
///     format: DateFormat::Day,
///     granularity: Duration::from_secs(86_400),
///     ..DateSlicer::new("2026-10-20T00:00:00Z".parse()?)
/// };
/// let slices: Vec<_> = slicer.slices(None, "2026-11-01T08:00:00Z".parse()?)?.collect();
/// assert_eq!(slices[0].span()["start"], "2026-10-20");
/// assert_eq!(slices[0].span()["end"], "2026-10-26");
/// assert_eq!(slices[1].span()["end"], "2026-11-01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A stream holds one in its cursor: see [`super::DateCursor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateSlicer {
    /// Where the first sync begins. No slice begins before it.
    pub start: Timestamp,
    /// How long a slice is. Default: 30 days.
    pub step: Duration,
    /// The smallest difference between two moments of the API, if known: a slice ends that much before the next one
    /// begins. Too large a value loses records in between. With zero, a slice ends where the next one begins, so
    /// records at the boundary come twice. Default: zero.
    pub granularity: Duration,
    /// How far before the state's cursor an incremental sync begins, for APIs that deliver late. Default: zero.
    pub lookback: Duration,
    /// The notation of moments. Default: [`DateFormat::Rfc3339`].
    pub format: DateFormat,
}

impl DateSlicer {
    /// The members of a slice.
    pub const MEMBERS: [&'static str; 2] = ["start", "end"];

    /// A slicer with every default.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            start,
            step: Duration::from_secs(30 * 86_400),
            granularity: Duration::ZERO,
            lookback: Duration::ZERO,
            format: DateFormat::Rfc3339,
        }
    }

    /// The slices from a state's cursor, or the start if there is none, up to now. None if that is in the future.
    ///
    /// # Errors
    /// A config failure if the cursor is not a moment in this format.
    pub fn slices(
        &self,
        cursor: Option<&Value>,
        now: Timestamp,
    ) -> Result<impl Iterator<Item = Slice> + use<>, Failure> {
        let known = match cursor {
            Some(cursor) => Some(self.format.parse(cursor).ok_or_else(|| {
                Failure::config(format!(
                    "The state's cursor {cursor} is not a moment as this stream writes them, such as {}. Correct it, or \
                     remove the stream's state to read from the beginning.",
                    self.format.write(self.start)
                ))
            })?),
            None => None,
        };
        let lookback = SignedDuration::try_from(self.lookback).unwrap_or(SignedDuration::MAX);
        let from =
            known.map_or(self.start, |known| known.saturating_sub(lookback).unwrap_or(self.start).max(self.start));
        // Counted in granules, a slice ends one granule before the next begins.
        let granule = millis(self.granularity).max(1);
        let end = now.as_millisecond().div_euclid(granule);
        let windows = DateWindows::new(from.as_millisecond().div_euclid(granule), end, millis(self.step) / granule);
        let shared = i64::from(self.granularity.is_zero());
        let format = self.format.clone();
        Ok(windows.map(move |(first, last)| {
            let at = |granules: i64| Timestamp::from_millisecond(granules.saturating_mul(granule)).unwrap_or(now);
            let last = at(last.saturating_add(shared).min(end));
            Slice::of_span(Self::MEMBERS.into_iter().zip([format.write(at(first)), format.write(last)]))
        }))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn spans(cut: &DateSlicer, cursor: Option<&Value>, now: &str) -> Vec<(Value, Value)> {
        let slices = cut.slices(cursor, at(now)).unwrap();
        slices.map(|slice| (slice.span()["start"].clone(), slice.span()["end"].clone())).collect()
    }

    #[test]
    fn slices_go_from_the_start_or_the_cursor_less_the_lookback_but_never_before_the_start() {
        let slicer = DateSlicer {
            step: Duration::from_secs(3600),
            granularity: Duration::from_secs(1),
            lookback: Duration::from_secs(60),
            format: DateFormat::EpochSeconds,
            ..DateSlicer::new(Timestamp::from_second(10_000).unwrap())
        };
        let now = "1970-01-01T04:00:00Z";
        assert_eq!(spans(&slicer, None, now), [(json!(10_000), json!(13_599)), (json!(13_600), json!(14_400))]);
        assert_eq!(spans(&slicer, Some(&json!("14000")), now), [(json!(13_940), json!(14_400))]);
        assert_eq!(spans(&slicer, Some(&json!(10_010)), now)[0].0, json!(10_000));
        assert_eq!(spans(&slicer, Some(&json!(99_999)), now), []);
    }

    #[test]
    fn the_granularity_sets_the_gap_between_slices() {
        let slicer = DateSlicer {
            step: Duration::from_secs(1),
            granularity: Duration::from_millis(1),
            format: DateFormat::EpochMillis,
            ..DateSlicer::new(Timestamp::from_millisecond(500).unwrap())
        };
        let found = spans(&slicer, None, "1970-01-01T00:00:02Z");
        assert_eq!(found, [(json!(500), json!(1_499)), (json!(1_500), json!(2_000))]);
    }

    #[test]
    fn without_a_granularity_two_slices_have_no_gap() {
        let slicer = DateSlicer {
            step: Duration::from_secs(10),
            format: DateFormat::EpochSeconds,
            ..DateSlicer::new(Timestamp::from_second(0).unwrap())
        };
        let found = spans(&slicer, None, "1970-01-01T00:00:25.5Z");
        assert_eq!(found, [(json!(0), json!(10)), (json!(10), json!(20)), (json!(20), json!(25))]);
    }

    #[test]
    fn an_invalid_cursor_is_refused() {
        let slicer = DateSlicer::new(at("2026-01-01T00:00:00Z"));
        let failure = slicer.slices(Some(&json!("soon")), at("2026-02-01T00:00:00Z")).err().unwrap();
        assert!(failure.message.contains("\"soon\"") && failure.message.contains("2026-01-01T00:00:00Z"), "{failure}");
    }

    #[test]
    fn each_format_reads_what_it_writes() {
        let moment = at("2026-11-01T08:00:01.250Z");
        for (format, precision) in [
            (DateFormat::EpochSeconds, "2026-11-01T08:00:01Z"),
            (DateFormat::EpochMillis, "2026-11-01T08:00:01.250Z"),
            (DateFormat::Rfc3339, "2026-11-01T08:00:01.250Z"),
            (DateFormat::Day, "2026-11-01T00:00:00Z"),
        ] {
            assert_eq!(format.parse(&format.write(moment)), Some(at(precision)), "{format:?}");
        }
    }
}
