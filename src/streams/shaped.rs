//! Records of a page that the stream has changed, dropped or repeated. What is unchanged stays in the body, and what has
//! other members is the list of its changes, so that no record is copied to be kept.

use std::ops::ControlFlow;

use super::record_edits::Edits;
use super::{Record, Records, Transformed};
use crate::http::Body;
use crate::protocol::Failure;

/// Records that the stream has changed, by their places in the body.
#[derive(Debug)]
pub(super) struct Shaped {
    /// The records as they were found.
    pub(super) found: Records,
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
    /// Shapes each record.
    ///
    /// # Errors
    /// If the records cannot be read. A failure to shape one is kept for its place.
    pub(super) fn new(
        found: Records,
        body: &Body,
        shape: &mut dyn FnMut(Record<'_>) -> Result<Transformed<'_>, Failure>,
    ) -> anyhow::Result<Self> {
        let is_on_disk = found.is_read_again();
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
    pub(super) fn is_as_found(&self) -> bool {
        self.failure.is_none()
            && self.kept.len() == self.found.len()
            && self.kept.iter().enumerate().all(|(n, (place, kept))| n == *place && matches!(kept, Kept::AsFound))
    }

    /// The number of records that are written.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// The last of them.
    pub(super) fn last<'r>(&'r self, body: &'r Body) -> Option<Record<'r>> {
        let (place, kept) = self.kept.last()?;
        match (kept, &self.last) {
            (Kept::Made(record), _) => Some(record.borrowed()),
            (_, Some(last)) => Some(Record::from_text(last.as_str())),
            (Kept::AsFound, None) => self.found.at_place(body, *place),
            (Kept::Edited(edits), None) => Some(self.found.at_place(body, *place)?.with_edits(edits).into_owned()),
        }
    }

    /// Hands out the records, and then the failure, if there was one.
    ///
    /// # Errors
    /// That failure, or if the body cannot be read.
    pub(super) fn for_each(
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::http::{HeaderMap, Response, StatusCode};
    use crate::json::RecordPath;
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
