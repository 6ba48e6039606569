//! The layers of the network, for naming where a request failed.

use std::fmt;

/// The layers a request passes, outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
    /// The response's head did not come, or was invalid.
    Receive,
    /// The body broke off, stalled, or could not be decompressed.
    Body,
    /// The redirects did not end at a response.
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
