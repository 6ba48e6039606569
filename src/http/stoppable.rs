//! Agents that a stop gets through to. ureq shuts down what is sent and received; looking up a name and opening a
//! connection cannot be interrupted, so they are done in a thread of their own, which is left behind when a stop is
//! requested.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

use crate::stop::Stop;

/// An agent of these parts, whose waits for names and connections a stop ends.
pub(super) fn agent(config: Config, connector: impl Connector, resolver: impl Resolver, stop: &Stop) -> Agent {
    let resolver = StoppableResolver { resolver: Arc::new(resolver), stop: stop.clone() };
    let connector =
        StoppableConnector { connector: Arc::new(connector), resolver: resolver.clone(), stop: stop.clone() };
    Agent::with_parts(config, connector, resolver)
}

/// What keeps a name or a connection from being waited for. That the run is to end is never shown: the transport tells
/// it itself.
fn left_behind(error: anyhow::Error) -> ureq::Error {
    io::Error::other(error).into()
}

/// Looks up names.
struct StoppableResolver<R> {
    resolver: Arc<R>,
    stop: Stop,
}

impl<R: Resolver> Resolver for StoppableResolver<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if literal.parse::<IpAddr>().is_ok() {
            return self.resolver.resolve(uri, config, timeout);
        }
        let (resolver, uri, config) = (self.resolver.clone(), uri.clone(), config.clone());
        self.stop.unless_requested(move || resolver.resolve(&uri, &config, timeout)).map_err(left_behind)?
    }
}

/// Opens connections, with all that belongs to that: proxies and TLS.
struct StoppableConnector<C, R> {
    connector: Arc<C>,
    resolver: StoppableResolver<R>,
    stop: Stop,
}

impl<C: Connector, R: Resolver> Connector for StoppableConnector<C, R> {
    type Out = C::Out;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        let (connector, resolver) = (self.connector.clone(), self.resolver.clone());
        let (uri, config, addrs) = (details.uri.clone(), details.config.clone(), details.addrs.clone());
        let (request_level, now, timeout) = (details.request_level, details.now, details.timeout);
        let (current_time, run_connector) = (details.current_time.clone(), details.run_connector.clone());
        let register_shutdown = details.register_shutdown.clone();
        let connect = move || {
            let details = ConnectionDetails {
                uri: &uri,
                addrs,
                config: &config,
                request_level,
                resolver: &resolver,
                now,
                timeout,
                current_time,
                run_connector,
                register_shutdown,
            };
            connector.connect(&details, None)
        };
        self.stop.unless_requested(connect).map_err(left_behind)?
    }
}

impl<R> Clone for StoppableResolver<R> {
    fn clone(&self) -> Self {
        Self { resolver: self.resolver.clone(), stop: self.stop.clone() }
    }
}

impl<R: fmt::Debug> fmt::Debug for StoppableResolver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resolver.fmt(f)
    }
}

impl<C: fmt::Debug, R> fmt::Debug for StoppableConnector<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connector.fmt(f)
    }
}
