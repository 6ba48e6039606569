//! The way to a server: what the environment says about it, proxies, and whom to trust with TLS. Decided here, per
//! URL; carried out by the transport.

mod environment;
mod no_proxy;
mod pem;
mod proxy;
mod route;
mod tls;
mod tls_error;

pub use environment::NetworkEnvironment;
pub use pem::{ClientIdentity, Pem};
pub use proxy::{ProxySetting, ProxyUrl};
pub(super) use route::Route;
pub(super) use tls::TrustStore;
pub(super) use tls_error::{Handshake, sort as sort_tls_error};
