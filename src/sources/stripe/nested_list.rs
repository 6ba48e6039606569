//! A list whose first page is inside the objects of another list: the lines of invoices, the items of subscriptions.
//! The first time the other list is read, and then the events about its objects.

use serde_json::{Map, Value, json};

use super::api::record_path;
use super::api_error;
use super::event::{Event, IS_DELETED, UPDATED, set_updated, updated};
use super::feed::{Seen, has_more};
use super::row::Row;
use crate::http::{Response, Undecodable};
use crate::streams::{FirstPage, NestedPages, PageToken, Record, Records};

/// In an object with such a list: when an event changed it.
const CHANGED: &str = "changed";
/// In such an object: the event.
const EVENT: &str = "event";
/// In such an object that is listed again: listed records are no older than this.
const FLOOR: &str = "floor";

/// The object's fields that its list's records and requests need.
fn parent_of(object: &Record<'_>, updated: i64) -> Map<String, Value> {
    let mut parent = Map::new();
    for name in ["id", "created"] {
        if let Some(value) = object.get::<Value>(name) {
            parent.insert(name.to_owned(), value);
        }
    }
    parent.insert(UPDATED.to_owned(), json!(updated));
    parent
}

/// A record of the inner list. `None` if it is an object of another kind.
fn inner_record(row: &Row, mut record: Record<'static>, parent: &Map<String, Value>) -> Option<Record<'static>> {
    if record.get::<String>("object").is_some_and(|object| object != row.kind()) {
        return None;
    }
    for (name, of) in row.of_parent {
        record.set(name, parent.get(*of));
    }
    if row.of_parent.is_empty() {
        if let Some(changed) = parent.get(CHANGED) {
            record.set(UPDATED, changed);
        } else {
            let floor = parent.get(FLOOR).and_then(Value::as_i64);
            set_updated(&mut record, parent[UPDATED].as_i64().unwrap_or_default(), floor);
        }
    }
    if parent.contains_key(IS_DELETED) {
        record.set(IS_DELETED, true);
    }
    if let Some(event) = parent.get(EVENT).and_then(Value::as_str) {
        record.set_version(event);
    }
    Some(record)
}

/// The first page inside an object, and the requests left after it. Also for records that came before a newer version.
fn take(
    row: &Row,
    object: &Record<'_>,
    parent: &Map<String, Value>,
    records: &mut Vec<Record<'static>>,
    pages: &mut NestedPages,
    seen: &mut Seen,
) {
    let first = FirstPage::of(object, row.inside.unwrap_or_default());
    // Its own list has objects of one kind; the one inside the object may have others, too.
    let is_listed = |record: &Record<'_>| record.get::<String>("object").is_some_and(|object| object == row.kind());
    let unfinished = first.unfinished(is_listed, || parent.clone());
    let new = first.records.into_iter().filter(|record| record.get::<String>("id").is_none_or(|id| seen.is_new(&id)));
    records.extend(new.filter_map(|record| inner_record(row, record.into_owned(), parent)));
    if let Some(unfinished) = unfinished
        && !pages.unfinished.iter().any(|known| known.parent.get("id") == unfinished.parent.get("id"))
    {
        pages.unfinished.push(unfinished);
    }
}

/// A page of the list of objects with such lists.
pub(super) fn listed(row: &Row, response: &Response, started: i64, floor: Option<i64>) -> Result<Records, Undecodable> {
    let (mut pages, mut last) = (NestedPages::default(), None);
    let records = Records::made_of(response, &record_path(), &mut |object, records| {
        last = object.get::<Value>("id");
        let mut parent = parent_of(object, updated(object, started, floor));
        parent.extend(floor.map(|floor| (FLOOR.to_owned(), json!(floor))));
        take(row, object, &parent, records, &mut pages, &mut Seen::default());
    })?;
    pages.outer = after(&records, last)?;
    Ok(records.with_rest(pages.token()))
}

/// The list inside the object of an event.
pub(super) fn of_event(
    row: &Row,
    event: &Event<'_>,
    records: &mut Vec<Record<'static>>,
    pages: &mut NestedPages,
    seen: &mut Seen,
) {
    let mut parent = parent_of(&event.object, event.created);
    parent.insert(CHANGED.to_owned(), json!(event.created));
    if event.is_deleted && row.deleted_with_parent {
        parent.insert(IS_DELETED.to_owned(), json!(true));
    }
    parent.extend(event.version().map(|version| (EVENT.to_owned(), json!(version))));
    take(row, &event.object, &parent, records, pages, seen);
}

/// A page of an object's own list. If the object is gone, the list ends.
pub(super) fn rest(
    row: &Row,
    response: &Response,
    parent: &Map<String, Value>,
    token: Option<&PageToken>,
) -> Result<Records, Undecodable> {
    let pages = NestedPages::of(token);
    if api_error::is_vanished(response) {
        return Ok(Records::made(Vec::new()).with_rest(pages.after_inner(None).token()));
    }
    let mut last = None;
    let records = Records::made_of(response, &record_path(), &mut |record, records| {
        last = record.get::<String>("id");
        records.extend(inner_record(row, record.clone().into_owned(), parent));
    })?;
    let after = after(&records, last)?;
    Ok(records.with_rest(pages.after_inner(after).token()))
}

/// The last id of a page that is not the last. Ending at a page without one would be a silent gap.
fn after<T>(records: &Records, last: Option<T>) -> Result<Option<T>, Undecodable> {
    match has_more(records) {
        true if last.is_none() => {
            let problem = "there are more pages, and it has no record with `id` to continue from".to_owned();
            Err(Undecodable { problem, retry: false })
        }
        more => Ok(last.filter(|_| more)),
    }
}
