//! The route to one server: directly, or through a proxy, and the reason for it.

use url::Url;

use super::{NetworkEnvironment, ProxySetting, ProxyUrl};
use crate::http::RequestOptions;

/// The source of a proxy that is not the environment's.
const OPTION: &str = "the proxy option";

/// How to reach the server of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Route {
    /// The proxy, and its source: a variable's name, or an option's.
    pub(in crate::http) proxy: Option<(ProxyUrl, &'static str)>,
    /// Whether the server speaks TLS.
    pub(in crate::http) tls: bool,
}

impl Route {
    /// The route to a URL. Fails if the environment names an invalid proxy.
    pub(in crate::http) fn to(
        url: &Url,
        options: &RequestOptions,
        environment: &NetworkEnvironment,
    ) -> Result<Self, String> {
        let proxy = match &options.proxy {
            ProxySetting::Environment => environment.proxy_for(url)?,
            ProxySetting::Off => None,
            ProxySetting::Url(proxy) => Some((proxy.clone(), OPTION)),
        };
        Ok(Self { proxy, tls: url.scheme() == "https" })
    }

    /// The proxy that gets whole requests, instead of being asked for a tunnel: RFC 9112, section 3.2.2, for `http`
    /// URLs. Proxies often refuse tunnels to ports other than 443.
    pub(in crate::http) fn forward_proxy(&self) -> Option<&ProxyUrl> {
        let (proxy, _) = self.proxy.as_ref()?;
        (!self.tls && !proxy.is_socks() && !proxy.is_tls()).then_some(proxy)
    }

    /// The proxy, if it comes from the environment and so from the operator.
    pub(in crate::http) fn proxy_of_environment(&self) -> Option<&ProxyUrl> {
        self.proxy.as_ref().filter(|(_, source)| *source != OPTION).map(|(proxy, _)| proxy)
    }

    /// Whether certificates are verified on the way.
    pub(in crate::http) fn needs_tls(&self) -> bool {
        self.tls || self.proxy.as_ref().is_some_and(|(proxy, _)| proxy.is_tls())
    }

    /// The proxy, for errors.
    pub(in crate::http) fn describe_proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(|(proxy, source)| format!("the proxy {proxy} (from {source})"))
    }
}
