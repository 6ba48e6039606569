//! `HttpResponseFilter`: the responses that it matches, and their action.

use std::cell::OnceCell;
use std::io::Read;

use serde::de::IgnoredAny;

use super::super::paginator::header_pairs;
use super::super::part::{Builder, Part, flat, literal};
use super::super::placed::{Condition, Text, Var};
use super::super::template::{Json, Literal, Variable};
use super::message;
use super::verdict::{Verdict, by_status, kind_of};
use crate::http::{Body, Response, ResponseAction};
use crate::json;
use crate::protocol::{Failure, FailureKind, Otherwise};

/// The most bytes of a body that templates see. A longer one is not an error message, and counts as an empty object.
const MAX_BODY: u64 = 64 * 1024 * 1024;

const NAMES: [&str; 3] = ["response", "headers", "request_url"];

/// One filter.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) codes: Vec<u16>,
    predicate: Option<Condition>,
    contains: Option<String>,
    /// Without one, a filter changes nothing.
    pub(super) action: Option<Action>,
    kind: Option<FailureKind>,
    message: Option<Text>,
}

/// The action of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Success,
    Fail,
    Retry,
    Ignore,
    RateLimited,
    RefreshToken,
    AskOtherwise(Otherwise),
}

/// A response for filters and strategies. Its body is read only if one of them needs it.
pub(super) struct Seen<'r> {
    pub(super) response: &'r Response,
    text: OnceCell<String>,
    is_json: OnceCell<bool>,
    headers: OnceCell<Vec<(String, String)>>,
    url: OnceCell<String>,
}

impl Filter {
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let action = match part.text("action") {
            None => None,
            Some("SUCCESS") => Some(Action::Success),
            Some("FAIL") => Some(Action::Fail),
            Some("RETRY") => Some(Action::Retry),
            Some("IGNORE") => Some(Action::Ignore),
            Some("RATE_LIMITED") => Some(Action::RateLimited),
            Some("REFRESH_TOKEN_THEN_RETRY") => Some(Action::RefreshToken),
            Some("RESET_PAGINATION") => Some(Action::AskOtherwise(Otherwise::FromStart)),
            Some("REDUCE_PAGE_SIZE") => Some(Action::AskOtherwise(Otherwise::SmallerPage)),
            Some("SPLIT_REQUEST_WINDOW") => Some(Action::AskOtherwise(Otherwise::ShorterSpan)),
            Some(other) => {
                builder.refuse(part, &format!("the action `{other}`"));
                return None;
            }
        };
        let kind = match part.text("failure_type") {
            None => None,
            Some("config_error") => Some(FailureKind::Config),
            Some("transient_error") => Some(FailureKind::Transient),
            Some("system_error") => Some(FailureKind::System),
            Some(other) => {
                builder.error(part, format!("`{other}` is not a `failure_type`"));
                return None;
            }
        };
        let codes = part.field("http_codes");
        let codes = codes.as_ref().map(|codes| codes.items().filter_map(|code| status(builder, &code)).collect());
        let predicate = part.present("predicate");
        let predicate = predicate.map(|predicate| {
            if predicate.node.as_text().is_some_and(|text| !text.contains('{')) {
                builder.warn(
                    &predicate,
                    "without `{{ }}` it is a text, which is always true unless it is a word for false",
                );
            }
            builder.condition(&predicate, &NAMES)
        });
        let message = part.field("error_message").map(|message| builder.text(&message, &NAMES));
        let contains = part.text("error_message_contains").filter(|text| !text.is_empty()).map(str::to_owned);
        let filter = Self {
            codes: codes.unwrap_or_default(),
            predicate: flat(predicate)?,
            contains,
            action,
            kind,
            message: flat(message)?,
        };
        if filter.action.is_none() {
            builder.warn(part, "without an `action` it changes nothing, and its texts are not used");
        } else if filter.codes.is_empty() && filter.predicate.is_none() && filter.contains.is_none() {
            builder.warn(part, "it matches no response: add `http_codes`, `predicate` or `error_message_contains`");
        } else if filter.kind.is_some() && filter.action != Some(Action::Fail) {
            builder.warn(part, "`failure_type` has an effect only with `action: FAIL`");
        }
        Some(filter)
    }

    /// Whether the status alone decides whether it matches.
    pub(super) fn only_codes(&self) -> bool {
        self.predicate.is_none() && self.contains.is_none()
    }

    /// The action for a response, if the filter matches it.
    pub(super) fn verdict(&self, seen: &Seen<'_>) -> Result<Option<Verdict>, Failure> {
        let Some(action) = self.action else { return Ok(None) };
        if !self.fits(seen)? {
            return Ok(None);
        }
        let status = seen.response.status.as_u16();
        let message = match &self.message {
            Some(message) => Some(message.text(&seen.vars())?).filter(|message| !message.trim().is_empty()),
            None => None,
        };
        let action = match action {
            Action::Success if status >= 400 => ResponseAction::Ignore,
            // The reference reads the records of a good response that is ignored.
            Action::Ignore if status < 400 => ResponseAction::Success,
            Action::Success => ResponseAction::Success,
            Action::Ignore => ResponseAction::Ignore,
            Action::Retry => ResponseAction::Retry,
            Action::RateLimited => ResponseAction::RateLimited,
            Action::RefreshToken => ResponseAction::RefreshToken,
            Action::AskOtherwise(otherwise) => ResponseAction::AskOtherwise(otherwise),
            Action::Fail => ResponseAction::Fail(self.kind.unwrap_or_else(|| by_status(status).kind)),
        };
        Ok(Some(Verdict { action, kind: kind_of(status, action), message, hint: None }))
    }

    fn fits(&self, seen: &Seen<'_>) -> Result<bool, Failure> {
        if self.codes.contains(&seen.response.status.as_u16()) {
            return Ok(true);
        }
        if let Some(predicate) = &self.predicate
            && predicate.holds(&seen.vars())?
        {
            return Ok(true);
        }
        Ok(self.contains.as_ref().is_some_and(|text| message::find(seen.text(), seen.is_json()).contains(text)))
    }
}

/// A status; JSON schemas allow it to be a text, too.
fn status(builder: &Builder<'_>, part: &Part<'_>) -> Option<u16> {
    let status = match literal(part.node) {
        Literal::Int(status) => u16::try_from(status).ok(),
        Literal::Str(text) => text.trim().parse().ok(),
        _ => None,
    };
    if status.is_none() {
        builder.error(part, "it has to be an HTTP status, such as 404");
    }
    if let Some(never) = status.filter(|status| !(100..600).contains(status)) {
        builder.warn(part, format!("no response has the HTTP status {never}"));
    }
    status
}

/// Whether a body is too long to be a message, or not JSON and unbounded: rows, an archive.
fn is_data(body: &Body) -> bool {
    let Body::Spooled { length, .. } = body else { return false };
    let mut start = Vec::new();
    let read = body.reader().and_then(|reader| reader.take(1024).read_to_end(&mut start));
    let start = json::without_mark(&start).trim_ascii_start();
    *length > MAX_BODY || read.is_err() || !start.starts_with(b"{") && !start.starts_with(b"[")
}

impl<'r> Seen<'r> {
    pub(super) fn new(response: &'r Response) -> Self {
        let (text, is_json, headers, url) = Default::default();
        Self { response, text, is_json, headers, url }
    }

    /// The body as a text.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let mut bytes = Vec::new();
            let body = &self.response.body;
            if is_data(body) {
                return String::new();
            }
            let read = body.reader().and_then(|reader| reader.take(MAX_BODY + 1).read_to_end(&mut bytes));
            match read {
                Ok(read) if read as u64 <= MAX_BODY => {
                    let text = String::from_utf8_lossy(&bytes);
                    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
                }
                // Reading its records will show it.
                _ => String::new(),
            }
        })
    }

    /// Whether the body is JSON.
    pub(super) fn is_json(&self) -> bool {
        *self.is_json.get_or_init(|| serde_json::from_str::<IgnoredAny>(self.text()).is_ok())
    }

    /// The template variables for a response. A body that is not JSON is an empty object.
    pub(super) fn vars(&self) -> [Var<'_>; 3] {
        let headers = self.headers.get_or_init(|| header_pairs(&self.response.headers));
        let url = self.url.get_or_init(|| {
            let Some(mut url) = self.response.url() else { return String::new() };
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        });
        let body = if self.is_json() { self.text() } else { "{}" };
        [
            ("response", Variable::Json(Json::Text(body))),
            ("headers", Variable::Headers(headers)),
            ("request_url", Variable::Text(url)),
        ]
    }
}
