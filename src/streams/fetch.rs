//! Turns a stream and a context into a page: builds the request, unless the stream does, and sends it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{
    HttpStream, Page, PageToken, PartEnd, Record, Records, RequestContext, Scope, Sharing, Slice, Transformed,
};
use crate::http::{
    Exchange, HttpClient, HttpRequest, Response, RetryObserver, RetryRules, Undecodable, Waits, add_params, join_url,
};
use crate::locks;
use crate::panics;
use crate::protocol::{Failure, Output, StreamState};
use crate::workers::Workers;

/// Fetches pages of streams.
#[derive(Clone, Copy)]
pub struct Fetcher<'a> {
    client: &'a HttpClient,
    observer: &'a dyn RetryObserver,
    sharing: Option<&'a Sharing>,
    is_fresh: bool,
    workers: Option<&'a Workers>,
    rules: Option<&'a dyn RetryRules>,
}

impl<'a> Fetcher<'a> {
    /// A fetcher that notifies `observer` of its waits.
    #[must_use]
    pub fn new(client: &'a HttpClient, observer: &'a dyn RetryObserver) -> Self {
        Self { client, observer, sharing: None, is_fresh: false, workers: None, rules: None }
    }

    /// Knows the readers of each list: a page that nobody else will request is not cached. Default:
    /// [`HttpStream::use_cache`] decides.
    #[must_use]
    pub fn sharing(self, sharing: &'a Sharing) -> Self {
        Self { sharing: Some(sharing), ..self }
    }

    /// Where log lines go.
    pub(crate) fn output(&self) -> &Output {
        self.client.output()
    }

    /// If true, asks the API itself and not the response cache, whose content is known to be outdated.
    #[must_use]
    pub(crate) fn fresh(self, is_fresh: bool) -> Self {
        Self { is_fresh, ..self }
    }

    /// Uses free workers of the run for [`Fetcher::for_all`]. Default: none.
    #[must_use]
    pub(crate) fn workers(self, workers: &'a Workers) -> Self {
        Self { workers: Some(workers), ..self }
    }

    /// Judges responses by other rules than the stream's: for requests beside its pages, such as one for an object that
    /// may be gone. Default: [`HttpStream::retry_rules`].
    #[must_use]
    pub fn with_rules<'r>(&self, rules: &'r dyn RetryRules) -> Fetcher<'r>
    where
        'a: 'r,
    {
        Fetcher { rules: Some(rules), ..*self }
    }

    /// Does the same for each of several items, in parallel if workers of the run are free: for independent requests.
    /// The results are in the order of the items.
    ///
    /// # Errors
    /// The first failure. Begun work is finished, and nothing more is begun.
    pub fn for_all<T: Sync, R: Send>(
        &self,
        things: &[T],
        run: impl Fn(&Self, &T) -> anyhow::Result<R> + Sync,
    ) -> anyhow::Result<Vec<R>> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(things.len())));
        let work = || {
            panics::caught(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(thing) = things.get(at) else { return Ok(()) };
                    let result = run(self, thing).inspect_err(|_| next.store(things.len(), Ordering::Relaxed))?;
                    locks::lock(&done).push((at, result));
                }
            })
        };
        thread::scope(|scope| {
            let mut helpers = Vec::new();
            while helpers.len() + 1 < things.len()
                && let Some(worker) = self.workers.and_then(Workers::try_hire)
            {
                // If the system has no more threads, the existing ones do everything.
                let helper = move || {
                    let _worker = worker;
                    work()
                };
                match thread::Builder::new().spawn_scoped(scope, helper) {
                    Ok(helper) => helpers.push(helper),
                    Err(_) => break,
                }
            }
            let own = work();
            // Panics are caught before this.
            helpers.into_iter().filter_map(|helper| helper.join().ok()).fold(own, Result::and)
        })?;
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(at, _)| *at);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }

    /// Fetches one page. `None` is a response the stream ignores.
    ///
    /// # Errors
    /// A [`crate::protocol::Failure`] inside, when the retries are used up or would not help, or if the stream requests
    /// a missing member of the slice: see [`RequestContext`].
    pub fn page<S: HttpStream + ?Sized>(&self, stream: &S, cx: &RequestContext<'_>) -> anyhow::Result<Option<Page>> {
        let request = stream.request(cx).map_err(|error| self.client.name_setting(error))?;
        let page =
            self.send_and_decode(stream, &request, cx, &mut |response| match stream.parse_response(&response, cx) {
                Ok(records) => Ok(Page::new(response, records)),
                Err(undecodable) => Err(Box::new((response, undecodable))),
            });
        cx.check(stream.name())?;
        page
    }

    /// Fetches the page of a custom request, and extracts its records with `parse`: for one of several requests that
    /// together make a page. `None` is a response the stream ignores.
    ///
    /// # Errors
    /// As [`Fetcher::page`].
    pub(crate) fn page_of(
        &self,
        stream: &(impl HttpStream + ?Sized),
        request: &HttpRequest,
        cx: &RequestContext<'_>,
        parse: &mut dyn FnMut(&Response) -> Result<Records, Undecodable>,
    ) -> anyhow::Result<Option<Page>> {
        let page = self.send_and_decode(stream, request, cx, &mut |response| match parse(&response) {
            Ok(records) => Ok(Page::new(response, records)),
            Err(undecodable) => Err(Box::new((response, undecodable))),
        });
        cx.check(stream.name())?;
        page
    }

    /// Waits, before the stream repeats a request in another form.
    ///
    /// # Errors
    /// If the run is stopping.
    pub(crate) fn wait(&self, duration: Duration) -> anyhow::Result<()> {
        let waits = Waits { clock: self.client.clock(), stop: self.client.stop(), observer: self.observer };
        waits.wait(duration)
    }

    /// The time since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.client.clock().elapsed()
    }

    /// Whether the run must stop, so that nothing more can be requested.
    pub(crate) fn is_stopped(&self) -> bool {
        self.client.stop().is_requested()
    }

    /// A client for the last requests of a stopping run: see [`Fetcher::with_client`].
    pub(crate) fn parting_client(&self) -> HttpClient {
        self.client.without_stop()
    }

    /// The same with another client.
    #[must_use]
    pub(crate) fn with_client<'c>(&self, client: &'c HttpClient) -> Fetcher<'c>
    where
        'a: 'c,
    {
        Fetcher { client, ..*self }
    }

    /// Fetches a small JSON document beside a stream's pages: its schema, a job's status, the account's regions. The
    /// request is a GET with the stream's base, headers, credentials and rules, and with this path and these
    /// parameters. `None` is a response the stream ignores. It belongs to no slice: headers and options get an empty
    /// one.
    ///
    /// # Errors
    /// As [`Fetcher::page`].
    pub fn get_json<T: DeserializeOwned>(
        &self,
        stream: &(impl HttpStream + ?Sized),
        path: &str,
        params: &[(&str, &str)],
    ) -> anyhow::Result<Option<T>> {
        self.get(stream, path, params, &mut |response| match response.json() {
            Ok(document) => Ok(document),
            Err(error) => Err(Box::new((response, undecodable(&error)))),
        })
    }

    /// As [`Fetcher::get_json`], with the result of `decode` for the response.
    pub(crate) fn get<T>(
        &self,
        stream: &(impl HttpStream + ?Sized),
        path: &str,
        params: &[(&str, &str)],
        decode: &mut Decode<'_, T>,
    ) -> anyhow::Result<Option<T>> {
        let (state, slice) = (StreamState::new(), Slice::whole());
        let cx = RequestContext::new(&state, &slice, None);
        let mut url = join_url(stream.url_base(), path).map_err(|error| self.client.name_setting(error.into()))?;
        add_params(&mut url, params.iter().copied());
        let mut request = HttpRequest::get(url);
        for (name, value) in stream.request_headers(&cx) {
            request.set_header(&name, &value).map_err(|error| self.client.name_setting(error.into()))?;
        }
        self.send_and_decode(stream, &request, &cx, decode)
    }

    /// Sends any request with the stream's credentials, rules, options and budget: to create a job, get its status, or
    /// end it. `None` is a response the stream ignores.
    ///
    /// # Errors
    /// As [`Fetcher::page`].
    pub fn send(&self, stream: &(impl HttpStream + ?Sized), request: &HttpRequest) -> anyhow::Result<Option<Response>> {
        let (state, slice) = (StreamState::new(), Slice::whole());
        self.send_and_decode(stream, request, &RequestContext::new(&state, &slice, None), &mut Ok)
    }

    /// Sends a request by the stream's rules. Credentials, from the authenticator and its own headers, stay with the
    /// hosts that the stream names.
    fn send_and_decode<T>(
        &self,
        stream: &(impl HttpStream + ?Sized),
        request: &HttpRequest,
        cx: &RequestContext<'_>,
        decode: &mut Decode<'_, T>,
    ) -> anyhow::Result<Option<T>> {
        let authenticated = stream.sends_credentials_to(&request.url);
        let mut stripped = None;
        if !authenticated {
            let own = stripped.insert(request.clone()).strip_credentials();
            // Only an open API has an identity without a name.
            if own || stream.authenticator().identity().is_none_or(|identity| !identity.is_empty()) {
                self.client.tell_withheld(&request.url)?;
            }
        }
        let exchange = Exchange {
            request: stripped.as_ref().unwrap_or(request),
            authenticator: stream.authenticator(),
            authenticated,
            options: &stream.request_options(cx),
            rules: self.rules.unwrap_or_else(|| stream.retry_rules()),
            observer: self.observer,
            budget: stream.request_budget(),
            cache: !self.is_fresh && self.sharing.map_or_else(|| stream.use_cache(), |sharing| sharing.wants(stream)),
        };
        cx.check(stream.name())?;
        self.client.send(&exchange, decode)
    }
}

/// Converts a response, or returns it with the problem.
pub(crate) type Decode<'d, T> = dyn FnMut(Response) -> Result<T, Box<(Response, Undecodable)>> + 'd;

/// A record as the stream allows it to be written: see [`HttpStream::transform`]. Records outside of the cursor's scope
/// are dropped, too.
///
/// # Errors
/// The errors of the stream, including a missing member of the slice.
pub(crate) fn transform<'r>(
    stream: &dyn HttpStream,
    record: Record<'r>,
    cx: &RequestContext<'_>,
    cursor_field: &[String],
) -> Result<Transformed<'r>, Failure> {
    let record = stream.transform(record, cx);
    cx.check(stream.name())?;
    let cursor = stream.cursor();
    match cursor.has_scope() {
        true => Ok(record?.filter(|record| cursor.scope(record, cx, cursor_field) == Scope::In)),
        false => record,
    }
}

/// The token of the next page: see [`HttpStream::next_page_token`]. If the last record of this one shows that everything
/// after it is out of the cursor's scope, too, it is that of [`HttpStream::next_part`].
///
/// # Errors
/// The errors of the stream, including a missing member of the slice.
pub(crate) fn next_page_token(
    stream: &dyn HttpStream,
    page: &Page,
    cx: &RequestContext<'_>,
    cursor_field: &[String],
) -> anyhow::Result<Option<PageToken>> {
    let cursor = stream.cursor();
    if cursor.has_scope()
        && let Some(last) = page.last()
        && is_past(stream, last, cx, cursor_field)?
        && (cursor.ends_with_last() || is_all_past(stream, page, cx, cursor_field)?)
    {
        return Ok(stream.next_part(PartEnd::OutOfScope(page), cx).next);
    }
    let token = stream.next_page_token(page, cx);
    cx.check(stream.name())?;
    token
}

/// Whether the last result of a record is out of the cursor's scope, and so is everything after it.
fn is_past(
    stream: &dyn HttpStream,
    record: Record<'_>,
    cx: &RequestContext<'_>,
    cursor_field: &[String],
) -> anyhow::Result<bool> {
    let record = stream.transform(record, cx)?.into_iter().last();
    Ok(record.is_some_and(|record| stream.cursor().scope(&record, cx, cursor_field) == Scope::Past))
}

fn is_all_past(
    stream: &dyn HttpStream,
    page: &Page,
    cx: &RequestContext<'_>,
    cursor_field: &[String],
) -> anyhow::Result<bool> {
    let all = page.for_each(&mut |record| match is_past(stream, record, cx, cursor_field)? {
        true => Ok(ControlFlow::Continue(())),
        false => Ok(ControlFlow::Break(())),
    })?;
    Ok(all.is_continue())
}

/// The problem of a document that does not have the wanted type. A text that is not JSON may have been truncated.
pub(crate) fn undecodable(error: &anyhow::Error) -> Undecodable {
    let not_json = |error: &serde_json::Error| error.is_syntax() || error.is_eof() || error.is_io();
    Undecodable { problem: error.to_string(), retry: error.downcast_ref().is_none_or(not_json) }
}

/// The default of [`HttpStream::request`].
pub(super) fn request_of_parts(
    stream: &(impl HttpStream + ?Sized),
    cx: &RequestContext<'_>,
) -> anyhow::Result<HttpRequest> {
    let path = stream.path(cx);
    // Before the path is checked: without the member it may not be a path.
    cx.check(stream.name())?;
    let mut url = join_url(stream.url_base(), &path)?;
    add_params(&mut url, stream.request_params(cx));
    let mut request =
        HttpRequest { method: stream.http_method(), body: stream.request_body(cx), ..HttpRequest::get(url) };
    for (name, value) in stream.request_headers(cx) {
        request.set_header(&name, &value)?;
    }
    stream.pager().apply(cx.page_token, &mut request)?;
    Ok(request)
}
