//! Proxies: which one, for which URLs, and the messages of failures.

use serde_json::{Value, json};
use source_http::http::{Pem, ProxySetting, ProxyUrl};
use source_http::protocol::Redactor;
use source_http_testkit::{Items, Messages, Reply, Request, Routes, Server};
use stripe_mock::StripeMock;

use crate::support::{Answer, Authority, ClosedPort, TlsServer, TunnelProxy, assert_page, failure, no_such_host, page};

fn items_server() -> Server {
    Server::start(Routes::new().on("GET", "/items", [page()]))
}

fn via(proxy: &str) -> ProxySetting {
    ProxySetting::Url(ProxyUrl::parse(proxy, &Redactor::default()).unwrap())
}

#[test]
fn an_http_proxy_is_handed_the_whole_url_and_the_servers_host() {
    let proxy = items_server();
    let done = Items::new("http://api.test:8080/").connector().env("HTTP_PROXY", proxy.url()).run("read");
    assert_page(&done);
    let request = &proxy.requests()[0];
    assert_eq!(
        (request.target.as_str(), request.header("host")),
        ("http://api.test:8080/items", Some("api.test:8080")),
        "RFC 9112, section 3.2.2"
    );
    assert_eq!(request.header("proxy-authorization"), None);
}

#[test]
fn every_request_of_a_kept_connection_names_the_whole_url() {
    let proxy = Server::start(Routes::new().on("GET", "/items", [Reply::empty(503), Reply::empty(503), page()]));
    assert_page(&Items::new("http://api.test").connector().env("http_proxy", proxy.url()).run("read"));
    let targets: Vec<String> = proxy.requests().into_iter().map(|request| request.target).collect();
    assert_eq!((targets, proxy.connections()), (vec!["http://api.test/items".to_owned(); 3], 1));
}

#[test]
fn an_http_proxy_gets_its_credentials_and_the_server_does_not() {
    let proxy = Server::start(|request: &Request| match request.header("proxy-authorization") {
        Some("Basic dXNlcjpwQHNz") => page(),
        _ => Reply::empty(407),
    });
    let address = proxy.addr();
    let read = |credentials: &str| {
        let items = Items::new("http://api.test");
        items.connector().env("HTTP_PROXY", format!("http://{credentials}{address}")).run("read")
    };
    assert_page(&read("user:p%40ss@"));
    let message = failure(&read(""), "config_error", 0);
    assert!(message.contains("wants a user name and a password (status 407)"), "{message}");
    assert!(message.contains(&format!("the proxy http://{address} (from HTTP_PROXY)")), "{message}");
    let done = read("user:hunter2@");
    let message = failure(&done, "config_error", 0);
    assert!(message.contains("does not accept the user name and password"), "{message}");
    assert!(!done.stdout.contains("hunter2"));
}

#[test]
fn a_streamed_body_passes_an_http_proxy_unchanged() {
    use source_http::http::{Method, RequestBody, StreamedBody};

    let proxy = Server::start(|_: &Request| page());
    let mut items = Items::new("http://api.test");
    items.method = Method::POST;
    let rows = "a row with blanks\n".repeat(20_000);
    let sent = rows.clone();
    items.body = RequestBody::Streamed(StreamedBody::new(move || Ok(Box::new(std::io::Cursor::new(sent.clone())))));
    assert_page(&items.connector().env("HTTP_PROXY", proxy.url()).run("read"));
    let request = &proxy.requests()[0];
    assert_eq!(request.target, "http://api.test/items");
    assert!(request.body_text() == rows, "{} of {} bytes", request.body.len(), rows.len());
}

/// A server that speaks TLS as `api.test`, and the authority to trust.
fn tls_site() -> (Server, TlsServer, Pem) {
    let (plain, authority) = (items_server(), Authority::new());
    let tls = TlsServer::start(plain.addr(), &authority.sign("api.test"), None);
    (plain, tls, Pem::Text(authority.pem()))
}

#[test]
fn https_goes_through_a_tunnel_and_tls_is_verified_end_to_end() {
    let (plain, tls, ca) = tls_site();
    let proxy = TunnelProxy::start(tls.addr(), Answer::OpenFor("Basic dXNlcjpwYXNz"));
    let read = |credentials: &str, ca: &[Pem]| {
        let items = Items::new("https://api.test").options(|options| options.extra_ca = ca.to_vec());
        items.connector().env("HTTPS_PROXY", format!("http://{credentials}{}", proxy.addr())).run("read")
    };
    assert_page(&read("user:pass@", std::slice::from_ref(&ca)));
    assert_eq!((proxy.asked(), plain.conversation()), (vec!["CONNECT api.test:443".into()], vec!["GET /items".into()]));
    assert_eq!(plain.requests()[0].header("proxy-authorization"), None);

    let message = failure(&read("user:pass@", &[]), "config_error", 0);
    assert!(message.contains("the certificate of api.test is signed by"), "{message}");

    let message = failure(&read("", &[ca]), "config_error", 0);
    assert!(message.contains("the proxy did not connect") && message.contains("(from HTTPS_PROXY) wants"), "{message}");
}

#[test]
fn what_comes_through_a_tunnel_is_left_as_it_is() {
    // Encrypted, each of 65,536 bytes begins a line break with a blank after it about twice: in a head that would be a
    // fold, here it is data.
    let rows: Vec<Value> = (0..30_000).map(|id| json!({"id": id, "note": "plenty of text"})).collect();
    let body = json!({ "data": rows }).to_string();
    let (plain, authority) = (Server::start(move |_: &Request| Reply::json_text(body.clone())), Authority::new());
    let tls = TlsServer::start(plain.addr(), &authority.sign("api.test"), None);
    let proxy = TunnelProxy::start(tls.addr(), Answer::Open);
    let items = Items::new("https://api.test").options(|options| options.extra_ca = vec![Pem::Text(authority.pem())]);
    let done = items.connector().env("HTTPS_PROXY", format!("http://{}", proxy.addr())).run("read");
    assert_eq!((done.status, done.messages().record_count(), done.sleeps.len()), (0, 30_000, 0));
    assert_eq!(proxy.asked(), ["CONNECT api.test:443"]);
}

#[test]
fn a_proxy_that_refuses_a_tunnel_is_the_users_to_fix_and_one_in_trouble_is_retried() {
    let (_plain, tls, _) = tls_site();
    let read = |status| {
        let proxy = TunnelProxy::start(tls.addr(), Answer::Refuse(status));
        let setting = via(&format!("http://{}", proxy.addr()));
        (Items::new("https://api.test").options(|options| options.proxy = setting).read(), proxy.asked().len())
    };
    let (done, asked) = read(403);
    let message = failure(&done, "config_error", 0);
    assert!(message.contains("(from the proxy option) does not let this machine connect to api.test"), "{message}");
    assert_eq!(asked, 1);
    let (done, asked) = read(503);
    let message = failure(&done, "transient_error", 5);
    assert!(message.contains("could not reach api.test (status 503)"), "{message}");
    assert_eq!(asked, 6);
}

#[test]
fn a_proxy_that_speaks_tls_itself_is_verified_too() {
    let (plain, tls, ca) = tls_site();
    let authority = Authority::new();
    let leaf = authority.sign("127.0.0.1");
    for (url, behind, asked) in [
        ("https://api.test", tls.addr(), "CONNECT api.test:443"),
        ("http://api.test", plain.addr(), "CONNECT api.test:80"),
    ] {
        let tunnel = TunnelProxy::start(behind, Answer::Open);
        let proxy = TlsServer::start(tunnel.addr(), &leaf, None);
        let read = |extra_ca: Vec<Pem>| {
            let items = Items::new(url)
                .options(|options| options.extra_ca = extra_ca)
                .options(|options| options.proxy = via(&proxy.url()));
            items.read()
        };
        assert_page(&read(vec![Pem::Text(authority.pem()), ca.clone()]));
        assert_eq!(tunnel.asked(), [asked]);
        let message = failure(&read(vec![ca.clone()]), "config_error", 0);
        assert!(message.contains("unknown issuer"), "{message}");
    }
}

#[test]
fn a_socks_proxy_looks_the_host_up_itself() {
    let (plain, tls, ca) = tls_site();
    let socks = TunnelProxy::start(tls.addr(), Answer::Socks);
    let items = Items::new("https://api.test").options(|options| options.extra_ca = vec![ca]);
    assert_page(&items.connector().env("ALL_PROXY", format!("socks5h://{}", socks.addr())).run("read"));
    let socks = TunnelProxy::start(plain.addr(), Answer::Socks);
    let items =
        Items::new("http://api.test").options(|options| options.proxy = via(&format!("socks5h://{}", socks.addr())));
    assert_page(&items.read());
    assert_eq!(socks.asked(), ["SOCKS api.test:80"]);
    let items = Items::new(format!("http://{}", no_such_host()))
        .options(|options| options.proxy = via(&format!("socks5://{}", socks.addr())));
    let message = failure(&items.read(), "transient_error", 5);
    assert!(message.contains(".invalid, or the host of the proxy socks5://127.0.0.1"), "{message}");
}

#[test]
fn a_proxy_that_cannot_be_reached_is_named_with_the_setting_it_comes_from() {
    let (port, host) = (ClosedPort::new(), no_such_host());
    for url in ["http://api.test", "https://api.test"] {
        let items = Items::new(url).connector();
        let message = failure(&items.env("ALL_PROXY", port.addr()).run("read"), "transient_error", 5);
        let expected =
            format!("no connection to the proxy http://{} (from ALL_PROXY): connection refused", port.addr());
        assert!(message.contains(&expected), "{message}");
        let items = Items::new(url).options(|options| options.proxy = via(&format!("http://{host}:3128")));
        let message = failure(&items.read(), "transient_error", 5);
        let expected = format!("the host name of the proxy http://{host}:3128 (from the proxy option) is unknown");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn a_variable_that_is_no_proxy_is_named_without_its_password() {
    let done = Items::new("http://api.test").connector().env("HTTP_PROXY", "ftp://user:hunter2@proxy").run("read");
    let message = failure(&done, "config_error", 0);
    assert!(message.contains("HTTP_PROXY begins with ftp://"), "{message}");
    assert!(!done.stdout.contains("hunter2"));
}

#[test]
fn each_scheme_has_its_own_proxy() {
    let (_plain, tls, ca) = tls_site();
    let forward = Server::start(|_: &Request| Reply::empty(302).header("Location", "https://api.test/items"));
    let tunnel = TunnelProxy::start(tls.addr(), Answer::Open);
    let items = Items::new("http://api.test").options(|options| options.extra_ca = vec![ca]).connector();
    let items = items.env("HTTP_PROXY", forward.url()).env("HTTPS_PROXY", format!("http://{}", tunnel.addr()));
    assert_page(&items.run("read"));
    assert_eq!((forward.requests().len(), tunnel.asked()), (1, vec!["CONNECT api.test:443".to_owned()]));
}

#[test]
fn no_proxy_and_the_option_win_over_the_environment() {
    let server = items_server();
    let nobody = ClosedPort::new();
    let nobody = nobody.addr();
    let items = || Items::new(server.url());
    assert_page(&items().connector().env("HTTP_PROXY", &nobody).env("NO_PROXY", "a.test,127.0.0.0/8").run("read"));
    let off = items().options(|options| options.proxy = ProxySetting::Off);
    assert_page(&off.connector().env("HTTP_PROXY", &nobody).run("read"));
    let proxy = items_server();
    let by_option = items().options(|options| options.proxy = via(&proxy.url()));
    assert_page(&by_option.connector().env("HTTP_PROXY", &nobody).env("NO_PROXY", "*").run("read"));
    assert_eq!((server.requests().len(), proxy.requests().len()), (2, 1));
}

#[test]
fn the_program_takes_its_proxy_from_the_environment_of_its_process() {
    let mock = StripeMock::builder().start();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let keys = json!({"account_id": "acct_1", "client_secret": mock.key(), "api_url": "http://api.test/v1"});
    std::fs::write(&config, keys.to_string()).unwrap();
    let check = |variable: &str, value: &str| {
        let mut program = assert_cmd::cargo::cargo_bin_cmd!("source-http");
        program.env_clear().env(variable, value).args(["check", "--exit-status", "--config"]).arg(&config);
        String::from_utf8(program.assert().get_output().stdout.clone()).unwrap()
    };
    let stdout = check("http_proxy", &mock.url());
    assert_eq!(Messages::parse(&stdout).connection_status().0, "SUCCEEDED");
    let stdout = check("HTTP_PROXY", "http://user:hunter2@[::1");
    let messages = Messages::parse(&stdout);
    let (status, message) = messages.connection_status();
    assert_eq!(status, "FAILED");
    assert!(message.unwrap_or_default().contains("HTTP_PROXY is not a URL") && !stdout.contains("hunter2"), "{stdout}");
}
