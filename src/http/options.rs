//! How a request travels: timeouts, redirects, proxy, TLS, user agent. Nothing about what it says.

use std::time::Duration;

use super::network::{ClientIdentity, Pem, ProxySetting};

/// The network options of a stream, or of one request of it.
///
/// ```
/// use std::time::Duration;
/// use source_http::http::{Pem, RequestOptions};
///
/// let options = RequestOptions {
///     response_timeout: Duration::from_secs(300),
///     extra_ca: vec![Pem::new("/etc/ssl/corporate.pem")],
///     ..RequestOptions::default()
/// };
/// assert_eq!(options.max_redirects, 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOptions {
    /// Longest time for the look-up of the server's name. Default: 10 seconds.
    pub resolve_timeout: Duration,
    /// Longest time to open a connection, with the look-up of a proxy's name, the proxy's answer and the TLS handshake.
    /// Default: 10 seconds.
    pub connect_timeout: Duration,
    /// Longest time from the request sent to the end of the response's head. [`RequestOptions::read_timeout`] ends the
    /// wait earlier if it is shorter. Default: 60 seconds.
    pub response_timeout: Duration,
    /// Longest time without a single byte, coming or going, at any time of a request. Default: 60 seconds.
    pub read_timeout: Duration,
    /// Longest time for one attempt in all, body included; a redirect counts as an attempt of its own. `None` is no
    /// limit. Default: none, because a body that makes progress is no fault.
    pub total_timeout: Option<Duration>,
    /// Redirects followed before giving up; 0 takes a redirect as the answer. What the authenticator put on a request
    /// stays with the host it was meant for, and so do the headers `Authorization` and `Cookie`. Default: 10.
    pub max_redirects: u32,
    /// The `User-Agent` header. Default: `source-http/` and the version.
    pub user_agent: String,
    /// Longest response that is accepted, in bytes after decompression. Default: 4 GiB less one byte.
    pub max_body_bytes: u64,
    /// Whether the server's certificate has to be valid. Without, anybody on the way can read and change what is sent,
    /// credentials included: prefer [`RequestOptions::extra_ca`]. Default: true.
    pub verify_certificates: bool,
    /// Authorities trusted besides those of the system (or of `SSL_CERT_FILE` and `SSL_CERT_DIR`, see
    /// [`super::NetworkEnvironment`]). Where the system has none, Mozilla's list takes their place. Default: none.
    pub extra_ca: Vec<Pem>,
    /// Shown to servers that ask for a client certificate. Default: none.
    pub client_identity: Option<ClientIdentity>,
    /// The proxy. Default: what the environment says.
    pub proxy: ProxySetting,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            resolve_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(60),
            read_timeout: Duration::from_secs(60),
            total_timeout: None,
            max_redirects: 10,
            user_agent: concat!("source-http/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_body_bytes: 4 * 1024 * 1024 * 1024 - 1,
            verify_certificates: true,
            extra_ca: Vec::new(),
            client_identity: None,
            proxy: ProxySetting::Environment,
        }
    }
}
