//! The common parts of the streams that first list their objects and then read events about them: the requests for
//! events, and the objects in them.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::api::Api;
use super::changed::{Changed, Now, Objects};
use super::event::Event;
use crate::http::{Response, Undecodable};
use crate::json::RecordPath;
use crate::streams::{
    DateWindows, FetchContext, ListThenEvents, Listing, Page, PageToken, Record, Records, RequestContext, stable_hash,
};

/// How long Stripe keeps events, in seconds. <https://docs.stripe.com/api/events>
pub(super) const EVENTS_KEPT: i64 = 30 * 86_400;
/// Objects that one read of events remembers: 220 kB of a page token, which states store.
const REMEMBERED: usize = 20_000;
/// The path of the events.
pub(super) const EVENTS: &str = "events";

/// The cursor of a stream: this field of its records, and these slices of its list.
pub(super) fn list_then_events(api: &Api, stream: &str, cursor_field: &str, list: Listing) -> ListThenEvents {
    ListThenEvents {
        stream: stream.to_owned(),
        cursor_field: cursor_field.to_owned(),
        start: api.config.start,
        step: api.config.slice_range,
        lookback: api.config.lookback,
        events_kept: EVENTS_KEPT,
        list_newest: false,
        list,
        in_global_form: false,
        clock: api.clock.clone(),
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

/// An event with the current object, if that was requested.
fn as_it_is_now<'e>(mut event: Event<'e>, changed: &Changed, objects: &'e Objects) -> Event<'e> {
    match event.object.get::<String>("id").and_then(|id| objects.get(&id)) {
        Some(Now::Object(text)) => event.object = Record::from_text(text.as_str()),
        Some(Now::Gone) => event.is_deleted = true,
        Some(Now::NotYet) => event.is_settled = false,
        Some(Now::Refused(_)) | None => {}
    }
    event.is_deleted |= changed.is_unlisted(&event.object);
    event
}

/// The position in a chain of pages of events. They come newest first, so only the first of several about one object is
/// wanted: it is the newest version.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EventPages {
    /// The last event's id.
    pub(super) after: String,
    /// The objects of earlier events.
    #[serde(default)]
    seen: Seen,
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
}

/// Objects, by a hash of their ids; in a token base64 of eight bytes each. Beyond the limit, older versions are
/// written, too.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<u64>);

impl Seen {
    /// Records an object. False if it was already recorded.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        let hash = stable_hash(id.as_bytes());
        match self.0.len() < REMEMBERED {
            true => self.0.insert(hash),
            false => !self.0.contains(&hash),
        }
    }
}

impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut hashes: Vec<u64> = self.0.iter().copied().collect();
        hashes.sort_unstable();
        let bytes: Vec<u8> = hashes.into_iter().flat_map(u64::to_be_bytes).collect();
        serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut seen = Self::default();
        match Value::deserialize(deserializer)? {
            Value::String(text) => {
                let bytes = STANDARD_NO_PAD.decode(text).unwrap_or_default();
                let hashes =
                    bytes.chunks_exact(8).map(|hash| hash.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)));
                seen.0.extend(hashes);
            }
            // As version 0.1.0 wrote it.
            ids => {
                for id in ids.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    seen.is_new(id);
                }
            }
        }
        Ok(seen)
    }
}

/// The records of a page of events: the results of `make` for each. `pages` is the position in the chain, before and
/// after it.
pub(super) fn event_records(
    response: &Response,
    path: &RecordPath,
    pages: &mut EventPages,
    (changed, objects): (&Changed, &Objects),
    make: &mut dyn FnMut(&Event<'_>, &mut Vec<Record<'static>>, &mut Seen),
) -> Result<Records, Undecodable> {
    Records::made_of(response, path, &mut |record, records| {
        if let Some(id) = record.get("id") {
            pages.after = id;
        }
        let Some(event) = Event::of(record) else { return };
        if event.object.get::<String>("id").is_none_or(|id| pages.seen.is_new(&id)) {
            make(&as_it_is_now(event, changed, objects), records, &mut pages.seen);
        }
    })
}

/// The objects of one kind in a page of events.
pub(super) fn objects(
    response: &Response,
    path: &RecordPath,
    token: Option<&PageToken>,
    changed: (&Changed, &Objects),
    kind: &str,
    cursor: &str,
) -> Result<Records, Undecodable> {
    let mut pages = EventPages::of(token);
    let records = event_records(response, path, &mut pages, changed, &mut |event, records, _| {
        if event.is_about(kind) {
            records.push(event.record(cursor));
        }
    })?;
    Ok(records.with_rest(pages.token()))
}

/// Requests the changed objects of a page of events, as far as the events' versions are not enough. `path_of` is the
/// path of an event's object, with its members in braces; `None` if the stream does not need it.
pub(super) fn ask_for(
    page: &Page,
    path: &RecordPath,
    token: Option<&PageToken>,
    changed: &Changed,
    fetch: &FetchContext<'_>,
    path_of: &dyn Fn(&Event<'_>) -> Option<String>,
) -> anyhow::Result<Objects> {
    let (mut pages, mut wanted) = (EventPages::of(token), Vec::new());
    let nothing = Objects::new();
    // Children need the parent's id, which is in the event.
    if fetch.for_children {
        return Ok(nothing);
    }
    let walked = event_records(&page.response, path, &mut pages, (changed, &nothing), &mut |event, _, _| {
        wanted.extend(path_of(event).and_then(|path| changed.wanted(event, &path, fetch)));
    });
    // It was read before.
    walked.map_err(|error| anyhow::anyhow!(error.problem))?;
    if wanted.is_empty() { Ok(nothing) } else { changed.fetch(&wanted, fetch) }
}

/// The token of the page of events after this one.
pub(super) fn next_page(page: &Page) -> Option<PageToken> {
    (page.get(&["has_more"]) == Some(true)).then(|| page.rest().clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_several_events_about_an_object_the_newest_counts_across_pages_too() {
        let mut pages = EventPages { after: "evt_3".to_owned(), ..EventPages::default() };
        assert!(pages.seen.is_new("cus_1") && pages.seen.is_new("cus_2") && !pages.seen.is_new("cus_1"));
        let mut pages = EventPages::of(Some(&pages.token()));
        assert_eq!(pages.after, "evt_3");
        assert!(!pages.seen.is_new("cus_2") && pages.seen.is_new("cus_3"));
        for n in 0..30_000 {
            assert!(pages.seen.is_new(&format!("cus_of_many_{n}")));
        }
        assert!(!pages.seen.is_new("cus_of_many_0") && pages.seen.0.len() == REMEMBERED);
    }

    #[test]
    fn a_token_of_version_0_1_0_is_understood() {
        let mut pages = EventPages::of(Some(&json!({"after": "evt_3", "second": 9, "seen": ["cus_1"]})));
        assert_eq!(pages.after, "evt_3");
        assert!(!pages.seen.is_new("cus_1") && pages.seen.is_new("cus_2"));
    }

    #[test]
    fn an_object_that_had_another_name_is_known_by_the_type_of_its_event() {
        let is_about = |kind: &str, object: &str, name: &str| {
            let text = json!({"type": kind, "data": {"object": {"id": "x", "object": object}}}).to_string();
            Event::of(&Record::from_text(text.as_str())).unwrap().is_about(name)
        };
        assert!(is_about("payout.paid", "transfer", "payout"));
        assert!(is_about("customer.subscription.updated", "subscription", "subscription"));
        assert!(!is_about("charge.refund.updated", "refund", "charge"));
        assert!(!is_about("account.external_account.updated", "card", "account"));
        assert!(!is_about("payout.paid", "payout", "transfer"));
    }
}
