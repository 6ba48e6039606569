//! Fields of a cursor that depend on the config alone.

use super::super::options::{By, RequestOption};
use super::super::part::{Builder, Part, flat};

pub(super) fn config_text(builder: &Builder<'_>, part: &Part<'_>) -> Option<String> {
    let text = builder.value(part)?.to_text();
    if text.is_empty() {
        builder.error(part, "it is empty with this config");
        return None;
    }
    Some(text)
}

#[allow(clippy::option_option, reason = "a missing field differs from a wrong one")]
pub(super) fn option(builder: &Builder<'_>, part: &Part<'_>, name: &str) -> Option<Option<RequestOption>> {
    flat(part.field(name).map(|option| RequestOption::build(builder, &option, By::Cursor)))
}
