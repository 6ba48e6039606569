use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::{children, list};

const KINDS: &[(&str, &str)] = &[
    ("dispute_evidence", "pdf"),
    ("identity_document", "png"),
    ("business_logo", "jpg"),
    ("finance_report_run", "csv"),
    ("sigma_scheduled_query", "csv"),
];

/// An uploaded file or a report; its links are those of the same numbers.
pub(in super::super) fn file(seed: &mut Seed) -> Value {
    let (purpose, kind) = *seed.pick(KINDS);
    let name = format!("{}.{kind}", seed.letters(10).to_lowercase());
    let title = format!("Copy of {name}");
    json!({
        "id": seed.id,
        "object": "file",
        "created": seed.created,
        "expires_at": seed.maybe(60, seed.created + 240 * DAY),
        "filename": name,
        "links": list(children(seed, "file_links"), format!("/v1/file_links?file={}", seed.id)),
        "purpose": purpose,
        "size": seed.between(900, 4_000_000),
        "title": seed.maybe(30, title),
        "type": kind,
        "url": format!("https://files.stripe.example/v1/files/{}/contents", seed.id),
    })
}
