//! The authorities that the connector trusts, its own certificate, and its messages when a handshake fails.

use std::fs;

use source_http::http::{ClientIdentity, Pem, RequestOptions};
use source_http::protocol::Redactor;
use source_http_testkit::{Fault, Items, Reply, Request, Routes, Server};

use crate::support::{Authority, TlsServer, assert_page, failure, page};

/// A plain server, TLS in front of it, and the authority that signed its certificate.
struct Site {
    authority: Authority,
    plain: Server,
    tls: TlsServer,
}

impl Site {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let (authority, plain) = (Authority::new(), Server::start(Routes::new().on("GET", "/items", replies)));
        let tls = TlsServer::start(plain.addr(), &authority.sign("127.0.0.1"), None);
        Self { authority, plain, tls }
    }

    fn trusted(&self) -> impl FnOnce(&mut RequestOptions) {
        let pem = Pem::Text(self.authority.pem());
        move |options| options.extra_ca = vec![pem]
    }
}

#[test]
fn an_unknown_issuer_is_a_config_failure_that_names_both_ways_to_trust_it() {
    let site = Site::new([page()]);
    let message = failure(&Items::new(site.tls.url()).read(), "config_error", 0);
    assert!(message.contains("the TLS handshake failed: the certificate of 127.0.0.1 is signed by"), "{message}");
    assert!(message.contains("extra_ca") && message.contains("SSL_CERT_FILE"), "{message}");
    assert!(site.plain.requests().is_empty());
}

#[test]
fn an_authority_of_the_same_name_but_another_key_is_not_trusted_either() {
    let (site, old) = (Server::start(|_: &Request| page()), Authority::named("Corporate root"));
    let tls = TlsServer::start(site.addr(), &Authority::named("Corporate root").sign("127.0.0.1"), None);
    let old = Pem::Text(old.pem());
    let message =
        failure(&Items::new(tls.url()).options(|options| options.extra_ca = vec![old]).read(), "config_error", 0);
    assert!(message.contains("does not fit the key of the trusted authority of that name"), "{message}");
    assert!(message.contains("extra_ca"), "{message}");
}

#[test]
fn an_extra_authority_is_trusted_by_text_and_by_file() {
    let site = Site::new([page()]);
    assert_page(&Items::new(site.tls.url()).options(site.trusted()).read());
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), site.authority.pem()).unwrap();
    let pem = Pem::File(file.path().to_owned());
    assert_page(&Items::new(site.tls.url()).options(|options| options.extra_ca = vec![pem]).read());
    assert_eq!(site.plain.conversation(), ["GET /items"; 2]);
}

#[test]
fn an_extra_authority_is_added_to_those_of_the_environment() {
    let (site, other) = (Site::new([page()]), Authority::new());
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), site.authority.pem()).unwrap();
    let other = Pem::Text(other.pem());
    let items = Items::new(site.tls.url()).options(|options| options.extra_ca = vec![other]);
    assert_page(&items.connector().env("SSL_CERT_FILE", file.path()).run("read"));
}

#[test]
fn ssl_cert_file_and_ssl_cert_dir_are_trusted_and_a_wrong_one_is_named() {
    let (site, other) = (Site::new([page()]), Authority::new());
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good"), dir.path().join("bad"));
    for (folder, authority) in [(&good, &site.authority), (&bad, &other)] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    }
    let read =
        |name: &str, value: &std::path::Path| Items::new(site.tls.url()).connector().env(name, value).run("read");
    assert_page(&read("SSL_CERT_FILE", &good.join("ca.pem")));
    assert_page(&read("SSL_CERT_DIR", &good));
    for (name, value) in [("SSL_CERT_FILE", bad.join("ca.pem")), ("SSL_CERT_DIR", bad)] {
        let message = failure(&read(name, &value), "config_error", 0);
        assert!(message.contains(&format!("trusted are those of {name}, {}", value.display())), "{message}");
    }
}

#[test]
fn without_verification_any_certificate_is_accepted() {
    let site = Site::new([page()]);
    let tls = TlsServer::start(site.plain.addr(), &site.authority.sign_until("other.test", 2001), None);
    assert_page(&Items::new(tls.url()).options(|options| options.verify_certificates = false).read());
}

#[test]
fn a_certificate_for_another_host_is_named() {
    let site = Site::new([page()]);
    let tls = TlsServer::start(site.plain.addr(), &site.authority.sign("other.test"), None);
    let message = failure(&Items::new(tls.url()).options(site.trusted()).read(), "config_error", 0);
    assert!(message.contains("other.test") && message.contains("not for 127.0.0.1"), "{message}");
}

#[test]
fn an_expired_certificate_is_called_so() {
    let site = Site::new([page()]);
    let tls = TlsServer::start(site.plain.addr(), &site.authority.sign_until("127.0.0.1", 2001), None);
    let message = failure(&Items::new(tls.url()).options(site.trusted()).read(), "config_error", 0);
    assert!(message.contains("the certificate of 127.0.0.1 has expired"), "{message}");
}

#[test]
fn an_authority_in_the_place_of_a_server_is_a_sentence_with_advice() {
    let site = Site::new([page()]);
    let tls = TlsServer::start(site.plain.addr(), &site.authority.sign_authority("127.0.0.1"), None);
    let message = failure(&Items::new(tls.url()).options(site.trusted()).read(), "config_error", 0);
    assert!(message.contains("the certificate of 127.0.0.1 is that of an authority"), "{message}");
    assert!(message.contains("basicConstraints=critical,CA:FALSE") && !message.contains("OtherError"), "{message}");
}

#[test]
fn plain_http_on_a_tls_port_is_distinguished() {
    let plain = Server::start(|_: &Request| page());
    let message = failure(&Items::new(format!("https://{}", plain.addr())).read(), "config_error", 0);
    assert!(message.contains("what came back is not TLS") && message.contains("http://"), "{message}");
}

#[test]
fn tls_on_a_plain_http_port_is_distinguished() {
    let site = Site::new([page()]);
    let message = failure(&Items::new(format!("http://{}", site.tls.addr())).read(), "transient_error", 5);
    assert!(message.contains("what came back is not HTTP") && message.contains("https://"), "{message}");
}

#[test]
fn a_server_that_wants_a_client_certificate_takes_the_right_one_only() {
    let (site, clients) = (Site::new([page()]), Authority::new());
    let server = site.authority.sign("127.0.0.1");
    let tls = TlsServer::start(site.plain.addr(), &server, Some(&clients));
    let read = |identity| {
        let items = Items::new(tls.url()).options(site.trusted()).options(|options| options.client_identity = identity);
        items.read()
    };
    let identity = |leaf: &crate::support::Leaf| {
        ClientIdentity::new(Pem::Text(leaf.pem()), Pem::Text(leaf.key_pem()), &Redactor::default())
    };

    let message = failure(&read(None), "config_error", 0);
    assert!(
        message.contains("127.0.0.1 wants a client certificate: give one as the option client_identity"),
        "{message}"
    );

    let message = failure(&read(Some(identity(&Authority::new().sign("client")))), "config_error", 0);
    assert!(message.contains("does not accept the certificate of client_identity"), "{message}");
    assert!(site.plain.requests().is_empty());

    let client = clients.sign("client");
    assert_page(&read(Some(identity(&client))));

    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("client.pem");
    fs::write(&both, format!("{}{}", client.pem(), client.key_pem())).unwrap();
    assert_page(&read(Some(ClientIdentity { certificates: Pem::File(both.clone()), key: Pem::File(both) })));
}

#[test]
fn a_key_of_another_certificate_is_a_config_failure_and_no_panic() {
    let (site, clients) = (Site::new([page()]), Authority::new());
    let (one, two) = (clients.sign("one"), clients.sign("two"));
    let redactor = Redactor::default();
    for (certificate, key, expected) in [
        (one.pem(), two.key_pem(), "client_identity: the key in the PEM text does not belong to the certificate"),
        (one.pem(), one.pem(), "client_identity: there is no private key in the PEM text"),
        (one.key_pem(), one.key_pem(), "client_identity: there is no certificate in the PEM text"),
        (
            one.pem(),
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGH\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned(),
            "it is encrypted",
        ),
        (
            one.pem(),
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(),
            "client_identity: the key in the PEM text",
        ),
    ] {
        let identity = ClientIdentity::new(Pem::Text(certificate), Pem::Text(key), &redactor);
        let items = Items::new(site.tls.url()).options(|options| options.client_identity = Some(identity));
        let message = failure(&items.read(), "config_error", 0);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn faults_under_tls_are_retried_like_any_other() {
    for fault in [
        Fault::RefuseHead,
        Fault::ResetBeforeHead,
        Fault::ResetInBody(20),
        Fault::TruncateBody(20),
        Fault::BadChunking,
        Fault::CorruptGzip,
        Fault::TruncatedGzip,
    ] {
        let site = Site::new([page().header("Connection", "close").fault(fault.clone()), page()]);
        let done = Items::new(site.tls.url()).options(site.trusted()).read();
        assert_page(&done);
        assert_eq!((done.sleeps.len(), site.plain.conversation()), (1, vec!["GET /items".to_owned(); 2]), "{fault:?}");
    }
}
