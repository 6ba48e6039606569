use serde_json::json;

use super::*;
use crate::streams::{Cursor, CursorField, CursorRead, NoCursor, sorted_for};

static N: CursorField = CursorField::new("n");
static IN_ORDER: CursorField = CursorField::new("n").spans(&["k"]);
static NONE: NoCursor = NoCursor::resumable();

struct Stream {
    cursor: &'static dyn Cursor,
}

impl HttpStream for Stream {
    fn name(&self) -> &str {
        "s"
    }
    fn url_base(&self) -> &str {
        "http://a.com"
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "s".into()
    }
    fn cursor(&self) -> &dyn Cursor {
        self.cursor
    }
    fn is_resumable(&self) -> bool {
        true
    }
}

fn object(value: Value) -> StreamState {
    serde_json::from_value(value).unwrap()
}

fn progress(stream: &Stream, state: Value, first: Option<Value>) -> StreamProgress<'_> {
    let mut state = object(state);
    let begun = position::take(&mut state, stream).unwrap();
    let first = first.map(|first| Slice::from(object(first)));
    let cursor_field = stream.cursor.cursor_field();
    let known = stream.cursor.begin(CursorRead { stream, cursor_field, state, first: first.as_ref() }).unwrap();
    StreamProgress::new(stream, known, begun)
}

fn whole(stream: &Stream, state: Value) -> StreamProgress<'_> {
    progress(stream, state, None)
}

fn open(progress: &mut StreamProgress<'_>, slice: Value) -> PendingSlice {
    progress.open(sorted_for(progress.stream, Slice::from(object(slice))), &StreamState::new()).unwrap()
}

#[test]
fn slices_in_order_move_the_state_in_their_order_and_those_ahead_are_remembered() {
    let stream = Stream { cursor: &IN_ORDER };
    let mut progress = whole(&stream, json!({}));
    let [a, b, c, d] = [1, 2, 3, 4].map(|k| open(&mut progress, json!({ "k": k })));
    assert_eq!(progress.state_with_begun(), object(json!({})), "an untouched slice needs no memory");
    progress.close(b.ticket, &b.slice, Some(json!(20)));
    progress.turn_page(c.ticket, Some(json!("p2")), Some(json!(25)));
    let expected = json!({"__resume": [
        {"slice": {"k": 1}},
        {"slice": {"k": 2}, "newest": 20, "done": true},
        {"slice": {"k": 3}, "next_page_token": "p2", "newest": 25},
    ]});
    assert_eq!(progress.state_with_begun(), object(expected.clone()));
    assert_eq!(progress.state_within(d.ticket, Some(&json!(31))), None);
    assert_eq!(progress.state_within(a.ticket, Some(&json!(7))), Some(object(json!({"n": 7}))));
    progress.close(a.ticket, &a.slice, Some(json!(10)));
    let expected = json!({"n": 20, "__resume": [{"slice": {"k": 3}, "next_page_token": "p2", "newest": 25}]});
    assert_eq!(progress.state_with_begun(), object(expected));
    assert_eq!(progress.state(), object(json!({"n": 20})));
}

#[test]
fn slices_that_were_begun_are_read_first_and_done_ones_only_wait_for_those_before_them() {
    let stream = Stream { cursor: &IN_ORDER };
    let state = json!({"n": 5, "__resume": [
        {"slice": {"k": 0}, "newest": 8, "done": true},
        {"slice": {"k": 1}},
        {"slice": {"k": 2}, "newest": 20, "done": true},
        {"slice": {"k": 3}, "next_page_token": "p2", "newest": 25},
    ]});
    let mut progress = whole(&stream, state);
    assert_eq!(progress.state(), object(json!({"n": 8})));
    let input = object(json!({"n": 5}));
    let (a, b) = (progress.next_begun(&input).unwrap(), progress.next_begun(&input).unwrap());
    assert!(progress.next_begun(&input).is_none());
    assert_eq!((&a.slice, &a.next_page_token, &a.state), (&Slice::of_span([("k", 1)]), &None, &input));
    assert_eq!((&b.next_page_token, &b.newest), (&Some(json!("p2")), &Some(json!(25))));
    progress.close(b.ticket, &b.slice, Some(json!(30)));
    assert_eq!(progress.state(), object(json!({"n": 8})));
    progress.close(a.ticket, &a.slice, None);
    assert_eq!(progress.state_with_begun(), object(json!({"n": 30})));
}

#[test]
fn a_state_remembers_a_limited_number_of_slices_ahead() {
    let stream = Stream { cursor: &IN_ORDER };
    let mut progress = whole(&stream, json!({}));
    open(&mut progress, json!({"k": 0}));
    for k in 1..100 {
        let job = open(&mut progress, json!({ "k": k }));
        progress.close(job.ticket, &job.slice, Some(json!(k)));
    }
    let begun = position::take(&mut progress.state_with_begun(), &stream).unwrap();
    let slices: Vec<i64> = begun.iter().map(|begun| begun.slice.span()["k"].as_i64().unwrap()).collect();
    assert!(slices.into_iter().eq(0..40), "without a gap, from the first unfinished one on");
}

#[test]
fn partitions_count_at_once_and_markers_when_all_slices_before_them_are_done() {
    let stream = Stream { cursor: &N };
    let begun = json!([{"slice": {"id": 9}, "next_page_token": 9}, {"slice": {"id": 2}, "next_page_token": 2}]);
    let mut progress = progress(&stream, json!({ "__resume": begun }), Some(json!({"id": 1})));
    let (a, b) = (open(&mut progress, json!({"id": 1})), open(&mut progress, json!({"id": 2})));
    assert_eq!(b.next_page_token, Some(json!(2)), "what was begun is resumed when its turn comes");
    assert!(progress.open(Slice::of_partition([("id", 1)]), &StreamState::new()).is_none(), "the same slice again");
    assert!(progress.open(Slice::marker(object(json!({"mark": 1}))), &StreamState::new()).is_none());
    progress.close(b.ticket, &b.slice, Some(json!(20)));
    let partition = json!({"partition": {"id": 2}, "cursor": {"n": 20}});
    let waiting = [json!({"slice": {"id": 9}, "next_page_token": 9})];
    assert_eq!(progress.state_with_begun(), object(json!({"states": [partition], "__resume": waiting})));
    assert!(progress.ledger.iter().any(|slice| slice.slice.is_marker()), "the marker waits");
    progress.close(a.ticket, &a.slice, None);
    assert_eq!(progress.ledger.iter().len(), 0);
    progress.forget_what_is_gone();
    let partitions = json!([partition, {"partition": {"id": 1}, "cursor": {}}]);
    let expected = json!({"states": partitions, "n": 20});
    assert_eq!(progress.state_with_begun(), object(expected), "the marker gets the newest value before it");
}

/// Only slices in order are done ahead of others: another kind of source has left such a place.
#[test]
fn a_partition_that_another_source_calls_done_is_read_before_anything_behind_it_counts() {
    let stream = Stream { cursor: &N };
    let begun = json!([{"slice": {"id": 1}, "newest": 9, "done": true}]);
    let mut progress = progress(&stream, json!({ "__resume": begun }), Some(json!({"id": 1})));
    let a = open(&mut progress, json!({"id": 1}));
    assert_eq!((&a.next_page_token, &a.newest), (&None, &None));
    assert!(progress.open(Slice::marker(object(json!({"mark": 1}))), &StreamState::new()).is_none());
    assert!(progress.ledger.iter().any(|slice| slice.slice.is_marker()), "the marker waits");
    progress.close(a.ticket, &a.slice, Some(json!(3)));
    assert_eq!(progress.ledger.iter().len(), 0);
}

#[test]
fn one_slice_without_a_cursor_has_a_page_to_resume_at_and_no_state_at_its_end() {
    let stream = Stream { cursor: &NONE };
    let mut progress = whole(&stream, json!({}));
    let job = open(&mut progress, json!({}));
    progress.turn_page(job.ticket, Some(json!("p2")), None);
    let begun = json!({"__resume": [{"slice": {}, "next_page_token": "p2"}]});
    assert_eq!((progress.state_with_begun(), progress.is_changed()), (object(begun), true));
    progress.told();
    progress.close(job.ticket, &job.slice, None);
    assert_eq!((progress.state_with_begun(), progress.is_changed()), (object(json!({})), false));
}
