//! Suggests how to write a date: in the form that the specification accepts, which is tried rather than guessed.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::Offset;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::schemas::Schemas;

/// Notations of dates, the usual ones first.
const FORMS: [&str; 11] = [
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.000Z",
    "%Y-%m-%dT%H:%M:%S.000000Z",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%Y-%m",
    "%s",
];
/// The date of an example, if the value is not a date.
const EXAMPLE: &str = "2024-01-01";

/// Whether a violation is a date in another notation than the specification wants.
pub(super) fn is_about_a_date(error: &jsonschema::ValidationError<'_>) -> bool {
    match error.kind() {
        ValidationErrorKind::Format { format } => matches!(format.as_str(), "date" | "date-time"),
        ValidationErrorKind::Pattern { pattern } => {
            let digits = ["[0-9]{4}", "\\d{4}"].iter().find_map(|digits| pattern.split_once(digits));
            digits.is_some_and(|(_, rest)| {
                ["-", "/", "[0-9]{2}", "\\d{2}", "(-", "\\-"].iter().any(|next| rest.starts_with(next))
            })
        }
        _ => false,
    }
}

/// The fix for such a value: `write 2024-01-01T00:00:00Z`. It is the same date, if the value is one, otherwise an
/// example. `fits` says whether the specification accepts a text there. `None` if nothing fits.
pub(super) fn how_to_write(value: &Value, schemas: &Schemas<'_>, fits: &dyn Fn(&str) -> bool) -> Option<String> {
    let written = |date: DateTime| {
        let date = date.to_zoned_datetime(Offset::UTC.to_time_zone()).ok()?;
        FORMS.iter().filter_map(|form| strtime::format(form, &date).ok()).find(|text| fits(text))
    };
    // A value marked as secret is never shown.
    let meant = value.as_str().filter(|_| !schemas.is_secret()).and_then(parse);
    if let Some(text) = meant.and_then(written) {
        return Some(format!("write {text}"));
    }
    let examples = schemas.examples().into_iter().find(|text| fits(text)).map(str::to_owned);
    let example = examples.or_else(|| written(EXAMPLE.parse().ok()?))?;
    Some(format!("write it like {example}"))
}

/// The date in a text, in UTC, if it is unambiguous.
fn parse(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(Offset::UTC.to_datetime(moment));
    }
    if let Ok(date) = text.parse::<DateTime>() {
        return Some(date);
    }
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let (year, month, day) = match *parts {
        [year, month] => (year, month, "1"),
        [year, month, day] => (year, month, day),
        _ => return None,
    };
    if year.len() != 4 || ![year, month, day].iter().all(digits) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok().map(|date| date.at(0, 0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_understood_in_common_notations() {
        for (text, expected) in [
            ("2024-01-31", Some("2024-01-31T00:00:00")),
            (" 2024-01-31T10:30 ", Some("2024-01-31T10:30:00")),
            ("2024-01-31 10:30:05", Some("2024-01-31T10:30:05")),
            ("2024-01-31T01:00:00+02:00", Some("2024-01-30T23:00:00")),
            ("20240131", Some("2024-01-31T00:00:00")),
            ("2024/1/31", Some("2024-01-31T00:00:00")),
            ("2024-01", Some("2024-01-01T00:00:00")),
            ("2024-02-30", None),
            ("01/02/2024", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|date| date.to_string()).as_deref(), expected, "{text}");
        }
    }
}
