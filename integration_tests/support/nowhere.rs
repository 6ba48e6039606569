//! Places where nobody is.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port of this machine that refuses connections, and that nobody else is given as long as this lives.
pub(crate) struct ClosedPort(Socket);

impl ClosedPort {
    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        Self(socket)
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn addr(&self) -> String {
        self.0.local_addr().unwrap().as_socket().unwrap().to_string()
    }
}

/// A host name that cannot be: its first label is longer than the 63 bytes DNS has room for (RFC 1035), so that no
/// name server is ever asked.
pub(crate) fn no_such_host() -> String {
    format!("{}.invalid", "x".repeat(64))
}
