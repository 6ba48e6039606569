//! TLS in front of a test server, with certificates made by the test.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// The time to read from one side before it is the other's turn.
const TURN: Duration = Duration::from_millis(5);

/// A certificate authority nobody trusts yet.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate that an authority signed, and its key.
pub(crate) struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    /// An authority with a name of its own.
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        Self::named(&format!("Test authority {}", MADE.fetch_add(1, Ordering::Relaxed)))
    }

    /// An authority of this name.
    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// Its certificate, to be trusted.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for a host, valid today.
    pub(crate) fn sign(&self, host: &str) -> Leaf {
        self.sign_until(host, 4096)
    }

    /// A certificate for a host that has expired.
    pub(crate) fn sign_until(&self, host: &str, year: i32) -> Leaf {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        Leaf { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }

    /// The certificate that `openssl req -x509` makes by default for a host: an authority's.
    pub(crate) fn sign_authority(&self, host: &str) -> Leaf {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Leaf { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        Arc::new(roots)
    }
}

impl Leaf {
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

/// Decrypts the requests for a plain server. Dropping it ends every connection.
pub(crate) struct TlsServer {
    addr: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl TlsServer {
    /// A server with this certificate, in front of `plain`. With `clients`, only clients that this authority signed are
    /// accepted.
    pub(crate) fn start(plain: SocketAddr, leaf: &Leaf, clients: Option<&Authority>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(authority.roots(), provider).build().unwrap(),
            ),
        };
        let config = Arc::new(builder.with_single_cert(leaf.chain(), leaf.key_der()).unwrap());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let stopping = Arc::new(AtomicBool::new(false));
        let acceptor = {
            let stopping = stopping.clone();
            thread::spawn(move || {
                let mut threads = Vec::new();
                for client in listener.incoming() {
                    if stopping.load(Ordering::Relaxed) {
                        break;
                    }
                    let (config, stopping) = (config.clone(), stopping.clone());
                    let serve = move || serve(client.unwrap(), plain, config, &stopping);
                    // Tests check the client's own message.
                    threads.push(thread::spawn(move || drop(serve())));
                }
                for thread in threads {
                    let _ = thread.join();
                }
            })
        };
        Self { addr, stopping, acceptor: Some(acceptor) }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.addr)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn serve(
    mut client: TcpStream,
    plain: SocketAddr,
    config: Arc<ServerConfig>,
    stopping: &AtomicBool,
) -> Result<(), io::Error> {
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        if let Err(error) = tls.complete_io(&mut client) {
            // The client has to see the alert, not a reset because of bytes that it still sent.
            client.shutdown(Shutdown::Write)?;
            client.set_read_timeout(Some(Duration::from_millis(200)))?;
            let mut rest = [0; 4096];
            while matches!(client.read(&mut rest), Ok(1..)) {}
            return Err(error);
        }
    }
    let mut server = TcpStream::connect(plain)?;
    server.set_read_timeout(Some(TURN))?;
    client.set_read_timeout(Some(TURN))?;
    let mut tls = StreamOwned::new(tls, client);
    while !stopping.load(Ordering::Relaxed) {
        if !pass(&mut tls, &mut server)? || !pass(&mut server, &mut tls)? {
            break;
        }
    }
    Ok(())
}

/// Moves the available bytes from one side to the other. False at their end.
fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<bool> {
    let mut bytes = [0; 16 * 1024];
    match from.read(&mut bytes) {
        Ok(0) => Ok(false),
        Ok(count) => {
            to.write_all(&bytes[..count])?;
            to.flush()?;
            Ok(true)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(true),
        Err(error) => Err(error),
    }
}
