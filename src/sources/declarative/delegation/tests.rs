use serde_json::{Value, json};

use super::super::build::Streams;
use super::super::stream::DeclarativeStream;
use super::super::testing::built;
use super::*;

/// A stream with both variants; `extra` are further fields of it, `full` and `changes` fields of its two streams. The
/// time is 2024-03-15.
fn stream(extra: &str, full: &str, changes: &str) -> (Option<DeclarativeStream>, Vec<String>) {
    let one = |path: &str, extra: &str| {
        format!(
            "{{type: DeclarativeStream, name: items, retriever: {{type: SimpleRetriever, requester: {{type: HttpRequester, \
             url_base: 'https://a.example', path: {path}}}, record_selector: {{type: RecordSelector, extractor: \
             {{type: DpathExtractor, field_path: []}}}}}}, {extra}}}"
        )
    };
    let manifest = format!(
        "{{type: StateDelegatingStream, name: items, full_refresh_stream: {}, incremental_stream: {}, {extra}}}",
        one("all", full),
        one("changes", changes)
    );
    let built = built(&manifest, json!({"days": 10}), |builder, part| Streams::new(builder, None).build(part, false));
    assert_eq!(built.refusals, [""; 0]);
    (built.part, built.errors)
}

const CURSOR: &str = "incremental_sync: {type: DatetimeBasedCursor, cursor_field: at, datetime_format: '%Y-%m-%d', \
                      start_datetime: '2024-01-01'}";

/// The stream for a state: whether it is the list of everything, and whether the state is dropped.
fn asked(stream: &DeclarativeStream, state: Value) -> (bool, bool) {
    let state = serde_json::from_value(state).unwrap();
    let delegate = stream.for_state(&state).unwrap().unwrap();
    assert_eq!(delegate.stream.name(), "items");
    let is_all = std::ptr::eq(std::ptr::from_ref(delegate.stream).cast::<u8>(), std::ptr::from_ref(stream).cast());
    assert_eq!(is_all, delegate.is_all_or_nothing);
    (is_all, delegate.drops_state.is_some())
}

#[test]
fn any_state_leads_to_the_changes() {
    let stream = stream("", "", CURSOR).0.unwrap();
    assert_eq!(asked(&stream, json!({})), (true, false));
    for state in [json!({"at": "2020-01-01"}), json!({NO_CURSOR_STATE: true}), json!({"other": 1})] {
        assert_eq!(asked(&stream, state), (false, false));
    }
}

#[test]
fn a_state_older_than_the_changes_is_dropped() {
    let stream = stream("api_retention_period: \"P{{ config['days'] }}D\"", "", CURSOR).0.unwrap();
    assert_eq!(asked(&stream, json!({"at": "2024-03-05"})), (true, true));
    assert_eq!(asked(&stream, json!({"at": "2024-03-06"})), (false, false));
    assert_eq!(asked(&stream, json!({NO_CURSOR_STATE: true})), (false, false), "all was read");
    assert_eq!(asked(&stream, json!({NO_CURSOR_STATE: true, "at": "2024-03-05"})), (true, true), "some time ago");
    assert_eq!(asked(&stream, json!({"other": 1})), (true, true), "its age is not known");
    let intervals = |newest: &str| {
        let slice = json!({"start": "2024-01-01", "end": "2024-03-14", "most_recent_cursor_value": newest});
        json!({"state_type": "date-range", "slices": [slice]})
    };
    assert_eq!(asked(&stream, intervals("2024-03-05")), (true, true));
    assert_eq!(asked(&stream, intervals("2024-03-10")), (false, false));
}

#[test]
fn faults_of_such_a_stream_are_reported() {
    for (extra, full, words) in [
        ("", "name: other", "Give both its name"),
        (
            "api_retention_period: P1D",
            "incremental_sync: {type: IncrementingCountCursor, cursor_field: n}",
            "has no age",
        ),
        ("api_retention_period: a while", "", "a duration of ISO 8601"),
    ] {
        let (stream, errors) = stream(extra, full, CURSOR);
        assert!(stream.is_none() && errors.iter().any(|error| error.contains(words)), "{words}: {errors:?}");
    }
    assert!(stream("api_retention_period: ''", "", CURSOR).0.unwrap().delegation.unwrap().retention.is_none());
}
