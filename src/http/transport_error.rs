//! Why no response came: the failed layer, and whether a retry may help.

use std::fmt;

use super::Layer;
use super::in_flight::InFlight;
use crate::protocol::FailureKind;

/// A request without a response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportError {
    /// Where it failed.
    pub layer: Layer,
    /// The message of the system or the library.
    pub detail: String,
    /// Who can fix it. Only a transient one is retried.
    pub kind: FailureKind,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.layer, self.detail)
    }
}

impl std::error::Error for TransportError {}

impl TransportError {
    pub(super) fn new(layer: Layer, kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { layer, detail: detail.into(), kind }
    }

    /// Classifies an error of the HTTP library.
    pub(super) fn from_ureq(error: &ureq::Error, in_flight: &InFlight<'_>) -> Self {
        use FailureKind::{Config, System, Transient};

        let came_back = if in_flight.in_body { Layer::Body } else { Layer::Receive };
        let (layer, kind, detail) = match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::RequireHttpsOnly(_) => {
                (Layer::Request, Config, error.to_string())
            }
            ureq::Error::HostNotFound => in_flight.unknown_host("it has no address"),
            ureq::Error::ConnectionFailed => in_flight.unconnected("no address took a connection"),
            ureq::Error::InvalidProxyUrl => (Layer::Proxy, Config, error.to_string()),
            ureq::Error::ConnectProxyFailed(why) => in_flight.no_tunnel(why),
            ureq::Error::Rustls(error) => in_flight.tls(error),
            ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::TlsRequired => {
                (Layer::Tls, Config, error.to_string())
            }
            ureq::Error::RedirectFailed | ureq::Error::TooManyRedirects => (Layer::Redirect, System, error.to_string()),
            ureq::Error::Timeout(timeout) => in_flight.timed_out(*timeout),
            ureq::Error::Io(error) => in_flight.io(error),
            // The same next time: an API's headers hardly change.
            ureq::Error::LargeResponseHeader(_, most) => {
                (Layer::Receive, System, format!("the head is longer than the {most} bytes that are accepted"))
            }
            // The type of this error cannot be named.
            ureq::Error::Protocol(error) if error.to_string().contains("too many headers") => {
                (Layer::Receive, System, "the head has more headers than are accepted".to_owned())
            }
            // Nothing was sent, and nothing would be the next time.
            ureq::Error::Protocol(error) if !in_flight.in_body && is_about_the_request(&error.to_string()) => {
                (Layer::Request, Config, error.to_string())
            }
            ureq::Error::Protocol(_) if !in_flight.in_body => {
                let hint = match in_flight.url.scheme() {
                    "http" => ". If the port speaks TLS, the URL has to begin with https://",
                    _ => "",
                };
                (Layer::Receive, Transient, format!("what came back is not HTTP ({error}){hint}"))
            }
            ureq::Error::Protocol(_) | ureq::Error::BodyStalled => (came_back, Transient, error.to_string()),
            _ => (came_back, System, error.to_string()),
        };
        Self::new(layer, kind, detail)
    }
}

/// Whether the HTTP library refuses an invalid request before sending any of it. It has one type of error for both
/// directions.
fn is_about_the_request(error: &str) -> bool {
    const WORDS: [&str; 6] = [
        "bad header",
        "not valid for HTTP version",
        "host header",
        "authorization header",
        "body not allowed by method",
        "output too small",
    ];
    WORDS.iter().any(|words| error.contains(words))
}
