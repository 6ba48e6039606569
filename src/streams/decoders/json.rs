//! JSON inside something else: an archive, a coding.

use super::json_items::walk;
use super::{Decoder, Decoding, Encoded, Items};

/// A JSON document: each element of a list is an item; anything else is one item. It refuses an element, or a document
/// without a list around it, that is longer than 32 MiB.
///
/// For a response that is itself JSON, [`crate::streams::HttpStream::record_path`] is enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json;

impl Decoder for Json {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        walk(encoded.text(None)?, &[], items)
    }
}
