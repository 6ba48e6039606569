//! One page: a response and the records in it.

use std::borrow::Cow;
use std::io::Read;
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Record, Records};
use crate::http::{Body, Response};
use crate::json;

/// A response and its records.
#[derive(Debug)]
pub struct Page {
    /// The response.
    pub response: Response,
    records: Records,
    note: Value,
}

impl Page {
    /// A page of these parts.
    #[must_use]
    pub fn new(response: Response, records: Records) -> Self {
        Self { response, records, note: Value::Null }
    }

    /// The page with a note about its request for [`super::HttpStream::next_page_token`].
    #[must_use]
    pub(crate) fn with_note(self, note: Value) -> Self {
        Self { note, ..self }
    }

    /// The note of [`Page::with_note`]; null without one.
    pub(crate) fn note(&self) -> &Value {
        &self.note
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether the response had no records: neither these nor any they were made of.
    pub(super) fn is_blank(&self) -> bool {
        self.found() == 0
    }

    /// The number of records in the response. [`Page::len`] counts the stream's own.
    #[must_use]
    pub fn found(&self) -> usize {
        self.records.found()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last record.
    #[must_use]
    pub fn last(&self) -> Option<Record<'_>> {
        self.records.last(&self.response.body)
    }

    /// The value of [`Records::with_rest`]; null without one.
    #[must_use]
    pub fn rest(&self) -> &Value {
        self.records.rest()
    }

    /// Warnings about the response.
    pub(crate) fn warnings(&self) -> &[String] {
        self.records.warnings()
    }

    /// The response without its records, if they were found where a path of names leads in a JSON response.
    pub(crate) fn around(&self) -> Option<&str> {
        self.records.around()
    }

    /// A member of the response beside its records, by a path of names: `has_more`, a token. `None` if it is missing,
    /// null, or of another type.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, path: &[impl AsRef<str>]) -> Option<T> {
        match self.records.envelope() {
            Some(_) => self.records.get(path),
            None => self.get_from_body(path),
        }
    }

    fn get_from_body<T: DeserializeOwned>(&self, path: &[impl AsRef<str>]) -> Option<T> {
        let bytes = match &self.response.body {
            Body::Memory(bytes) => Cow::Borrowed(&**bytes),
            // Its records were made in memory: it fits.
            Body::Spooled { .. } => {
                let mut bytes = Vec::new();
                self.response.body.reader().ok()?.read_to_end(&mut bytes).ok()?;
                Cow::Owned(bytes)
            }
        };
        let text = std::str::from_utf8(json::without_mark(&bytes)).ok()?;
        serde_json::from_str::<Option<T>>(json::field_at(text, path)?).ok().flatten()
    }

    /// Hands out the records in order, until `on_record` breaks off. Returns whether it did.
    ///
    /// # Errors
    /// The errors of `on_record`, or a failure to read the body back from disk.
    pub fn for_each(
        &self,
        on_record: &mut dyn FnMut(Record<'_>) -> anyhow::Result<ControlFlow<()>>,
    ) -> anyhow::Result<ControlFlow<()>> {
        self.records.for_each(&self.response.body, on_record)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::http::{HeaderMap, StatusCode};
    use crate::json::RecordPath;

    impl Page {
        /// The page of a body that is a list of records, for tests.
        pub(crate) fn of(body: &str) -> Self {
            let response = Response {
                request: "GET http://a.com/items".to_owned(),
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Body::Memory(body.as_bytes().to_vec().into()),
            };
            let records = Records::at(&response, &RecordPath::default()).unwrap();
            Self::new(response, records)
        }

        /// Its records, and the failure that ended them early, for tests.
        pub(crate) fn texts(&self) -> (Vec<String>, Option<String>) {
            let mut texts = Vec::new();
            let end = self.for_each(&mut |record| {
                texts.push(record.text().into_owned());
                Ok(ControlFlow::Continue(()))
            });
            (texts, end.err().map(|error| error.to_string()))
        }
    }

    #[test]
    fn members_beside_records_that_a_stream_made_are_found_in_memory_and_on_disk() {
        let text = r#"{"rows":[[1]],"meta":{"next":"b"}}"#;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        for body in [Body::Memory(text.as_bytes().to_vec().into()), Body::Spooled { file, length: text.len() as u64 }] {
            let request = "GET http://a.com".to_owned();
            let response = Response { request, status: StatusCode::OK, headers: HeaderMap::new(), body };
            let page = Page::new(response, Records::made(vec![Record::from_text(r#"{"id":1}"#)]));
            assert_eq!(page.get::<String>(&["meta", "next"]).as_deref(), Some("b"));
        }
    }
}
