//! Where a retriever describes its pages: an `AsyncRetriever` uses other fields, because it has several requesters, and
//! its selector finds no records.

use std::sync::Arc;

use super::decoder::Decoder;
use super::extractor::Extractor;
use super::field_path::FieldPath;
use super::manifest::{Node, Value};
use super::part::{Builder, Part};
use crate::streams::decoders::{Csv, Gzip};

/// The extractor that reads a CSV file itself, with any decoder.
const TO_FILE: &str = "ResponseToFileExtractor";

/// The texts that `ResponseToFileExtractor` reads as null, unless the manifest keeps them.
const NULLS: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// The names of a retriever's fields for its pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageFields {
    pub(super) requester: &'static str,
    pub(super) paginator: &'static str,
    decoder: &'static str,
}

const OF_PAGES: PageFields = PageFields { requester: "requester", paginator: "paginator", decoder: "decoder" };
const OF_DOWNLOADS: PageFields =
    PageFields { requester: "download_requester", paginator: "download_paginator", decoder: "download_decoder" };

impl PageFields {
    /// The names for a retriever. `None` if its type is unknown.
    pub(super) fn of(retriever: &Part<'_>) -> Option<Self> {
        match retriever.kind() {
            "SimpleRetriever" => Some(OF_PAGES),
            "AsyncRetriever" => Some(OF_DOWNLOADS),
            _ => None,
        }
    }

    /// Whether the pages are the results of jobs.
    pub(super) fn are_of_jobs(self) -> bool {
        self.requester == OF_DOWNLOADS.requester
    }

    /// The decoder of the pages. `extractor` finds their records.
    pub(super) fn decoder(
        self,
        builder: &Builder<'_>,
        retriever: &Part<'_>,
        extractor: Option<&Part<'_>>,
    ) -> Option<Decoder> {
        if let Some(part) = extractor.filter(|part| part.kind() == TO_FILE) {
            let nulls = if part.flag("preserve_na_values") == Some(true) { &NULLS[..1] } else { &NULLS[..] };
            let csv = Csv::new().nulls(nulls.iter().copied());
            return Some(Decoder::Items(Arc::new(Gzip::new(csv))));
        }
        Decoder::build(
            builder,
            retriever.field(self.decoder).as_ref(),
            retriever.field(self.paginator).as_ref(),
            extractor,
        )
    }

    /// Finds the records of a page; without an extractor, all of its content.
    pub(super) fn extractor(
        self,
        builder: &Builder<'_>,
        retriever: &Part<'_>,
        extractor: Option<&Part<'_>>,
    ) -> Option<Extractor> {
        match extractor {
            Some(part) if part.kind() != TO_FILE => Extractor::build(builder, part),
            None if !self.are_of_jobs() => None,
            _ => {
                let nothing = Node::new(Value::List(Vec::new()), retriever.node.mark());
                Some(Extractor::Path(FieldPath::build(builder, &retriever.of_node(&nothing), &[])?, None))
            }
        }
    }
}
