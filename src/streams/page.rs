//! One page: a response and the records in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Record;
use crate::http::{Body, Response, Undecodable};
use crate::json::{self, Document, DocumentError, RecordPath};

/// Where a page's records are. Made by [`super::HttpStream::parse_response`] before any of them goes out, so a
/// response that is broken at its end gives no records at all.
#[derive(Debug)]
pub struct Records(Kind);

#[derive(Debug)]
enum Kind {
    /// In the body, which is in memory.
    InMemory(Document),
    /// In the body, which is on disk; read again each time.
    OnDisk { path: RecordPath, count: usize, last: Option<String>, envelope: String },
    /// Made by the stream.
    Made {
        records: Vec<Record<'static>>,
        /// What it wants to know of the page when it asks for the next one.
        rest: Value,
        /// Of how many records of the response they were made, and what was around those.
        source: Option<(usize, String)>,
    },
}

impl Records {
    /// The records at `path` in a JSON response. A response that says it has no content (204, 205) has none.
    ///
    /// # Errors
    /// If the response is not JSON, or has no records there.
    pub fn at(response: &Response, path: &RecordPath) -> Result<Self, Undecodable> {
        if response.body.is_empty() && matches!(response.status.as_u16(), 204 | 205) {
            return Ok(Self(Kind::InMemory(Document::default())));
        }
        if let Body::Memory(bytes) = &response.body {
            return Ok(Self(Kind::InMemory(
                Document::index_into(bytes.another(), json::without_mark(bytes), path)
                    .map_err(|error| undecodable(&error))?,
            )));
        }
        let (mut count, mut last) = (0, None);
        let walked = response.body.reader().map_err(anyhow::Error::from).and_then(|reader| {
            json::for_each_record(reader, path, |record| {
                count += 1;
                let last = last.get_or_insert_with(String::new);
                last.clear();
                last.push_str(record);
                Ok(())
            })
        });
        let envelope = walked.map_err(|error| match error.downcast::<DocumentError>() {
            Ok(error) => undecodable(&error),
            Err(other) => Undecodable { problem: other.to_string(), retry: true },
        })?;
        Ok(Self(Kind::OnDisk { path: path.clone(), count, last, envelope }))
    }

    /// Records that the stream made itself.
    #[must_use]
    pub fn made(records: Vec<Record<'static>>) -> Self {
        Self(Kind::Made { records, rest: Value::Null, source: None })
    }

    /// Records that the stream makes of those at `path` in a JSON response: any number of each.
    ///
    /// # Errors
    /// As [`Records::at`].
    pub fn made_of(
        response: &Response,
        path: &RecordPath,
        make: &mut dyn FnMut(&Record<'_>, &mut Vec<Record<'static>>),
    ) -> Result<Self, Undecodable> {
        let mut records = Vec::new();
        let found = Self::at(response, path)?;
        let walked = found.for_each(&response.body, &mut |record| {
            make(&record, &mut records);
            Ok(ControlFlow::Continue(()))
        });
        let _ = walked.map_err(|error| Undecodable { problem: error.to_string(), retry: true })?;
        let source = found.envelope().map(|envelope| (found.len(), envelope.to_owned()));
        Ok(Self(Kind::Made { records, rest: Value::Null, source }))
    }

    /// A member of the response beside the records, found by a path of names. `None` if it is not there, null, or of
    /// another type, or if the stream made the records of something else.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, path: &[impl AsRef<str>]) -> Option<T> {
        serde_json::from_str::<Option<T>>(json::field_at(self.envelope()?, path)?).ok().flatten()
    }

    fn len(&self) -> usize {
        match &self.0 {
            Kind::InMemory(document) => document.len(),
            Kind::OnDisk { count, .. } => *count,
            Kind::Made { records, .. } => records.len(),
        }
    }

    fn envelope(&self) -> Option<&str> {
        match &self.0 {
            Kind::InMemory(document) => Some(document.envelope()),
            Kind::OnDisk { envelope, .. } => Some(envelope),
            Kind::Made { source, .. } => source.as_ref().map(|(_, envelope)| envelope.as_str()),
        }
    }

    /// Keeps a value for [`super::HttpStream::next_page_token`], which finds it as [`Page::rest`]: what is left to be
    /// asked for after this page. Only records that the stream made have one.
    #[must_use]
    pub fn with_rest(mut self, value: Value) -> Self {
        if let Kind::Made { rest, .. } = &mut self.0 {
            *rest = value;
        }
        self
    }

    /// Hands out the records in order, until `on_record` breaks off. Tells whether it did.
    fn for_each(
        &self,
        body: &Body,
        on_record: &mut dyn FnMut(Record<'_>) -> anyhow::Result<ControlFlow<()>>,
    ) -> anyhow::Result<ControlFlow<()>> {
        match &self.0 {
            Kind::InMemory(document) => {
                for record in in_memory(body, document) {
                    if on_record(record)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
            Kind::OnDisk { path, .. } => {
                let walked =
                    json::for_each_record(body.reader()?, path, |text| match on_record(Record::from_text(text))? {
                        ControlFlow::Continue(()) => Ok(()),
                        ControlFlow::Break(()) => Err(BrokenOff.into()),
                    });
                match walked {
                    Ok(_) => Ok(ControlFlow::Continue(())),
                    Err(error) if error.is::<BrokenOff>() => Ok(ControlFlow::Break(())),
                    Err(error) => Err(error),
                }
            }
            Kind::Made { records, .. } => {
                for record in records {
                    if on_record(record.borrowed())?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
        }
    }
}

fn in_memory<'b>(body: &'b Body, document: &'b Document) -> impl DoubleEndedIterator<Item = Record<'b>> {
    let text = if let Body::Memory(bytes) = body { json::without_mark(bytes) } else { &[] };
    document.records(text).map(Record::found)
}

fn undecodable(error: &DocumentError) -> Undecodable {
    let retry = matches!(error, DocumentError::NotJson(_));
    Undecodable { problem: error.to_string(), retry }
}

/// A response and its records.
#[derive(Debug)]
pub struct Page {
    /// The response.
    pub response: Response,
    records: Records,
}

impl Page {
    /// A page of these parts.
    #[must_use]
    pub fn new(response: Response, records: Records) -> Self {
        Self { response, records }
    }

    /// The page with other records made of the same response, if `reason` is not empty.
    pub(crate) fn with<T>(
        self,
        reason: &HashMap<String, T>,
        make: impl FnOnce(&Response) -> Result<Records, Undecodable>,
    ) -> anyhow::Result<Self> {
        if reason.is_empty() {
            return Ok(self);
        }
        // The response was read before.
        let records = make(&self.response).map_err(|error| anyhow::anyhow!(error.problem))?;
        Ok(Self { records, ..self })
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether the response had no records: neither these nor any they were made of.
    pub(super) fn is_blank(&self) -> bool {
        match &self.records.0 {
            Kind::Made { source: Some((count, _)), .. } => *count == 0,
            _ => self.is_empty(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last record.
    #[must_use]
    pub fn last(&self) -> Option<Record<'_>> {
        match &self.records.0 {
            Kind::InMemory(document) => in_memory(&self.response.body, document).next_back(),
            Kind::OnDisk { last, .. } => last.as_deref().map(Record::from_text),
            Kind::Made { records, .. } => records.last().map(Record::borrowed),
        }
    }

    /// What the stream kept with [`Records::with_rest`]; null if nothing.
    #[must_use]
    pub fn rest(&self) -> &Value {
        match &self.records.0 {
            Kind::Made { rest, .. } => rest,
            _ => &Value::Null,
        }
    }

    /// A member of the response beside its records, found by a path of names: `has_more`, a token. `None` if it is
    /// not there, null, or of another type.
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
            // Who made records of it has had it in memory before: it fits.
            Body::Spooled { .. } => {
                let mut bytes = Vec::new();
                self.response.body.reader().ok()?.read_to_end(&mut bytes).ok()?;
                Cow::Owned(bytes)
            }
        };
        let text = std::str::from_utf8(json::without_mark(&bytes)).ok()?;
        serde_json::from_str::<Option<T>>(json::field_at(text, path)?).ok().flatten()
    }

    /// Hands out the records in order, until `on_record` breaks off. Tells whether it did.
    ///
    /// # Errors
    /// What `on_record` returns, or a failure to read the body back from disk.
    pub fn for_each(
        &self,
        on_record: &mut dyn FnMut(Record<'_>) -> anyhow::Result<ControlFlow<()>>,
    ) -> anyhow::Result<ControlFlow<()>> {
        self.records.for_each(&self.response.body, on_record)
    }
}

/// Ends a walk through a body on disk. Not a failure.
#[derive(Debug, thiserror::Error)]
#[error("broken off")]
struct BrokenOff;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::http::{HeaderMap, StatusCode};

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
