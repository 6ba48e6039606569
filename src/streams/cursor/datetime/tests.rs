use serde_json::{Value, json};

use super::*;
use crate::streams::{HttpStream, RequestContext};

pub(super) struct Items;

impl HttpStream for Items {
    fn name(&self) -> &'static str {
        "items"
    }
    fn url_base(&self) -> &'static str {
        "http://a.com"
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "items".into()
    }
}

/// Days of January 2024, as `1` to `31`.
struct Days;

impl TimeFormat for Days {
    fn read(&self, value: &Value) -> Result<Option<Moment>, Failure> {
        let day = value.as_str().and_then(|text| text.parse::<i64>().ok());
        Ok(day.map(day_of))
    }

    fn write(&self, moment: Moment) -> String {
        (moment.micros.div_euclid(86_400_000_000) - 19_722).to_string()
    }
}

pub(super) fn day_of(day: i64) -> Moment {
    Moment::utc((day + 19_722) * 86_400_000_000)
}

pub(super) fn days(start: i64, end: i64) -> DatetimeCursor {
    DatetimeCursor::new("day", Days, day_of(start), day_of(end)).boundaries("from", "to")
}

fn by_three(start: i64, end: i64) -> DatetimeCursor {
    days(start, end).step(TimeSpan::days(3)).granularity(TimeSpan::days(1))
}

pub(super) fn object(value: Value) -> StreamState {
    serde_json::from_value(value).unwrap()
}

fn slices(cursor: &DatetimeCursor, state: Value) -> Vec<Slice> {
    cursor.slices(&object(state), &[]).unwrap().map(Result::unwrap).collect()
}

fn spans(cursor: &DatetimeCursor, state: Value) -> Vec<String> {
    let text = |slice: &Slice, name: &str| slice.get(name).and_then(Value::as_str).unwrap().to_owned();
    slices(cursor, state).iter().map(|slice| format!("{}-{}", text(slice, "from"), text(slice, "to"))).collect()
}

/// A read from a state: the outcomes of the slices in order, and the states after each and at the end. An error is a
/// failed slice, otherwise it is the newest value of its records, if it has any.
fn read(cursor: &DatetimeCursor, state: Value, outcomes: &[Result<Option<&str>, ()>]) -> Vec<String> {
    let slices = slices(cursor, state.clone());
    assert_eq!(slices.len(), outcomes.len());
    let read = CursorRead { stream: &Items, cursor_field: vec!["day".to_owned()], state: object(state), first: None };
    let mut known = cursor.begin(read).unwrap();
    let mut states = Vec::new();
    for (slice, outcome) in slices.iter().zip(outcomes) {
        known.open(slice, &StreamState::new());
        if let Ok(newest) = outcome {
            known.close(slice, newest.map(Value::from).as_ref());
            states.push(known.state());
        }
    }
    if outcomes.iter().all(Result::is_ok) {
        known.end();
    }
    states.push(known.state());
    states.into_iter().map(|state| state["day"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_rest_is_cut_into_steps_that_do_not_overlap() {
    assert_eq!(spans(&by_three(1, 10), json!({})), ["1-3", "4-6", "7-10"]);
    assert_eq!(spans(&by_three(1, 10), json!({"day": "5"})), ["5-7", "8-10"]);
    assert_eq!(spans(&days(1, 10), json!({"day": "5"})), ["5-10"]);
    assert_eq!(spans(&days(1, 10).lookback(TimeSpan::days(2)), json!({"day": "5"})), ["3-10"]);
    assert_eq!(spans(&days(4, 10).lookback(TimeSpan::days(2)), json!({"day": "5"})), ["4-10"]);
    assert_eq!(spans(&by_three(1, 10), json!({"day": "10"})), ["10-10"]);
    assert_eq!(spans(&by_three(1, 10).strictly(), json!({"day": "10"})), [""; 0]);
    assert_eq!(spans(&days(1, 10), json!({"day": "10"})), [""; 0]);
    assert_eq!(spans(&days(1, 10), json!({"day": "20"})), [""; 0]);
}

#[test]
fn a_state_with_intervals_has_its_gaps_read() {
    let state = json!({"state_type": "date-range", "slices": [
        {"start": "3", "end": "4", "most_recent_cursor_value": "4"},
        {"start": "8", "end": "9"},
    ]});
    assert_eq!(spans(&by_three(1, 12), state.clone()), ["1-2", "5-7", "9-12"]);
    assert_eq!(spans(&days(1, 12), state), ["1-3", "4-8", "9-12"]);
    assert_eq!(spans(&days(1, 12), json!({"state_type": "date-range", "slices": []})), ["1-12"]);
}

/// Requests and the cursor's scope begin with the first interval, in whichever order a state has them.
#[test]
fn records_in_a_gap_are_wanted() {
    let feed = by_three(1, 12).data_feed();
    for slices in [
        json!([{"start": "8", "end": "9"}, {"start": "1", "end": "3", "most_recent_cursor_value": "2"}]),
        json!([{"start": "1", "end": "3", "most_recent_cursor_value": "7"}, {"start": "8", "end": "9"}]),
    ] {
        let state = object(json!({"state_type": "date-range", "slices": slices}));
        let read = CursorRead { stream: &Items, cursor_field: Vec::new(), state: state.clone(), first: None };
        let slice = feed.slices(&state, &[]).unwrap().next().unwrap().unwrap();
        let of_request = feed.begin(read).unwrap().open(&slice, &StreamState::new()).unwrap();
        let record = Record::from_text(r#"{"day":"4"}"#);
        assert_eq!(feed.judge(&record, &of_request).unwrap(), Scope::In, "{state:?}");
    }
}

#[test]
fn a_state_moves_only_with_the_first_interval() {
    let cursor = by_three(1, 9);
    assert_eq!(read(&cursor, json!({}), &[Ok(Some("2")), Ok(None), Ok(Some("9"))]), ["2", "2", "9", "9"]);
    assert_eq!(read(&cursor, json!({}), &[Ok(Some("2")), Err(()), Ok(Some("9"))]), ["2", "2", "2"]);
    assert_eq!(read(&cursor, json!({}), &[Err(()), Ok(Some("5")), Ok(Some("9"))]), ["1", "1", "1"]);
}

/// The API ignored the end of the window.
#[test]
fn a_value_beyond_its_slice_does_not_move_the_state_past_one_that_fails() {
    assert_eq!(read(&by_three(1, 9), json!({}), &[Ok(Some("8")), Err(()), Ok(None)]), ["3", "3", "3"]);
    assert_eq!(read(&by_three(1, 9), json!({}), &[Ok(Some("8")), Ok(None), Ok(None)]), ["3", "6", "8", "8"]);
}

#[test]
fn a_value_in_the_future_moves_the_state_to_the_end_at_most() {
    assert_eq!(read(&days(1, 9), json!({}), &[Ok(Some("31"))]), ["9", "9"]);
    let now = days(1, 9).now(|| day_of(20));
    assert_eq!(read(&now, json!({}), &[Ok(Some("31"))]), ["9", "9"], "10 to 20 were not requested");
    assert_eq!(read(&now, json!({}), &[Ok(Some("15"))]), ["9", "15"]);
}

/// The clock was set back: nothing is read until it reaches the state again, and the state stays.
#[test]
fn a_state_is_not_moved_back_by_a_clock() {
    let back = days(1, 9).now(|| day_of(9));
    assert_eq!(read(&back, json!({"day": "15"}), &[]), ["15"]);
    let by_three = by_three(1, 9).lookback(TimeSpan::days(8)).now(|| day_of(9));
    assert_eq!(read(&by_three, json!({"day": "15"}), &[Ok(Some("8"))]), ["15", "15"]);
}

#[test]
fn a_slice_that_is_read_again_and_fails_keeps_the_state_unchanged() {
    let cursor = by_three(1, 9).lookback(TimeSpan::days(4));
    assert_eq!(spans(&cursor, json!({"day": "5"})), ["1-3", "4-6", "7-9"]);
    assert_eq!(read(&cursor, json!({"day": "5"}), &[Err(()), Ok(Some("6")), Ok(Some("9"))]), ["5", "5", "5"]);
    assert_eq!(read(&cursor, json!({"day": "5"}), &[Ok(None), Ok(Some("6")), Ok(Some("9"))]), ["5", "6", "9", "9"]);
}

#[test]
fn windows_begin_at_a_boundary_before_the_rest() {
    let weeks = days(1, 31).step(TimeSpan::days(7)).granularity(TimeSpan::days(1)).clamped(Clamping::Week(0));
    // The first of January 2024 is a Monday.
    assert_eq!(spans(&weeks, json!({"day": "10"})), ["8-14", "15-21", "22-28"]);
    assert_eq!(read(&weeks, json!({"day": "10"}), &[Ok(Some("12")), Ok(None), Ok(None)]), ["12"; 4]);
}

/// The API may have cut at midnight; later records are requested again while the state stays.
#[test]
fn an_end_that_the_format_truncates_keeps_the_state_before_it() {
    let hours = by_three(1, 9).granularity(TimeSpan::seconds(1));
    assert_eq!(spans(&hours, json!({})), ["1-3", "4-6", "7-9"]);
    assert_eq!(read(&hours, json!({}), &[Ok(Some("2")), Ok(Some("5")), Ok(Some("9"))]), ["2"; 4]);
}

#[test]
fn a_record_above_the_window_does_not_end_a_feed() {
    let feed = days(1, 20).lookback(TimeSpan::days(1)).data_feed();
    let judged = |day: &str, state: Value| {
        feed.judge(&Record::from_text(format!(r#"{{"day":"{day}"}}"#)), &object(state)).unwrap()
    };
    let state = json!({"day": "5"});
    assert_eq!(judged("21", state.clone()), Scope::Out);
    assert_eq!(judged("20", state.clone()), Scope::In);
    assert_eq!(judged("4", state.clone()), Scope::In);
    assert_eq!(judged("3", state.clone()), Scope::Past);
    assert_eq!(judged("soon", state), Scope::In);
    assert_eq!(judged("1", json!({})), Scope::In);
}

#[test]
fn an_unusable_state_is_a_config_failure_and_keys_of_others_are_left_out() {
    let begin = |state: Value| {
        let read = CursorRead { stream: &Items, cursor_field: Vec::new(), state: object(state), first: None };
        days(1, 9).begin(read).map(|known| known.state()).map_err(|failure| failure.message)
    };
    assert!(begin(json!({"day": null})).unwrap_err().contains("its `day` is in none of the formats"));
    assert!(begin(json!({"state_type": "date-range", "slices": [{"start": "1"}]})).unwrap_err().contains("no `end`"));
    assert_eq!(begin(json!({"day": "4", "states": [], "other": 1})), Ok(object(json!({"day": "4"}))));
    assert_eq!(begin(json!({"day": "0"})), Ok(object(json!({"day": "1"}))));
}
