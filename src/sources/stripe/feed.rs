//! Stripe's events: the requests for pages of them, and the position in a chain of pages.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::api::{list_params, record_path};
use super::changed::{Now, Objects};
use super::event::Event;
use super::row::Row;
use crate::http::{Response, Undecodable};
use crate::streams::{DateWindows, PageToken, Record, Records, RequestContext, stable_hash};

/// How long Stripe keeps events, in seconds. <https://docs.stripe.com/api/events>
pub(super) const EVENTS_KEPT: i64 = 30 * 86_400;
/// Objects that one read of events remembers: 220 kB of a page token, which states store.
const REMEMBERED: usize = 20_000;

/// The parameters of a page of events of these types. One type may be a pattern: `payment_method.*`.
pub(super) fn event_params(types: &[&str], cx: &RequestContext<'_>) -> Vec<(String, String)> {
    let name = match types {
        [pattern] if pattern.ends_with('*') => "type",
        _ => "types[]",
    };
    list_params(types.iter().map(|kind| (name, (*kind).to_owned())), DateWindows::of(cx.slice))
}

/// The position in a chain of pages of events. They come newest first, so only the first of several about one object is
/// wanted: it is the newest version.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EventPages {
    /// The last event's id.
    after: String,
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

/// The id after which the page of a token begins. The token of a list is that id.
pub(super) fn last_id(token: PageToken) -> Option<String> {
    let id = match token {
        Value::Object(mut events) => events.remove("after")?,
        id => id,
    };
    Some(id.as_str().map_or_else(|| id.to_string(), str::to_owned))
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

/// The records of a page of events: the results of `make` for each, with the current object if that was requested.
/// `pages` is the position in the chain, before and after it.
pub(super) fn event_records(
    row: &Row,
    response: &Response,
    pages: &mut EventPages,
    objects: &Objects,
    make: &mut dyn FnMut(&Event<'_>, &mut Vec<Record<'static>>, &mut Seen),
) -> Result<Records, Undecodable> {
    Records::made_of(response, &record_path(), &mut |record, records| {
        if let Some(id) = record.get("id") {
            pages.after = id;
        }
        let Some(mut event) = Event::of(record) else { return };
        let id = event.object.get::<String>("id");
        if id.as_ref().is_none_or(|id| pages.seen.is_new(id)) {
            match id.and_then(|id| objects.get(&id)) {
                Some(Now::Object(text)) => event.object = Record::from_text(text.as_str()),
                Some(Now::Gone) => event.is_deleted = true,
                Some(Now::NotYet) => event.is_settled = false,
                Some(Now::Refused(_)) | None => {}
            }
            event.is_deleted |= row.is_unlisted(&event.object);
            make(&event, records, &mut pages.seen);
        }
    })
}

/// Whether there is a page after this one.
pub(super) fn has_more(records: &Records) -> bool {
    records.get(&["has_more"]) == Some(true)
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
