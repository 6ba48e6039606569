//! Records that a stream has extracted itself: places in the body for unchanged ones, and separate texts for changed
//! ones.

use std::ops::{ControlFlow, Range};

use super::Record;
use crate::http::Body;
use crate::protocol::Failure;

/// Records by their places in a body.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    records: Vec<Part>,
    /// The number of the response's records they were made of.
    found: usize,
    /// The failure of the record after the last.
    failure: Option<Failure>,
}

#[derive(Debug)]
enum Part {
    /// In the body.
    At(Range<usize>),
    /// Changed by the stream, or of a body on disk.
    Made(Record<'static>),
}

impl Parts {
    /// No records yet, of a response that had this many.
    pub(crate) fn of(found: usize) -> Self {
        Self { found, ..Self::default() }
    }

    /// Adds a record. It is not copied if it is unchanged from the body.
    pub(crate) fn push(&mut self, body: &Body, record: Record<'_>) {
        let place = record.as_found().and_then(|text| place(body, text));
        self.records.push(place.map_or_else(|| Part::Made(record.into_owned()), Part::At));
    }

    /// Ends the records with a failure. Those before it are handed out first; the caller decides whether to write them.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn found(&self) -> usize {
        self.found
    }

    pub(super) fn last<'r>(&'r self, body: &'r Body) -> Option<Record<'r>> {
        self.records.last().map(|part| part.record(body))
    }

    pub(super) fn at_place<'r>(&'r self, body: &'r Body, place: usize) -> Option<Record<'r>> {
        self.records.get(place).map(|part| part.record(body))
    }

    pub(super) fn for_each(
        &self,
        body: &Body,
        on_record: &mut dyn FnMut(Record<'_>) -> anyhow::Result<ControlFlow<()>>,
    ) -> anyhow::Result<ControlFlow<()>> {
        for part in &self.records {
            if on_record(part.record(body))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        match &self.failure {
            Some(failure) => Err(failure.clone().into()),
            None => Ok(ControlFlow::Continue(())),
        }
    }
}

impl Part {
    fn record<'r>(&'r self, body: &'r Body) -> Record<'r> {
        match (self, body) {
            (Self::Made(record), _) => record.borrowed(),
            // It was a text there before.
            (Self::At(place), Body::Memory(bytes)) => Record::from_text(
                bytes.get(place.clone()).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("{}"),
            ),
            (Self::At(_), Body::Spooled { .. }) => Record::from_text("{}"),
        }
    }
}

/// The place of a text in a body, if it is a part of it.
fn place(body: &Body, text: &str) -> Option<Range<usize>> {
    let Body::Memory(bytes) = body else { return None };
    let start = (text.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
    let end = start.checked_add(text.len())?;
    (end <= bytes.len()).then_some(start..end)
}
