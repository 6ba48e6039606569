//! How a request travels: timeouts, redirects, user agent. Nothing about what it says.

use std::time::Duration;

/// The network options of a stream, or of one request of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOptions {
    /// Longest time for name look-up. Default: 10 seconds.
    pub resolve_timeout: Duration,
    /// Longest time to open a connection, TLS included. Default: 10 seconds.
    pub connect_timeout: Duration,
    /// Longest time from the request sent to the end of the response's head. Default: 60 seconds.
    pub response_timeout: Duration,
    /// Longest time without a byte of the body. Default: 60 seconds.
    pub read_timeout: Duration,
    /// Longest time for one attempt in all, body included. `None` is no limit. Default: none, because a body that
    /// makes progress is no fault.
    pub total_timeout: Option<Duration>,
    /// Redirects followed before giving up; 0 takes a redirect as the answer. Credentials stay with the host they were
    /// meant for. Default: 10.
    pub max_redirects: u32,
    /// The `User-Agent` header. Default: `source-http/` and the version.
    pub user_agent: String,
    /// Longest response that is accepted, in bytes after decompression. Default: 4 GiB.
    pub max_body_bytes: u64,
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
        }
    }
}
