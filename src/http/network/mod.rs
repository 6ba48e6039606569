//! The way to a server: what the environment says about it, proxies, whom to trust with TLS, and where
//! not to go. Decided here, per
//! URL; carried out by the transport.

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
