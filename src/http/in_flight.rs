//! The state of a request when an error occurred: enough to name the layer that failed, and the setting that fixes it.

use std::io;

use url::Url;

use super::network::{Handshake, NetworkEnvironment, NotPublic, Route, sort_tls_error};
use super::{Layer, RequestOptions};
use crate::protocol::FailureKind::{self, Config, System, Transient};

/// One request in progress.
#[derive(Clone, Copy)]
pub(super) struct InFlight<'a> {
    pub(super) url: &'a Url,
    pub(super) options: &'a RequestOptions,
    pub(super) route: &'a Route,
    pub(super) environment: &'a NetworkEnvironment,
    /// Whether the head of the response had been read.
    pub(super) in_body: bool,
}

/// The failed layer, who can fix it, and the message.
type Fault = (Layer, FailureKind, String);

impl InFlight<'_> {
    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The layer that the response, or its absence, points to.
    fn came_back(&self) -> Layer {
        if self.in_body { Layer::Body } else { Layer::Receive }
    }

    pub(super) fn unknown_host(&self, why: &str) -> Fault {
        match self.route.describe_proxy() {
            Some(proxy) if self.route.proxy.as_ref().is_some_and(|(proxy, _)| proxy.resolves_here()) => {
                let text = format!(
                    "{}, or the host of {proxy}: {why}. Check both; with socks5h:// the proxy looks the first one up",
                    self.host()
                );
                (Layer::Dns, Transient, text)
            }
            Some(proxy) => (Layer::Proxy, Transient, format!("the host name of {proxy} is unknown: {why}")),
            None => (Layer::Dns, Transient, format!("{}: {why}. Check the host in the URL", self.host())),
        }
    }

    pub(super) fn unconnected(&self, why: &str) -> Fault {
        if let Some(proxy) = self.route.describe_proxy() {
            (Layer::Proxy, Transient, format!("no connection to {proxy}: {why}"))
        } else {
            let text = format!("{why}. Check the host and port in the URL, and that they can be reached from here");
            (Layer::Connect, Transient, text)
        }
    }

    /// The proxy refused a tunnel. ureq has the status only in a text.
    pub(super) fn no_tunnel(&self, why: &str) -> Fault {
        let proxy = self.route.describe_proxy().unwrap_or_default();
        let status = why.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 3);
        match status {
            Some("407") => (Layer::Proxy, Config, self.proxy_credentials()),
            Some(status) if status.starts_with('4') => {
                let text = format!(
                    "{proxy} does not let this machine connect to {} (status {status}). Allow the host there, or reach \
                     it without the proxy: NO_PROXY, or the proxy option",
                    self.host()
                );
                (Layer::Proxy, Config, text)
            }
            Some(status) => {
                (Layer::Proxy, Transient, format!("{proxy} could not reach {} (status {status})", self.host()))
            }
            None => (Layer::Proxy, Transient, format!("{proxy}: {why}")),
        }
    }

    /// The message for status 407.
    pub(super) fn proxy_credentials(&self) -> String {
        let proxy = self.route.describe_proxy().unwrap_or_default();
        match self.route.proxy.as_ref().is_some_and(|(proxy, _)| proxy.has_credentials()) {
            true => format!("{proxy} does not accept the user name and password of its URL (status 407)"),
            false => format!(
                "{proxy} wants a user name and a password (status 407). Put them into its URL: \
                 http://user:password@host:port, percent-encoded"
            ),
        }
    }

    pub(super) fn tls(&self, error: &rustls::Error) -> Fault {
        let handshake = Handshake {
            host: self.host(),
            environment: self.environment,
            has_identity: self.options.client_identity.is_some(),
        };
        let (kind, detail) = sort_tls_error(error, &handshake);
        let layer = if self.in_body { Layer::Body } else { Layer::Tls };
        (layer, kind, detail)
    }

    pub(super) fn timed_out(&self, timeout: ureq::Timeout) -> Fault {
        use ureq::Timeout;

        let options = self.options;
        let (layer, what, limit, option) = match timeout {
            Timeout::Resolve => (Layer::Dns, "no answer", options.resolve_timeout, "resolve_timeout"),
            Timeout::Connect => {
                let layer = if self.route.proxy.is_some() { Layer::Proxy } else { Layer::Connect };
                (layer, "not ready", options.connect_timeout, "connect_timeout")
            }
            Timeout::RecvResponse => (Layer::Receive, "not complete", options.response_timeout, "response_timeout"),
            Timeout::PerWrite => (Layer::Send, "no byte was accepted", options.read_timeout, "read_timeout"),
            Timeout::PerRead => (self.came_back(), "no byte was received", options.read_timeout, "read_timeout"),
            _ => (self.came_back(), "not complete", options.total_timeout.unwrap_or_default(), "total_timeout"),
        };
        let proxy = match layer {
            Layer::Proxy => self.route.describe_proxy().map(|proxy| format!("{proxy}: ")).unwrap_or_default(),
            _ => String::new(),
        };
        (layer, Transient, format!("{proxy}timed out: {what} within {limit:?} ({option})"))
    }

    pub(super) fn io(&self, error: &io::Error) -> Fault {
        use io::ErrorKind as Kind;

        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return self.tls(error);
        }
        let text = error.to_string();
        if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<NotPublic>) {
            return (Layer::Connect, Config, text);
        }
        if self.in_body {
            return (Layer::Body, Transient, io_detail(error));
        }
        match error.kind() {
            Kind::ConnectionRefused => self.unconnected("connection refused"),
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => self.unconnected(&text),
            _ if text.contains("lookup address") => self.unknown_host(&text),
            Kind::UnexpectedEof if text.contains("handshake") => {
                (Layer::Tls, Transient, format!("{} closed the connection during the handshake", self.host()))
            }
            Kind::BrokenPipe => (Layer::Send, Transient, io_detail(error)),
            // Errors that ureq's SOCKS code creates: not a kind of socket error.
            Kind::Other | Kind::InvalidData | Kind::InvalidInput | Kind::PermissionDenied
                if self.route.proxy.as_ref().is_some_and(|(proxy, _)| proxy.is_socks()) =>
            {
                let kind = match text.contains("auth") || text.contains("ruleset") || text.contains("invalid") {
                    true => Config,
                    false => Transient,
                };
                (Layer::Proxy, kind, format!("{}: {text}", self.route.describe_proxy().unwrap_or_default()))
            }
            Kind::PermissionDenied => (Layer::Connect, System, text),
            _ => (Layer::Receive, Transient, io_detail(error)),
        }
    }
}

fn io_detail(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed early".to_owned(),
        io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
        io::ErrorKind::BrokenPipe => "the server closed the connection".to_owned(),
        _ => error.to_string(),
    }
}
