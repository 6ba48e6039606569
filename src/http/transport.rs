//! The socket side: one request out, one response in, read to its end. Redirects are followed here, so that
//! credentials of every kind, not only `Authorization`, stay with the host they were meant for.

use std::io;
use std::sync::{Mutex, PoisonError};

use ureq::http::{Method, StatusCode, Uri};
use ureq::{Agent, http};
use url::Url;

use super::body::BodyError;
use super::{Body, HttpRequest, Layer, RequestBody, RequestOptions, Response, TransportError};
use crate::protocol::FailureKind;

/// Idle connections kept for each host. As many as workers may be at once.
const IDLE_PER_HOST: usize = 20;
/// Longest head of a response, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// The connections of a run, pooled per set of network options.
#[derive(Debug, Default)]
pub struct Transport {
    agents: Mutex<Vec<(RequestOptions, Agent)>>,
}

/// What came back, and what had been sent for it.
#[derive(Debug)]
pub struct Sent {
    /// The response. It names its request as it was before it was signed.
    pub response: Response,
    /// The request with the credentials the response was given to. `None` if it carried none.
    pub signed: Option<HttpRequest>,
}

impl Transport {
    /// Sends a request and reads the response whole. `authenticate` puts credentials on it and tells whether it did;
    /// it is not called for a redirect that leads to another host.
    ///
    /// # Errors
    /// A [`TransportError`] inside, or what `authenticate` returns. A response with an error status is no error.
    pub fn send(
        &self,
        request: &HttpRequest,
        options: &RequestOptions,
        authenticate: &mut dyn FnMut(&mut HttpRequest) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Sent> {
        let agent = self.agent(options);
        let mut next = request.clone();
        for _ in 0..=options.max_redirects {
            let mut signed = next.clone();
            let is_signed = same_host(&request.url, &next.url) && authenticate(&mut signed)?;
            // What is told of a request is told of `next`, which has no credentials in its URL.
            let response = exchange(&agent, &signed, &next, options)?;
            match redirect(&next, &response, options)? {
                Some(target) => next = target,
                None => return Ok(Sent { response, signed: is_signed.then_some(signed) }),
            }
        }
        let detail = format!("more than {} redirects, the last to {}", options.max_redirects, next.url);
        Err(TransportError::new(Layer::Redirect, FailureKind::System, detail).into())
    }

    fn agent(&self, options: &RequestOptions) -> Agent {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, agent)) = agents.iter().find(|(known, _)| known == options) {
            return agent.clone();
        }
        let agent = new_agent(options);
        agents.push((options.clone(), agent.clone()));
        agent
    }
}

fn new_agent(options: &RequestOptions) -> Agent {
    Agent::config_builder()
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
        .build()
        .new_agent()
}

fn exchange(
    agent: &Agent,
    request: &HttpRequest,
    shown: &HttpRequest,
    options: &RequestOptions,
) -> Result<Response, TransportError> {
    let unsendable = |detail: String| TransportError::new(Layer::Request, FailureKind::Config, detail);
    let uri: Uri = request.url.as_str().parse().map_err(|error| unsendable(format!("{error}")))?;
    let mut head = http::Request::builder().method(request.method.clone()).uri(uri);
    if let Some(headers) = head.headers_mut() {
        headers.clone_from(&request.headers);
    }
    let failed = |error: ureq::Error| TransportError::from_ureq(&error, false);
    let answered = match request.body.encode() {
        None => agent.run(head.body(()).map_err(|error| unsendable(error.to_string()))?),
        Some((bytes, content_type)) => {
            if let (Some(content_type), Some(headers)) = (content_type, head.headers_mut()) {
                headers.entry(http::header::CONTENT_TYPE).or_insert(http::HeaderValue::from_static(content_type));
            }
            agent.run(head.body(bytes).map_err(|error| unsendable(error.to_string()))?)
        }
    };
    let (parts, body) = answered.map_err(failed)?.into_parts();
    let length = body.content_length();
    let reader = body.into_with_config().limit(u64::MAX).reader();
    let body = Body::read(reader, length, options.max_body_bytes).map_err(|error| body_error(error, options))?;
    Ok(Response::new(shown, parts.status, parts.headers, body))
}

fn body_error(error: BodyError, options: &RequestOptions) -> TransportError {
    match error {
        BodyError::Read(error) => TransportError::from_ureq(&ureq::Error::from(error), true),
        BodyError::Spool(error) => disk_error(&error),
        BodyError::TooLong => TransportError::new(
            Layer::Body,
            FailureKind::System,
            format!("it is longer than the {} bytes that are accepted", options.max_body_bytes),
        ),
    }
}

fn disk_error(error: &io::Error) -> TransportError {
    let folder = std::env::temp_dir();
    let detail = format!("{error}. Free some space in {}, or name another folder in TMPDIR", folder.display());
    TransportError::new(Layer::Disk, FailureKind::System, detail)
}

/// The request a redirect asks for, or `None` if the response is no redirect. A redirect without `Location` is an
/// answer like any other.
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
    let target = location.to_str().ok().and_then(|location| request.url.join(location).ok());
    let Some(url) = target.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        let detail = format!("{status} of {} has a Location that is no URL", request.describe());
        return Err(TransportError::new(Layer::Redirect, FailureKind::System, detail));
    };
    let mut next = HttpRequest { url, ..request.clone() };
    // RFC 9110, section 15.4: 303 is always fetched with GET, 301 and 302 are when a POST led to them.
    if status == StatusCode::SEE_OTHER || (status.as_u16() < 303 && next.method == Method::POST) {
        next.method = if next.method == Method::HEAD { Method::HEAD } else { Method::GET };
        next.body = RequestBody::Empty;
    }
    Ok(Some(next))
}

/// Whether credentials meant for one URL may go to another: same host and port, and not from `https` to `http`.
fn same_host(meant: &Url, other: &Url) -> bool {
    let upgraded =
        meant.scheme() == "http" && other.scheme() == "https" && meant.port().is_none() && other.port().is_none();
    meant.host_str() == other.host_str()
        && (upgraded
            || meant.scheme() == other.scheme() && meant.port_or_known_default() == other.port_or_known_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_their_host_and_never_lose_encryption() {
        let url = |text: &str| Url::parse(text).unwrap();
        for (meant, other, same) in [
            ("https://a.com/x", "https://a.com/y", true),
            ("https://a.com", "https://a.com:443/y", true),
            ("http://a.com", "https://a.com", true),
            ("https://a.com", "http://a.com", false),
            ("https://a.com", "https://b.com", false),
            ("https://a.com", "https://sub.a.com", false),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", false),
        ] {
            assert_eq!(same_host(&url(meant), &url(other)), same, "{meant} -> {other}");
        }
    }
}
