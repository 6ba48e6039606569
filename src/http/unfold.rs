//! Headers that continue on the next line. Senders must no longer fold a header's value, but some do, and a recipient
//! has to read such a value as one line (RFC 9112, section 5.2). The HTTP library refuses it, so folds are replaced by
//! blanks of the same length before the library sees the head of a response.
//!
//! A connection to a proxy that opens a tunnel carries bytes that are not a head, such as TLS. They must pass
//! unchanged.

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// A connection whose response heads are unfolded.
#[derive(Debug)]
pub(super) struct Unfolding<T> {
    connection: T,
    /// Whether responses come over this connection itself, and not through a tunnel in it.
    has_heads: bool,
    /// The next bytes are a response's head: something was sent, and the blank line has not come yet.
    at_head: bool,
}

impl<T> Unfolding<T> {
    /// A connection over which responses come.
    pub(super) fn new(connection: T) -> Self {
        Self { connection, has_heads: true, at_head: false }
    }

    /// A connection that carries a tunnel: its input stays unchanged.
    pub(super) fn tunnel(connection: T) -> Self {
        Self { connection, has_heads: false, at_head: false }
    }
}

impl<T: Transport> Transport for Unfolding<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.at_head = self.has_heads;
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let has_more = self.connection.await_input(timeout)?;
        if self.at_head {
            let buffers = self.connection.buffers();
            let (unfolded, is_whole) = unfolded(buffers.input());
            self.at_head = !is_whole;
            if let Some(input) = unfolded {
                // There is no other way to change received bytes.
                buffers.input_consume(input.len());
                buffers.input_append_buf()[..input.len()].copy_from_slice(&input);
                buffers.input_appended(input.len());
            }
        }
        Ok(has_more)
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

/// The input with unfolded heads, if there is a fold in them, and whether the last head is complete. An interim
/// response (status 1xx) is followed by another head.
fn unfolded(input: &[u8]) -> (Option<Vec<u8>>, bool) {
    let mut changed: Option<Vec<u8>> = None;
    let mut start = 0;
    let mut line = 0;
    while let Some(end) = input[line..].iter().position(|byte| *byte == b'\n').map(|end| line + end) {
        let next = end + 1;
        if matches!(&input[line..next], b"\n" | b"\r\n") {
            if !is_interim(&input[start..]) {
                return (changed, true);
            }
            start = next;
        } else if matches!(input.get(next), Some(b' ' | b'\t')) {
            let text = changed.get_or_insert_with(|| input.to_vec());
            text[end] = b' ';
            if end > 0 && input[end - 1] == b'\r' {
                text[end - 1] = b' ';
            }
        }
        line = next;
    }
    (changed, false)
}

/// Whether a head is an interim response: `HTTP/1.1 1xx`.
fn is_interim(head: &[u8]) -> bool {
    head.get(8..10) == Some(b" 1") && head.starts_with(b"HTTP/1.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfold(text: &str) -> (String, bool) {
        let (unfolded, is_whole) = unfolded(text.as_bytes());
        (unfolded.map_or_else(|| text.to_owned(), |text| String::from_utf8(text).unwrap()), is_whole)
    }

    #[test]
    fn folds_in_a_head_become_blanks_and_nothing_else_changes() {
        for (text, expected, is_whole) in [
            ("HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\n\t3\r\n\r\n", "HTTP/1.1 200 OK\r\nA: 1   2  \t3\r\n\r\n", true),
            ("HTTP/1.1 200 OK\nA: 1\n 2\n\n", "HTTP/1.1 200 OK\nA: 1  2\n\n", true),
            ("HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\n", "HTTP/1.1 200 OK\r\nA: 1   2\r\n", false),
            ("HTTP/1.1 200 OK\r\nA: 1\r\n", "HTTP/1.1 200 OK\r\nA: 1\r\n", false),
            ("HTTP/1.1 200 OK\r\n\r\na\r\n b", "HTTP/1.1 200 OK\r\n\r\na\r\n b", true),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA:\r\n 1\r\n\r\n",
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA:   1\r\n\r\n",
                true,
            ),
            ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", false),
            ("", "", false),
        ] {
            assert_eq!(unfold(text), (expected.to_owned(), is_whole), "{text:?}");
        }
    }
}
