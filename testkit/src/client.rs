//! A minimal client that shows exactly what the server sent.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One connection, kept open between requests.
#[derive(Debug)]
pub struct Client {
    input: BufReader<TcpStream>,
}

/// A response; the body is decoded from chunks but not from gzip.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers as they were sent, in order.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects. Reads end with an error after 20 seconds.
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("a server that listens");
        let limit = Some(Duration::from_secs(20));
        stream.set_read_timeout(limit).expect("a limit above zero");
        Self { input: BufReader::new(stream) }
    }

    /// Sends these bytes unchanged.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.get_mut().write_all(bytes)
    }

    /// Sends a GET with these headers and reads its response.
    pub fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
        let mut request = format!("GET {target} HTTP/1.1\r\nHost: test\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        self.send(request.as_bytes())?;
        self.receive()
    }

    /// Reads the next response.
    pub fn receive(&mut self) -> io::Result<Response> {
        let line = self.line()?;
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        let status = line.get(9..12).and_then(|code| code.parse().ok());
        let mut response = Response { status: status.ok_or_else(bad)?, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            response.headers.push((name.to_owned(), value.to_owned()));
        }
        if response.header("Transfer-Encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).map_err(|_| bad())?;
                let chunk = self.exactly(size + 2)?;
                response.body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = response.header("Content-Length") {
            let length = length.parse().map_err(|_| bad())?;
            response.body = self.exactly(length)?;
        }
        Ok(response)
    }

    /// Everything up to the end of the connection.
    pub fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = Vec::new();
        let end = self.input.read_to_end(&mut bytes).map(|_| ());
        (bytes, end)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Response {
    /// The value of the first header with exactly this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body that is UTF-8")
    }
}

/// One GET over its own connection.
#[cfg(test)]
pub(crate) fn get(addr: SocketAddr, target: &str) -> io::Result<Response> {
    Client::connect(addr).get(target, &[])
}
