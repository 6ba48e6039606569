//! Cursors in states that are moments, in seconds since the epoch. They are numbers or texts, Airbyte's Python
//! framework has a form with ranges, and people write dates: all are read. The written form is a text with a number of
//! seconds.

use jiff::Timestamp;
use serde_json::Value;

use super::cursor::whole_number;
use crate::protocol::{Failure, StreamState};

/// The cursor of a state in seconds since the epoch; `None` if the state is empty.
pub(crate) fn cursor(state: &StreamState, field: &str, stream: &str) -> Result<Option<i64>, Failure> {
    if state.is_empty() {
        return Ok(None);
    }
    let value = state.get(field).or_else(|| range_cursor(state));
    let seconds = value.and_then(seconds);
    seconds.map(Some).ok_or_else(|| {
        Failure::config(format!(
            "The state of {stream:?} cannot be used: it should have `{field}` with seconds since the epoch, and is {}. \
             Correct it, or remove it to read the stream from the beginning.",
            Value::Object(state.clone())
        ))
    })
}

/// Seconds by which clocks may differ: a state that is ahead by no more comes from the API's clock.
const CLOCK_SKEW: i64 = 300;

/// Whether a state's moment is useless, because a wrong clock or a person made it.
pub(crate) fn is_future(moment: i64, now: i64) -> bool {
    moment > now.saturating_add(CLOCK_SKEW)
}

/// A moment for people.
pub(crate) fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |date| date.to_string())
}

/// The form with ranges: everything up to the newest value of the first range was read without a gap.
fn range_cursor(state: &StreamState) -> Option<&Value> {
    let first = state.get("slices")?.get(0)?;
    first.get("most_recent_cursor_value").filter(|value| !value.is_null()).or_else(|| first.get("start"))
}

/// A moment in one of the forms that people and connectors write.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    if let Some(seconds) = whole_number(value) {
        return i64::try_from(seconds).ok();
    }
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this era fit, and a cast saturates")]
        Value::Number(number) => number.as_f64().map(|seconds| seconds.floor() as i64),
        Value::String(text) => text
            .parse::<Timestamp>()
            .or_else(|_| {
                text.parse::<jiff::civil::Date>()
                    .and_then(|date| Ok(date.to_zoned_datetime(jiff::tz::TimeZone::UTC)?.timestamp()))
            })
            .ok()
            .map(jiff::Timestamp::as_second),
        _ => None,
    }
}

/// Moves the cursor to the newest value seen, or to the start if there is none yet, and never back.
pub(crate) fn advance(state: &mut StreamState, field: &str, stream: &str, start: i64, newest: Option<&Value>) {
    let known = cursor(state, field, stream).ok().flatten().unwrap_or(start);
    let newest = newest.and_then(seconds);
    set_cursor(state, field, newest.map_or(known, |newest| newest.max(known)));
}

/// Sets the cursor, and drops the form with ranges, which would contradict it.
pub(crate) fn set_cursor(state: &mut StreamState, field: &str, seconds: i64) {
    state.remove("slices");
    state.remove("state_type");
    state.insert(field.to_owned(), seconds.to_string().into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(state: &Value) -> Result<Option<i64>, Failure> {
        cursor(state.as_object().unwrap(), "created", "s")
    }

    #[test]
    fn every_form_of_cursor_is_read() {
        for state in [
            json!({"created": "1795029223"}),
            json!({"created": 1_795_029_223}),
            json!({"created": 1_795_029_223.9}),
            json!({"created": "2026-11-18T19:13:43Z", "other": 1}),
            json!({"created": "2026-11-18T21:13:43+02:00"}),
            json!({"slices": [{"start": 1, "end": 1_795_029_300, "most_recent_cursor_value": 1_795_029_223}], "state_type": "date-range"}),
            json!({"slices": [{"start": "1795029223", "end": "1795029300"}], "state_type": "date-range"}),
        ] {
            assert_eq!(read(&state).unwrap(), Some(1_795_029_223), "{state}");
        }
        assert_eq!(read(&json!({"created": "2026-11-18"})).unwrap(), Some(1_794_960_000));
        assert_eq!(read(&json!({})).unwrap(), None);
    }

    #[test]
    fn a_state_without_a_cursor_is_refused_and_not_ignored() {
        for state in
            [json!({"updated": "1"}), json!({"created": "soon"}), json!({"created": null}), json!({"slices": []})]
        {
            assert!(read(&state).is_err(), "{state}");
        }
    }
}
