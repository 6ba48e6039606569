//! One request: ask the cache and the budget, authenticate, send, read the whole body, judge the answer, and possibly
//! wait and retry.
//!
//! `client` runs a request through the parts, `attempt` is one attempt of it, `exchange` its input, `failures` its
//! messages when it gives up; `waits` how it waits; `activity` its countable events; `transport` is the socket side,
//! `network` its proxies and certificates, `stoppable` ends it early; `body` holds a response in memory or on disk;
//! `retry`, `response_rule`, `backoff`, `retry_after` and `retry_quota` decide whether and when to retry; `budget`
//! keeps requests below an API's limits, `cache` answers repeated ones; `auth` adds credentials to a request; `url`
//! joins and completes URLs, `link` reads the `Link` header. Nothing here knows of streams or Airbyte's statuses:
//! [`RetryObserver`] notifies the caller of waits.

mod activity;
mod api_message;
mod attempt;
pub mod auth;
mod backoff;
mod body;
pub mod budget;
pub mod cache;
mod client;
mod content_coding;
mod exchange;
mod failures;
mod forward_proxy;
mod header_list;
mod http_date;
mod in_flight;
mod layer;
mod link;
mod network;
mod options;
mod request;
mod response;
mod response_rule;
mod retry;
mod retry_after;
mod retry_quota;
mod retry_rules;
mod sendable;
mod stoppable;
mod streamed_body;
mod told_waits;
mod transport;
mod transport_error;
mod unfold;
mod url;
mod waits;

pub use self::body::Body;
pub(crate) use self::body::ReadSeek;
pub use self::url::{add_params, join_url, same_host, set_param};
pub use crate::buffers::Buffer;
pub use activity::Activity;
pub use backoff::Backoff;
pub use client::HttpClient;
pub use exchange::{Exchange, Undecodable};
pub use layer::Layer;
pub(crate) use link::all_links;
pub use link::link_target;
pub use network::{ClientIdentity, NetworkEnvironment, Pem, ProxySetting, ProxyUrl};
pub use options::RequestOptions;
pub use request::{HttpRequest, RequestBody};
pub use response::Response;
pub use response_rule::ResponseRule;
pub use retry::{Outcome, ResponseAction, RetryObserver, Telling, Verdict, Wait};
pub use retry_after::server_hint;
pub use retry_quota::RetryQuota;
pub use retry_rules::{RetryRules, UsualRules};
pub use sendable::check_header_setting;
pub use streamed_body::StreamedBody;
pub use transport::{Sent, Transport};
pub use transport_error::TransportError;
pub use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use waits::{LONGEST_SILENCE, Waits};
