//! Agents that a stop can interrupt. ureq shuts down sending and receiving; resolving a name and opening a connection
//! cannot be interrupted, so they run in a thread of their own, which is abandoned when a stop is requested.
//!
//! Names are resolved when a connection is opened. ureq resolves them before each request, in a new thread each time,
//! even if it has a connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, time};
use ureq::{Agent, Timeout};

use super::unfold::Unfolding;
use crate::stop::Stop;

/// An agent of these parts, whose waits for names and connections a stop ends.
pub(super) fn agent(config: Config, connector: impl Connector, resolver: impl Resolver, stop: &Stop) -> Agent {
    let connector = StoppableConnector {
        connector: Arc::new(connector),
        resolver: Arc::new(resolver),
        has_proxy: config.proxy().is_some(),
        stop: stop.clone(),
    };
    Agent::with_parts(config, connector, Later)
}

/// The end of a wait for a name or a connection. A stop is never shown: the transport reports it itself.
fn left_behind(error: anyhow::Error) -> ureq::Error {
    io::Error::other(error).into()
}

/// Promises an address, which is resolved when it is needed.
#[derive(Debug)]
struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut promise = self.empty();
        promise.push(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(promise)
    }
}

/// Opens connections, with everything that belongs to it: names, proxies and TLS.
struct StoppableConnector<C, R> {
    connector: Arc<C>,
    resolver: Arc<R>,
    /// Whether the agent has a proxy, which it may ask for a tunnel.
    has_proxy: bool,
    stop: Stop,
}

impl<C: Connector, R: Resolver> Connector for StoppableConnector<C, R> {
    type Out = Unfolding<C::Out>;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        let (connector, resolver) = (self.connector.clone(), self.resolver.clone());
        let (uri, config, addrs) = (details.uri.clone(), details.config.clone(), details.addrs.clone());
        let (request_level, now, timeout) = (details.request_level, details.now, details.timeout);
        let (current_time, run_connector) = (details.current_time.clone(), details.run_connector.clone());
        let register_shutdown = details.register_shutdown.clone();
        // ureq opens the connection to a proxy with a config that no longer names one.
        let carries_tunnel = self.has_proxy && config.proxy().is_none();
        let heads = if carries_tunnel { Unfolding::tunnel } else { Unfolding::new };
        let connect = move || {
            // Without a promise, the address is the proxy's, and needs no resolving here.
            let addrs = match addrs.is_empty() {
                true => addrs,
                false => resolver.resolve(&uri, &config, resolve_timeout(&config, timeout))?,
            };
            let details = ConnectionDetails {
                uri: &uri,
                addrs,
                config: &config,
                request_level,
                resolver: &*resolver,
                now,
                timeout,
                current_time,
                run_connector,
                register_shutdown,
            };
            Ok(connector.connect(&details, None)?.map(heads))
        };
        self.stop.unless_requested(connect).map_err(left_behind)?
    }
}

/// The config's limit, or the rest of a limit on the whole request.
fn resolve_timeout(config: &Config, left: NextTimeout) -> NextTimeout {
    let own = NextTimeout {
        after: config.timeouts().resolve.map_or(time::Duration::NotHappening, Into::into),
        reason: Timeout::Resolve,
        per_read: None,
        per_write: None,
    };
    if left.reason != Timeout::Connect && left.after < own.after { left } else { own }
}

impl<C: fmt::Debug, R> fmt::Debug for StoppableConnector<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connector.fmt(f)
    }
}
