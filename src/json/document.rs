//! Finding the records in a response: one pass over the text checks that it is valid JSON, notes where each record
//! stands, and keeps what is around the records (the envelope), where APIs put `has_more` and their tokens.

use std::fmt;
use std::io::Read;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::write_string;

/// Longest envelope that is kept, in bytes. It is held in memory, unlike records.
const MAX_ENVELOPE: usize = 16 * 1024 * 1024;

/// Where the records are in a response: the names that lead to them. Empty when the response itself is the record,
/// or the list of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPath(Vec<String>);

impl RecordPath {
    /// The path of these names, outermost first.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for RecordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the top level") } else { write!(f, "`{}`", self.0.join(".")) }
    }
}

/// Why no records could be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The text is not valid JSON. A response cut short looks like this, so asking again may help.
    #[error("it is not valid JSON ({0})")]
    NotJson(String),
    /// The text is JSON, but the records are not where the stream says they are. Asking again won't help.
    #[error("{0}")]
    Shape(String),
}

/// A response's records, by their place in its text.
#[derive(Debug, Default)]
pub struct Document {
    spans: Vec<Range<u32>>,
    /// A response that is one record, not a list.
    single: Option<String>,
    envelope: String,
}

impl Document {
    /// Finds the records in a text. A single object at `path` is a list of one; null is an empty list.
    pub fn index(text: &[u8], path: &RecordPath) -> Result<Self, DocumentError> {
        let base = text.as_ptr() as usize;
        let mut document = Self::default();
        let mut sink = Sink::new(|found: Found<'_>| match found {
            Found::Element(record) => {
                let start = record.as_ptr() as usize - base;
                document.spans.push(to_u32(start)?..to_u32(start + record.len())?);
                Ok(())
            }
            Found::Single(record) => {
                document.single = Some(record);
                Ok(())
            }
        });
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let walked = sink.walk::<&RawValue, _>(&path.0, &mut deserializer);
        let result = sink.finish(walked.and_then(|()| deserializer.end()), path);
        document.envelope = result?;
        Ok(document)
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len() + usize::from(self.single.is_some())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The n-th record's text, out of the text that was indexed.
    #[must_use]
    pub fn get<'t>(&'t self, text: &'t [u8], n: usize) -> Option<&'t str> {
        if let Some(single) = &self.single {
            return (n == 0).then_some(single);
        }
        let span = self.spans.get(n)?;
        std::str::from_utf8(text.get(span.start as usize..span.end as usize)?).ok()
    }

    /// The response without its records, as JSON: `{"has_more":true}`. Empty if the records are the whole response.
    #[must_use]
    pub fn envelope(&self) -> &str {
        &self.envelope
    }
}

/// Hands out the records of a text too long for memory, one at a time, and returns the envelope.
///
/// # Errors
/// As [`Document::index`], or what `on_record` returned, which ends the walk.
pub fn for_each_record(
    text: impl Read,
    path: &RecordPath,
    mut on_record: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let mut stopped = None;
    let mut sink = Sink::new(|found: Found<'_>| {
        let record = match &found {
            Found::Element(record) => record,
            Found::Single(record) => record.as_str(),
        };
        on_record(record).map_err(|error| {
            stopped = Some(error);
            String::new()
        })
    });
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let walked = sink.walk::<Box<RawValue>, _>(&path.0, &mut deserializer);
    let result = sink.finish(walked.and_then(|()| deserializer.end()), path);
    match stopped {
        Some(error) => Err(error),
        None => Ok(result?),
    }
}

fn to_u32(offset: usize) -> Result<u32, String> {
    u32::try_from(offset).map_err(|_| "it is longer than 4 GiB".to_owned())
}

enum Found<'t> {
    Element(&'t str),
    Single(String),
}

/// What a walk through a document fills. A shape that is wrong is noted here, because serde's errors are texts.
struct Sink<F> {
    on_record: F,
    envelope: String,
    found: bool,
    problem: Option<String>,
}

impl<F: FnMut(Found<'_>) -> Result<(), String>> Sink<F> {
    fn new(on_record: F) -> Self {
        Self { on_record, envelope: String::new(), found: false, problem: None }
    }

    fn walk<'de, R, D>(&mut self, path: &[String], deserializer: D) -> Result<(), D::Error>
    where
        R: Deserialize<'de> + Deref<Target = RawValue>,
        D: Deserializer<'de>,
    {
        Walk { path, sink: self, raw: PhantomData::<R> }.deserialize(deserializer)
    }

    fn finish(self, walked: Result<(), serde_json::Error>, path: &RecordPath) -> Result<String, DocumentError> {
        match (walked, self.problem) {
            (_, Some(problem)) => Err(DocumentError::Shape(problem)),
            (Err(error), None) => Err(DocumentError::NotJson(error.to_string())),
            (Ok(()), None) if self.found => Ok(self.envelope),
            (Ok(()), None) => Err(DocumentError::Shape(format!("there is nothing at {path}"))),
        }
    }

    fn fail<E: serde::de::Error>(&mut self, problem: String) -> E {
        self.problem = Some(problem);
        E::custom("unexpected shape")
    }

    fn emit<E: serde::de::Error>(&mut self, found: Found<'_>) -> Result<(), E> {
        (self.on_record)(found).map_err(|problem| self.fail(problem))
    }
}

/// One step of the walk: the value at the front of `path`. `R` is how a value's text is taken: borrowed from a
/// text in memory, or copied out of a reader.
struct Walk<'w, F, R> {
    path: &'w [String],
    sink: &'w mut Sink<F>,
    raw: PhantomData<R>,
}

impl<'de, F, R> DeserializeSeed<'de> for Walk<'_, F, R>
where
    F: FnMut(Found<'_>) -> Result<(), String>,
    R: Deserialize<'de> + Deref<Target = RawValue>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<F, R> Walk<'_, F, R>
where
    F: FnMut(Found<'_>) -> Result<(), String>,
{
    fn wrong<E: serde::de::Error>(self, what: &str) -> Result<(), E> {
        let wanted = match self.path.first() {
            Some(name) => format!("an object with `{name}`"),
            None => "a list of objects".to_owned(),
        };
        Err(self.sink.fail(format!("there is {what} where {wanted} should be")))
    }
}

impl<'de, F, R> Visitor<'de> for Walk<'_, F, R>
where
    F: FnMut(Found<'_>) -> Result<(), String>,
    R: Deserialize<'de> + Deref<Target = RawValue>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((name, rest)) = self.path.split_first() else {
            // A single object is a list of one. Its text is put together again from its members.
            let mut record = String::from("{");
            while let Some((key, value)) = map.next_entry::<R, R>()? {
                if record.len() > 1 {
                    record.push(',');
                }
                record.extend([key.get(), ":", value.get()]);
            }
            record.push('}');
            self.sink.found = true;
            return self.sink.emit(Found::Single(record));
        };
        self.sink.envelope.push('{');
        let mut first = true;
        while let Some(key) = map.next_key::<String>()? {
            if !first {
                self.sink.envelope.push(',');
            }
            first = false;
            let mut quoted = Vec::new();
            write_string(&mut quoted, &key);
            self.sink.envelope.extend([String::from_utf8_lossy(&quoted).as_ref(), ":"]);
            if key != *name {
                self.sink.envelope.push_str(map.next_value::<R>()?.get());
                if self.sink.envelope.len() > MAX_ENVELOPE {
                    return Err(self.sink.fail("what stands around the records is longer than 16 MiB".to_owned()));
                }
                continue;
            }
            if self.sink.found {
                return Err(self.sink.fail(format!("`{name}` is there twice")));
            }
            let length = self.sink.envelope.len();
            map.next_value_seed(Walk { path: rest, sink: &mut *self.sink, raw: PhantomData::<R> })?;
            if self.sink.envelope.len() == length {
                self.sink.envelope.push_str("null");
            }
        }
        self.sink.envelope.push('}');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.path.is_empty() {
            return self.wrong("a list");
        }
        self.sink.found = true;
        while let Some(element) = list.next_element::<R>()? {
            if !element.get().starts_with('{') {
                return Err(self.sink.fail("a record is not an object".to_owned()));
            }
            self.sink.emit(Found::Element(element.get()))?;
        }
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if !self.path.is_empty() {
            return self.wrong("null");
        }
        self.sink.found = true;
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.wrong("a boolean")
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.wrong("a number")
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.wrong("a number")
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.wrong("a number")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.wrong("a string")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str, path: &[&str]) -> Result<(Vec<String>, String), DocumentError> {
        let path = RecordPath::new(path.iter().copied());
        let document = Document::index(text.as_bytes(), &path)?;
        let in_memory: Vec<String> =
            (0..document.len()).map(|n| document.get(text.as_bytes(), n).unwrap().to_owned()).collect();
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
        assert_eq!(found, [r#"{"a":1.10,"\u0062":[ ]}"#]);
        assert_eq!(records("{\"id\": 1}", &[]).unwrap().0, [r#"{"id":1}"#]);
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
    fn what_is_not_json_is_told_from_what_has_another_shape() {
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
    fn text_that_is_not_utf8_is_not_json() {
        let path = RecordPath::default();
        let error = Document::index(b"[{\"a\":\"\xff\"}]", &path).unwrap_err();
        assert!(matches!(error, DocumentError::NotJson(_)), "{error}");
    }

    #[test]
    fn what_the_consumer_returns_ends_the_walk() {
        let mut seen = 0;
        let error = for_each_record(b"[{},{}]".as_slice(), &RecordPath::default(), |_| {
            seen += 1;
            anyhow::bail!("enough")
        })
        .unwrap_err();
        assert_eq!((seen, error.to_string().as_str()), (1, "enough"));
    }
}
