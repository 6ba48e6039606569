//! One request: authenticate, send, read the whole body, judge the answer, and maybe wait and try again.
//!
//! `client` is the way of a request through the parts; `transport` is the socket side; `body` keeps a response in
//! memory or on disk; `retry`, `response_rule`, `backoff`, `retry_after` and `retry_quota` decide whether and when to
//! try again; `auth` puts credentials on a request; `url` joins and completes URLs; `link` reads the `Link` header. Nothing here knows of streams or Airbyte's
//! statuses: who waits for a request is told of its waits through [`RetryObserver`].

mod api_message;
pub mod auth;
mod backoff;
mod body;
mod client;
mod link;
mod options;
mod request;
mod response;
mod response_rule;
mod retry;
mod retry_after;
mod retry_quota;
mod transport;
mod transport_error;
mod url;

pub use self::url::{add_params, join_url, set_param};
pub use backoff::Backoff;
pub use body::Body;
pub use client::{Exchange, HttpClient, Undecodable};
pub use link::link_target;
pub use options::RequestOptions;
pub use request::{HttpRequest, RequestBody};
pub use response::Response;
pub use response_rule::ResponseRule;
pub use retry::{Outcome, ResponseAction, RetryObserver, RetryRules, Wait};
pub use retry_after::server_hint;
pub use retry_quota::RetryQuota;
pub use transport::Transport;
pub use transport_error::{Layer, TransportError};
pub use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
