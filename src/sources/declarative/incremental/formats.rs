//! The formats of a datetime cursor: those that it reads, and the one that it writes.

use serde_json::Value;

use super::super::literals::literal_of;
use super::super::template::datetime::{DateTime, Offset, format_datetime, parse_datetime};
use crate::protocol::Failure;
use crate::streams::cursor::{Moment, TimeFormat};

/// Formats that are a number as a whole.
const NUMBERS: [&str; 4] = ["%s", "%ms", "%epoch_microseconds", "%s_as_float"];

/// `cursor_datetime_formats` and `datetime_format`.
#[derive(Debug, Clone)]
pub(super) struct Formats {
    /// In the order in which they are tried.
    read: Vec<String>,
    write: String,
    /// Whether a written value states its offset, or is the same at each.
    has_offset: bool,
}

impl Formats {
    /// Reads all of these and then the last one, which it also writes.
    pub(super) fn new(mut read: Vec<String>, write: &str) -> Self {
        read.push(write.to_owned());
        let has_offset = NUMBERS.contains(&write) || ["%z", "%Z", "%s", "%c%z"].iter().any(|zone| write.contains(zone));
        Self { read, write: write.to_owned(), has_offset }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.read.iter().map(String::as_str)
    }
}

impl TimeFormat for Formats {
    fn read(&self, value: &Value) -> Result<Option<Moment>, Failure> {
        for format in &self.read {
            match parse(value, format) {
                Ok(moment) => return Ok(Some(moment)),
                Err(None) => {}
                Err(Some(why)) => {
                    return Err(Failure::system(format!("The cursor of a record cannot be read: {why}.")));
                }
            }
        }
        Ok(None)
    }

    /// A value without an offset is later read as UTC. Local time ahead of UTC would then be a later moment.
    fn write(&self, moment: Moment) -> String {
        let offset = if self.has_offset { moment.offset } else { moment.offset.min(0) };
        let at = DateTime::from_instant(moment.micros.into()).and_then(|utc| utc.at_offset(Offset::new(offset)));
        at.map(|at| format_datetime(&at, &self.write)).unwrap_or_default()
    }
}

/// A text in one format, as a moment.
pub(super) fn moment(text: &str, format: &str) -> Option<Moment> {
    parse_datetime(text, format).ok().and_then(|at| of(&at))
}

fn of(at: &DateTime) -> Option<Moment> {
    Some(Moment { micros: i64::try_from(at.instant()).ok()?, offset: at.offset.map_or(0, |offset| offset.micros) })
}

/// A value in one format. The error is `None` if only this format does not fit, otherwise the reason why it cannot be a
/// moment.
fn parse(value: &Value, format: &str) -> Result<Moment, Option<String>> {
    let text = match value {
        Value::String(text) => parse_datetime(text, format),
        // As Python's `int` and `float` read them.
        _ if NUMBERS.contains(&format) => match value {
            Value::Bool(value) => parse_datetime(if *value { "1" } else { "0" }, format),
            Value::Number(number) if format != "%s_as_float" && number.is_f64() => {
                let whole = number.as_f64().unwrap_or_default().trunc();
                parse_datetime(&format!("{whole:.0}"), format)
            }
            Value::Number(number) => parse_datetime(&number.to_string(), format),
            _ => return Err(Some("it is neither a number nor a text".to_owned())),
        },
        value => parse_datetime(&literal_of(value).to_text(), format),
    };
    let at = text.map_err(|fault| (fault.class != "ValueError").then(|| fault.message.clone()))?;
    of(&at).ok_or(None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn formats(read: &[&str], write: &str) -> Formats {
        Formats::new(read.iter().map(|&format| format.to_owned()).collect(), write)
    }

    #[test]
    fn values_are_read_in_the_first_format_that_fits_and_written_in_one() {
        let formats = formats(&["%d/%m/%Y", "%s"], "%Y-%m-%dT%H:%M:%SZ");
        for (value, written) in [
            (json!("02/03/2024"), "2024-03-02T00:00:00Z"),
            (json!(1_704_067_200), "2024-01-01T00:00:00Z"),
            (json!(1_704_067_200.9), "2024-01-01T00:00:00Z"),
            (json!("1704067200"), "2024-01-01T00:00:00Z"),
            (json!("2024-01-01T00:00:09Z"), "2024-01-01T00:00:09Z"),
        ] {
            let moment = formats.read(&value).unwrap().unwrap();
            assert_eq!(formats.write(moment), written, "{value}");
        }
        assert_eq!(formats.read(&json!("yesterday")).unwrap(), None);
        assert!(formats.read(&json!({"a": 1})).unwrap_err().message.contains("neither a number nor a text"));
        assert_eq!(formats_of_dates().read(&json!({"a": 1})).unwrap(), None);
        assert_eq!(formats_of_dates().write(formats_of_dates().read(&json!(20_240_102)).unwrap().unwrap()), "20240102");
    }

    fn formats_of_dates() -> Formats {
        formats(&[], "%Y%m%d")
    }

    #[test]
    fn local_time_ahead_of_utc_is_never_written_as_utc() {
        let with_offset = formats(&[], "%Y-%m-%dT%H:%M:%S%z");
        let ahead = with_offset.read(&json!("2024-01-02T05:30:00+05:30")).unwrap().unwrap();
        assert_eq!(with_offset.write(ahead), "2024-01-02T05:30:00+0530");
        let without = formats(&[], "%Y-%m-%dT%H:%M:%SZ");
        assert_eq!(without.write(ahead), "2024-01-02T00:00:00Z");
        let behind = with_offset.read(&json!("2024-01-02T05:30:00-05:30")).unwrap().unwrap();
        assert_eq!(without.write(behind), "2024-01-02T05:30:00Z", "earlier than the moment");
    }
}
