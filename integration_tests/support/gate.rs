//! A gate between a client and a server, closed until it is opened: the faults of connections, which a server cannot
//! have, because it only sees connections without faults.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

/// The faults of connections.
#[derive(Debug, Clone)]
pub(crate) enum Misbehaviour {
    /// Refused.
    Refuse,
    /// Neither accepted nor refused.
    Ignore,
    /// Accepted, and reset at once (RST).
    Reset,
    /// Accepted, without an answer.
    Silence,
    /// Accepted; once the client has sent its first bytes, it gets these bytes, and the connection is closed.
    Say(&'static [u8]),
    /// Accepted; once the client has sent its first bytes, the connection is reset (RST).
    ResetAfterHello,
}

/// A gate before a server. Dropping it ends every connection.
pub(crate) struct Gate {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
    /// The socket, until there is an acceptor.
    socket: Mutex<Option<Socket>>,
    /// Fills the socket's queue of connections.
    queue: Mutex<Vec<TcpStream>>,
}

struct Shared {
    to: SocketAddr,
    misbehaviour: Misbehaviour,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: bool,
    stopping: bool,
    live: Vec<TcpStream>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// A closed gate before the server at `to`.
    pub(crate) fn close(to: SocketAddr, misbehaviour: Misbehaviour) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let addr = socket.local_addr().unwrap().as_socket().unwrap();
        let mut queue = Vec::new();
        let waits = match misbehaviour {
            Misbehaviour::Refuse => true,
            Misbehaviour::Ignore => {
                socket.listen(0).unwrap();
                // The system answers no further connection when the queue is full.
                while let Ok(client) = TcpStream::connect_timeout(&addr, Duration::from_millis(100)) {
                    queue.push(client);
                }
                true
            }
            _ => false,
        };
        let shared = Arc::new(Shared { to, misbehaviour, state: Mutex::default() });
        let gate = Self {
            addr,
            shared,
            acceptor: Mutex::default(),
            socket: Mutex::new(Some(socket)),
            queue: Mutex::new(queue),
        };
        if !waits {
            gate.accept();
        }
        gate
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on connections lead to the server.
    pub(crate) fn open(&self) {
        self.shared.lock().open = true;
        self.queue.lock().unwrap().clear();
        self.accept();
    }

    fn accept(&self) {
        let Some(socket) = self.socket.lock().unwrap().take() else { return };
        socket.listen(64).unwrap();
        let (listener, shared) = (TcpListener::from(socket), self.shared.clone());
        *self.acceptor.lock().unwrap() = Some(thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                let mut state = shared.lock();
                if state.stopping {
                    break;
                }
                let resets = matches!(shared.misbehaviour, Misbehaviour::Reset | Misbehaviour::ResetAfterHello);
                let open = state.open;
                if open || !resets {
                    // A connection that will be reset needs a single owner.
                    state.live.push(client.try_clone().unwrap());
                }
                drop(state);
                let shared = shared.clone();
                // Ends with its connection, which the gate ends. The client reports its errors.
                thread::spawn(move || {
                    if open {
                        let _ = pass(&client, shared.to);
                    } else if resets {
                        let _ = reset(client, &shared.misbehaviour);
                    } else {
                        let _ = mistreat(&client, &shared.misbehaviour);
                        let _ = client.shutdown(Shutdown::Both);
                    }
                });
            }
        }));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopping = true;
        for client in &state.live {
            let _ = client.shutdown(Shutdown::Both);
        }
        drop(state);
        if let Some(acceptor) = self.acceptor.lock().unwrap().take() {
            let _ = TcpStream::connect(self.addr);
            let _ = acceptor.join();
        }
    }
}

fn mistreat(mut client: &TcpStream, how: &Misbehaviour) -> io::Result<()> {
    let mut hello = [0; 4096];
    if let Misbehaviour::Say(bytes) = how {
        let _ = client.read(&mut hello)?;
        client.write_all(bytes)?;
        client.shutdown(Shutdown::Write)?;
    }
    // Closing with something unread would reset the connection.
    while client.read(&mut hello)? > 0 {}
    Ok(())
}

fn reset(mut client: TcpStream, how: &Misbehaviour) -> io::Result<()> {
    if matches!(how, Misbehaviour::ResetAfterHello) {
        client.set_read_timeout(Some(Duration::from_secs(20)))?;
        let _ = client.read(&mut [0; 4096])?;
    }
    SockRef::from(&client).set_linger(Some(Duration::ZERO))
}

fn pass(client: &TcpStream, to: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(to)?;
    let mut up = (client.try_clone()?, server.try_clone()?);
    let upward = thread::spawn(move || {
        let _ = io::copy(&mut up.0, &mut up.1);
        let _ = up.1.shutdown(Shutdown::Both);
    });
    let _ = io::copy(&mut &server, &mut &*client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
    let _ = upward.join();
    Ok(())
}
