//! JSON that is within something else: an archive, a coding.

use super::json_items::walk;
use super::{Decoder, Decoding, Encoded, Items};

/// A JSON document: each element of a list is an item; anything else is one item. An element that is longer than 32 MiB is
/// refused, and so is a document without a list around it that is longer than 32 MiB.
///
/// For a response that is JSON itself, [`crate::streams::HttpStream::record_path`] is all that is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json;

impl Decoder for Json {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        walk(encoded.text(None)?, &[], items)
    }
}
