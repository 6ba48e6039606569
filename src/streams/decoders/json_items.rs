//! The elements of a list inside a JSON document that does not fit into memory.

use std::io::Read;

use super::{Decoder, Decoding, Encoded, Encoding, Items, broken, wrong};
use crate::json::{self, ItemsError};

/// The elements of the list at a path in a JSON document, one by one, whatever surrounds it. A document without such a
/// list has no items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonItems {
    path: Vec<String>,
    encoding: Option<Encoding>,
}

impl JsonItems {
    /// The elements at a path of names; the step `item` leads into each element of a list.
    pub fn at<S: Into<String>>(path: impl IntoIterator<Item = S>) -> Self {
        Self { path: path.into_iter().map(Into::into).collect(), encoding: None }
    }

    /// The encoding of the text. Default: UTF-8, or the response's.
    #[must_use]
    pub fn encoding(self, encoding: Encoding) -> Self {
        Self { encoding: Some(encoding), ..self }
    }
}

impl Decoder for JsonItems {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        walk(encoded.text(self.encoding.as_ref())?, &path, items)
    }
}

pub(super) fn walk(text: impl Read, path: &[&str], items: &mut Items<'_>) -> Decoding {
    json::for_each_item(text, path, &mut |item| items.push(item)).map_err(|error| match error {
        ItemsError::NotJson(problem) => broken(problem).into(),
        ItemsError::TooLong(problem) => wrong(problem).into(),
        ItemsError::Read(error) => error.into(),
        ItemsError::Stopped(error) => error,
    })
}
