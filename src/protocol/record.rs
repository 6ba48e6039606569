//! Wraps the raw text of a record into a RECORD message, without parsing it.

use super::StreamDescriptor;
use crate::json;

/// Writes the RECORD lines of one stream: an envelope prepared once, with each record's text in the middle; or bare
/// records.
#[derive(Debug, Clone)]
pub struct RecordWriter {
    /// Empty if there is no envelope.
    head: Vec<u8>,
}

impl RecordWriter {
    /// Prepares the envelope of a stream.
    #[must_use]
    pub fn new(stream: &StreamDescriptor) -> Self {
        let mut head = br#"{"type":"RECORD","record":{"stream":"#.to_vec();
        json::write_string(&mut head, &stream.name);
        if let Some(namespace) = &stream.namespace {
            head.extend_from_slice(br#","namespace":"#);
            json::write_string(&mut head, namespace);
        }
        head.extend_from_slice(br#","data":"#);
        Self { head }
    }

    /// Without an envelope: each line is a record's text.
    #[must_use]
    pub fn bare() -> Self {
        Self { head: Vec::new() }
    }

    /// Appends one line to `out`. `data` is the text of a JSON object; if it has several lines, its white space is
    /// removed, without other changes.
    pub fn write(&self, out: &mut Vec<u8>, data: &str, emitted_at_ms: i64) {
        self.at(emitted_at_ms).write_with(out, None, |out| json::write_one_line(out, data));
    }

    /// Writes records read at this moment, in milliseconds since the epoch: those of a page.
    #[must_use]
    pub fn at(&self, emitted_at_ms: i64) -> RecordLines<'_> {
        let tail = match self.head.is_empty() {
            true => "\n".to_owned(),
            false => format!(",\"emitted_at\":{emitted_at_ms}}}}}\n"),
        };
        RecordLines { head: &self.head, tail }
    }
}

/// Writes the RECORD lines of records read at the same moment. Made by [`RecordWriter::at`].
#[derive(Debug, Clone)]
pub struct RecordLines<'w> {
    head: &'w [u8],
    tail: String,
}

impl RecordLines<'_> {
    /// Appends one line to `out`. `data` appends the text of a JSON object, on one line. `reference` is the JSON of the
    /// `file_reference` of a record with a file; a bare record has no place for it.
    pub fn write_with(&self, out: &mut Vec<u8>, reference: Option<&str>, data: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(self.head);
        data(out);
        if let Some(reference) = reference.filter(|_| !self.head.is_empty()) {
            out.extend_from_slice(b",\"file_reference\":");
            out.extend_from_slice(reference.as_bytes());
        }
        out.extend_from_slice(self.tail.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_line_carries_name_namespace_raw_data_and_time() {
        let stream = StreamDescriptor { name: "a \"b\"".into(), namespace: Some("n".into()) };
        let mut out = Vec::new();
        RecordWriter::new(&stream).write(&mut out, "{\n \"x\": 1.10\n}", 7);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"type\":\"RECORD\",\"record\":{\"stream\":\"a \\\"b\\\"\",\"namespace\":\"n\",\
             \"data\":{\"x\":1.10},\"emitted_at\":7}}\n"
        );
    }

    #[test]
    fn a_bare_line_is_the_record_and_nothing_else() {
        let mut out = Vec::new();
        RecordWriter::bare().write(&mut out, "{\n \"x\": 1.10\n}", 7);
        RecordWriter::bare().write(&mut out, "{ \"y\":null}", 7);
        assert_eq!(String::from_utf8(out).unwrap(), "{\"x\":1.10}\n{ \"y\":null}\n");
    }
}
