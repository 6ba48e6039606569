//! One request: authenticate, send, read the whole body, judge the answer, and maybe wait and try again.
//!
//! `client` is the way of a request through the parts, `exchange` what it is given, `failures` what it says when it
//! gives up; `transport` is the socket side; `body` keeps a response in memory or on disk; `retry`, `backoff`,
//! `retry_after` and `retry_quota` decide whether and when to try again; `auth` puts credentials on a request; `url`
//! joins and completes URLs. Nothing here knows of streams or Airbyte's statuses: who waits for a request is told of
//! its waits through [`RetryObserver`].

mod api_message;
pub mod auth;
mod backoff;
mod body;
mod client;
mod exchange;
mod failures;
mod options;
mod request;
mod response;
mod retry;
mod retry_after;
mod retry_quota;
mod transport;
mod transport_error;
mod url;

pub use self::url::{add_params, join_url};
pub use backoff::Backoff;
pub use body::Body;
pub use client::HttpClient;
pub use exchange::{Exchange, Undecodable};
pub use options::RequestOptions;
pub use request::{HttpRequest, RequestBody};
pub use response::Response;
pub use retry::{Outcome, ResponseAction, RetryObserver, RetryRules, Wait};
pub use retry_after::server_hint;
pub use retry_quota::RetryQuota;
pub use transport::{Sent, Transport};
pub use transport_error::{Layer, TransportError};
pub use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
