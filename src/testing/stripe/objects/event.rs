use serde_json::{Value, json};

use super::super::seed::Seed;

/// Event type, the resource of its object, and what makes the object.
type Kind = (&'static str, &'static str, fn(&mut Seed) -> Value);

const KINDS: &[Kind] = &[
    ("charge.succeeded", "charges", super::charge),
    ("customer.created", "customers", super::customer),
    ("charge.updated", "charges", super::charge),
    ("invoice.paid", "invoices", super::invoice),
    ("customer.updated", "customers", super::customer),
    ("refund.created", "refunds", super::refund),
    ("product.updated", "products", super::product),
    ("account.updated", "accounts", super::account),
    ("invoice.created", "invoices", super::invoice),
    ("product.deleted", "products", super::product),
];

/// An event about an object of another resource; the types take turns.
pub(in super::super) fn event(seed: &mut Seed) -> Value {
    let (kind, resource, generate) = KINDS[(seed.number as usize - 1) % KINDS.len()];
    let object = generate(&mut seed.sibling(resource, seed.number));
    let request = seed.foreign_id("req_");
    let key = seed.letters(36);
    json!({
        "id": seed.id,
        "object": "event",
        "api_version": "2022-11-15",
        "created": seed.created,
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 0,
        "request": {
            "id": seed.maybe(60, request),
            "idempotency_key": seed.maybe(40, key),
        },
        "type": kind,
    })
}
