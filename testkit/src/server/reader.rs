//! Reads requests from a connection (RFC 9112).

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::Request;

/// The longest accepted head, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// The longest accepted body, in bytes.
const MAX_BODY: usize = 64 * 1024 * 1024;
const MAX_HEADERS: usize = 128;

/// The next thing on the connection.
pub(super) enum Incoming {
    /// A whole request.
    Request(Request),
    /// Anything but a request; the connection is unusable.
    Refused { status: u16, reason: String },
    /// The client closed the connection.
    End,
}

/// Reads one request after the other; extra bytes are kept for the next one.
pub(super) struct Reader<'a> {
    stream: &'a TcpStream,
    connection: u64,
    buffer: Vec<u8>,
}

/// The declared length of the body.
enum Length {
    Bytes(usize),
    Chunked,
}

/// The head's fields that the reader itself needs.
struct Head {
    request: Request,
    length: Length,
    expects_continue: bool,
}

type Refusal = (u16, String);

impl<'a> Reader<'a> {
    pub(super) fn new(stream: &'a TcpStream, connection: u64) -> Self {
        Self { stream, connection, buffer: Vec::new() }
    }

    /// The next request, read to its end.
    pub(super) fn next(&mut self) -> io::Result<Incoming> {
        let refused = |(status, reason)| Incoming::Refused { status, reason };
        let mut head = loop {
            match self.parse_head() {
                Ok(Some(head)) => break head,
                Ok(None) if self.buffer.len() > MAX_HEAD => return Ok(refused(head_too_long())),
                Ok(None) => {
                    if !self.fill()? {
                        return Ok(Incoming::End);
                    }
                }
                Err(refusal) => return Ok(refused(refusal)),
            }
        };
        let empty = matches!(head.length, Length::Bytes(0));
        if head.expects_continue && !empty && self.buffer.is_empty() {
            let mut output = self.stream;
            output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = match head.length {
            Length::Bytes(length) => self.read_sized(length)?,
            Length::Chunked => self.read_chunked()?,
        };
        match body {
            Ok(body) => {
                head.request.body = body;
                head.request.arrived = Instant::now();
                Ok(Incoming::Request(head.request))
            }
            Err(refusal) => Ok(refused(refusal)),
        }
    }

    /// Takes the head from the start of the buffer; `None` if more bytes are needed.
    fn parse_head(&mut self) -> Result<Option<Head>, Refusal> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(&self.buffer) {
            Ok(httparse::Status::Complete(length)) if length > MAX_HEAD => {
                return Err(head_too_long());
            }
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err((400, format!("no HTTP request: {error}"))),
        };
        let fields = parsed
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8_lossy(header.value).into_owned();
                (header.name.to_owned(), value)
            })
            .collect();
        let request =
            Request::new(parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default(), fields, self.connection);
        let head = Head {
            length: body_length(&request)?,
            expects_continue: request.header("Expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")),
            request,
        };
        self.buffer.drain(..length);
        Ok(Some(head))
    }

    fn read_sized(&mut self, length: usize) -> io::Result<Result<Vec<u8>, Refusal>> {
        if length > MAX_BODY {
            return Ok(Err(body_too_long()));
        }
        while self.buffer.len() < length {
            self.fill_or_fail()?;
        }
        Ok(Ok(self.buffer.drain(..length).collect()))
    }

    fn read_chunked(&mut self) -> io::Result<Result<Vec<u8>, Refusal>> {
        let mut body = Vec::new();
        loop {
            let (start, size) = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete(found)) => found,
                Ok(httparse::Status::Partial) => {
                    self.fill_or_fail()?;
                    continue;
                }
                Err(_) => return Ok(Err((400, "no chunk size".to_owned()))),
            };
            self.buffer.drain(..start);
            if size == 0 {
                self.skip_trailers()?;
                return Ok(Ok(body));
            }
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > MAX_BODY - body.len() {
                return Ok(Err(body_too_long()));
            }
            while self.buffer.len() < size + 2 {
                self.fill_or_fail()?;
            }
            body.extend(self.buffer.drain(..size));
            if self.buffer.drain(..2).as_slice() != b"\r\n" {
                return Ok(Err((400, "a chunk without its end".to_owned())));
            }
        }
    }

    /// Drops the lines after the last chunk, the empty one included.
    fn skip_trailers(&mut self) -> io::Result<()> {
        loop {
            let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") else {
                if self.buffer.len() > MAX_HEAD {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                self.fill_or_fail()?;
                continue;
            };
            self.buffer.drain(..end + 2);
            if end == 0 {
                return Ok(());
            }
        }
    }

    fn fill_or_fail(&mut self) -> io::Result<()> {
        if self.fill()? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads more bytes into the buffer; false at the end of the connection.
    fn fill(&mut self) -> io::Result<bool> {
        let mut bytes = [0_u8; 16 * 1024];
        let mut input = self.stream;
        loop {
            match input.read(&mut bytes) {
                Ok(count) => {
                    self.buffer.extend_from_slice(&bytes[..count]);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn head_too_long() -> Refusal {
    (431, format!("the head is longer than {MAX_HEAD} bytes"))
}

fn body_too_long() -> Refusal {
    (413, format!("the body is longer than {MAX_BODY} bytes"))
}

/// The length of the body (RFC 9112, section 6). A request with both framings is refused, because intermediaries may
/// read it differently.
fn body_length(request: &Request) -> Result<Length, Refusal> {
    let sized = request.header("Content-Length");
    match request.header("Transfer-Encoding") {
        Some(_) if sized.is_some() => Err((400, "both Content-Length and Transfer-Encoding".to_owned())),
        Some(coding) if coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunked),
        Some(coding) => Err((501, format!("unknown transfer coding: {coding}"))),
        None => match sized.map(str::parse) {
            None => Ok(Length::Bytes(0)),
            Some(Ok(length)) => Ok(Length::Bytes(length)),
            Some(Err(_)) => Err((400, "Content-Length is not a number".to_owned())),
        },
    }
}
