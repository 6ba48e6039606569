//! The address of a proxy, and the proxy choice of a stream.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::Url;

use crate::protocol::{Failure, Redactor};

/// Kinds of proxy that can be used.
const SCHEMES: [&str; 7] = ["http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"];

/// The proxy for requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ProxySetting {
    /// The environment's: `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` has the host.
    #[default]
    Environment,
    /// No proxy, whatever the environment says.
    Off,
    /// This proxy for every host, whatever the environment says.
    Url(ProxyUrl),
}

/// The URL of a proxy, with a user name and a password if it needs them. Neither is ever shown.
///
/// ```
/// use source_http::http::{ProxySetting, ProxyUrl, RequestOptions};
/// use source_http::protocol::Redactor;
///
/// let proxy = ProxyUrl::parse("http://user:p%40ss@proxy.example.com:3128", &Redactor::default())?;
/// assert_eq!(proxy.to_string(), "http://proxy.example.com:3128");
/// let options = RequestOptions { proxy: ProxySetting::Url(proxy), ..RequestOptions::default() };
/// # Ok::<(), source_http::protocol::Failure>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// Reads `SCHEME://USER:PASSWORD@HOST:PORT`; all but the host is optional. Schemes: `http` (the default), `https`,
    /// `socks4`, `socks4a`, `socks5` (also `socks`) and `socks5h`. The default port is the scheme's: 80, 443 or 1080.
    /// `socks4` and `socks5` resolve the server's name on this side, all others leave it to the proxy. Percent-encode
    /// special characters in user name and password; they are registered as secrets.
    ///
    /// # Errors
    /// A config failure that does not show the URL, which may contain a password.
    pub fn parse(text: &str, redactor: &Redactor) -> Result<Self, Failure> {
        let proxy = Self::read(text).map_err(|why| Failure::config(format!("The URL of the proxy {why}.")))?;
        proxy.register_secrets(redactor);
        Ok(proxy)
    }

    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).map_err(|error| format!("is not a URL: {error}"))?;
        if !SCHEMES.contains(&url.scheme()) {
            return Err(format!("begins with {}://; use one of {}", url.scheme(), SCHEMES.join(", ")));
        }
        match url.host_str() {
            None | Some("") => Err("has no host".to_owned()),
            Some(_) => Ok(Self(url)),
        }
    }

    pub(super) fn register_secrets(&self, redactor: &Redactor) {
        if let Some(password) = self.0.password() {
            redactor.add(password);
        }
        let Ok(proxy) = self.to_ureq() else { return };
        if let Some(password) = proxy.password() {
            redactor.add(password);
        }
        redactor.add(basic(&proxy).unwrap_or_default().as_str());
    }

    /// The value of `Proxy-Authorization`, if there are credentials.
    pub(in crate::http) fn authorization(&self) -> Option<String> {
        basic(&self.to_ureq().ok()?).map(|credentials| format!("Basic {credentials}"))
    }

    /// The URL, credentials included: for hashing, not for showing.
    pub(in crate::http) fn whole(&self) -> &str {
        self.0.as_str()
    }

    pub(in crate::http) fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }

    /// Whether it speaks SOCKS rather than HTTP.
    pub(in crate::http) fn is_socks(&self) -> bool {
        self.0.scheme().starts_with("socks")
    }

    /// Whether the server's name is resolved on this side.
    pub(in crate::http) fn resolves_here(&self) -> bool {
        self.to_ureq().is_ok_and(|proxy| proxy.resolve_target())
    }

    /// Whether the connection to the proxy itself is encrypted.
    pub(in crate::http) fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(in crate::http) fn to_ureq(&self) -> Result<ureq::Proxy, ureq::Error> {
        ureq::Proxy::new(self.0.as_str())
    }
}

/// User name and password in the form of RFC 7617. ureq has decoded the percent signs.
fn basic(proxy: &ureq::Proxy) -> Option<String> {
    if proxy.username().is_none() && proxy.password().is_none() {
        return None;
    }
    let pair = format!("{}:{}", proxy.username().unwrap_or_default(), proxy.password().unwrap_or_default());
    Some(BASE64_STANDARD.encode(pair))
}

/// Shows scheme, host and port, no credentials.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        match self.0.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// As [`fmt::Display`], without credentials.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_port_may_be_left_out() {
        for (text, shown) in [
            ("proxy:3128", "http://proxy:3128"),
            ("10.0.0.1", "http://10.0.0.1"),
            ("https://proxy", "https://proxy"),
            ("socks5h://proxy:1080", "socks5h://proxy:1080"),
            (" http://[::1]:3128/ ", "http://[::1]:3128"),
        ] {
            let proxy = ProxyUrl::read(text).unwrap();
            assert_eq!(proxy.to_string(), shown, "{text}");
            assert!(proxy.to_ureq().is_ok(), "{text}");
        }
    }

    #[test]
    fn credentials_are_sent_decoded_and_never_shown() {
        let redactor = Redactor::default();
        let proxy = ProxyUrl::parse("user:p%40ss%3A@proxy:3128", &redactor).unwrap();
        // user:p@ss:
        assert_eq!(proxy.authorization().as_deref(), Some("Basic dXNlcjpwQHNzOg=="));
        assert_eq!(format!("{proxy} {proxy:?}"), "http://proxy:3128 ProxyUrl(http://proxy:3128)");
        assert_eq!(redactor.redact("p%40ss%3A p@ss: dXNlcjpwQHNzOg=="), "**** **** ****");
        assert_eq!(ProxyUrl::read("proxy").unwrap().authorization(), None);
    }

    #[test]
    fn an_invalid_proxy_is_refused_without_being_shown() {
        for (text, why) in [
            ("ftp://user:secret@proxy", "begins with ftp://"),
            ("http://user:secret@", "is not a URL"),
            ("http://user:secret@proxy:port", "is not a URL"),
        ] {
            let failure = ProxyUrl::parse(text, &Redactor::default()).unwrap_err();
            assert!(failure.message.contains(why) && !failure.message.contains("secret"), "{failure}");
        }
    }
}
