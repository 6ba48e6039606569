//! The records of a page: their places in the response, or the stream's own.

use std::ops::ControlFlow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::decoded::{DecodedRecords, Make, is_without_content};
use super::decoders::Decoder;
use super::record_edits::Edits;
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
    fn at_place<'r>(&'r self, body: &'r Body, place: usize) -> Option<Record<'r>> {
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
}

fn in_memory<'b>(body: &'b Body, document: &'b Document) -> impl DoubleEndedIterator<Item = Record<'b>> {
    let text = if let Body::Memory(bytes) = body { json::without_mark(bytes) } else { &[] };
    document.records(text).map(Record::found)
}

fn undecodable(error: &DocumentError) -> Undecodable {
    let retry = matches!(error, DocumentError::NotJson(_));
    Undecodable { problem: error.to_string(), retry }
}

/// Records that the stream has changed, by their places in the body.
#[derive(Debug)]
struct Shaped {
    found: Records,
    /// The place of each record that is written, in order, and what has become of it.
    kept: Vec<(usize, Kept)>,
    /// The last of them, if unchanged ones are on disk.
    last: Option<String>,
    /// The failure of the record after the last.
    failure: Option<Failure>,
}

/// What a shaped record is.
#[derive(Debug)]
enum Kept {
    AsFound,
    /// What was found, with these differences.
    Edited(Box<Edits>),
    /// Another text.
    Made(Box<Record<'static>>),
}

impl Kept {
    fn of(record: Record<'_>) -> Self {
        match record {
            record if record.is_as_found() => Self::AsFound,
            record if record.is_of_found() => Self::Edited(Box::new(record.into_edits())),
            record => Self::Made(Box::new(record.into_owned())),
        }
    }

    /// The record, of which this was found.
    fn record<'k>(&'k self, found: &'k Record<'_>) -> Record<'k> {
        match self {
            Self::AsFound => found.borrowed(),
            Self::Edited(edits) => found.with_edits(edits),
            Self::Made(record) => record.borrowed(),
        }
    }
}

impl Shaped {
    fn new(
        found: Records,
        body: &Body,
        shape: &mut dyn FnMut(Record<'_>) -> Result<Transformed<'_>, Failure>,
    ) -> anyhow::Result<Self> {
        let is_on_disk = matches!(found.0, Kind::OnDisk { .. } | Kind::Decoded(_));
        let (mut kept, mut last, mut failure, mut place) = (Vec::new(), None, None, 0);
        let _ = found.for_each(body, &mut |record| {
            let shaped = match shape(record) {
                Ok(shaped) => shaped,
                Err(error) => {
                    failure = Some(error);
                    return Ok(ControlFlow::Break(()));
                }
            };
            for record in shaped {
                if is_on_disk {
                    last = Some(record.text().into_owned());
                }
                kept.push((place, Kept::of(record)));
            }
            place += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Self { found, kept, last, failure })
    }

    /// Whether nothing was dropped, changed or added.
    fn is_as_found(&self) -> bool {
        self.failure.is_none()
            && self.kept.len() == self.found.len()
            && self.kept.iter().enumerate().all(|(n, (place, kept))| n == *place && matches!(kept, Kept::AsFound))
    }

    fn len(&self) -> usize {
        self.kept.len()
    }

    fn last<'r>(&'r self, body: &'r Body) -> Option<Record<'r>> {
        let (place, kept) = self.kept.last()?;
        match (kept, &self.last) {
            (Kept::Made(record), _) => Some(record.borrowed()),
            (_, Some(last)) => Some(Record::from_text(last.as_str())),
            (Kept::AsFound, None) => self.found.at_place(body, *place),
            (Kept::Edited(edits), None) => Some(self.found.at_place(body, *place)?.with_edits(edits).into_owned()),
        }
    }

    fn for_each(
        &self,
        body: &Body,
        on_record: &mut dyn FnMut(Record<'_>) -> anyhow::Result<ControlFlow<()>>,
    ) -> anyhow::Result<ControlFlow<()>> {
        let mut kept = self.kept.iter().peekable();
        let mut place = 0;
        let flow = self.found.for_each(body, &mut |found| {
            while let Some((_, kept)) = kept.next_if(|(at, _)| *at == place) {
                if on_record(kept.record(&found))?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            place += 1;
            // Nothing after it is written.
            Ok(if kept.peek().is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        match &self.failure {
            _ if kept.peek().is_some() => Ok(flow),
            Some(failure) => Err(failure.clone().into()),
            None => Ok(ControlFlow::Continue(())),
        }
    }
}

/// Ends a walk through a body on disk. Not a failure.
#[derive(Debug, thiserror::Error)]
#[error("broken off")]
struct BrokenOff;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::http::{HeaderMap, StatusCode};
    use crate::streams::Page;

    /// The same body in memory and on disk.
    fn responses(text: &str) -> [Response; 2] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let bodies = [Body::Memory(text.as_bytes().to_vec().into()), Body::Spooled { file, length: text.len() as u64 }];
        bodies.map(|body| Response {
            request: "GET http://a.com".to_owned(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body,
        })
    }

    /// Odd numbers are dropped, 4 comes twice, 6 gets a mark, and 8 fails.
    fn shape(record: Record<'_>) -> Result<Transformed<'_>, Failure> {
        Ok(match record.get::<u64>("n") {
            Some(4) => vec![record.clone(), record].into(),
            Some(6) => {
                let mut record = record;
                record.set("mark", true);
                record.into()
            }
            Some(8) => return Err(Failure::config("no eights")),
            Some(n) if n % 2 == 1 => Transformed::Nothing,
            _ => record.into(),
        })
    }

    fn page(response: Response) -> Page {
        let records = Records::at(&response, &RecordPath::new(["data"])).unwrap().shape(&response, &mut shape).unwrap();
        Page::new(response, records)
    }

    #[test]
    fn records_are_dropped_changed_and_repeated_in_memory_and_on_disk() {
        for response in responses(r#"{"data":[{"n":1},{"n":2},{"n":4},{"n":6},{"n":7}],"next":"b"}"#) {
            let page = page(response);
            let (texts, error) = page.texts();
            assert_eq!(texts, [r#"{"n":2}"#, r#"{"n":4}"#, r#"{"n":4}"#, r#"{"n":6,"mark":true}"#]);
            assert_eq!((error, page.len(), page.found()), (None, 4, 5));
            assert_eq!(page.last().unwrap().text(), r#"{"n":6,"mark":true}"#);
            assert_eq!(page.get::<String>(&["next"]).as_deref(), Some("b"));
        }
    }

    #[test]
    fn the_records_before_a_failing_one_are_handed_out_and_then_the_failure() {
        for response in responses(r#"{"data":[{"n":2},{"n":3},{"n":8},{"n":10}]}"#) {
            let page = page(response);
            assert_eq!(page.texts(), (vec![r#"{"n":2}"#.to_owned()], Some("no eights".to_owned())));
            assert_eq!(page.last().unwrap().text(), r#"{"n":2}"#);
        }
    }

    #[test]
    fn a_page_without_remaining_records_has_no_last_record_and_was_not_blank() {
        for response in responses(r#"{"data":[{"n":1},{"n":3}]}"#) {
            let page = page(response);
            assert_eq!((page.texts(), page.last().is_none()), ((Vec::new(), None), true));
            assert!(page.is_empty() && !page.is_blank());
        }
    }

    #[test]
    fn a_walk_can_be_broken_off_in_the_middle() {
        for response in responses(r#"{"data":[{"n":1},{"n":2},{"n":6}]}"#) {
            let flow = page(response).for_each(&mut |_| Ok(ControlFlow::Break(()))).unwrap();
            assert!(flow.is_break());
        }
    }
}
