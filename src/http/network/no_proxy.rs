//! The list of hosts that are reached without a proxy.

use std::net::IpAddr;

use url::{Host, Url};

/// The content of `NO_PROXY`. There is no standard for it; this follows curl, and Go in that an entry may have a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    All,
    /// The domain and all below it.
    Domain(String, Option<u16>),
    /// Addresses with these leading bits.
    Network {
        address: IpAddr,
        bits: u32,
        port: Option<u16>,
    },
}

impl NoProxy {
    /// Reads entries separated by commas or white space: `*`, domains with or without a leading dot or `*.`, addresses,
    /// networks such as `10.0.0.0/8`; with or without `:PORT`. Any other entry matches no host.
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty());
        Self(entries.map(Entry::parse).collect())
    }

    /// Whether the server of this URL is reached directly.
    pub(super) fn matches(&self, url: &Url) -> bool {
        self.0.iter().any(|entry| entry.matches(url))
    }
}

impl Entry {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::All;
        }
        if let Some(network) = Self::network(text, None) {
            return network;
        }
        if let Some((host, port)) = text.rsplit_once(':')
            && let Ok(port) = port.parse()
        {
            return Self::network(host, Some(port)).unwrap_or_else(|| Self::domain(host, Some(port)));
        }
        Self::domain(text, None)
    }

    fn domain(text: &str, port: Option<u16>) -> Self {
        let domain = text.trim_start_matches('*').trim_matches('.');
        Self::Domain(domain.to_ascii_lowercase(), port)
    }

    fn network(text: &str, port: Option<u16>) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(longest);
        (bits <= longest).then_some(Self::Network { address, bits, port })
    }

    fn matches(&self, url: &Url) -> bool {
        let same_port = |port: &Option<u16>| port.is_none() || *port == url.port_or_known_default();
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            _ => None,
        };
        match (self, url.host()) {
            (Self::All, _) => true,
            (Self::Network { address: network, bits, port }, _) => {
                same_port(port) && address.is_some_and(|address| shares_bits(*network, address, *bits))
            }
            (Self::Domain(domain, port), Some(Host::Domain(host))) => {
                let host = host.trim_end_matches('.');
                let below =
                    host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                same_port(port) && !domain.is_empty() && below
            }
            _ => false,
        }
    }
}

/// Whether two addresses of one kind have the same leading bits.
pub(super) fn shares_bits(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits,
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_entry_matches_what_it_names_and_no_more() {
        for (list, url, direct) in [
            ("", "http://a.com", false),
            ("*", "http://a.com", true),
            ("a.com", "http://a.com", true),
            ("a.com", "https://sub.A.com:8443/x", true),
            ("a.com", "http://ba.com", false),
            (".a.com", "http://a.com", true),
            ("*.a.com", "http://sub.a.com", true),
            ("A.COM.", "http://a.com", true),
            ("b.com, a.com", "http://a.com", true),
            ("b.com a.com", "http://a.com", true),
            ("a.com:80", "http://a.com", true),
            ("a.com:81", "http://a.com", false),
            ("10.0.0.0/8", "http://10.1.2.3", true),
            ("10.0.0.0/8", "http://11.1.2.3", false),
            ("0.0.0.0/0", "http://11.1.2.3", true),
            ("127.0.0.1", "http://127.0.0.1:9/", true),
            ("127.0.0.1:8", "http://127.0.0.1:9/", false),
            ("127.0.0.1:9", "http://127.0.0.1:9/", true),
            ("0.0.1", "http://127.0.0.1", false),
            ("::1", "http://[::1]:8080", true),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("fd00::/8", "http://[fd12::1]", true),
            ("10.0.0.0/99", "http://10.0.0.0", false),
            (",. ,", "http://a.com", false),
        ] {
            assert_eq!(NoProxy::parse(list).matches(&Url::parse(url).unwrap()), direct, "{list:?} {url}");
        }
    }
}
