use serde_json::json;

use super::super::testing::built;
use super::*;

/// The warnings or errors about a cursor.
fn noted(fields: &str) -> (Vec<String>, Vec<String>) {
    let manifest = format!(
        "{{type: DatetimeBasedCursor, cursor_field: at, start_datetime: '2024-01-01T00:00:00Z', \
         datetime_format: '%Y-%m-%dT%H:%M:%SZ', {fields}}}"
    );
    let built = built(&manifest, json!({}), |builder, part| Incremental::build(builder, part, None).map(|_| ()));
    (built.warnings, built.errors)
}

#[test]
fn a_granularity_that_leaves_gaps_is_reported() {
    let gap = |fields: &str| noted(fields).0.iter().any(|warning| warning.contains("is coarser than the formats"));
    assert!(gap("step: P1D, cursor_granularity: PT1M"));
    assert!(gap("step: P1D, cursor_granularity: PT1S, cursor_datetime_formats: ['%Y-%m-%dT%H:%M:%S.%fZ']"));
    assert!(!gap("step: P1D, cursor_granularity: PT1S"));
    assert!(!gap(""), "there is one window");
}

#[test]
fn faults_of_a_cursor_are_reported_with_the_fix() {
    for (fields, words) in [
        ("step: P1D", "belong together"),
        ("step: P0D, cursor_granularity: PT1S", "`step` has to be longer than zero"),
        ("step: 1 day, cursor_granularity: PT1S", "a duration of ISO 8601"),
        ("clamping: {target: YEAR}", "DAY, WEEK or MONTH"),
        ("clamping: {target: WEEK}", "`target_details.weekday`, one of MONDAY"),
        ("partition_field_end: start_time", "Give each its own name"),
        ("end_datetime: '2024'", ""),
    ] {
        let errors = noted(fields).1;
        match words {
            "" => assert_eq!(errors, [""; 0], "it is reported when the stream is read"),
            words => assert!(errors.iter().any(|error| error.contains(words)), "{fields}: {errors:?}"),
        }
    }
    assert_eq!(noted("step: P1D, cursor_granularity: PT0S").1, [""; 0], "a unit of zero length means none");
}
