//! The network options of a request: timeouts, redirects, proxy, TLS, user agent. They do not concern its content.

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
    /// Longest time to resolve the server's name. Default: 10 seconds.
    pub resolve_timeout: Duration,
    /// Longest time to open a connection, including the resolution of a proxy's name, the proxy's answer and the TLS
    /// handshake. Default: 10 seconds.
    pub connect_timeout: Duration,
    /// Longest time from the sent request to the end of the response's head. A shorter [`RequestOptions::read_timeout`]
    /// ends the wait earlier. Default: 60 seconds.
    pub response_timeout: Duration,
    /// Longest time without a single byte, in either direction, at any time of a request. Default: 60 seconds.
    pub read_timeout: Duration,
    /// Longest total time of one attempt, body included; a redirect counts as an attempt of its own. Default: `None`,
    /// no limit, because a body that makes progress is no fault.
    pub total_timeout: Option<Duration>,
    /// Redirects to follow before giving up; 0 treats a redirect as the answer. The authenticator's additions stay with
    /// the host they were meant for, and so do the headers `Authorization` and `Cookie`. Default: 10.
    pub max_redirects: u32,
    /// The `User-Agent` header. Default: `source-http/` and the version.
    pub user_agent: String,
    /// Longest accepted response, in bytes after decompression. Default: 4 GiB less one byte.
    pub max_body_bytes: u64,
    /// Whether the server's certificate must be valid. If not, anyone on the way can read and change the traffic,
    /// credentials included: prefer [`RequestOptions::extra_ca`]. Default: true.
    pub verify_certificates: bool,
    /// Authorities trusted in addition to those of the system (or of `SSL_CERT_FILE` and `SSL_CERT_DIR`, see
    /// [`super::NetworkEnvironment`]). If the system has none, Mozilla's list replaces them. Default: none.
    pub extra_ca: Vec<Pem>,
    /// The certificate for servers that request one. Default: none.
    pub client_identity: Option<ClientIdentity>,
    /// The proxy. Default: the environment's.
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
