//! A first sync of each stream that is refused for a while, at any of its requests: the next sync completes it.

use std::collections::BTreeMap;

use super::*;
use source_http_testkit::Reply;

/// More than a page of the list in its second window, and enough children of each family for several pages.
pub(super) fn mock(row: &Row) -> StripeMockBuilder {
    let mock = StripeMock::builder().spread(DEFAULT_NOW - 34 * DAY, DEFAULT_NOW - DAY);
    match row.kind {
        _ if row.resource() == "external_accounts" => mock.children_of("external_accounts", "acct_test", 350),
        Kind::Created | Kind::Updated => mock.count(row.name, 230),
        Kind::Full => mock.count("subscriptions", 4).children("subscription_items", 12).children("usage_records", 1),
        Kind::Nested => {
            mock.count(row.parent, 104).children(row.resource(), 1).children_of(row.resource(), &first_id(row), 25)
        }
        Kind::Child | Kind::PerParent | Kind::UpdatedChild => {
            mock.count(row.parent, 104).children(row.resource(), 1).children_of(row.resource(), &first_id(row), 230)
        }
    }
}

/// A case without refusals, for another mock.
pub(super) fn bare(row: &'static Row) -> Case {
    Case { refused: Vec::new(), refused_ids: Vec::new(), ..Case::new(row) }
}

/// The id of one of the parents.
pub(super) fn first_id(row: &Row) -> String {
    StripeMock::builder().count(row.parent, 1).start().ids(row.parent)[0].to_string()
}

/// The requests that are refused: those for lists, and some of those for children, by path and by their number for the
/// path.
fn places(row: &'static Row) -> Vec<(String, u64)> {
    let mut case = Case { mock: mock(row).start(), ..bare(row) };
    case.sync("incremental", &json!([]));
    let mut hits: BTreeMap<String, u64> = BTreeMap::new();
    let mut places = Vec::new();
    let list = row.list.split('?').next().unwrap();
    for (n, request) in case.mock.server().requests().into_iter().enumerate() {
        let hit = hits.entry(request.path.clone()).or_default();
        *hit += 1;
        if request.path == list || request.param("starting_after").is_some() || n % 29 == 0 {
            places.push((request.path, *hit));
        }
    }
    places
}

#[test]
fn a_first_sync_of_a_list_that_is_refused_at_any_page_is_completed_by_the_next() {
    interrupt_all(&[Kind::Created, Kind::Updated]);
}

#[test]
fn a_first_sync_of_lists_inside_objects_that_is_refused_at_any_page_is_completed_by_the_next() {
    interrupt_all(&[Kind::Nested]);
}

#[test]
fn a_first_sync_of_children_that_is_refused_at_any_page_is_completed_by_the_next() {
    interrupt_all(&[Kind::Child, Kind::PerParent]);
}

#[test]
fn a_first_sync_of_children_with_events_that_is_refused_at_any_page_is_completed_by_the_next() {
    interrupt_all(&[Kind::UpdatedChild]);
}

fn interrupt_all(kinds: &[Kind]) {
    for row in ROWS.iter().filter(|row| kinds.contains(&row.kind)) {
        let places = places(row);
        assert!(places.len() >= 2, "{}: {places:?}", row.name);
        for (n, (path, hit)) in places.iter().enumerate() {
            // Every kind of refusal at least once, and one of them everywhere.
            let statuses = if n == places.len() / 2 { &[401, 403, 400, 500][..] } else { &[401] };
            for status in statuses {
                interrupt(row, path, *hit, *status);
            }
        }
    }
}

fn interrupt(row: &'static Row, path: &str, hit: u64, status: u16) {
    let place = format!("{} refused with {status} at {path} #{hit}", row.name);
    let reply = || Reply::json_text(r#"{"error":{"message":"Not now."}}"#).status(status);
    let attempts = if status == 500 { 6 } else { 1 };
    let mock = (0..attempts).fold(mock(row), |mock, attempt| mock.fault(path, hit + attempt, reply()));
    let mut case = Case { mock: mock.start(), ..bare(row) };
    let first = case.try_sync("incremental", &json!([]));
    assert!(first.messages.statuses(row.name).last().is_some(), "{place}");
    // It is skipped, or a refusal for one parent is noted; or going back a page has helped.
    let is_complete = first.messages.statuses(row.name).last() == Some(&"COMPLETE");
    let is_noted = first.messages.states(row.name).last().is_none_or(|state| state.get("__refused").is_some());
    let is_whole = || case.own_ids().iter().all(|id| first.ids(row).contains(id));
    assert!(!is_complete || is_noted || is_whole(), "{place}");
    case.now += DAY;
    let second = case.sync("incremental", &first.resumed());
    let mut ids = [first.ids(row), second.ids(row)].concat();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), case.own_ids().len(), "{place}");
    assert_eq!(ids, sorted(case.own_ids()), "{place}");
}
