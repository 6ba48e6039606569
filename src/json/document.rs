//! The records of a response: one pass over its text checks that it is JSON, finds each record and its members, and
//! keeps the members around the records (the envelope), where APIs put `has_more` and their tokens.

use std::io::Read;
use std::ops::Range;

use serde_json::value::RawValue;

use super::compact;
use super::fault::Fault;
use super::object::{Object, OneLine, has_escaped_name, to_u32};
use super::record_path::RecordPath;
use super::scan::{self, Skip};
use super::text::Window;
use super::walk::{Broken, MAX_RECORD, TakeRecord, Taking, Walk};
use crate::buffers::Buffer;

/// Why no records could be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is not valid JSON. A truncated response looks like this, so a retry may help.
    #[error("it is not valid JSON ({0})")]
    NotJson(String),
    /// The text is JSON, but has no records at the stream's path. A retry does not help.
    #[error("{0}")]
    Shape(String),
}

/// A response's records, by their place in its text. Multi-line records are copied to one line.
#[derive(Debug, Default)]
pub struct Document {
    records: Vec<Place>,
    /// Where the names of members begin, record by record, relative to their record.
    names: Vec<u32>,
    /// The multi-line records of the response, on one line each.
    compact: Buffer,
    envelope: String,
}

/// The place of a record.
#[derive(Debug, Clone)]
struct Place {
    start: u32,
    end: u32,
    /// Among all names.
    names: Range<u32>,
    /// Whether it is in `compact`.
    is_compact: bool,
    /// Whether a name in it has escapes.
    has_escaped_name: bool,
}

impl Document {
    /// Finds the records in a text. A single object at `path` is a list of one; null is an empty list.
    pub fn index(text: &[u8], path: &RecordPath) -> Result<Self, DocumentError> {
        Self::index_into(Buffer::default(), text, path)
    }

    /// Finds the records in a text, with a buffer for multi-line ones.
    pub(crate) fn index_into(compact: Buffer, text: &[u8], path: &RecordPath) -> Result<Self, DocumentError> {
        // Another parser explains the same fault better, with line and column.
        let not_json = |otherwise| match serde_json::from_slice::<&RawValue>(text) {
            Err(error) => DocumentError::NotJson(error.to_string()),
            Ok(_) => DocumentError::NotJson(otherwise),
        };
        if u32::try_from(text.len()).is_err() {
            return Err(DocumentError::Shape("it is longer than 4 GiB".to_owned()));
        }
        let mut walk = Walk::new(text, Index { compact, ..Index::default() });
        // The walk has checked that everything it found is UTF-8. Where it ended early, the rest may be garbled, too.
        let envelope = walk.run(path).map_err(|broken| match (std::str::from_utf8(text), broken) {
            (Err(error), _) => not_json(format!("it is not UTF-8 from byte {} on", error.valid_up_to())),
            (Ok(_), Broken::NotJson(at)) => not_json(not_json_at(at)),
            (Ok(_), Broken::Shape(problem)) => DocumentError::Shape(problem),
            (Ok(_), Broken::Stopped(error)) => DocumentError::Shape(error.to_string()),
        })?;
        let Index { records, names, compact } = walk.taker;
        Ok(Self { records, names, compact, envelope })
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records, from the indexed text. From another text, as far as it has them.
    pub fn records<'t>(&'t self, text: &'t [u8]) -> impl DoubleEndedIterator<Item = Object<'t>> {
        self.records.iter().filter_map(move |place| {
            let stands_in: &[u8] = if place.is_compact { &self.compact } else { text };
            let record = stands_in.get(place.start as usize..place.end as usize)?;
            let names = self.names.get(place.names.start as usize..place.names.end as usize)?;
            Some(Object::found(record, (!place.has_escaped_name).then_some(names)))
        })
    }

    /// The response without its records, as JSON: `{"has_more":true}`. Empty if the records are the whole response.
    #[must_use]
    pub fn envelope(&self) -> &str {
        &self.envelope
    }
}

/// Collects the results of a walk through a text in memory.
#[derive(Default)]
struct Index {
    records: Vec<Place>,
    names: Vec<u32>,
    compact: Buffer,
}

impl TakeRecord for Index {
    fn take(&mut self, text: &[u8], at: usize) -> Result<usize, Taking> {
        let (known, known_compact) = (self.names.len(), self.compact.len());
        let mut one_line = OneLine::new(&mut self.names, at);
        let taken = match scan::value(text, at, &mut one_line) {
            Err(Fault::LineBreak) => {
                self.names.truncate(known);
                compact::write(&mut self.compact, text, at, Some(&mut self.names))
            }
            end => end.map(|end| (end, one_line.has_escapes)),
        };
        let (end, has_escapes) = taken.map_err(Taking::Fault)?;
        let is_compact = self.compact.len() > known_compact;
        let record = if is_compact { &self.compact[known_compact..] } else { &text[at..end] };
        let has_escaped_name = has_escapes && has_escaped_name(record, &self.names[known..]);
        let start = if is_compact { known_compact } else { at };
        self.records.push(Place {
            start: to_u32(start),
            end: to_u32(start + record.len()),
            names: to_u32(known)..to_u32(self.names.len()),
            is_compact,
            has_escaped_name,
        });
        Ok(end)
    }
}

/// Hands out the records of a text too long for memory, one at a time, and returns the envelope.
///
/// # Errors
/// As [`Document::index`], or if a record is longer than 32 MiB, or the error of `on_record`, which ends the walk.
pub fn for_each_record(
    text: impl Read,
    path: &RecordPath,
    on_record: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    Walk::new(Window::new(text), HandOut(on_record)).run(path).map_err(|broken| match broken {
        Broken::NotJson(at) => DocumentError::NotJson(not_json_at(at)).into(),
        Broken::Shape(problem) => DocumentError::Shape(problem).into(),
        Broken::Stopped(error) => error,
    })
}

struct HandOut<F>(F);

impl<F: FnMut(&str) -> anyhow::Result<()>> TakeRecord for HandOut<F> {
    fn take(&mut self, text: &[u8], at: usize) -> Result<usize, Taking> {
        let end = scan::value(text, at, &mut Skip).map_err(Taking::Fault)?;
        if end - at > MAX_RECORD {
            return Err(Taking::TooLong);
        }
        let record = std::str::from_utf8(&text[at..end]).map_err(|_| Taking::Fault(Fault::NotUtf8))?;
        (self.0)(record).map_err(Taking::Stopped)?;
        Ok(end)
    }
}

fn not_json_at(at: usize) -> String {
    format!("it ends too early, or is not JSON, at byte {at} or soon after")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::walk::MAX_ENVELOPE;

    fn records(text: &str, path: &[&str]) -> Result<(Vec<String>, String), DocumentError> {
        let path = RecordPath::new(path.iter().copied());
        let document = Document::index(text.as_bytes(), &path)?;
        let in_memory: Vec<String> = document.records(text.as_bytes()).map(|record| record.text().to_owned()).collect();
        let mut streamed = Vec::new();
        let envelope = for_each_record(text.as_bytes(), &path, |record| {
            streamed.push(record.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!((&in_memory, document.envelope()), (&streamed, envelope.as_str()), "both ways agree");
        Ok((in_memory, envelope))
    }

    fn problem(text: &str, path: &[&str]) -> String {
        let path = RecordPath::new(path.iter().copied());
        let error = Document::index(text.as_bytes(), &path).expect_err(text);
        let streamed = for_each_record(text.as_bytes(), &path, |_| Ok(())).expect_err(text);
        assert_eq!(
            streamed.downcast_ref::<DocumentError>().map(std::mem::discriminant),
            Some(std::mem::discriminant(&error))
        );
        error.to_string()
    }

    #[test]
    fn records_are_found_with_their_text_and_the_envelope_is_kept() {
        let (found, envelope) =
            records(r#"{"has_more": true, "data": [{"a": 1.10}, {"b":1e400}], "n": {"x": []}}"#, &["data"]).unwrap();
        assert_eq!(found, [r#"{"a": 1.10}"#, r#"{"b":1e400}"#]);
        assert_eq!(envelope, r#"{"has_more":true,"data":null,"n":{"x": []}}"#);
    }

    #[test]
    fn a_star_matches_each_element_and_each_member() {
        let text = r#"{"n": 1, "g": [{"u": [{"a":1}], "x": 9}, {"u": {"b":2}}, {"u": null}], "m": 2}"#;
        let (found, envelope) = records(text, &["g", "*", "u"]).unwrap();
        assert_eq!(found, [r#"{"a":1}"#, r#"{"b":2}"#]);
        assert_eq!(envelope, r#"{"n":1,"g":null,"m":2}"#);
        let (found, _) = records(r#"{"one": [{"a":1}, {"a":2}], "two": {"a":3}}"#, &["*"]).unwrap();
        assert_eq!(found, [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]);
        assert_eq!(records("[]", &["*", "u"]).unwrap().0, [""; 0], "no element, no record");
        assert!(problem(r#"[{"x":1}, 7]"#, &["*", "u"]).contains("where an object with `u` should be"));
        assert!(problem(r#"{"a" 1}"#, &["*", "u"]).contains("valid JSON"));
    }

    #[test]
    fn an_optional_path_may_lead_to_nothing_and_any_other_may_not() {
        for text in [r#"{"x": 1}"#, "{}", r#"{"data": 7}"#, r#"{"data": "no"}"#, "[1]", r#""no""#] {
            let path = RecordPath::new(["data", "items"]);
            assert!(Document::index(text.as_bytes(), &path).is_err(), "{text}");
            assert_eq!(Document::index(text.as_bytes(), &path.optional()).unwrap().len(), 0, "{text}");
        }
        let path = RecordPath::new(["data"]).optional();
        assert!(Document::index(br#"{"data": [1]}"#, &path).is_err(), "an existing list has to contain records");
        assert!(Document::index(br#"{"data": "#, &path).is_err());
    }

    #[test]
    fn records_are_found_under_a_longer_path_and_at_the_top() {
        let (found, envelope) = records(r#"{"r":{"items":[{"a":1}],"next":2},"x":3}"#, &["r", "items"]).unwrap();
        assert_eq!(
            (found, envelope.as_str()),
            (vec![r#"{"a":1}"#.to_owned()], r#"{"r":{"items":null,"next":2},"x":3}"#)
        );
        assert_eq!(records(r#"[{"a":1},{"a":2}]"#, &[]).unwrap().0.len(), 2);
    }

    #[test]
    fn a_single_object_is_a_list_of_one_and_null_an_empty_list() {
        let (found, _) = records(r#"{"data":{"a" : 1.10, "\u0062":[ ]}}"#, &["data"]).unwrap();
        assert_eq!(found, [r#"{"a" : 1.10, "\u0062":[ ]}"#]);
        assert_eq!(records("{\"id\": 1}", &[]).unwrap().0, [r#"{"id": 1}"#]);
        assert_eq!(records(r#"{"data":null}"#, &["data"]).unwrap().0, [""; 0]);
        assert_eq!(records(r#"{"data":[]}"#, &["data"]).unwrap().0, [""; 0]);
    }

    #[test]
    fn nesting_of_any_depth_is_copied() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let (found, _) = records(&format!("[{deep}]"), &[]).unwrap();
        assert_eq!(found, [deep]);
    }

    #[test]
    fn invalid_json_is_distinguished_from_another_shape() {
        for text in ["", "<html>", r#"{"data":[{"a":1}"#, r#"{"data":[]} x"#, r#"{"data":[NaN]}"#] {
            assert!(problem(text, &["data"]).contains("not valid JSON"), "{text}");
        }
        assert_eq!(problem(r#"{"items":[]}"#, &["data"]), "there is nothing at `data`");
        assert_eq!(problem(r#"{"data":"x"}"#, &["data"]), "there is a string where a list of objects should be");
        assert_eq!(problem("[]", &["data"]), "there is a list where an object with `data` should be");
        assert_eq!(problem(r#"{"data":[1]}"#, &["data"]), "a record is not an object");
        assert_eq!(problem(r#"{"data":[],"data":[]}"#, &["data"]), "`data` is there twice");
    }

    #[test]
    fn an_envelope_that_would_fill_the_memory_is_refused() {
        let huge = format!(r#"{{"data":[],"included":"{}"}}"#, "x".repeat(MAX_ENVELOPE));
        assert_eq!(problem(&huge, &["data"]), "what stands around the records is longer than 16 MiB");
    }

    #[test]
    fn a_record_that_would_fill_the_memory_is_refused() {
        let text = format!(r#"[{{"a":"{}"}}]"#, "x".repeat(MAX_RECORD));
        let error = for_each_record(text.as_bytes(), &RecordPath::default(), |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "a record is longer than 32 MiB");
    }

    #[test]
    fn text_that_is_not_utf8_is_not_json_wherever_it_is() {
        let path = RecordPath::new(["data"]);
        let templates = [
            r#"{"data":[{"a":"*"}]}"#,
            "{\"data\":[{\"a\":1,\n\"b\":[\"*\"]}]}",
            r#"{"data":[{"*":1},{"b":2}],"x":1}"#,
            r#"{"data":[],"x":"*"}"#,
            r#"{"*":1,"data":[]}"#,
            r#"{"data":[]*}"#,
            // What is known to have another shape may be garbled as well.
            r#"{"data":7,"x":"*"}"#,
        ];
        for template in templates {
            for fill in [0, 40, 70, 200] {
                let text = template.replace('*', &format!("{}*", "x".repeat(fill)));
                for wrong in [&b"\xff"[..], b"\xc3", b"\xe2\x82", b"\xed\xa0\x80"] {
                    let at = text.find('*').unwrap();
                    let bytes = [&text.as_bytes()[..at], wrong, &text.as_bytes()[at + 1..]].concat();
                    let error = Document::index(&bytes, &path).unwrap_err();
                    assert!(matches!(error, DocumentError::NotJson(_)), "{text}: {error}");
                }
            }
        }
        let valid = r#"{"data":[{"ä":"€"},{"b":"x"},{"c":"\u00e9 é"}],"ö":"𝄞"}"#;
        assert_eq!(Document::index(valid.as_bytes(), &path).unwrap().len(), 3);
    }

    #[test]
    fn an_error_of_the_consumer_ends_the_walk() {
        let mut seen = 0;
        let error = for_each_record(b"[{},{}]".as_slice(), &RecordPath::default(), |_| {
            seen += 1;
            anyhow::bail!("enough")
        })
        .unwrap_err();
        assert_eq!((seen, error.to_string().as_str()), (1, "enough"));
    }
}
