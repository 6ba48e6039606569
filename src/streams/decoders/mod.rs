//! Extracts records from bodies other than one JSON document: CSV, JSON lines, XML, archives. A decoder hands out one
//! item at a time, as text, so that of a body as large as a disk only one record is in memory.
//!
//! A body is decoded after it has arrived whole: in memory up to 4 MiB, then in an unnamed file. So a lost connection
//! only concerns the request, which is retried before any record of the page is handed out. The page is decoded twice:
//! first to check that all of it can be read, then to hand out its records. No record of a broken body is written, none
//! of a good one is lost, and none comes twice.

mod csv;
mod encoded;
mod encoding;
mod gzip;
mod json;
mod json_items;
mod json_lines;
mod lines;
mod separated;
#[cfg(test)]
mod tests;
mod text_lines;
mod xml;
mod zip;

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use self::csv::Csv;
pub use self::encoded::Encoded;
pub(crate) use self::encoded::charset;
pub use self::encoding::Encoding;
pub use self::gzip::Gzip;
pub use self::json::Json;
pub use self::json_items::JsonItems;
pub use self::json_lines::JsonLines;
pub use self::text_lines::TextLines;
pub use self::xml::Xml;
pub use self::zip::Zip;
use crate::http::Undecodable;

/// Longest row or line, in bytes. One at a time is held in memory.
pub(crate) const MAX_ITEM: usize = 32 * 1024 * 1024;
/// The most bytes unpacked from a compressed body: far beyond any real one, but small enough for a read to end.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024 * 1024;

/// The outcome of a body: `Break` if the receiver wants no more items.
pub type Decoding = anyhow::Result<ControlFlow<()>>;

/// Extracts the items of a body.
///
/// A stream with a ready-made decoder has one more method:
///
/// ```
/// use source_http::http::{Response, Undecodable};
/// use source_http::streams::decoders::{Csv, Gzip};
/// use source_http::streams::{HttpStream, Records, RequestContext};
///
/// struct Orders;
///
/// impl HttpStream for Orders {
/// #   fn name(&self) -> &str { "orders" }
/// #   fn url_base(&self) -> &str { "https://api.example.com" }
/// #   fn path(&self, _: &RequestContext<'_>) -> String { "orders.csv.gz".into() }
///     // ...
///     fn parse_response(&self, response: &Response, _: &RequestContext<'_>) -> Result<Records, Undecodable> {
///         Records::decoded(response, Gzip::new(Csv::new().delimiter(b';')))
///     }
/// }
/// ```
///
/// A custom decoder reads the bytes, and hands out each record once it is known:
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::ops::ControlFlow;
///
/// use serde_json::json;
/// use source_http::streams::decoders::{Decoder, Decoding, Encoded, Items};
///
/// /// `name=value`, a line each.
/// #[derive(Debug)]
/// struct Pairs;
///
/// impl Decoder for Pairs {
///     fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
///         for line in BufReader::new(encoded.text(None)?).lines() {
///             let line = line?;
///             let Some((name, value)) = line.split_once('=') else { continue };
///             if items.push(&json!({"name": name, "value": value}).to_string())?.is_break() {
///                 return Ok(ControlFlow::Break(()));
///             }
///         }
///         Ok(ControlFlow::Continue(()))
///     }
/// }
/// ```
pub trait Decoder: fmt::Debug + Send + Sync {
    /// Hands out the items of a body, in order: each is the text of one JSON value, usually an object. It is called
    /// twice for each body, and must give the same result.
    ///
    /// # Errors
    /// An [`Undecodable`] inside, if the body is invalid; a read error, if it is broken or truncated, after which it is
    /// requested again; and the errors of [`Items::push`].
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding;
}

impl<D: Decoder + ?Sized> Decoder for Arc<D> {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        (**self).decode(encoded, items)
    }
}

impl<D: Decoder + ?Sized> Decoder for Box<D> {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        (**self).decode(encoded, items)
    }
}

/// Receives the items of a decoder.
pub struct Items<'a> {
    take: &'a mut dyn FnMut(&str) -> Decoding,
    warnings: Vec<String>,
}

impl<'a> Items<'a> {
    /// Hands each item to `take`.
    pub fn new(take: &'a mut dyn FnMut(&str) -> Decoding) -> Self {
        Self { take, warnings: Vec::new() }
    }

    /// Hands out an item: the text of a JSON value. After `Break`, no more items are wanted.
    ///
    /// # Errors
    /// The errors of its receiver. Return them unchanged.
    pub fn push(&mut self, item: &str) -> Decoding {
        (self.take)(item)
    }

    /// Adds a warning about this body, such as a skipped line.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// The warnings.
    #[must_use]
    pub fn into_warnings(self) -> Vec<String> {
        self.warnings
    }
}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("warnings", &self.warnings).finish_non_exhaustive()
    }
}

/// A decoder's failure, in the form for an attempt of a request.
pub(crate) fn undecodable(error: anyhow::Error) -> Undecodable {
    let error = match error.downcast::<Undecodable>() {
        Ok(undecodable) => return undecodable,
        Err(error) => error,
    };
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner.and_then(|inner| inner.downcast_ref::<Undecodable>()) {
        Some(undecodable) => undecodable.clone(),
        None => Undecodable { problem: error.to_string(), retry: true },
    }
}

/// A body that is invalid, and would be again after a retry.
fn wrong(problem: impl Into<String>) -> Undecodable {
    Undecodable { problem: problem.into(), retry: false }
}

/// A body that may have been truncated or garbled.
fn broken(problem: impl Into<String>) -> Undecodable {
    Undecodable { problem: problem.into(), retry: true }
}
