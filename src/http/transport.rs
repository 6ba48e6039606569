//! The socket side: sends one request and reads one whole response. Redirects are followed here, so that credentials of
//! every kind, not only `Authorization`, stay with the host they were meant for.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use ureq::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use ureq::http::{HeaderValue, Method, StatusCode, Uri};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, SendBody, http};

use super::body::BodyError;
use super::in_flight::InFlight;
use super::network::{GuardedResolver, Route, TrustStore, refuse};
use super::url::same_host;
use super::{
    Body, HttpRequest, Layer, NetworkEnvironment, ProxyUrl, RequestBody, RequestOptions, Response, TransportError,
    content_coding, forward_proxy, sendable, stoppable,
};
use crate::buffers::Buffers;
use crate::locks;
use crate::protocol::FailureKind;
use crate::stop::Stop;

/// Idle connections kept for each host: the most workers at once.
const IDLE_PER_HOST: usize = 20;
/// Longest head of a response, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Bytes read of the body of a redirect, which is not used.
const MAX_REDIRECT_BODY: u64 = 64 * 1024;

/// The most sets of network options kept at once. A stream that keeps creating new ones loses only its idle
/// connections.
const MAX_AGENTS: usize = 32;

/// The connections of a run, pooled per set of network options and route to the server.
#[derive(Debug, Default)]
pub struct Transport {
    environment: NetworkEnvironment,
    trust: TrustStore,
    agents: Agents,
    buffers: Buffers,
    stop: Stop,
}

type Agents = Arc<Mutex<Vec<(RequestOptions, Route, Agent)>>>;

/// The response, and the request that was sent for it.
#[derive(Debug)]
pub struct Sent {
    /// The response. It names its request as it was before signing.
    pub response: Response,
    /// The request with the credentials of the response. `None` if it carried none.
    pub signed: Option<HttpRequest>,
    /// Whether a redirect led to another host, without the credentials.
    pub withheld: bool,
}

impl Transport {
    /// A transport with the proxies and trusted authorities of an environment.
    #[must_use]
    pub fn new(environment: NetworkEnvironment) -> Self {
        Self { environment, ..Self::default() }
    }

    /// A transport of the same environment that no stop ends.
    pub(crate) fn without_stop(&self) -> Self {
        Self::new(self.environment.clone())
    }

    /// Ends everything in progress when a stop is requested, and begins nothing after it. Default: nothing does.
    #[must_use]
    pub fn with_stop(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        let agents = Arc::downgrade(&self.agents);
        stop.on_request(move || {
            let Some(agents) = agents.upgrade() else { return };
            let mut agents = locks::lock(&agents);
            agents.drain(..).for_each(|(.., agent)| agent.shutdown());
        });
        self
    }

    /// Sends a request and reads the whole response. `authenticate` signs it and returns whether it did; it is not
    /// called for a redirect to another host. `redirected` is called with each redirect before it is followed, `alive`
    /// as the bytes of the body arrive.
    ///
    /// # Errors
    /// A [`TransportError`] inside, the error of `authenticate`, or that of a stop. A response with an error status is
    /// not an error.
    pub fn send(
        &self,
        request: &HttpRequest,
        options: &RequestOptions,
        authenticate: &mut dyn FnMut(&mut HttpRequest) -> anyhow::Result<bool>,
        redirected: &dyn Fn(&Response),
        alive: &dyn Fn(),
    ) -> anyhow::Result<Sent> {
        let mut next = request.clone();
        let mut withheld = false;
        for _ in 0..=options.max_redirects {
            let mut signed = next.clone();
            let is_signed = same_host(&request.url, &next.url) && authenticate(&mut signed)?;
            // Reports name `next`, which has no credentials in its URL.
            let response = self.exchange(&signed, &next, options, alive);
            // A connection that was shut down looks like a broken one, or like the end of a body.
            self.stop.check()?;
            let response = response.map_err(|mut error| {
                if next.url != request.url {
                    // The caller knows only the first URL.
                    error.detail = format!("it was redirected to {}: {}", next.describe(), error.detail);
                }
                error
            })?;
            match redirect(&next, &response, options)? {
                Some(target) => {
                    redirected(&response);
                    // The stream's own credentials were removed from `target`; the authenticator's were never in it.
                    let carried = signed != next || next.clone().strip_credentials();
                    withheld |= carried && !same_host(&next.url, &target.url);
                    next = target;
                }
                None => return Ok(Sent { response, signed: is_signed.then_some(signed), withheld }),
            }
        }
        let detail = format!("more than {} in a row, the last to {}", options.max_redirects, next.describe());
        Err(TransportError::new(Layer::Redirect, FailureKind::System, detail).into())
    }

    fn exchange(
        &self,
        request: &HttpRequest,
        shown: &HttpRequest,
        options: &RequestOptions,
        alive: &dyn Fn(),
    ) -> Result<Response, TransportError> {
        refuse(&request.url, &self.environment)
            .map_err(|why| TransportError::new(Layer::Request, FailureKind::Config, why))?;
        let route = Route::to(&request.url, options, &self.environment)
            .map_err(|why| TransportError::new(Layer::Proxy, FailureKind::Config, why))?;
        let agent = self.agent(options, &route)?;
        let in_flight =
            InFlight { url: &request.url, options, route: &route, environment: &self.environment, in_body: false };
        let failed = |error: ureq::Error| TransportError::from_ureq(&error, &in_flight);
        let head = head(request, &route)?;
        let (mut parts, body) = run(&agent, head, &request.body, &failed)?.into_parts();
        if parts.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED && route.forward_proxy().is_some() {
            return Err(TransportError::new(Layer::Proxy, FailureKind::Config, in_flight.proxy_credentials()));
        }
        let is_redirect = options.max_redirects > 0 && parts.status.is_redirection();
        let has_body = request.method != Method::HEAD && !matches!(parts.status.as_u16(), 204 | 205 | 304);
        let codings = match !has_body || is_redirect && parts.headers.contains_key("location") {
            true => Vec::new(),
            false => content_coding::take(&mut parts.headers),
        };
        // However long a redirect's body is, only a little is read. The decoded length of a body is unknown.
        let length = body.content_length().filter(|_| !is_redirect && codings.is_empty());
        let most = if is_redirect { MAX_REDIRECT_BODY.min(options.max_body_bytes) } else { u64::MAX };
        let broke_off = Cell::new(false);
        let noted = WatchedBody {
            reader: body.into_with_config().limit(u64::MAX).reader().take(most),
            alive,
            broke_off: &broke_off,
        };
        let reader = content_coding::undo(noted, &codings);
        let in_flight = InFlight { in_body: true, ..in_flight };
        let body =
            Body::read(self.buffers.take(), reader, length, options.max_body_bytes).map_err(|error| match error {
                BodyError::Read(error) if !broke_off.get() => {
                    let detail = format!("it cannot be decompressed: {error}");
                    TransportError::new(Layer::Body, FailureKind::Transient, detail)
                }
                error => body_error(error, &in_flight),
            })?;
        Ok(Response::new(shown, parts.status, parts.headers, body))
    }

    fn agent(&self, options: &RequestOptions, route: &Route) -> Result<Agent, TransportError> {
        let mut agents = locks::lock(&self.agents);
        if self.stop.is_requested() {
            // Nothing would shut it down later. The stop's error replaces this one.
            return Err(TransportError::new(Layer::Request, FailureKind::Transient, "the run is stopping"));
        }
        if let Some((.., agent)) = agents.iter().find(|(known, way, _)| known == options && way == route) {
            return Ok(agent.clone());
        }
        let agent = self.new_agent(options, route)?;
        if agents.len() == MAX_AGENTS {
            agents.remove(0);
        }
        agents.push((options.clone(), route.clone(), agent.clone()));
        Ok(agent)
    }

    fn new_agent(&self, options: &RequestOptions, route: &Route) -> Result<Agent, TransportError> {
        let refused = |layer, why| TransportError::new(layer, FailureKind::Config, why);
        if let Some(problem) = sendable::in_header(&options.user_agent) {
            // ureq would panic.
            return Err(refused(Layer::Request, format!("user_agent has characters that cannot be sent: {problem}")));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(options.resolve_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.response_timeout))
            .timeout_per_read(Some(options.read_timeout))
            .timeout_per_write(Some(options.read_timeout))
            .timeout_per_call(options.total_timeout)
            .user_agent(options.user_agent.as_str())
            .max_response_header_size(MAX_HEAD)
            .max_idle_connections(4 * IDLE_PER_HOST)
            .max_idle_connections_per_host(IDLE_PER_HOST)
            // ureq would read the environment itself, and use one proxy for both schemes.
            .proxy(None);
        if route.needs_tls() {
            let tls = self.trust.config(options, &self.environment);
            config = config.tls_config(tls.map_err(|why| refused(Layer::Tls, why))?);
        }
        let agent = |config| {
            let resolver = GuardedResolver::new(route, &self.environment);
            stoppable::agent(config, DefaultConnector::new(), resolver, &self.stop)
        };
        let Some((proxy, source)) = &route.proxy else {
            return Ok(agent(config.build()));
        };
        let proxy =
            proxy.to_ureq().map_err(|error| refused(Layer::Proxy, format!("{proxy} (from {source}): {error}")))?;
        Ok(match route.forward_proxy() {
            Some(_) => forward_proxy::agent(config.build(), proxy.uri().clone(), &self.stop),
            None => agent(config.proxy(Some(proxy)).build()),
        })
    }
}

/// A body that notifies when bytes arrive.
struct WatchedBody<'a, R> {
    reader: R,
    alive: &'a dyn Fn(),
    /// Set when it cannot be read. Any other error concerns the decoding.
    broke_off: &'a Cell<bool>,
}

impl<R: Read> Read for WatchedBody<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        if read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            self.broke_off.set(true);
        }
        (self.alive)();
        read
    }
}

/// The request's head for the HTTP library.
fn head(request: &HttpRequest, route: &Route) -> Result<http::request::Builder, TransportError> {
    let uri: Uri = request.url.as_str().parse().map_err(|error| unsendable(&error))?;
    let mut head = http::Request::builder().method(request.method.clone()).uri(uri);
    if let Some(headers) = head.headers_mut() {
        headers.clone_from(&request.headers);
        headers.entry(ACCEPT_ENCODING).or_insert(content_coding::ACCEPTED);
        if let Some(credentials) = route.forward_proxy().and_then(ProxyUrl::authorization) {
            let credentials = HeaderValue::try_from(credentials).map_err(|error| unsendable(&error))?;
            headers.insert(PROXY_AUTHORIZATION, credentials);
        }
        if route.forward_proxy().is_some() {
            // An interim response would be taken for the end of the request.
            headers.remove(EXPECT);
        }
    }
    Ok(head)
}

/// Sends the request and reads the head of the response.
fn run(
    agent: &Agent,
    mut head: http::request::Builder,
    body: &RequestBody,
    failed: &dyn Fn(ureq::Error) -> TransportError,
) -> Result<http::Response<ureq::Body>, TransportError> {
    if let RequestBody::Streamed(body) = body {
        let unread = |why: String| {
            let detail = format!("its body cannot be read: {why}");
            TransportError::new(Layer::Request, FailureKind::System, detail)
        };
        let mut body = body.open().map_err(|error| unread(error.to_string()))?;
        if let (Some(length), Some(headers)) = (body.length, head.headers_mut()) {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        let request = head.body(SendBody::from_reader(&mut body)).map_err(|error| unsendable(&error))?;
        let answered = agent.run(request);
        return answered.map_err(|error| body.failure.map_or_else(|| failed(error), unread));
    }
    let answered = match body.encode() {
        None => {
            // Otherwise it would be sent as zero chunks. Some servers accept no chunks at all.
            let may_have = head.method_ref().is_some_and(|m| [Method::POST, Method::PUT, Method::PATCH].contains(m));
            if let Some(headers) = head.headers_mut().filter(|_| may_have) {
                headers.insert(CONTENT_LENGTH, 0.into());
            }
            agent.run(head.body(()).map_err(|error| unsendable(&error))?)
        }
        Some((bytes, content_type)) => {
            if let (Some(content_type), Some(headers)) = (content_type, head.headers_mut()) {
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
            }
            agent.run(head.body(bytes).map_err(|error| unsendable(&error))?)
        }
    };
    answered.map_err(failed)
}

fn unsendable(error: &dyn fmt::Display) -> TransportError {
    TransportError::new(Layer::Request, FailureKind::Config, error.to_string())
}

fn body_error(error: BodyError, in_flight: &InFlight<'_>) -> TransportError {
    match error {
        BodyError::Read(error) => TransportError::from_ureq(&ureq::Error::from(error), in_flight),
        BodyError::Spool(error) => disk_error(&error),
        BodyError::TooLong => TransportError::new(
            Layer::Body,
            FailureKind::System,
            format!(
                "it is longer than the {} bytes that are accepted (max_body_bytes)",
                in_flight.options.max_body_bytes
            ),
        ),
    }
}

fn disk_error(error: &io::Error) -> TransportError {
    let folder = std::env::temp_dir();
    let folder = folder.display();
    let fix = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            format!("Free some space in {folder}, or name another folder in TMPDIR")
        }
        // As in a container with a read-only root file system.
        _ => format!("Make {folder} a folder that can be written, for a container a volume, or name another in TMPDIR"),
    };
    let detail = format!("{error}. {fix}");
    TransportError::new(Layer::Disk, FailureKind::System, detail)
}

/// The request that a redirect asks for, or `None` if the response is not a redirect. A redirect without `Location` is
/// an ordinary answer.
fn redirect(
    request: &HttpRequest,
    response: &Response,
    options: &RequestOptions,
) -> Result<Option<HttpRequest>, TransportError> {
    let status = response.status;
    let Some(location) = response.headers.get("location") else { return Ok(None) };
    if options.max_redirects == 0 || !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    // Some servers send a path unencoded, in UTF-8.
    let location = std::str::from_utf8(location.as_bytes()).ok();
    let target = location.and_then(|location| request.url.join(location.trim()).ok());
    let Some(url) = target.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        let detail = format!("{status} of {} has a Location that is not a URL", request.describe());
        return Err(TransportError::new(Layer::Redirect, FailureKind::System, detail));
    };
    let mut next = HttpRequest { url, ..request.clone() };
    // RFC 9110, section 15.4: 303 is always followed with GET, 301 and 302 after a POST.
    if status == StatusCode::SEE_OTHER || (status.as_u16() < 303 && next.method == Method::POST) {
        next.method = if next.method == Method::HEAD { Method::HEAD } else { Method::GET };
        next.body = RequestBody::Empty;
        for header in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
            next.headers.remove(header);
        }
    }
    if !same_host(&request.url, &next.url) {
        // Set by the stream itself, but credentials anyway.
        next.strip_credentials();
    }
    Ok(Some(next))
}
