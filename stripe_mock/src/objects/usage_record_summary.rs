use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::{PER_PARENT, parent_id, when};

/// The monthly usage of a subscription item. The second month has no invoice yet.
pub(in super::super) fn usage_record_summary(seed: &mut Seed) -> Value {
    let billed = seed.number % PER_PARENT == 1;
    json!({
        "id": seed.id,
        "object": "usage_record_summary",
        "invoice": when(billed, seed.id_of("invoices", seed.number)),
        "livemode": false,
        "period": {
            "end": when(billed, seed.created),
            "start": seed.created - 30 * DAY,
        },
        "subscription_item": parent_id(seed, "subscription_items"),
        "total_usage": seed.between(0, 10_000),
    })
}
