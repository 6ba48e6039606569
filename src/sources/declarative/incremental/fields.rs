//! Fields of a cursor that the config alone decides.

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

#[allow(clippy::option_option, reason = "a field that is not there is not one that is wrong")]
pub(super) fn option(builder: &Builder<'_>, part: &Part<'_>, name: &str) -> Option<Option<RequestOption>> {
    flat(part.field(name).map(|option| RequestOption::build(builder, &option, By::Cursor)))
}
