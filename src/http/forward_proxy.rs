//! An agent that sends whole `http` requests to a proxy. ureq asks every proxy for a tunnel, which many refuse for
//! ports other than 443; by RFC 9112, section 3.2.2, the client sends the request itself, its target in absolute form.

use std::fmt::Debug;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport};

use super::stoppable;
use crate::stop::Stop;

/// An agent that connects only to the proxy. `config` must not have a proxy of its own.
pub(super) fn agent(config: Config, proxy: Uri, stop: &Stop) -> Agent {
    let connector = ().chain(TcpConnector::default()).chain(ForwardConnector);
    stoppable::agent(config, connector, ProxyResolver { proxy, resolver: DefaultResolver::default() }, stop)
}

/// Resolves every host to the proxy's address.
#[derive(Debug)]
struct ProxyResolver {
    proxy: Uri,
    resolver: DefaultResolver,
}

impl Resolver for ProxyResolver {
    fn resolve(&self, _: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.resolver.resolve(&self.proxy, config, timeout)
    }
}

/// Wraps the connection to the proxy.
#[derive(Debug)]
struct ForwardConnector;

impl<In: Transport> Connector<In> for ForwardConnector {
    type Out = ForwardTransport<In>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let authority = details.uri.authority().map(Authority::as_str).unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let origin = format!("http://{host}").into_bytes();
        Ok(chained.map(|to_proxy| ForwardTransport { to_proxy, origin, at_head: true }))
    }
}

/// Puts scheme and host in front of each request's target.
#[derive(Debug)]
struct ForwardTransport<T> {
    to_proxy: T,
    origin: Vec<u8>,
    /// The next bytes begin a request: nothing was sent yet, or a response was read.
    at_head: bool,
}

impl<T: Transport> Transport for ForwardTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.to_proxy.buffers()
    }

    fn transmit_output(&mut self, mut amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.at_head && amount > 0 {
            let output = self.to_proxy.buffers().output();
            let longer = amount + self.origin.len();
            let target = output.get(..amount).and_then(|head| head.iter().position(|byte| *byte == b' '));
            let Some(target) = target.filter(|_| longer <= output.len()) else {
                return Err(ureq::Error::Other("the request's head is too long for a proxy".into()));
            };
            let target = target + 1;
            output.copy_within(target..amount, target + self.origin.len());
            output[target..target + self.origin.len()].copy_from_slice(&self.origin);
            amount = longer;
            self.at_head = false;
        }
        self.to_proxy.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.at_head = true;
        self.to_proxy.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.to_proxy.is_open()
    }
}
