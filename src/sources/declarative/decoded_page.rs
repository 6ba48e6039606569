//! The records of a response, by its stream's decoder: in memory if a paginator may look into the documents, otherwise
//! decoded as they are handed out.

use std::borrow::Cow;
use std::io::Read;
use std::ops::ControlFlow;

use super::decoder::{Decoder, NO_NUMBERS, documents};
use super::extractor::Extracted;
use super::response_text::{JsonText, json_text};
use super::response_view::{ResponseView, no_next_page};
use super::steps::items;
use super::stream::{DeclarativeStream, Place};
use crate::http::{Body, Response, Undecodable};
use crate::json;
use crate::protocol::Failure;
use crate::streams::decoders::{self, Json as JsonDocument};
use crate::streams::{Make, Page, Parts, Records, RequestContext};

impl DeclarativeStream {
    /// The records of a good response.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub(super) fn parse(&self, response: &Response, cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        match &self.decoder {
            Decoder::Json => self.parse_json(response, cx),
            Decoder::Items(decoder) if !self.filters_by_cursor() => self.decoded(response, decoder.clone(), cx),
            Decoder::Whole(_) | Decoder::Items(_) => {
                let documents = self.documents(response)?;
                let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
                Ok(self.records(&response.body, &documents, cx))
            }
        }
    }

    /// Whether the cursor looks at each record, which needs the stream: then no page outlives the call that reads it.
    fn filters_by_cursor(&self) -> bool {
        self.incremental.as_ref().is_some_and(|cursor| cursor.is_client_side)
    }

    /// The decoded records of a good response, all in memory.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub(super) fn documents(&self, response: &Response) -> Result<Vec<String>, Undecodable> {
        let (documents, warnings) = self.decoder.documents(response)?;
        for warning in warnings {
            self.selector.warn(warning);
        }
        Ok(documents)
    }

    fn warn_if(&self, mended: bool) {
        if mended {
            self.selector.warn(NO_NUMBERS.to_owned());
        }
    }

    fn parse_json(&self, response: &Response, cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        // What is on disk is read from there, if possible.
        if is_long_list(&response.body) && self.selector.extractor.is_path() && !self.filters_by_cursor() {
            if let Ok(records) = self.decoded(response, JsonDocument, cx) {
                return Ok(records);
            }
        } else if let Some(records) = self.listed(response, cx, begins_with_list(&response.body)) {
            return records;
        }
        let JsonText { text, mended } = json_text(response)?;
        self.warn_if(mended);
        if text.is_empty() {
            return Ok(Records::of_parts(Parts::default()));
        }
        // Each item of a top-level list is a response of its own.
        let document = text.trim();
        let items = if document.starts_with('[') { items(document) } else { vec![document] };
        Ok(self.records(&response.body, &items, cx))
    }

    /// The first document of a page, where the paginator looks into it.
    ///
    /// # Errors
    /// If it does not fit into memory as a whole.
    pub(super) fn first_document<'p>(&self, page: &'p Page) -> Result<Option<ResponseView<'p>>, Failure> {
        if !self.paginator.reads_response() || page.response.status.as_u16() >= 400 {
            return Ok(None);
        }
        if let (Some(rest), Some(path)) = (page.around(), self.selector.extractor.record_path())
            && let Some(view) = ResponseView::around(&page.response, rest, &path)
        {
            return Ok(Some(view));
        }
        let first =
            |decoder: &dyn decoders::Decoder| Ok(documents(decoder, &page.response, 1)?.0.pop().map(Cow::Owned));
        let text = match &self.decoder {
            Decoder::Json if is_long_list(&page.response.body) => first(&JsonDocument),
            Decoder::Json => json_text(&page.response).map(|json| Some(json.text)),
            Decoder::Whole(decoder) => first(&**decoder),
            Decoder::Items(_) => return Ok(None),
        };
        let text = text.map_err(|problem| no_next_page(&page.response, &problem))?;
        Ok(text.filter(|text| !text.is_empty()).map(ResponseView::Text))
    }

    /// The records of a body, decoded as they are handed out.
    fn decoded(
        &self,
        response: &Response,
        decoder: impl decoders::Decoder + 'static,
        cx: &RequestContext<'_>,
    ) -> Result<Records, Undecodable> {
        Records::decoded_with(response, decoder, self.make(cx))
    }

    /// Makes records of a document, independent of the stream: a page outlives the call that read it.
    fn make(&self, cx: &RequestContext<'_>) -> Make {
        let (selector, types, place) = (self.selector.clone(), self.types().cloned(), Place::of(self, cx));
        Box::new(move |document, on_record| {
            let mut extracted = Extracted::default();
            selector.extractor.of_bodies(&[document], &mut extracted)?;
            for warning in extracted.warnings.into_iter().chain(extracted.nowhere.filter(|_| place.token.is_none())) {
                selector.warn(warning);
            }
            for item in extracted.items {
                let Some(record) = selector.record(item)? else { continue };
                let Some(record) = selector.select(record, place.seen(), None)? else { continue };
                let record = match &types {
                    Some(types) => types.normalize(record),
                    None => record,
                };
                if on_record(record)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// Whether a body on disk begins as a list.
/// Whether a body is a list that is on disk.
fn is_long_list(body: &Body) -> bool {
    matches!(body, Body::Spooled { .. }) && begins_with_list(body)
}

fn begins_with_list(body: &Body) -> bool {
    let mut start = Vec::new();
    let start = match body {
        Body::Memory(bytes) => bytes,
        Body::Spooled { .. } => {
            let read = body.reader().and_then(|reader| reader.take(1024).read_to_end(&mut start));
            if read.is_err() {
                return false;
            }
            &start[..]
        }
    };
    json::without_mark(start).trim_ascii_start().starts_with(b"[")
}
