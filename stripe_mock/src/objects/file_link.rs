use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::{parent_id, when};

/// A public link to a file.
pub(in super::super) fn file_link(seed: &mut Seed) -> Value {
    let expired = seed.chance(30);
    let expires_at = seed.created + 30 * DAY;
    json!({
        "id": seed.id,
        "object": "file_link",
        "created": seed.created,
        "expired": expired,
        "expires_at": when(expired || seed.chance(30), expires_at),
        "file": parent_id(seed, "files"),
        "livemode": false,
        "metadata": { "shared_with": format!("partner{}", seed.between(1, 9)) },
        "url": when(!expired, format!("https://files.stripe.example/links/{}", seed.letters(60))),
    })
}
