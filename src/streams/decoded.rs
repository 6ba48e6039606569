//! The records that a decoder finds in a body. They are decoded each time they are handed out, so that of a body as
//! large as a disk only one record is in memory.

use std::fmt;
use std::ops::ControlFlow;

use super::Record;
use super::decoders::{self, Decoder, Decoding, Encoded, Encoding, Items};
use crate::http::{Body, Response, Undecodable};
use crate::json;
use crate::protocol::Failure;

/// Takes records, and returns whether it wants more.
pub(crate) type TakeRecord<'t> = dyn FnMut(Record<'_>) -> anyhow::Result<ControlFlow<()>> + 't;

/// Makes any number of records from a decoded item.
pub(crate) type Make = Box<dyn Fn(&str, &mut TakeRecord<'_>) -> Decoding + Send + Sync>;

/// The records of a body, by the decoder that finds them.
pub(super) struct DecodedRecords {
    decoder: Box<dyn Decoder>,
    charset: Option<Encoding>,
    /// `None`: each item is a record.
    make: Option<Make>,
    /// The number of items.
    found: usize,
    /// The number of records, and the last of them.
    kept: usize,
    last: Option<String>,
    pub(super) warnings: Vec<String>,
}

impl DecodedRecords {
    /// Decodes the body once, to check that all of it can be read.
    pub(super) fn new(response: &Response, decoder: Box<dyn Decoder>, make: Option<Make>) -> Result<Self, Undecodable> {
        let mut records = Self {
            decoder,
            charset: decoders::charset(response),
            make,
            found: 0,
            kept: 0,
            last: None,
            warnings: Vec::new(),
        };
        if is_without_content(response) {
            return Ok(records);
        }
        let (mut found, mut kept, mut last) = (0, 0, String::new());
        let make = &records.make;
        let mut look = |item: &str| {
            found += 1;
            let mut on_record = |record: Record<'_>| {
                kept += 1;
                last.clear();
                last.push_str(&record.text());
                Ok(ControlFlow::Continue(()))
            };
            match make {
                None => each_object(item, &mut on_record),
                // The records before it are handed out, then the failure.
                Some(make) => match make(item, &mut on_record) {
                    Err(error) if error.is::<Failure>() => Ok(ControlFlow::Break(())),
                    flow => flow,
                },
            }
        };
        let mut items = Items::new(&mut look);
        let _ = records.decode(&response.body, &mut items).map_err(decoders::undecodable)?;
        records.warnings = items.into_warnings();
        (records.found, records.kept, records.last) = (found, kept, (kept > 0).then_some(last));
        Ok(records)
    }

    fn decode(&self, body: &Body, items: &mut Items<'_>) -> Decoding {
        self.decoder.decode(Encoded::of_body(body, self.charset.clone()), items)
    }

    pub(super) fn found(&self) -> usize {
        self.found
    }

    pub(super) fn len(&self) -> usize {
        self.kept
    }

    pub(super) fn last(&self) -> Option<Record<'_>> {
        self.last.as_deref().map(Record::from_text)
    }

    pub(super) fn for_each(&self, body: &Body, on_record: &mut TakeRecord<'_>) -> Decoding {
        if self.found == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        let mut take = |item: &str| match &self.make {
            Some(make) => make(item, on_record),
            None => each_object(item, on_record),
        };
        self.decode(body, &mut Items::new(&mut take))
    }
}

/// Whether a response says that it has no content, and has none.
pub(crate) fn is_without_content(response: &Response) -> bool {
    response.body.is_empty() && matches!(response.status.as_u16(), 204 | 205)
}

/// The objects in an item: itself, or those of a list.
fn each_object(item: &str, on_record: &mut TakeRecord<'_>) -> Decoding {
    let item = item.trim_ascii();
    match item.as_bytes().first() {
        Some(b'{') => on_record(Record::from_text(item)),
        Some(b'[') => {
            let mut flow = Ok(ControlFlow::Continue(()));
            json::for_each_element(item, |element| {
                if matches!(flow, Ok(ControlFlow::Continue(()))) {
                    flow = match element.starts_with('{') {
                        true => on_record(Record::from_text(element)),
                        false => Err(no_object()),
                    };
                }
            });
            flow
        }
        _ => Err(no_object()),
    }
}

fn no_object() -> anyhow::Error {
    Undecodable { problem: "a record in it is not an object".to_owned(), retry: false }.into()
}

impl fmt::Debug for DecodedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodedRecords")
            .field("decoder", &self.decoder)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::http::{HeaderMap, StatusCode};
    use crate::streams::decoders::{Csv, Gzip, JsonLines};
    use crate::streams::{Page, Records};

    /// The same body in memory and on disk.
    fn responses(bytes: &[u8], kind: &str) -> [Response; 2] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let bodies = [Body::Memory(bytes.to_vec().into()), Body::Spooled { file, length: bytes.len() as u64 }];
        bodies.map(|body| Response {
            request: "GET http://a.com".to_owned(),
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([("content-type".parse().unwrap(), kind.parse().unwrap())]),
            body,
        })
    }

    #[test]
    fn records_are_decoded_from_memory_and_from_disk() {
        for response in responses(b"id,name\n1,\xe9\n2,b\n", "text/csv; Charset=\"ISO-8859-1\"") {
            let records = Records::decoded(&response, Gzip::new(Csv::new())).unwrap();
            let page = Page::new(response, records);
            assert_eq!((page.len(), page.found()), (2, 2));
            for _ in 0..2 {
                let all = [r#"{"id":"1","name":"é"}"#, r#"{"id":"2","name":"b"}"#].map(str::to_owned);
                assert_eq!(page.texts(), (all.to_vec(), None), "as often as they are requested");
            }
            assert_eq!(page.last().unwrap().text(), r#"{"id":"2","name":"b"}"#);
            assert_eq!(page.get::<String>(&["id"]), None);
        }
    }

    #[test]
    fn items_are_objects_or_lists_of_them() {
        for response in responses(b"[{\"a\":1},{\"a\":2}]\n{\"a\":3}\n", "") {
            let records = Records::decoded(&response, JsonLines::new()).unwrap();
            assert_eq!(Page::new(response, records).texts().0.len(), 3);
        }
        for [response, _] in [responses(b"5\n", ""), responses(b"[{},[]]\n", "")] {
            let undecodable = Records::decoded(&response, JsonLines::new()).unwrap_err();
            assert_eq!((undecodable.problem.as_str(), undecodable.retry), ("a record in it is not an object", false));
        }
    }

    #[test]
    fn nothing_of_a_truncated_body_is_handed_out() {
        for response in responses(b"{\"a\":1}\n{\"a\":", "") {
            let undecodable = Records::decoded(&response, JsonLines::new()).unwrap_err();
            assert!(undecodable.problem.contains("ends within line 2") && undecodable.retry);
        }
    }

    #[test]
    fn records_are_made_of_items_and_end_with_a_failure() {
        let make = || -> Make {
            Box::new(|item, on_record| {
                if item.contains('9') {
                    return Err(Failure::config("no nines").into());
                }
                match on_record(Record::from_text(item))? {
                    ControlFlow::Continue(()) => on_record(Record::from_text(item)),
                    broken_off @ ControlFlow::Break(()) => Ok(broken_off),
                }
            })
        };
        for response in responses(b"{\"a\":1}\n{\"a\":9}\n{\"a\":3}\n", "") {
            let records = Records::decoded_with(&response, JsonLines::new(), make()).unwrap();
            let page = Page::new(response, records);
            let twice = vec![r#"{"a":1}"#.to_owned(); 2];
            assert_eq!(page.texts(), (twice, Some("no nines".to_owned())));
            assert_eq!((page.len(), page.last().unwrap().text().as_ref()), (2, r#"{"a":1}"#));
            let flow = page.for_each(&mut |_| Ok(ControlFlow::Break(()))).unwrap();
            assert!(flow.is_break());
        }
    }

    #[test]
    fn a_response_without_content_has_no_records() {
        let [mut response, _] = responses(b"", "");
        response.status = StatusCode::NO_CONTENT;
        assert_eq!(Records::decoded(&response, decoders::Json).unwrap().len(), 0);
        response.status = StatusCode::OK;
        assert!(Records::decoded(&response, decoders::Json).is_err());
        assert_eq!(Records::decoded(&response, Csv::new()).unwrap().len(), 0);
    }
}
