//! The records of a page: their places in the response, or the stream's own.

use std::ops::ControlFlow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::decoded::{DecodedRecords, Make, is_without_content};
use super::decoders::Decoder;
use super::shaped::Shaped;
use super::{Parts, Record, Transformed};
use crate::http::{Body, Response, Undecodable};
use crate::json::{self, Document, DocumentError, RecordPath};
use crate::protocol::Failure;

/// The records of a page. [`super::HttpStream::parse_response`] makes them before any is written, so a response that is
/// broken at its end gives no records at all.
#[derive(Debug)]
pub struct Records(Kind);

#[derive(Debug)]
enum Kind {
    /// In the body, which is in memory.
    InMemory(Document),
    /// In the body, which is on disk; read again each time.
    OnDisk { path: RecordPath, count: usize, last: Option<String>, envelope: String },
    /// In the body, which a decoder reads each time.
    Decoded(Box<DecodedRecords>),
    /// Extracted from the body by the stream.
    Parts(Parts),
    /// Found there, and changed by the stream.
    Shaped(Box<Shaped>),
    /// Made by the stream.
    Made {
        records: Vec<Record<'static>>,
        /// The value for requesting the next page.
        rest: Value,
        /// The number of the response's records they were made of, and the surrounding members.
        source: Option<(usize, String)>,
    },
}

impl Records {
    /// The records at `path` in a JSON response. A response without content (204, 205) has none.
    ///
    /// # Errors
    /// If the response is not JSON, or has no records there.
    pub fn at(response: &Response, path: &RecordPath) -> Result<Self, Undecodable> {
        if is_without_content(response) {
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

    /// The records that a decoder finds in a response: see [`Decoder`]. A response without content (204, 205) has none.
    /// If a body cannot be decoded to its end, no record is written.
    ///
    /// # Errors
    /// If the body cannot be decoded, or an item in it is neither an object nor a list of objects.
    pub fn decoded(response: &Response, decoder: impl Decoder + 'static) -> Result<Self, Undecodable> {
        Ok(Self(Kind::Decoded(Box::new(DecodedRecords::new(response, Box::new(decoder), None)?))))
    }

    /// The records made of a decoder's items. They are made each time they are handed out, so none of them is kept in
    /// memory. A [`Failure`] of `make` ends the page: the records before it are handed out, then the failure.
    pub(crate) fn decoded_with(
        response: &Response,
        decoder: impl Decoder + 'static,
        make: Make,
    ) -> Result<Self, Undecodable> {
        Ok(Self(Kind::Decoded(Box::new(DecodedRecords::new(response, Box::new(decoder), Some(make))?))))
    }

    /// Warnings about the response, such as a skipped line.
    pub(crate) fn warnings(&self) -> &[String] {
        match &self.0 {
            Kind::Decoded(decoded) => &decoded.warnings,
            Kind::Shaped(shaped) => shaped.found.warnings(),
            _ => &[],
        }
    }

    /// Records that the stream has extracted from the body.
    pub(crate) fn of_parts(parts: Parts) -> Self {
        Self(Kind::Parts(parts))
    }

    /// Changes each record before any of them is written: drops it, changes it, or makes several. Unchanged records are
    /// not copied. A failing record ends the page: those before it are handed out, then the failure.
    ///
    /// # Errors
    /// If the body cannot be read back from disk.
    pub fn shape(
        self,
        response: &Response,
        shape: &mut dyn FnMut(Record<'_>) -> Result<Transformed<'_>, Failure>,
    ) -> Result<Self, Undecodable> {
        let shaped = Shaped::new(self, &response.body, shape);
        let shaped = shaped.map_err(|error| Undecodable { problem: error.to_string(), retry: true })?;
        Ok(match shaped.is_as_found() {
            true => shaped.found,
            false => Self(Kind::Shaped(Box::new(shaped))),
        })
    }

    /// A member of the response beside the records, by a path of names. `None` if it is missing, null, or of another
    /// type, or if the stream made the records of something else.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, path: &[impl AsRef<str>]) -> Option<T> {
        serde_json::from_str::<Option<T>>(json::field_at(self.envelope()?, path)?).ok().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Kind::InMemory(document) => document.len(),
            Kind::Decoded(decoded) => decoded.len(),
            Kind::Parts(parts) => parts.len(),
            Kind::Shaped(shaped) => shaped.len(),
            Kind::OnDisk { count, .. } => *count,
            Kind::Made { records, .. } => records.len(),
        }
    }

    /// The number of the response's records of which these were made.
    pub(super) fn found(&self) -> usize {
        match &self.0 {
            Kind::Parts(parts) => parts.found(),
            Kind::Decoded(decoded) => decoded.found(),
            Kind::Shaped(shaped) => shaped.found.found(),
            Kind::Made { source: Some((count, _)), .. } => *count,
            _ => self.len(),
        }
    }

    /// The value that the stream kept of the page.
    pub(super) fn rest(&self) -> &Value {
        match &self.0 {
            Kind::Made { rest, .. } => rest,
            Kind::Shaped(shaped) => shaped.found.rest(),
            _ => &Value::Null,
        }
    }

    /// The last record.
    pub(super) fn last<'r>(&'r self, body: &'r Body) -> Option<Record<'r>> {
        match &self.0 {
            Kind::InMemory(document) => in_memory(body, document).next_back(),
            Kind::OnDisk { last, .. } => last.as_deref().map(Record::from_text),
            Kind::Decoded(decoded) => decoded.last(),
            Kind::Parts(parts) => parts.last(body),
            Kind::Shaped(shaped) => shaped.last(body),
            Kind::Made { records, .. } => records.last().map(Record::borrowed),
        }
    }

    /// The record at an index, if they are in memory.
    pub(super) fn at_place<'r>(&'r self, body: &'r Body, place: usize) -> Option<Record<'r>> {
        match &self.0 {
            Kind::InMemory(document) => in_memory(body, document).nth(place),
            Kind::Made { records, .. } => records.get(place).map(Record::borrowed),
            Kind::Parts(parts) => parts.at_place(body, place),
            Kind::OnDisk { .. } | Kind::Shaped(_) | Kind::Decoded(_) => None,
        }
    }

    pub(super) fn envelope(&self) -> Option<&str> {
        match &self.0 {
            Kind::Parts(_) => None,
            // A name leads to no place beside the records.
            Kind::Decoded(_) => Some("null"),
            Kind::Shaped(shaped) => shaped.found.envelope(),
            Kind::InMemory(document) => Some(document.envelope()),
            Kind::OnDisk { envelope, .. } => Some(envelope),
            Kind::Made { source, .. } => source.as_ref().map(|(_, envelope)| envelope.as_str()),
        }
    }

    /// What stands around the records, if they were found where a path of names leads in a JSON response.
    pub(super) fn around(&self) -> Option<&str> {
        match &self.0 {
            Kind::InMemory(document) => Some(document.envelope()),
            Kind::OnDisk { envelope, .. } => Some(envelope),
            Kind::Shaped(shaped) => shaped.found.around(),
            Kind::Decoded(_) | Kind::Parts(_) | Kind::Made { .. } => None,
        }
    }

    /// Whether one of them is an object without members, or cannot be read.
    pub(crate) fn any_is_empty(&self, body: &Body) -> bool {
        let flow = self.for_each(body, &mut |record| {
            Ok(if record.has_members() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        flow.map_or(true, |flow| flow.is_break())
    }

    /// Keeps a value for [`super::HttpStream::next_page_token`], which gets it from [`super::Page::rest`]: the requests
    /// left after this page. Only records that the stream made have one.
    #[must_use]
    pub fn with_rest(mut self, value: Value) -> Self {
        if let Kind::Made { rest, .. } = &mut self.0 {
            *rest = value;
        }
        self
    }

    /// Hands out the records in order, until `on_record` breaks off. Returns whether it did.
    pub(super) fn for_each(
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
            Kind::Decoded(decoded) => decoded.for_each(body, on_record),
            Kind::Parts(parts) => parts.for_each(body, on_record),
            Kind::Shaped(shaped) => shaped.for_each(body, on_record),
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

    /// Whether each walk reads the records again, from disk or through a decoder.
    pub(super) fn is_read_again(&self) -> bool {
        matches!(self.0, Kind::OnDisk { .. } | Kind::Decoded(_))
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

/// Ends a walk through a body on disk. Not a failure.
#[derive(Debug, thiserror::Error)]
#[error("broken off")]
struct BrokenOff;
