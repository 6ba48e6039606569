//! Messages of the protocol as lines that people read. Where the answer to a command is a text, stdout is that text and
//! nothing else; what else there is to say goes to stderr, and this is how.

use std::io::{self, Write};

use serde_json::Value;

/// Takes lines of the protocol and writes them as `warn: TEXT` and `error: TEXT`.
pub(crate) struct PlainMessages<W> {
    writer: W,
    /// A line that has not ended yet.
    begun: Vec<u8>,
}

impl<W: Write> PlainMessages<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, begun: Vec::new() }
    }
}

impl<W: Write> Write for PlainMessages<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        while let Some(end) = memchr::memchr(b'\n', &self.begun) {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            if let Some(plain) = plain(&line) {
                self.writer.write_all(plain.as_bytes())?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A line for people, of those that are for them.
fn plain(line: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(line).ok()?;
    let (level, text) = match message["type"].as_str()? {
        "LOG" => (message["log"]["level"].as_str()?.to_ascii_lowercase(), message["log"]["message"].as_str()?),
        "TRACE" => ("error".to_owned(), message["trace"]["error"]["message"].as_str()?),
        _ => return None,
    };
    Some(format!("{level}: {text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_and_errors_become_lines_however_they_are_cut() {
        let messages = br#"{"type":"LOG","log":{"level":"WARN","message":"odd"}}
{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{}}}
{"type":"TRACE","trace":{"type":"ERROR","emitted_at":1,"error":{"message":"no","failure_type":"config_error"}}}
"#;
        for size in [1, 7, 1000] {
            let mut writer = PlainMessages::new(Vec::new());
            for part in messages.chunks(size) {
                writer.write_all(part).unwrap();
            }
            assert_eq!(String::from_utf8(writer.writer).unwrap(), "warn: odd\nerror: no\n");
        }
    }
}
