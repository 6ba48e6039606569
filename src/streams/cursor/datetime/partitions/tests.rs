use serde_json::json;

use super::super::tests::{day_of, days, object};
use super::*;
use crate::streams::cursor::datetime::tests::Items;

fn partition(id: i64) -> Slice {
    Slice::of_partition([("id", json!(id)), ("parent_slice", json!({}))])
}

/// A read of the partitions with these ids.
struct Read<'c> {
    slices: Vec<Slice>,
    state: Box<dyn CursorState + 'c>,
}

fn begin<'c>(cursor: &'c PartitionedCursor, ids: &[i64], state: &Value) -> Result<Read<'c>, Failure> {
    let state = object(state.clone());
    let partitions = ids.iter().map(|id| Ok(partition(*id))).collect();
    let known = Known::of(cursor, &state, "day")?;
    let made = cursor.make(Some(Box::new(Vec::into_iter(partitions))), &[]);
    let windows = made.into_iter().flat_map(|slice| cursor.windows_of(&known, slice.unwrap().slice(), "day"));
    let slices = windows.collect::<anyhow::Result<Vec<_>>>().unwrap();
    let first = slices.first();
    let read = CursorRead { stream: &Items, cursor_field: vec!["day".to_owned()], state, first };
    let state = cursor.begin(read)?;
    Ok(Read { slices, state })
}

impl Read<'_> {
    fn spans(&self) -> Vec<String> {
        let text =
            |slice: &Slice| format!("{}: {}-{}", slice.partition()["id"], slice.span()["from"], slice.span()["to"]);
        self.slices.iter().map(|slice| text(slice).replace('"', "")).collect()
    }

    /// Reads the slices; one without a value fails.
    fn read(&mut self, newest: &[Option<&str>]) -> Value {
        for (slice, newest) in self.slices.iter().zip(newest) {
            self.state.open(slice, &StreamState::new());
            if let Some(newest) = newest {
                self.state.close(slice, Some(&json!(newest)));
            }
        }
        if newest.iter().all(Option::is_some) {
            self.state.end();
        }
        Value::Object(self.state.state())
    }
}

fn entry(id: i64, day: &str) -> Value {
    json!({"partition": {"id": id, "parent_slice": {}}, "cursor": {"day": day}})
}

#[test]
fn each_partition_has_its_own_value_and_new_ones_begin_at_the_global_one() {
    let cursor = PartitionedCursor::new(days(1, 10)).of_parents();
    let state = json!({
        "use_global_cursor": false, "states": [entry(2, "7")], "state": {"day": "6"}, "lookback_window": 86_400,
    });
    let mut read = begin(&cursor, &[1, 2, 1], &state).unwrap();
    assert_eq!(read.spans(), ["1: 5-10", "2: 7-10"]);
    assert_eq!(
        read.read(&[Some("8"), Some("9")]),
        json!({
            "use_global_cursor": false,
            "states": [entry(2, "9"), entry(1, "8")],
            "state": {"day": "9"},
            "lookback_window": 1,
            "parent_state": {},
        })
    );
}

#[test]
fn the_global_value_stays_until_everything_was_read() {
    let cursor = PartitionedCursor::new(days(1, 10));
    let state = json!({"states": [entry(1, "4")], "state": {"day": "4"}, "lookback_window": 5});
    let told = begin(&cursor, &[1, 2], &state).unwrap().read(&[Some("9"), None]);
    assert_eq!((&told["state"], &told["lookback_window"]), (&json!({"day": "4"}), &json!(5)));
    assert_eq!(told["states"], json!([entry(1, "9"), entry(2, "3")]));
    let global = PartitionedCursor::new(days(1, 10)).global();
    let told = begin(&global, &[1, 2], &json!({"day": "4"})).unwrap().read(&[Some("9"), None]);
    assert_eq!(told, json!({"use_global_cursor": true, "state": {"day": "4"}, "lookback_window": 0}));
    let told = begin(&global, &[1, 2], &json!({"day": "4"})).unwrap().read(&[Some("9"), Some("8")]);
    assert_eq!(told["state"], json!({"day": "9"}));
}

#[test]
fn a_value_in_the_future_does_not_become_the_global_one() {
    let cursor = PartitionedCursor::new(days(1, 10).now(|| day_of(12)));
    let told = begin(&cursor, &[1], &json!({})).unwrap().read(&[Some("30")]);
    assert_eq!((&told["state"], &told["states"]), (&json!({"day": "10"}), &json!([entry(1, "10")])));
    let known = json!({"states": [entry(1, "11")], "state": {"day": "11"}, "lookback_window": -200_000});
    let told = begin(&cursor, &[1, 2], &known).unwrap();
    assert_eq!(told.spans(), [""; 0], "the clock was set back, and the lookback never leads past the value");
}

/// A partition that is gone for a while has its own value when it comes back; so has one in a state with one value for all.
#[test]
fn a_partition_that_comes_back_begins_at_its_own_value() {
    let cursor = PartitionedCursor::new(days(1, 10));
    let first = begin(&cursor, &[1, 2], &json!({})).unwrap().read(&[Some("7"), Some("4")]);
    let without = begin(&cursor, &[1], &first).unwrap().read(&[Some("9")]);
    assert_eq!(begin(&cursor, &[2, 1], &without).unwrap().spans(), ["2: 4-10", "1: 9-10"]);
    let listed = json!({"use_global_cursor": true, "states": [entry(2, "4")], "state": {"day": "9"}});
    let mut read = begin(&cursor, &[1, 2], &listed).unwrap();
    assert_eq!(read.spans(), ["1: 9-10", "2: 4-10"]);
    let opened: Vec<_> = read.slices.iter().map(|slice| read.state.open(slice, &StreamState::new())).collect();
    assert_eq!(opened, [Some(object(json!({"day": "9"}))), Some(object(json!({"day": "4"})))]);
}

#[test]
fn older_states_are_found_by_the_text_of_their_value() {
    let cursor = PartitionedCursor::new(days(1, 10)).with_legacy_states_of("id");
    let mut read = begin(&cursor, &[1, 2], &json!({"1": {"day": "6"}, "3": {"day": "5"}})).unwrap();
    assert_eq!(read.spans(), ["1: 6-10", "2: 1-10"]);
    let gone = json!({"partition": {"id": "3"}, "cursor": {"day": "5"}});
    assert_eq!(read.read(&[Some("8"), Some("7")])["states"], json!([gone, entry(1, "8"), entry(2, "7")]));
}

#[test]
fn an_invalid_state_is_refused_and_partitions_are_distinguished_by_the_type_of_their_values() {
    let cursor = PartitionedCursor::new(days(1, 10));
    for state in [
        json!({"states": null}),
        json!({"states": [], "state": null}),
        json!({"states": [{"partition": {}}]}),
        json!({"state": {}, "lookback_window": null}),
        json!({"states": [{"partition": {"id": 1}, "cursor": {"day": "soon"}}]}),
    ] {
        assert!(begin(&cursor, &[1], &state).is_err(), "{state}");
    }
    let text = json!({"states": [{"partition": {"id": "1", "parent_slice": {}}, "cursor": {"day": "7"}}]});
    assert_eq!(begin(&cursor, &[1], &text).unwrap().spans(), ["1: 1-10"]);
}

#[test]
fn a_new_partition_begins_at_the_global_value_with_a_warning_or_at_the_start() {
    let state =
        json!({"use_global_cursor": false, "states": [entry(1, "7")], "state": {"day": "7"}, "lookback_window": 0});
    let cursor = PartitionedCursor::new(days(1, 10));
    assert_eq!(begin(&cursor, &[1, 2], &state).unwrap().spans(), ["1: 7-10", "2: 7-10"]);
    let warning = cursor.take_warning().unwrap();
    assert!(warning.contains("is read from 7 on") && warning.contains("__new_partitions_from_start"), "{warning}");
    assert_eq!(cursor.take_warning(), None, "it is reported once");
    assert_eq!(begin(&cursor, &[1], &state).unwrap().spans(), ["1: 7-10"]);
    assert_eq!(cursor.take_warning(), None, "none is new");

    let whole = PartitionedCursor::new(days(1, 10)).whole_when_new();
    let mut read = begin(&whole, &[1, 2], &state).unwrap();
    assert_eq!((read.spans(), whole.take_warning()), (vec!["1: 7-10".to_owned(), "2: 1-10".to_owned()], None));
    assert_eq!(read.read(&[Some("8"), None])["states"], json!([entry(1, "8"), entry(2, "1")]));
    // One global value does not show which are new.
    let global = json!({"use_global_cursor": true, "state": {"day": "7"}, "lookback_window": 0});
    assert_eq!(begin(&whole, &[1, 2], &global).unwrap().spans(), ["1: 7-10", "2: 7-10"]);
}

/// The switch to one global value, beyond 10,000 partitions.
#[test]
fn the_states_of_more_than_ten_thousand_partitions_become_one_once_all_were_read() {
    let cursor = PartitionedCursor::new(days(1, 10));
    let ids: Vec<i64> = (1..=10_001).collect();
    let newest = |failing: usize| {
        let newest = |at: usize| if at == failing { None } else { Some("9") };
        (0..ids.len()).map(newest).collect::<Vec<_>>()
    };
    let failed = begin(&cursor, &ids, &json!({})).unwrap().read(&newest(5));
    assert_eq!(failed["use_global_cursor"], json!(false), "one has failed: what is known of the others stays");
    assert_eq!(failed["states"].as_array().unwrap().len(), 10_001);
    assert_eq!(failed.get("state"), None);
    let whole = begin(&cursor, &ids, &failed).unwrap().read(&newest(usize::MAX));
    assert_eq!(whole, json!({"use_global_cursor": true, "state": {"day": "9"}, "lookback_window": 1}));

    let few = begin(&cursor, &ids[..10_000], &json!({})).unwrap().read(&newest(usize::MAX)[..10_000]);
    assert_eq!((&few["use_global_cursor"], &few["state"]), (&json!(false), &json!({"day": "9"})));
}

#[test]
fn a_missing_partition_holds_back_the_one_value_of_more_than_ten_thousand() {
    let cursor = PartitionedCursor::new(days(1, 10));
    let ids: Vec<i64> = (1..=10_000).collect();
    let state = json!({"states": [entry(0, "3")], "state": {"day": "8"}, "lookback_window": 0});
    let told = begin(&cursor, &ids, &state).unwrap().read(&vec![Some("9"); ids.len()]);
    assert_eq!(told, json!({"use_global_cursor": true, "state": {"day": "3"}, "lookback_window": 1}));
}
