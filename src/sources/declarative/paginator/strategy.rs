//! The strategies of pagination. The size of a page is its number of records in the response, before any filter; a
//! cursor's templates see the records after it.

use serde_json::{Map, Value};

use super::super::literals::json_of;
use super::super::options::whole_number;
use super::super::part::{Builder, Part};
use super::super::placed::{Condition, Text, Var};
use super::super::template::{Json, Literal, Variable};
use super::page::{Next, Page};
use crate::http::{HeaderMap, all_links};
use crate::protocol::Failure;

/// A strategy.
#[derive(Debug)]
pub(super) enum Strategy {
    /// One page.
    None,
    /// Pages have numbers.
    Page { size: Option<i64>, start: i64, inject_first: bool },
    /// Pages begin at an offset.
    Offset { size: Option<i64>, of_response: Option<Box<Text>>, inject_first: bool },
    /// A page contains the token of the next one.
    Cursor { size: Option<i64>, value: Box<Text>, stop: Option<Box<Condition>> },
}

impl Strategy {
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, sends_size: bool) -> Option<Self> {
        let inject_first = part.flag("inject_on_first_request").unwrap_or_default();
        let size = part.present("page_size");
        match part.kind() {
            "PageIncrement" => {
                let size = page_size(builder, size.as_ref())?;
                let start = match part.field("start_from_page") {
                    Some(start) => whole_number(builder, &start)?,
                    None => 0,
                };
                Some(Self::Page { size, start, inject_first })
            }
            "OffsetIncrement" => {
                let of_response =
                    size.as_ref().filter(|size| size.node.as_text().is_some_and(|text| text.contains("{{")));
                if let Some(field) = of_response {
                    let text = builder.text(field, &["response"])?;
                    if text.template().uses("response") {
                        if sends_size {
                            builder.error(field, "a page size from the response cannot be sent with the request");
                            return None;
                        }
                        return Some(Self::Offset { size: None, of_response: Some(Box::new(text)), inject_first });
                    }
                }
                let size = page_size(builder, size.as_ref())?;
                Some(Self::Offset { size, of_response: None, inject_first })
            }
            "CursorPagination" => {
                let size = page_size(builder, size.as_ref())?;
                let mut names = vec!["response", "headers", "last_record", "last_page_size", "stream_slice"];
                if size.is_some() {
                    names.push("page_size");
                }
                let stop = part.field("stop_condition").map(|stop| builder.condition(&stop, &names).map(Box::new));
                let Some(value) = part.field("cursor_value") else {
                    builder.error(part, "it has no `cursor_value`");
                    return None;
                };
                let value = Box::new(builder.text(&value, &names)?);
                let stop = match stop {
                    None => None,
                    Some(stop) => Some(stop?),
                };
                Some(Self::Cursor { size, value, stop })
            }
            other => {
                builder.refuse(part, &format!("the pagination strategy `{other}`"));
                None
            }
        }
    }

    pub(super) fn size(&self) -> Option<i64> {
        match self {
            Self::None => None,
            Self::Page { size, .. } | Self::Offset { size, .. } | Self::Cursor { size, .. } => *size,
        }
    }

    pub(super) fn can_reduce(&self, smallest: i64) -> Result<(), &'static str> {
        match self {
            Self::None | Self::Page { .. } => {
                Err("smaller pages would move the numbered pages after them: use OffsetIncrement or CursorPagination")
            }
            _ if self.size().is_none() => Err("the `pagination_strategy` has no `page_size`"),
            Self::Cursor { stop: Some(stop), .. } if stops_at_small_pages(stop, smallest) => {
                Err("the `stop_condition` takes a smaller page for the last one: compare with `page_size`, or with 0")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn initial(&self) -> Option<Value> {
        match self {
            Self::Page { start, inject_first: true, .. } => Some((*start).into()),
            Self::Offset { inject_first: true, .. } => Some(0.into()),
            _ => None,
        }
    }

    pub(super) fn reads_response(&self) -> bool {
        match self {
            Self::Cursor { value, stop, .. } => {
                value.template().uses("response") || stop.as_ref().is_some_and(|stop| stop.uses("response"))
            }
            Self::Offset { of_response, .. } => of_response.is_some(),
            Self::None | Self::Page { .. } => false,
        }
    }

    pub(super) fn next(&self, page: &Page<'_>) -> Result<Next, Failure> {
        match self {
            Self::None => Ok(Next::End("there is no pagination")),
            Self::Page { size, start, .. } => Ok(match short(page.found, page.size.or(*size)) {
                Some(why) => Next::End(why),
                None => Next::Page(number(page.token)?.unwrap_or(*start).saturating_add(1).into()),
            }),
            Self::Offset { size, of_response, .. } => {
                let size = match of_response {
                    Some(size) => response_size(size, page)?,
                    None => page.size.or(*size),
                };
                if let Some(why) = short(page.found, size) {
                    return Ok(Next::End(why));
                }
                let found = i64::try_from(page.found).unwrap_or(i64::MAX);
                Ok(Next::Page(number(page.token)?.unwrap_or(0).saturating_add(found).into()))
            }
            Self::Cursor { size, value, stop } => cursor(page.size.or(*size), value, stop.as_deref(), page),
        }
    }
}

/// Whether a condition compares the size of a page with a number that a full page of a smaller size does not reach.
fn stops_at_small_pages(stop: &Condition, smallest: i64) -> bool {
    let text: String = stop.text().chars().filter(|char| !char.is_whitespace()).collect();
    text.match_indices("last_page_size<").any(|(at, found)| {
        let rest = text[at + found.len()..].trim_start_matches('=');
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<i64>().is_ok_and(|number| number > smallest)
    })
}

/// A page size that depends on the config alone. Zero means none.
#[allow(clippy::option_option, reason = "a wrong size differs from a missing one")]
fn page_size(builder: &Builder<'_>, part: Option<&Part<'_>>) -> Option<Option<i64>> {
    match part {
        None => Some(None),
        Some(part) => whole_number(builder, part).map(|size| Some(size).filter(|size| *size != 0)),
    }
}

/// Why a page is the last one, if it is.
fn short(found: u64, size: Option<i64>) -> Option<&'static str> {
    match size {
        _ if found == 0 => Some("the page is empty"),
        Some(size) if i64::try_from(found).is_ok_and(|found| found < size) => Some("the page is not full"),
        _ => None,
    }
}

/// The number in a token.
fn number(token: Option<&Value>) -> Result<Option<i64>, Failure> {
    match token {
        None => Ok(None),
        Some(token) => token.as_i64().map(Some).ok_or_else(|| {
            Failure::system("The page at which the last read ended is not a number. Reset the stream to read it again.")
        }),
    }
}

fn response_size(size: &Text, page: &Page<'_>) -> Result<Option<i64>, Failure> {
    match size.literal(&[("response", response(page.body))])? {
        Literal::Int(size) => Ok(Some(size).filter(|size| *size != 0)),
        Literal::Str(text) if text.is_empty() => Ok(None),
        other => {
            let text = format!("{}: it has to be a whole number, not {}.", size.place(), other.type_name());
            Err(Failure::config(format!("{text} Correct the manifest.")))
        }
    }
}

/// The token in the response.
fn cursor(size: Option<i64>, value: &Text, stop: Option<&Condition>, page: &Page<'_>) -> Result<Next, Failure> {
    let headers = header_pairs(page.headers);
    let links = links(page.headers);
    let mut vars: Vec<Var<'_>> = vec![
        ("response", response(page.body)),
        ("headers", Variable::PageHeaders { headers: &headers, links: Json::Tree(&links) }),
        ("last_record", page.last_record.map_or(Variable::None, |record| Variable::Json(Json::Text(record)))),
        ("last_page_size", Variable::Int(i64::try_from(page.kept).unwrap_or(i64::MAX))),
        ("stream_slice", page.slice.variable()),
    ];
    if let Some(size) = size {
        vars.push(("page_size", Variable::Int(size)));
    }
    if let Some(stop) = stop
        && stop.holds(&vars)?
    {
        return Ok(Next::End("its `stop_condition` holds"));
    }
    // Whether there is a next page is decided as in the reference. The API's value is sent as it is; but a text that
    // the template turns into an object or a list, such as the variables of a GraphQL query, is sent as that.
    let literal = value.literal(&vars)?;
    if !literal.truth() {
        return Ok(Next::End("its `cursor_value` gives nothing"));
    }
    Ok(Next::Page(match value.template().is_one_expression() {
        true if !matches!(literal, Literal::Dict(_) | Literal::List(_)) => json_of(&value.kept(&vars)?),
        _ => json_of(&literal),
    }))
}

/// The body for templates: the first element of an array, and an empty object without a body.
fn response(body: Option<Json<'_>>) -> Variable<'_> {
    let whole = body.unwrap_or(Json::Text("{}"));
    let first = if whole.is_array() { whole.item(0).unwrap_or(Json::Text("{}")) } else { whole };
    Variable::Json(first)
}

/// Headers as texts. Several lines with the same name are one value.
pub(in super::super) fn header_pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut pairs = Vec::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let values: Vec<_> = headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        pairs.push((name.as_str().to_owned(), values.join(", ")));
    }
    pairs
}

/// The links of the `Link` header by their relation, or by their target if they have none.
fn links(headers: &HeaderMap) -> Value {
    let mut links = Map::new();
    for (target, params) in all_links(headers) {
        let mut link: Map<String, Value> = Map::new();
        link.insert("url".to_owned(), target.clone().into());
        link.extend(params.into_iter().map(|(name, value)| (name, value.into())));
        let rel = link.get("rel").and_then(Value::as_str).filter(|rel| !rel.is_empty()).map(str::to_owned);
        links.insert(rel.unwrap_or(target), link.into());
    }
    links.into()
}
