//! From a stream and a context to a page: the request is put together here, and nowhere else.

use std::time::Duration;

use super::{HttpStream, Page, RequestContext};
use crate::http::{
    Exchange, HttpClient, HttpRequest, Outcome, Response, ResponseAction, RetryObserver, RetryRules, add_params,
    join_url,
};
use crate::protocol::Failure;

/// Fetches pages of streams.
#[derive(Clone, Copy)]
pub struct Fetcher<'a> {
    client: &'a HttpClient,
    observer: &'a dyn RetryObserver,
}

impl<'a> Fetcher<'a> {
    /// A fetcher that tells `observer` of its waits.
    #[must_use]
    pub fn new(client: &'a HttpClient, observer: &'a dyn RetryObserver) -> Self {
        Self { client, observer }
    }

    /// Fetches one page. `None` is a response the stream ignores.
    ///
    /// # Errors
    /// A [`Failure`] inside, when the retries are used up or would not help.
    pub fn page(&self, stream: &dyn HttpStream, cx: &RequestContext<'_>) -> anyhow::Result<Option<Page>> {
        let (request, authenticated) = build(stream, cx)?;
        let exchange = Exchange {
            request: &request,
            authenticator: stream.authenticator(),
            authenticated,
            options: &stream.request_options(cx),
            rules: &Rules(stream),
            observer: self.observer,
        };
        self.client.send(&exchange, &mut |response| match stream.parse_response(&response, cx) {
            Ok(records) => Ok(Page::new(response, records)),
            Err(undecodable) => Err(Box::new((response, undecodable))),
        })
    }
}

/// The request for a page, and whether it goes to the host the credentials are meant for.
fn build(stream: &dyn HttpStream, cx: &RequestContext<'_>) -> Result<(HttpRequest, bool), Failure> {
    let home = join_url(stream.url_base(), "")?;
    let mut url = join_url(stream.url_base(), &stream.path(cx))?;
    add_params(&mut url, stream.request_params(cx));
    let mut request =
        HttpRequest { method: stream.http_method(), body: stream.request_body(cx), ..HttpRequest::get(url) };
    for (name, value) in stream.request_headers(cx) {
        request.set_header(&name, &value)?;
    }
    stream.pager().apply(cx.page_token, &mut request)?;
    let authenticated = request.url.origin() == home.origin();
    Ok((request, authenticated))
}

/// A stream's own say in retries.
struct Rules<'a>(&'a dyn HttpStream);

impl RetryRules for Rules<'_> {
    fn response_action(&self, response: &Response) -> ResponseAction {
        self.0.response_action(response)
    }

    fn backoff_time(&self, outcome: Outcome<'_>, failed: u32) -> Option<Duration> {
        self.0.backoff_time(outcome, failed)
    }

    fn max_retries(&self) -> u32 {
        self.0.max_retries()
    }

    fn max_time(&self) -> Duration {
        self.0.max_time()
    }

    fn error_message(&self, response: &Response) -> Option<String> {
        self.0.error_message(response)
    }

    fn error_hint(&self, response: &Response) -> Option<String> {
        self.0.error_hint(response)
    }
}
