//! `DEPLOYMENT_MODE=cloud`: a config can only reach the public internet. And the data channels that Airbyte's platform
//! may request.

use source_http::http::{Pem, ProxySetting, ProxyUrl};
use source_http::protocol::Redactor;
use source_http_testkit::{Finished, Items, Reply, Request, Server};

use crate::support::{Answer, Authority, TlsServer, TunnelProxy, assert_page, failure, page};

/// A TLS site, `api.test`, behind a proxy that only the environment can name.
struct Cloud {
    plain: Server,
    proxy: TunnelProxy,
    tls: TlsServer,
    ca: Pem,
}

impl Cloud {
    fn new(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let (plain, authority) = (Server::start(handler), Authority::new());
        let tls = TlsServer::start(plain.addr(), &authority.sign("api.test"), None);
        let proxy = TunnelProxy::start(tls.addr(), Answer::Open);
        Self { plain, proxy, tls, ca: Pem::Text(authority.pem()) }
    }

    fn read(&self, url: &str, proxy: ProxySetting) -> Finished {
        let items = Items::new(url).options(|options| {
            options.extra_ca = vec![self.ca.clone()];
            options.proxy = proxy;
        });
        let connector = items.connector().env("HTTPS_PROXY", format!("http://localhost:{}", self.proxy.addr().port()));
        connector.env("DEPLOYMENT_MODE", "CLOUD").run("read")
    }
}

#[test]
fn a_private_address_is_refused_before_a_byte_is_sent() {
    let cloud = Cloud::new(|_: &Request| page());
    for (url, why) in [
        (cloud.tls.url(), "127.0.0.1 is not one (this machine)"),
        (format!("https://localhost:{}", cloud.tls.addr().port()), "127.0.0.1 is not one (this machine)"),
        ("https://10.0.0.1".to_owned(), "10.0.0.1 is not one (a private network)"),
        ("https://[fd00:ec2::254]".to_owned(), "fd00:ec2::254 is not one (a private network)"),
        ("https://169.254.169.254".to_owned(), "169.254.169.254 is not one (the local link, where clouds"),
    ] {
        for proxy in [ProxySetting::Off, ProxySetting::Environment] {
            let message = failure(&cloud.read(&url, proxy), "config_error", 0);
            let rule = "With DEPLOYMENT_MODE=cloud, as it is set here, only public addresses are connected to, and ";
            assert!(message.contains(&format!("{rule}{why}")), "{message}");
        }
    }
    assert_eq!((cloud.plain.connections(), cloud.proxy.asked()), (0, vec![]));
}

#[test]
fn a_url_that_is_not_encrypted_is_refused() {
    let plain = Server::start(|_: &Request| page());
    let done = Items::new(plain.url()).connector().env("DEPLOYMENT_MODE", "cloud").run("read");
    let message = failure(&done, "config_error", 0);
    assert!(message.contains("every URL has to begin with https://"), "{message}");
    assert_eq!(plain.connections(), 0);
    assert_page(&Items::new(plain.url()).connector().env("DEPLOYMENT_MODE", "OSS").run("read"));
}

#[test]
fn a_redirect_into_a_private_network_is_not_followed() {
    for (target, why) in [
        ("https://169.254.169.254/latest", "169.254.169.254 is not one"),
        ("https://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1 is not one (this machine)"),
        ("http://api.test/items", "every URL has to begin with https://"),
    ] {
        let cloud = Cloud::new(move |_: &Request| Reply::empty(302).header("Location", target));
        let message = failure(&cloud.read("https://api.test", ProxySetting::Environment), "config_error", 0);
        assert!(message.contains("it was redirected to GET ") && message.contains(why), "{message}");
        assert_eq!(cloud.proxy.asked(), ["CONNECT api.test:443"]);
    }
}

#[test]
fn a_name_of_a_private_address_is_refused_when_it_is_looked_up_for_the_connection() {
    // A config's proxy is resolved like a server; this machine can resolve this name.
    let cloud = Cloud::new(|_: &Request| page());
    for scheme in ["http", "https", "socks4a", "socks5h"] {
        let proxy =
            ProxyUrl::parse(&format!("{scheme}://localhost:{}", cloud.proxy.addr().port()), &Redactor::default());
        let message = failure(&cloud.read("https://api.test", ProxySetting::Url(proxy.unwrap())), "config_error", 0);
        assert!(message.contains("no connection could be opened: With DEPLOYMENT_MODE=cloud"), "{message}");
        assert!(message.contains("localhost has the address ") && message.contains("(this machine)"), "{message}");
    }
    assert_eq!((cloud.plain.connections(), cloud.proxy.asked()), (0, vec![]));
}

#[test]
fn the_proxy_of_the_environment_may_be_on_a_private_network() {
    let cloud = Cloud::new(|_: &Request| page());
    assert_page(&cloud.read("https://api.test", ProxySetting::Environment));
    assert_eq!(cloud.proxy.asked(), ["CONNECT api.test:443"]);
}

#[test]
fn a_data_channel_that_is_not_spoken_is_refused_by_read_alone() {
    let plain = Server::start(|_: &Request| page());
    let run = |command: &str, medium: &str| {
        let connector = Items::new(plain.url()).connector().env("DATA_CHANNEL_MEDIUM", medium);
        connector.env("DATA_CHANNEL_FORMAT", "JSONL").run(command)
    };
    assert_page(&run("read", "STDIO"));
    let done = run("read", "SOCKET");
    let errors = done.messages().errors();
    assert_eq!((done.status, done.messages().record_count(), errors.len()), (1, 0, 1));
    assert_eq!(errors[0].failure_type.as_deref(), Some("config_error"));
    assert_eq!(
        errors[0].message,
        "DATA_CHANNEL_MEDIUM is SOCKET, and this connector speaks STDIO only. Set it to STDIO, or unset it; in \
         Airbyte, the definition of the connector must not offer another one in connectorIPCOptions."
    );
    assert_eq!(run("check", "SOCKET").status, 0);
}
