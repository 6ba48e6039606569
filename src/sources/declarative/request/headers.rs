//! The headers of a requester. Unlike query parameters, their values pass through the literal step: `1e5` is sent as
//! `100000.0`. A value that one expression takes from a text, such as a version or an id of the config, stays that
//! text.

use super::super::part::{Builder, Part, literal};
use super::super::placed::{Inputs, Text, Var};
use super::super::template::{InputPlace, Literal};
use crate::protocol::Failure;

/// The headers of a requester.
#[derive(Debug, Default)]
pub(super) struct Headers {
    entries: Vec<(Text, Value)>,
    /// One template for all of them.
    whole: Option<Inputs>,
}

#[derive(Debug)]
enum Value {
    Text(Box<Text>),
    Raw(Literal),
}

impl Headers {
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, names: &[&str]) -> Option<Self> {
        let Some(field) = part.field("request_headers") else { return Some(Self::default()) };
        if field.node.as_map().is_none() {
            let whole = Some(builder.inputs(&field, InputPlace::Headers, names)?);
            return Some(Self { entries: Vec::new(), whole });
        }
        let mut entries = Vec::new();
        let mut all = true;
        for (key, item) in field.entries() {
            let value = match item.node.as_text() {
                Some(text) => {
                    tell_changed(builder, &item, text);
                    builder.text(&item, names).map(|text| Value::Text(Box::new(text)))
                }
                None => Some(Value::Raw(literal(item.node))),
            };
            match (builder.text(&key, names), value) {
                (Some(key), Some(value)) => entries.push((key, value)),
                _ => all = false,
            }
        }
        all.then_some(Self { entries, whole: None })
    }

    /// Names and values. Empty results are omitted.
    pub(super) fn eval(&self, vars: &[Var<'_>]) -> Result<Vec<(Literal, Literal)>, Failure> {
        let mut headers: Vec<(Literal, Literal)> = Vec::with_capacity(self.entries.len());
        if let Some(whole) = &self.whole
            && let Literal::Dict(entries) = whole.eval(vars)?
        {
            headers = entries;
        }
        for (name, value) in &self.entries {
            let value = match value {
                Value::Text(text) => text.kept_or_none(vars)?,
                Value::Raw(value) => value.clone(),
            };
            let name = Literal::Str(name.literal(vars)?.to_text());
            match headers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => headers.push((name, value)),
            }
        }
        headers.retain(|(_, value)| *value != Literal::None);
        Ok(headers)
    }

    /// Whether a header may hold a secret of the config: it does not follow a redirect to another host.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        let uses = |value: &Value| matches!(value, Value::Text(text) if text.template().uses("config"));
        self.whole.is_some()
            || self
                .entries
                .iter()
                .any(|(known, value)| known.template().text().eq_ignore_ascii_case(name) && uses(value))
    }
}

/// Reports a plain text that is not sent as written.
fn tell_changed(builder: &Builder<'_>, part: &Part<'_>, text: &str) {
    if text.contains('{') {
        return;
    }
    match Literal::parse(text) {
        Some(Literal::None) => {
            builder.warn(part, format!("`{text}` is Python's word for nothing, so the header is not sent"));
        }
        Some(literal) if literal.to_text() != text => {
            let sent = literal.to_text();
            builder
                .warn(part, format!("`{text}` is sent as `{sent}`. To send it as it is, write `{{{{ '{text}' }}}}`"));
        }
        _ => {}
    }
}
