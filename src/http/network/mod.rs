//! The route to a server: environment settings, proxies, TLS trust, and forbidden addresses. Decided here for each URL;
//! the transport carries it out.

mod environment;
mod no_proxy;
mod pem;
mod proxy;
mod public_address;
mod public_only;
mod route;
mod tls;
mod tls_error;

pub use environment::NetworkEnvironment;
pub use pem::{ClientIdentity, Pem};
pub use proxy::{ProxySetting, ProxyUrl};
pub(super) use public_only::{GuardedResolver, NotPublic, refuse};
pub(super) use route::Route;
pub(super) use tls::TrustStore;
pub(super) use tls_error::{Handshake, sort as sort_tls_error};
