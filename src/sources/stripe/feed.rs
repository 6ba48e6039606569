//! What the streams have in common that list their objects first and read events about them after that: the requests
//! for events, and the objects in them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::Api;
use crate::http::{Response, Undecodable};
use crate::json::RecordPath;
use crate::streams::{DateWindows, ListThenEvents, Page, PageToken, Record, Records, RequestContext};

/// How long Stripe keeps events, in seconds. <https://docs.stripe.com/api/events>
pub(super) const EVENTS_KEPT: i64 = 30 * 86_400;
/// Objects that are remembered of one second.
const REMEMBERED: usize = 1_000;
/// The path of the events.
pub(super) const EVENTS: &str = "events";

/// The slices and the state of a stream with this cursor.
pub(super) fn list_then_events(api: &Api, stream: &str, cursor_field: &str, list_newest: bool) -> ListThenEvents {
    ListThenEvents {
        stream: stream.to_owned(),
        cursor_field: cursor_field.to_owned(),
        start: api.config.start,
        step: api.config.slice_range,
        lookback: api.config.lookback,
        events_kept: EVENTS_KEPT,
        list_newest,
    }
}

/// The parameters of a page of events of these types. One type may be a pattern: `payment_method.*`.
pub(super) fn event_params(types: &[&str], cx: &RequestContext<'_>) -> Vec<(String, String)> {
    let name = match types {
        [pattern] if pattern.ends_with('*') => "type",
        _ => "types[]",
    };
    Api::list_params(types.iter().map(|kind| (name, *kind)), DateWindows::of(cx.slice))
}

/// An event, and the object it is about, as it was after the change.
pub(super) struct Event<'e> {
    /// Seconds since the epoch.
    pub(super) created: i64,
    /// Whether the object was deleted.
    pub(super) is_deleted: bool,
    /// The object's `object` member.
    pub(super) kind: &'e str,
    pub(super) object: Record<'e>,
}

/// Where a chain of pages of events stands. They come newest first, so of several about one object within one second
/// only the first is wanted: a destination that compares seconds would take a later one for as new.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EventPages {
    /// The last event's id.
    pub(super) after: String,
    /// The second it happened in.
    second: i64,
    /// The objects that events of that second were about.
    seen: HashSet<String>,
}

impl EventPages {
    pub(super) fn of(token: Option<&PageToken>) -> Self {
        token.and_then(|token| Self::deserialize(token).ok()).unwrap_or_default()
    }

    /// The token of the next page.
    pub(super) fn token(&self) -> Value {
        // JSON values only: this cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Notes an event. False if a newer one about its object was in the same second.
    fn note(&mut self, id: Option<String>, second: i64, object: Option<String>) -> bool {
        if let Some(id) = id {
            self.after = id;
        }
        if self.second != second {
            (self.second, self.seen) = (second, HashSet::new());
        }
        // The token stands in states: after so many, older versions come along rather than a state without end.
        match object {
            Some(object) if self.seen.len() < REMEMBERED => self.seen.insert(object),
            Some(object) => !self.seen.contains(&object),
            None => true,
        }
    }
}

/// The records of a page of events: what `make` takes out of each. `pages` says where the chain stood before, and stands
/// after it.
pub(super) fn event_records(
    response: &Response,
    path: &RecordPath,
    pages: &mut EventPages,
    make: &mut dyn FnMut(&Event<'_>, &mut Vec<Record<'static>>),
) -> Result<Records, Undecodable> {
    Records::made_of(response, path, &mut |event, records| {
        let created = event.get::<i64>("created").unwrap_or_default();
        let object = event.field_at(&["data", "object"]).map(Record::from_text);
        let id = object.as_ref().and_then(|object| object.get::<String>("id"));
        if !pages.note(event.get("id"), created, id) {
            return;
        }
        if let Some(object) = object {
            let kind = object.get::<String>("object").unwrap_or_default();
            let is_deleted = event.get::<String>("type").is_some_and(|kind| kind.ends_with(".deleted"));
            make(&Event { created, is_deleted, kind: &kind, object }, records);
        }
    })
}

/// The objects of one kind in a page of events.
pub(super) fn objects(
    response: &Response,
    path: &RecordPath,
    token: Option<&PageToken>,
    kind: &str,
    cursor: &str,
) -> Result<Records, Undecodable> {
    let mut pages = EventPages::of(token);
    let records = event_records(response, path, &mut pages, &mut |event, records| {
        if event.kind == kind {
            records.push(event.record(cursor));
        }
    })?;
    Ok(records.with_rest(pages.token()))
}

/// The token of the page of events after this one.
pub(super) fn next_page(page: &Page) -> Option<PageToken> {
    (page.get(&["has_more"]) == Some(true)).then(|| page.rest().clone())
}

impl Event<'_> {
    /// The object with the moment of its change, and with a flag if it was deleted.
    pub(super) fn record(&self, cursor: &str) -> Record<'static> {
        self.mark(self.object.clone().into_owned(), cursor)
    }

    /// Something that came with the object, with the moment of the change.
    pub(super) fn mark(&self, mut record: Record<'static>, cursor: &str) -> Record<'static> {
        record.set(cursor, &self.created);
        if self.is_deleted {
            record.set("is_deleted", &true);
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_events_about_an_object_within_a_second_the_newest_counts_across_pages_too() {
        let mut pages = EventPages::default();
        let note = |pages: &mut EventPages, id: &str, second, object: &str| {
            pages.note(Some(id.to_owned()), second, Some(object.to_owned()))
        };
        assert!(note(&mut pages, "evt_5", 9, "cus_1"));
        assert!(note(&mut pages, "evt_4", 9, "cus_2"));
        assert!(!note(&mut pages, "evt_3", 9, "cus_1"));
        let mut pages = EventPages::of(Some(&pages.token()));
        assert_eq!(pages.after, "evt_3");
        assert!(!note(&mut pages, "evt_2", 9, "cus_2"));
        assert!(note(&mut pages, "evt_1", 8, "cus_1"));
        for n in 0..5_000 {
            assert!(note(&mut pages, "evt_0", 7, &format!("cus_{n}")));
        }
        assert!(!note(&mut pages, "evt_0", 7, "cus_0") && pages.seen.len() == REMEMBERED);
    }
}
