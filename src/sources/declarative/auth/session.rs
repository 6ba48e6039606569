//! `SessionTokenAuthenticator`: a separate requester logs in, with its own credentials, headers, body and error
//! handler.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::decoder::{Decoder, documents};
use super::super::error_handler::ErrorHandler;
use super::super::options::{By, RequestOption};
use super::super::part::{Builder, Part, flat};
use super::super::request::{Asked, Requester, Slice};
use super::super::response_text::json_text;
use super::super::template::Variable;
use super::super::template::datetime::{Span, parse_duration};
use super::{Auth, Target};
use crate::http::auth::{AuthContext, Authenticator, NoAuth, SessionLogin, SessionTokenAuthenticator};
use crate::http::{HttpRequest, Outcome, Response, ResponseAction, RetryRules, Verdict};
use crate::protocol::Failure;

/// The defaults of `ApiKey`.
const TOKEN: &str = "{{ session_token }}";

/// The authenticator that a part describes.
pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Auth> {
    let decoder = Decoder::build(builder, part.field("decoder").as_ref(), None, None)?;
    let duration = flat(
        part.present("expiration_duration")
            .map(|field| duration(builder, &field, part.text("expiration_duration").unwrap_or_default())),
    )?;
    let form = part.field("request_authentication")?;
    let (target, written) = match form.kind() {
        "ApiKey" => {
            let Some(option) = form.field("inject_into") else {
                builder.error(&form, "it does not say where its token goes: add `inject_into`");
                return None;
            };
            let option = RequestOption::build(builder, &option, By::Authenticator)?;
            let template = form.present("api_token");
            let template = template.filter(|field| field.node.as_text() != Some(TOKEN));
            let template = template.map(|field| builder.text(&field, &["session_token"]));
            (Target::of(builder, option, ""), flat(template)?)
        }
        _ => (Target::authorization(builder, &form, "Bearer"), None),
    };
    let requester_part = part.field("login_requester")?;
    let requester = Requester::build(builder, &requester_part, &[])?;
    let path = part.texts("session_token_path");
    let place: Arc<str> = builder.place(part).into();
    let login = Login::new(requester, path, decoder, &place);
    let is_shared = login.identity.is_some() && written.is_none();
    let key = format!(
        "session {:?} {:?} {:?} {duration:?} {:?}",
        login.identity,
        part.field("decoder").map(|decoder| super::definition(&decoder)),
        target.place,
        requester_part.field("error_handler").map(|handler| super::definition(&handler))
    );
    let mut auth = SessionTokenAuthenticator::new(login, &builder.redactor).place(target.place.clone());
    auth = match duration {
        Some(duration) => auth.lasting(duration),
        None => auth.for_each_attempt(),
    };
    if let Some(written) = written {
        auth = auth.written(move |token| written.text(&[("session_token", Variable::Text(token))]));
    }
    let auth: Arc<dyn Authenticator> = if is_shared { builder.shared_as(key, || auth) } else { Arc::new(auth) };
    Some(target.auth(auth))
}

/// An ISO 8601 duration; a month has 30 days, and a year 365.
fn duration(builder: &Builder<'_>, part: &Part<'_>, text: &str) -> Option<Duration> {
    const DAY: f64 = 86_400.0;
    let seconds = match parse_duration(text) {
        Ok(Span::Delta(delta)) => micros(delta.0),
        Ok(Span::Duration(span)) => {
            micros(span.delta.0) + DAY * (30.0 * span.months.to_f64() + 365.0 * span.years.to_f64())
        }
        Err(_) => f64::NAN,
    };
    let duration = Duration::try_from_secs_f64(seconds).ok();
    if duration.is_none() {
        builder.error(part, "it has to be an ISO 8601 duration, such as `PT1H`");
    }
    duration
}

#[allow(clippy::cast_precision_loss, reason = "of seconds, microseconds are exact enough")]
fn micros(micros: i128) -> f64 {
    micros as f64 / 1e6
}

/// A login by a requester.
pub(super) struct Login {
    requester: Requester,
    path: Vec<String>,
    decoder: Decoder,
    place: Arc<str>,
    /// The user; nothing if that cannot be determined before the run.
    identity: Option<String>,
}

impl Login {
    fn new(requester: Requester, path: Vec<String>, decoder: Decoder, place: &Arc<str>) -> Self {
        let mut login = Self { requester, path, decoder, place: Arc::clone(place), identity: None };
        login.identity = login.request().ok().map(|request| {
            let headers = request.headers.iter().map(|(name, value)| format!("{name}: {:?}", value.as_bytes()));
            let headers: Vec<String> = headers.collect();
            let body = request.body.encode().map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned());
            let own = login.requester.authenticator.identity();
            format!("{} {} {headers:?} {body:?} {own:?} {:?}", request.method, request.url, login.path)
        });
        login
    }

    fn request(&self) -> Result<HttpRequest, Failure> {
        let slice = Slice::default();
        self.requester.request(&asked(&slice))
    }

    /// The value at the path: a member, an item by its index, or the first of all with `*`.
    fn find<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
        let [name, rest @ ..] = path else { return Some(value) };
        match value {
            Value::Object(members) => match members.get(name) {
                Some(value) => Self::find(value, rest),
                None if name == "*" => members.values().find_map(|value| Self::find(value, rest)),
                None => None,
            },
            Value::Array(items) if name == "*" => items.iter().find_map(|value| Self::find(value, rest)),
            Value::Array(items) => Self::find(items.get(name.parse::<usize>().ok()?)?, rest),
            _ => None,
        }
    }

    /// The token in a response.
    fn token(&self, response: &Response) -> Result<String, Failure> {
        let answered = format!("{}: {} answered {}", self.place, response.request, response.status);
        let text = match &self.decoder {
            Decoder::Json => json_text(response).map(|text| text.text.into_owned()),
            Decoder::Whole(decoder) | Decoder::Items(decoder) => {
                documents(&**decoder, response, 1).map(|(mut documents, _)| documents.pop().unwrap_or_default())
            }
        };
        let text =
            text.map_err(|why| Failure::system(format!("{answered}, and it cannot be read: {}.", why.problem)))?;
        let mut document: Value = serde_json::from_str(&text).unwrap_or_default();
        // Each item of a top-level list is a response of its own.
        if let Value::Array(items) = &mut document {
            document = items.first_mut().map(Value::take).unwrap_or_default();
        }
        match Self::find(&document, &self.path) {
            Some(Value::String(token)) if !token.trim().is_empty() => Ok(token.clone()),
            Some(Value::Number(token)) => Ok(token.to_string()),
            _ => {
                let members = document.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str));
                let (members, path) = (members.collect::<Vec<_>>().join(", "), self.path.join("."));
                let text = format!(
                    "{answered} without a session token at `{path}`. It has: {members}. Correct `session_token_path`, or \
                     the credentials in the config."
                );
                Err(Failure::system(text))
            }
        }
    }
}

fn asked(slice: &Slice) -> Asked<'_> {
    Asked { slice, token: None, path: None, injections: &[] }
}

impl SessionLogin for Login {
    fn log_in(&self, cx: &AuthContext<'_>) -> anyhow::Result<String> {
        let slice = Slice::default();
        let request = self.requester.request(&asked(&slice))?;
        let authenticator: &dyn Authenticator =
            if self.requester.is_home(&request.url) { &self.requester.authenticator } else { &NoAuth };
        let options = self.requester.travel(cx.options().clone());
        let rules = LoginRules(&self.requester.error_handler);
        let response = cx.with_options(&options).send_signed(&request, &rules, authenticator)?;
        Ok(self.token(&response)?)
    }

    fn identity(&self) -> String {
        self.identity.clone().unwrap_or_else(|| self.place.to_string())
    }
}

/// The rules of the login's error handler. An ignored answer is read anyway: it may have the token. A redirect that was
/// not followed is not an answer.
struct LoginRules<'a>(&'a ErrorHandler);

impl RetryRules for LoginRules<'_> {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        let mut verdict = RetryRules::verdict(self.0, response)?;
        if verdict.action == ResponseAction::Ignore {
            verdict.action = ResponseAction::Success;
        }
        super::no_redirect(response, &mut verdict);
        Ok(verdict)
    }

    fn backoff_time(&self, outcome: Outcome<'_>, failed: u32) -> Result<Option<Duration>, Failure> {
        self.0.backoff_time(outcome, failed)
    }

    fn max_retries(&self) -> u32 {
        RetryRules::max_retries(self.0)
    }

    fn max_time(&self) -> Duration {
        self.0.max_time()
    }
}
