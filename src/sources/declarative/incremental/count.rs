//! `IncrementingCountCursor`: a number that grows with each record.

use serde_json::Number;

use super::super::options::RequestOption;
use super::super::part::{Builder, Part};
use super::super::template::{Literal, parse_int};
use super::fields::{config_text, option};
use crate::streams::cursor::CountCursor;

/// The keys of a slice's span: its start, and its end, which is unused.
const START: &str = "start";
const END: (&str, &str) = ("end", "inf");

/// The cursor that a part describes, and where requests get the start of its slice.
pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<(CountCursor, Option<(RequestOption, String)>)> {
    let field = part.field("cursor_field").and_then(|field| config_text(builder, &field));
    let start = match part.field("start_value") {
        None => Some(0.into()),
        Some(start) => {
            let value = builder.value(&start);
            let number = value.as_ref().and_then(whole);
            if value.is_some() && number.is_none() {
                builder.error(&start, "it has to be a whole number with this config");
            }
            number
        }
    };
    let option = option(builder, part, "start_value_option")?;
    let mut cursor = CountCursor::new(field?, start?, |start| vec![(START, start), (END.0, END.1.into())]);
    if part.flag("allow_catalog_defined_cursor_field") == Some(true) {
        cursor = cursor.or_another();
    }
    Some((cursor, option.map(|option| (option, START.to_owned()))))
}

/// A value as Python's `int` takes it.
fn whole(value: &Literal) -> Option<Number> {
    match value {
        Literal::Bool(value) => Some(i64::from(*value).into()),
        Literal::Int(value) => Some((*value).into()),
        Literal::Float(value) => format!("{:.0}", value.trunc()).parse::<i64>().ok().map(Into::into),
        Literal::Str(text) => parse_int(text, 10)?.to_string().parse::<i64>().ok().map(Into::into),
        _ => None,
    }
}
