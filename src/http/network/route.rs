//! The way to one server: directly, or through which proxy, and why that one.

use url::Url;

use super::{NetworkEnvironment, ProxySetting, ProxyUrl};
use crate::http::RequestOptions;

/// What a proxy comes from that is not the environment's.
const OPTION: &str = "the proxy option";

/// How the server of a URL is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Route {
    /// The proxy, and what chose it: a variable's name, or an option's.
    pub(in crate::http) proxy: Option<(ProxyUrl, &'static str)>,
    /// Whether the server speaks TLS.
    pub(in crate::http) tls: bool,
}

impl Route {
    /// The route to a URL. Fails if the environment names a proxy that is none.
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

    /// The proxy that is handed whole URLs to fetch, instead of being asked for a tunnel: as RFC 9112, section 3.2.2,
    /// has it for `http` URLs. Proxies often refuse tunnels to ports other than 443.
    pub(in crate::http) fn forward_proxy(&self) -> Option<&ProxyUrl> {
        let (proxy, _) = self.proxy.as_ref()?;
        (!self.tls && !proxy.is_socks() && !proxy.is_tls()).then_some(proxy)
    }

    /// The proxy, if it is the environment's and so the operator's.
    pub(in crate::http) fn proxy_of_environment(&self) -> Option<&ProxyUrl> {
        self.proxy.as_ref().filter(|(_, source)| *source != OPTION).map(|(proxy, _)| proxy)
    }

    /// Whether certificates have to be verified on the way.
    pub(in crate::http) fn needs_tls(&self) -> bool {
        self.tls || self.proxy.as_ref().is_some_and(|(proxy, _)| proxy.is_tls())
    }

    /// The proxy as errors name it.
    pub(in crate::http) fn describe_proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(|(proxy, source)| format!("the proxy {proxy} (from {source})"))
    }
}
