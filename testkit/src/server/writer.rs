//! Sends replies over a connection, in good order or with their fault.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::listener::Shared;
use super::reply::gzip_bytes;
use super::request::find_header;
use super::{Fault, Reply, Request};

/// Bytes of an endless reply that are written in one system call.
const JOINED: usize = 64 * 1024;

/// The most bytes of an endless reply.
const MOST_REPEATED: usize = 16 * 1024 * 1024 * 1024;

/// The connection's fate after the reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    KeepAlive,
    Close,
}

/// The sending side of a connection.
pub(super) struct Writer<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
}

impl<'a> Writer<'a> {
    pub(super) fn new(stream: &'a TcpStream, shared: &'a Shared) -> Self {
        Self { stream, shared }
    }

    /// Sends one reply, its delay and its fault included.
    pub(super) fn send(&self, request: &Request, mut reply: Reply) -> io::Result<After> {
        self.shared.pause(reply.delay);
        let mut close =
            find_header(&reply.headers, "Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let fault = reply.fault.take();
        match &fault {
            Some(Fault::RefuseHead) => return Ok(After::Close),
            Some(Fault::ResetBeforeHead) => return self.reset(),
            Some(Fault::RawBytes(bytes)) => {
                self.write(&[], bytes)?;
                return Ok(After::Close);
            }
            Some(Fault::RawThenReset(bytes)) => {
                self.write(&[], bytes)?;
                return self.reset();
            }
            Some(Fault::RawThenSilence(bytes, lasting)) => {
                self.write(&[], bytes)?;
                self.shared.pause(*lasting);
                return Ok(After::Close);
            }
            Some(Fault::Endless { start, again }) => {
                self.write(&[], start)?;
                self.repeat(again)?;
                return Ok(After::Close);
            }
            Some(Fault::SilenceBeforeHead(lasting)) => self.shared.pause(*lasting),
            Some(Fault::CorruptGzip) => {
                reply = damage_gzip(reply, |gzip| {
                    let middle = gzip.len() / 2;
                    gzip[middle..middle + 4].iter_mut().for_each(|b| *b ^= 0xff);
                });
                close = true;
            }
            Some(Fault::TruncatedGzip) => {
                reply = damage_gzip(reply, |gzip| gzip.truncate(gzip.len() * 2 / 3));
                close = true;
            }
            Some(Fault::BadChunking) => {
                let half = &reply.body[..reply.body.len() / 2];
                let mut payload = Vec::new();
                if !half.is_empty() {
                    push_chunk(&mut payload, half);
                }
                payload.extend_from_slice(b"not-hexadecimal\r\n");
                reply.chunk = Some(1);
                self.write(&head(request, &reply), &payload)?;
                return Ok(After::Close);
            }
            _ => {}
        }
        let head = head(request, &reply);
        let payload = payload(request, &reply);
        if let Some(streamed) = &reply.streamed
            && request.method != "HEAD"
        {
            let mut output = self.stream;
            output.write_all(&head)?;
            (streamed.write)(&mut output)?;
            return Ok(if close { After::Close } else { After::KeepAlive });
        }
        let upto = |bytes: usize| payload.split_at(bytes.min(payload.len()));
        match fault {
            Some(Fault::ResetInBody(bytes)) => {
                self.write(&head, upto(bytes).0)?;
                return self.reset();
            }
            Some(Fault::TruncateBody(bytes)) => {
                self.write(&head, upto(bytes).0)?;
                return Ok(After::Close);
            }
            Some(Fault::SilenceInBody { after, lasting }) => {
                let (sent, rest) = upto(after);
                self.write(&head, sent)?;
                self.shared.pause(lasting);
                self.write(&[], rest)?;
            }
            Some(Fault::CloseAfter) => {
                self.write(&head, &payload)?;
                return Ok(After::Close);
            }
            Some(Fault::ResetAfter) => {
                self.write(&head, &payload)?;
                return self.reset();
            }
            _ => self.write(&head, &payload)?,
        }
        Ok(if close { After::Close } else { After::KeepAlive })
    }

    /// Writes both in one system call, if the socket takes them.
    fn write(&self, head: &[u8], payload: &[u8]) -> io::Result<()> {
        let mut output = self.stream;
        let written = output.write_vectored(&[IoSlice::new(head), IoSlice::new(payload)])?;
        if let Some(rest) = head.get(written..) {
            output.write_all(rest)?;
        }
        output.write_all(&payload[written.saturating_sub(head.len())..])
    }

    /// Writes the bytes repeatedly. Ends with the connection, which ends with the server.
    fn repeat(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let block = bytes.repeat((JOINED / bytes.len()).max(1));
        for _ in 0..MOST_REPEATED / block.len() {
            self.write(&[], &block)?;
        }
        Ok(())
    }

    /// Makes closing the socket send RST in place of FIN.
    fn reset(&self) -> io::Result<After> {
        socket2::SockRef::from(self.stream).set_linger(Some(Duration::ZERO))?;
        Ok(After::Close)
    }
}

/// The status line and headers, with the empty line.
fn head(request: &Request, reply: &Reply) -> Vec<u8> {
    let status = reply.status;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let framed = reply.has_header("Content-Length") || reply.has_header("Transfer-Encoding");
    if reply.chunk.is_some() && !framed {
        head.push_str("Transfer-Encoding: chunked\r\n");
    } else if !framed && (may_have_body(status) || request.method == "HEAD") {
        let length = reply.streamed.as_ref().map_or(reply.body.len() as u64, |streamed| streamed.length);
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// The bytes after the head.
fn payload<'a>(request: &Request, reply: &'a Reply) -> Cow<'a, [u8]> {
    if request.method == "HEAD" || !may_have_body(reply.status) {
        return Cow::Borrowed(&[]);
    }
    let Some(size) = reply.chunk else {
        return Cow::Borrowed(&reply.body);
    };
    let mut chunks = Vec::with_capacity(reply.body.len() + reply.body.len() / size * 16 + 16);
    for chunk in reply.body.chunks(size) {
        push_chunk(&mut chunks, chunk);
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    Cow::Owned(chunks)
}

fn push_chunk(out: &mut Vec<u8>, chunk: &[u8]) {
    out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
    out.extend_from_slice(chunk);
    out.extend_from_slice(b"\r\n");
}

/// The reply with a broken gzip body.
fn damage_gzip(reply: Reply, damage: impl FnOnce(&mut Vec<u8>)) -> Reply {
    let mut gzip = if reply.is_gzip() { reply.body.to_vec() } else { gzip_bytes(&reply.body) };
    damage(&mut gzip);
    let mut broken = if reply.is_gzip() { reply } else { reply.header("Content-Encoding", "gzip") };
    broken.body = Arc::from(gzip);
    broken
}

/// RFC 9112, section 6.3: these responses end with their head.
fn may_have_body(status: u16) -> bool {
    status >= 200 && status != 204 && status != 304
}

/// The reason phrase of the statuses that tests use.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        418 => "I'm a teapot",
        422 => "Unprocessable Content",
        424 => "Failed Dependency",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
