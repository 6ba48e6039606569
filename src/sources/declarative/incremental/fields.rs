//! Fields of a cursor that the config alone decides.

use super::super::options::{By, RequestOption};
use super::super::part::{Builder, Part};
use super::super::request::flat;
use super::super::template::Literal;

/// A field that is there and not empty.
pub(super) fn present<'a>(part: &'a Part<'_>, name: &'a str) -> Option<Part<'a>> {
    part.field(name).filter(|field| field.node.is_truthy())
}

/// What a field gives with the config, once.
pub(in crate::sources::declarative) fn config_value(builder: &Builder<'_>, part: &Part<'_>) -> Option<Literal> {
    let text = builder.text(part, &[])?;
    builder.noted_failure(part, text.literal(&[]))
}

pub(super) fn config_text(builder: &Builder<'_>, part: &Part<'_>) -> Option<String> {
    let text = config_value(builder, part)?.to_text();
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
