use std::sync::LazyLock;

use serde_json::{Value, json};

use super::super::resource::{RESOURCES, Resource};
use super::super::seed::Seed;
use super::object;

/// Event types, and the resource of their object: first creations, then changes and deletions.
static KINDS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let of: [fn(&Resource) -> Option<&'static str>; 3] =
        [|row| row.event_created, |row| row.event_updated, |row| row.event_deleted];
    let with_name = |kind: fn(&Resource) -> Option<&'static str>| {
        RESOURCES.iter().filter_map(move |row| Some((kind(row)?, row.name)))
    };
    of.into_iter().flat_map(with_name).collect()
});

/// An event about an object of another resource; the types take turns.
pub(in super::super) fn event(seed: &mut Seed) -> Value {
    let (kind, resource) = KINDS[(seed.number as usize - 1) % KINDS.len()];
    let request = seed.foreign_id("req_");
    let key = seed.letters(36);
    json!({
        "id": seed.id,
        "object": "event",
        "api_version": "2022-11-15",
        "created": seed.created,
        "data": { "object": object(seed, resource, seed.number) },
        "livemode": false,
        "pending_webhooks": 0,
        "request": {
            "id": seed.maybe(60, request),
            "idempotency_key": seed.maybe(40, key),
        },
        "type": kind,
    })
}
