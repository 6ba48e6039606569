//! Why no response came: which layer failed, and whether asking again may help.

use std::fmt;
use std::io;

use crate::protocol::FailureKind;

/// The layers a request passes, outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The request itself cannot be sent.
    Request,
    /// The host's name has no address.
    Dns,
    /// No connection could be opened.
    Connect,
    /// The proxy refused.
    Proxy,
    /// The encrypted connection could not be set up.
    Tls,
    /// The request could not be written.
    Send,
    /// The response's head did not come, or made no sense.
    Receive,
    /// The body broke off, stalled, or could not be decompressed.
    Body,
    /// The response sent the request elsewhere, in vain.
    Redirect,
    /// The temporary file for a large body failed: this machine's fault.
    Disk,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "the request cannot be sent",
            Self::Dns => "the host name could not be resolved (DNS)",
            Self::Connect => "no connection could be opened",
            Self::Proxy => "the proxy did not connect",
            Self::Tls => "the TLS handshake failed",
            Self::Send => "the request could not be sent in full",
            Self::Receive => "no complete response head came back",
            Self::Body => "the response body broke off",
            Self::Redirect => "a redirect could not be followed",
            Self::Disk => "the response could not be kept in a temporary file",
        })
    }
}

/// A request without a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// Where it failed.
    pub layer: Layer,
    /// What the system or the library says.
    pub detail: String,
    /// Who can mend it. Only a transient one is tried again.
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

    /// Sorts an error of the HTTP library. `in_body` says that the head of the response had been read.
    pub(super) fn from_ureq(error: &ureq::Error, in_body: bool) -> Self {
        use FailureKind::{Config, System, Transient};
        use ureq::Timeout;

        let came_back = if in_body { Layer::Body } else { Layer::Receive };
        let (layer, kind, detail) = match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::RequireHttpsOnly(_) => {
                (Layer::Request, Config, error.to_string())
            }
            ureq::Error::HostNotFound => (Layer::Dns, Transient, "the name is unknown".to_owned()),
            ureq::Error::ConnectionFailed => (Layer::Connect, Transient, error.to_string()),
            ureq::Error::InvalidProxyUrl => (Layer::Proxy, Config, error.to_string()),
            ureq::Error::ConnectProxyFailed(_) => (Layer::Proxy, Transient, error.to_string()),
            ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => {
                (Layer::Tls, Config, error.to_string())
            }
            ureq::Error::RedirectFailed | ureq::Error::TooManyRedirects => (Layer::Redirect, System, error.to_string()),
            ureq::Error::Timeout(timeout) => {
                let layer = match timeout {
                    Timeout::Resolve => Layer::Dns,
                    Timeout::Connect => Layer::Connect,
                    Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => Layer::Send,
                    Timeout::RecvBody => Layer::Body,
                    _ => came_back,
                };
                (layer, Transient, "timed out".to_owned())
            }
            ureq::Error::Io(io) => (io_layer(io).unwrap_or(came_back), Transient, io_detail(io)),
            ureq::Error::Decompress(_, io) => (Layer::Body, Transient, format!("it cannot be decompressed: {io}")),
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) | ureq::Error::BodyStalled => {
                (came_back, Transient, error.to_string())
            }
            _ => (came_back, System, error.to_string()),
        };
        Self::new(layer, kind, detail)
    }
}

/// Errors of the system that can only come from opening a connection.
fn io_layer(error: &io::Error) -> Option<Layer> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => Some(Layer::Connect),
        _ if error.to_string().contains("lookup address") => Some(Layer::Dns),
        _ => None,
    }
}

fn io_detail(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed early".to_owned(),
        io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    }
}
