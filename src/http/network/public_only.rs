//! Keeps requests out of private networks, if the environment says that the author of the config must not reach them.
//!
//! The connection's address decides: a name is resolved once, and the same result is checked and connected to. So a
//! name that changes a moment later is refused. A proxy resolves names itself; the environment's proxy belongs to the
//! operator, and so do its rules.

use std::fmt;
use std::io;
use std::net::IpAddr;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use url::{Host, Url};

use super::public_address::not_public;
use super::{NetworkEnvironment, Route};

/// The rule, for errors.
const RULE: &str = "With DEPLOYMENT_MODE=cloud, as it is set here,";

/// Fails if a URL itself shows that it must not be requested.
pub(in crate::http) fn refuse(url: &Url, environment: &NetworkEnvironment) -> Result<(), String> {
    if !environment.public_only {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(format!(
            "{RULE} every URL has to begin with https://, and this one begins with {}://. Correct the URL in the \
             config",
            url.scheme()
        ));
    }
    let refused = |address: IpAddr| {
        let host = address.to_string();
        not_public(address).map_or(Ok(()), |what| Err(NotPublic { host, address, what }.to_string()))
    };
    match url.host() {
        Some(Host::Ipv4(address)) => refused(address.into()),
        Some(Host::Ipv6(address)) => refused(address.into()),
        // RFC 6761, section 6.3: this machine, whatever a proxy makes of it.
        Some(Host::Domain(host)) if is_localhost(host) => refused(IpAddr::from([127, 0, 0, 1])),
        _ => Ok(()),
    }
}

fn is_localhost(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host == "localhost" || host.ends_with(".localhost")
}

/// Resolves names, and returns no forbidden address.
#[derive(Debug)]
pub(in crate::http) struct GuardedResolver {
    resolver: DefaultResolver,
    public_only: bool,
    /// The environment's proxy may be anywhere.
    trusted: Option<(String, u16)>,
}

impl GuardedResolver {
    /// The resolver for a route.
    pub(in crate::http) fn new(route: &Route, environment: &NetworkEnvironment) -> Self {
        let proxy = route.proxy_of_environment().and_then(|proxy| proxy.to_ureq().ok());
        let trusted = proxy.map(|proxy| (proxy.host().to_owned(), proxy.port()));
        Self { resolver: DefaultResolver::default(), public_only: environment.public_only, trusted }
    }
}

impl GuardedResolver {
    fn trusts(&self, uri: &Uri) -> bool {
        let is_same = |(host, port): &(String, u16)| {
            uri.host() == Some(host) && uri.port_u16().is_none_or(|given| given == *port)
        };
        self.trusted.as_ref().is_some_and(is_same)
    }
}

impl Resolver for GuardedResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        if self.public_only && !self.trusts(uri) {
            // One is enough: an attacker would add a public address for show.
            let refused = found.iter().find_map(|address| Some((address.ip(), not_public(address.ip())?)));
            if let Some((address, what)) = refused {
                let host = uri.host().unwrap_or_default().to_owned();
                return Err(io::Error::other(NotPublic { host, address, what }).into());
            }
        }
        Ok(found)
    }
}

/// A forbidden address.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct NotPublic {
    host: String,
    address: IpAddr,
    what: &'static str,
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, address, what } = self;
        write!(f, "{RULE} only public addresses are connected to, and ")?;
        match host.parse() == Ok(*address) {
            true => write!(f, "{address} is not one ({what})")?,
            false => write!(f, "{host} has the address {address} ({what})")?,
        }
        f.write_str(". Correct the URL in the config")
    }
}

impl std::error::Error for NotPublic {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> Option<String> {
        let cloud = NetworkEnvironment::from_vars([("DEPLOYMENT_MODE", "CLOUD")]);
        refuse(&Url::parse(url).unwrap(), &cloud).err()
    }

    #[test]
    fn an_address_is_recognised_in_every_notation() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            let why = refused(url).unwrap_or_default();
            assert!(why.contains("DEPLOYMENT_MODE=cloud") && why.contains("only public addresses"), "{url}: {why}");
        }
        for url in ["https://api.stripe.com/", "https://8.8.8.8/", "https://localhost.example.com/"] {
            assert_eq!(refused(url), None, "{url}");
        }
    }

    fn looked_up(public_only: bool, trusted: Option<(String, u16)>) -> Result<usize, String> {
        let resolver = GuardedResolver { resolver: DefaultResolver::default(), public_only, trusted };
        let timeout = NextTimeout {
            after: std::time::Duration::from_secs(60).into(),
            reason: ureq::Timeout::Resolve,
            per_read: None,
            per_write: None,
        };
        let uri = Uri::from_static("https://localhost:8443/");
        let found = resolver.resolve(&uri, &Config::default(), timeout);
        found.map(|found| found.len()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_counts_as_the_address_it_resolves_to() {
        let why = looked_up(true, None).unwrap_err();
        assert!(why.contains("localhost has the address ") && why.contains(" (this machine)"), "{why}");
        assert!(looked_up(false, None).unwrap() > 0);
    }

    #[test]
    fn the_operators_proxy_may_be_anywhere_and_nothing_else_beside_it() {
        assert!(looked_up(true, Some(("localhost".to_owned(), 8443))).unwrap() > 0);
        assert!(looked_up(true, Some(("localhost".to_owned(), 3128))).is_err());
    }

    #[test]
    fn only_https_may_be_requested() {
        let why = refused("http://api.stripe.com/").unwrap();
        assert!(why.contains("begin with https://, and this one begins with http://"), "{why}");
    }

    #[test]
    fn elsewhere_everything_may_be_requested() {
        let open = NetworkEnvironment::from_vars([("DEPLOYMENT_MODE", "OSS")]);
        assert_eq!(refuse(&Url::parse("http://127.0.0.1/").unwrap(), &open), Ok(()));
    }
}
