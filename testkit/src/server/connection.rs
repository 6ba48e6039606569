//! One connection: requests in, replies out, until one side ends it.

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::listener::Shared;
use super::reader::{Incoming, Reader};
use super::writer::{After, Writer};
use super::{Reply, Request};

/// Serves one connection to its end. Socket errors end it silently: tests check the client's own report.
pub(super) fn serve(shared: &Shared, number: u64, stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut reader = Reader::new(stream, number);
    let writer = Writer::new(stream, shared);
    loop {
        match reader.next() {
            Ok(Incoming::Request(request)) => {
                shared.record(&request);
                let reply = shared.answer(&request);
                let wants_close = closes(&request);
                match writer.send(&request, reply) {
                    Ok(After::KeepAlive) if !wants_close => {}
                    _ => return,
                }
            }
            Ok(Incoming::Refused { status, reason }) => {
                let refused = Request::new("GET", "/", Vec::new(), number);
                let reply = Reply::text(reason).status(status);
                if writer.send(&refused, reply).is_ok() {
                    discard_rest(stream);
                }
                return;
            }
            Ok(Incoming::End) | Err(_) => return,
        }
    }
}

/// Whether the client asked to end the connection after the reply.
fn closes(request: &Request) -> bool {
    request
        .header("Connection")
        .is_some_and(|value| value.split(',').any(|option| option.trim().eq_ignore_ascii_case("close")))
}

/// Reads some of the client's remaining input. Closing a socket with unread input resets it, and the client would not
/// see the reason of the refusal.
fn discard_rest(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
    let mut sink = [0_u8; 8192];
    let mut input = stream;
    for _ in 0..64 {
        match input.read(&mut sink) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
