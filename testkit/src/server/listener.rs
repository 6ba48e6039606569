//! The server itself: a listening socket, a thread for each connection, and the record of requests.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Reply, Request, connection};

/// How many connections are served side by side; further ones wait in the listen queue.
const MAX_CONNECTIONS: usize = 256;

/// Answers the requests. Closures are handlers if their argument's type is explicit: `|request: &Request|
/// Reply::empty(204)`.
pub trait Handler: Send + Sync + 'static {
    /// The reply to one request. Called from many threads at once; it must not block, see
    /// [`Reply::delay`]. A panic becomes status 599 with the panic's text.
    fn handle(&self, request: &Request) -> Reply;
}

impl<F> Handler for F
where
    F: Fn(&Request) -> Reply + Send + Sync + 'static,
{
    fn handle(&self, request: &Request) -> Reply {
        self(request)
    }
}

/// A running server. Dropping it ends every connection, even those that clients hold open, and joins all its threads.
pub struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If no port can be bound or no thread started.
    pub fn start(handler: impl Handler) -> Self {
        Self::start_at(0, handler)
    }

    /// Starts to serve on that port of 127.0.0.1; 0 is any free one.
    ///
    /// # Panics
    /// If the port cannot be bound or no thread started.
    pub fn start_at(port: u16, handler: impl Handler) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free local port");
        let addr = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared::new(Box::new(handler)));
        let acceptor = {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name("test-server".into())
                .spawn(move || accept_loop(&listener, &shared))
                .expect("a thread for the test server")
        };
        Self { addr, shared, acceptor: Some(acceptor) }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Everything received so far, in the order in which requests were read to their end.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Like [`Server::requests`], and restarts the record.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.lock().requests)
    }

    /// The requests so far as one line each, see [`Request`]'s `Display`.
    pub fn conversation(&self) -> Vec<String> {
        let state = self.shared.lock();
        state.requests.iter().map(Request::to_string).collect()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.lock().accepted
    }

    /// Switches the record of requests on or off; benches switch it off. Default: on.
    pub fn set_recording(&self, on: bool) {
        self.shared.recording.store(on, Ordering::Relaxed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
        // The acceptor may be waiting for a connection: this is one.
        let _ = TcpStream::connect_timeout(&self.addr, Duration::from_secs(1));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// State shared by the server's threads.
pub(super) struct Shared {
    handler: Box<dyn Handler>,
    recording: AtomicBool,
    state: Mutex<State>,
    /// Notified when a connection ends and when the server stops.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    accepted: u64,
    live: HashMap<u64, Arc<TcpStream>>,
    requests: Vec<Request>,
}

impl Shared {
    fn new(handler: Box<dyn Handler>) -> Self {
        Self { handler, recording: AtomicBool::new(true), state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self, request: &Request) {
        if self.recording.load(Ordering::Relaxed) {
            self.lock().requests.push(request.clone());
        }
    }

    pub(super) fn answer(&self, request: &Request) -> Reply {
        catch_unwind(AssertUnwindSafe(|| self.handler.handle(request))).unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no text");
            Reply::text(format!("the handler panicked on {request}: {text}")).status(599)
        })
    }

    /// Sleeps that long, or until the server stops.
    pub(super) fn pause(&self, duration: Duration) {
        if !duration.is_zero() {
            let _state = self.changed.wait_timeout_while(self.lock(), duration, |state| !state.stopping);
        }
    }

    /// Waits until there is room for one more connection; false if the server stops.
    fn wait_for_room(&self) -> bool {
        let full = |state: &mut State| !state.stopping && state.live.len() >= MAX_CONNECTIONS;
        let state = self.changed.wait_while(self.lock(), full);
        !state.unwrap_or_else(PoisonError::into_inner).stopping
    }

    /// Numbers the connection and keeps it for [`Shared::stop`]; none if the server stops.
    fn admit(&self, stream: &Arc<TcpStream>) -> Option<u64> {
        let mut state = self.lock();
        if state.stopping {
            return None;
        }
        state.accepted += 1;
        let number = state.accepted;
        state.live.insert(number, Arc::clone(stream));
        Some(number)
    }

    fn dismiss(&self, number: u64) {
        self.lock().live.remove(&number);
        self.changed.notify_all();
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        for stream in state.live.values() {
            // Wakes the connection's thread from any read or write.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }
}

fn accept_loop(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while shared.wait_for_room() {
        let Ok((stream, _)) = listener.accept() else {
            shared.pause(Duration::from_millis(10));
            continue;
        };
        let stream = Arc::new(stream);
        let Some(number) = shared.admit(&stream) else {
            break;
        };
        let of_thread = Arc::clone(shared);
        let spawned = thread::Builder::new().name(format!("test-server-{number}")).spawn(move || {
            connection::serve(&of_thread, number, &stream);
            // The socket closes with its last owner: first ours, then the list's.
            drop(stream);
            of_thread.dismiss(number);
        });
        match spawned {
            Ok(thread) => threads.push(thread),
            Err(_) => shared.dismiss(number),
        }
        threads.retain(|thread| !thread.is_finished());
    }
    for thread in threads {
        let _ = thread.join();
    }
}
