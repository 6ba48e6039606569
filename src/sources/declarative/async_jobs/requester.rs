//! The requests that make a job and look after it, and those for the files of records. Each has a requester of its own, with
//! its own credentials and its own rules for errors.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Url;

use super::super::decoder::{Decoder, NO_NUMBERS};
use super::super::paginator::header_pairs;
use super::super::part::{Builder, Part};
use super::super::request::{Asked, Requester, Slice, tell_collisions};
use super::super::response_text::json_text;
use crate::http::auth::Authenticator;
use crate::http::budget::RequestBudget;
use crate::http::{HttpRequest, Outcome, RequestOptions, Response, RetryRules, Verdict};
use crate::protocol::Failure;
use crate::streams::{Fetcher, HttpStream, RequestContext};

/// Longest time for a request that is sent while the run is stopping.
const PARTING: Duration = Duration::from_secs(5);

/// One of the requesters of an `AsyncRetriever`, or that of a `FileUploader`.
#[derive(Debug)]
pub(in super::super) struct JobRequester {
    /// The purpose of its requests, for messages.
    name: String,
    requester: Requester,
    budget: Option<Arc<RequestBudget>>,
    use_cache: bool,
}

/// Its answer.
#[derive(Debug)]
pub(in super::super) struct Answer {
    response: Response,
    request: HttpRequest,
}

impl JobRequester {
    /// The requester that a part describes. `names` are the variables of its templates beside the slice.
    pub(in super::super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        names: &[&str],
        budget: Option<&Arc<RequestBudget>>,
    ) -> Option<Self> {
        let requester = Requester::build(builder, part, names)?;
        let name = requester.place.to_string();
        Some(Self { name, requester, budget: budget.cloned(), use_cache: false })
    }

    /// Reads responses again from before, if the manifest says so. Default: a job has results of its own, each time.
    pub(in super::super) fn with_cache(self) -> Self {
        Self { use_cache: self.requester.use_cache == Some(true), ..self }
    }

    /// Notes where its credentials set what it sets by itself.
    pub(in super::super) fn tell_collisions(&self, builder: &Builder<'_>, part: &Part<'_>) {
        tell_collisions(builder, part, &self.requester, &[]);
    }

    /// Sends the request for a slice. `None` if the rules of the requester ignore the answer.
    ///
    /// # Errors
    /// If the request cannot be built, gets no answer, or gets an error.
    pub(in super::super) fn ask(&self, slice: &Slice, fetcher: &Fetcher<'_>) -> anyhow::Result<Option<Answer>> {
        let request = self.request_for(slice)?;
        let response = fetcher.send(self, &request)?;
        Ok(response.map(|response| Answer { response, request }))
    }

    /// As [`JobRequester::ask`], once and for a short time, for a run that is stopping.
    ///
    /// # Errors
    /// The errors of [`JobRequester::ask`].
    pub(super) fn ask_in_parting(&self, slice: &Slice, fetcher: &Fetcher<'_>) -> anyhow::Result<()> {
        let request = self.request_for(slice)?;
        let client = fetcher.parting_client();
        fetcher.with_client(&client).send(&Parting(self), &request).map(drop)
    }

    fn request_for(&self, slice: &Slice) -> Result<HttpRequest, Failure> {
        let asked = Asked { slice, token: None, path: None, injections: &[] };
        self.requester.request(&asked)
    }
}

impl Answer {
    /// The response itself.
    pub(in super::super) fn into_response(self) -> Response {
        self.response
    }

    /// The documents of the answer.
    ///
    /// # Errors
    /// A system failure if it cannot be decoded, or a part of it.
    pub(super) fn documents(&self, decoder: &Decoder) -> Result<Vec<String>, Failure> {
        let unreadable = |problem: &dyn Display| {
            let text = format!("{}: the answer cannot be read: {problem}.", self.response.request);
            Failure::system(text)
        };
        let (documents, warnings) = decoder.documents(&self.response).map_err(|wrong| unreadable(&wrong.problem))?;
        // A line that is left out may be the place of a result. NaN is none.
        match warnings.into_iter().find(|warning| warning != NO_NUMBERS) {
            Some(warning) => Err(unreadable(&warning)),
            None => Ok(documents),
        }
    }

    /// The request for templates: the manifest's parts of it, without those of an authenticator.
    fn sent(&self) -> Value {
        let HttpRequest { method, url, headers, body } = &self.request;
        let headers: Map<_, _> = header_pairs(headers).into_iter().map(|(name, value)| (name, value.into())).collect();
        let body = body.encode().map(|(body, _)| String::from_utf8_lossy(&body).into_owned());
        json!({"method": method.as_str(), "url": url.as_str(), "headers": headers, "body": body})
    }

    /// The answer for templates: its JSON object, or else the first that the decoder gives, plus `headers` and `request`
    /// unless it has members of these names. An answer without a body is an empty object.
    ///
    /// # Errors
    /// A system failure if it cannot be decoded, or is JSON and not an object.
    pub(super) fn context(&self, decoder: &Decoder) -> Result<Value, Failure> {
        let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
        let json = json_text(&self.response).ok().map(|json| json.text);
        let json = json.as_deref().map(str::trim);
        let mut members = match json.and_then(object) {
            Some(members) => members,
            None if json == Some("") => Map::new(),
            // An answer in JSON is not for another decoder, which may fail with it.
            None => {
                let documents = self.documents(decoder)?;
                if let Decoder::Json = decoder {
                    let text = format!("{}: the answer is not a JSON object.", self.response.request);
                    return Err(Failure::system(text));
                }
                documents.first().and_then(|first| object(first)).unwrap_or_default()
            }
        };
        let headers = header_pairs(&self.response.headers).into_iter();
        let headers = || Value::Object(headers.map(|(name, value)| (name, Value::String(value))).collect());
        members.entry("headers").or_insert_with(headers);
        members.entry("request").or_insert_with(|| self.sent());
        Ok(Value::Object(members))
    }
}

impl HttpStream for JobRequester {
    fn name(&self) -> &str {
        &self.name
    }

    /// Requests are built as a whole.
    fn url_base(&self) -> &str {
        ""
    }

    fn path(&self, _: &RequestContext<'_>) -> String {
        String::new()
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &self.requester.authenticator
    }

    fn sends_credentials_to(&self, url: &Url) -> bool {
        self.requester.is_home(url)
    }

    fn request_options(&self, _: &RequestContext<'_>) -> RequestOptions {
        self.requester.travel(RequestOptions::default())
    }

    fn use_cache(&self) -> bool {
        self.use_cache
    }

    fn request_budget(&self) -> Option<&RequestBudget> {
        self.budget.as_deref()
    }

    fn retry_rules(&self) -> &dyn RetryRules {
        &self.requester.error_handler
    }
}

/// A requester that sends once, and does not wait.
struct Parting<'r>(&'r JobRequester);

impl HttpStream for Parting<'_> {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn url_base(&self) -> &str {
        ""
    }

    fn path(&self, _: &RequestContext<'_>) -> String {
        String::new()
    }

    fn authenticator(&self) -> &dyn Authenticator {
        self.0.authenticator()
    }

    fn sends_credentials_to(&self, url: &Url) -> bool {
        self.0.sends_credentials_to(url)
    }

    fn request_options(&self, cx: &RequestContext<'_>) -> RequestOptions {
        RequestOptions {
            resolve_timeout: PARTING,
            connect_timeout: PARTING,
            total_timeout: Some(PARTING),
            ..self.0.request_options(cx)
        }
    }

    fn retry_rules(&self) -> &dyn RetryRules {
        self
    }
}

impl RetryRules for Parting<'_> {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        RetryRules::verdict(&self.0.requester.error_handler, response)
    }

    fn backoff_time(&self, _: Outcome<'_>, _: u32) -> Result<Option<Duration>, Failure> {
        Ok(Some(Duration::ZERO))
    }

    fn max_retries(&self) -> u32 {
        0
    }

    fn max_time(&self) -> Duration {
        PARTING
    }
}
