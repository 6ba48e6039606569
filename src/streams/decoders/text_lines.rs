//! Lines of any text.

use super::lines::Lines;
use super::{Decoder, Decoding, Encoded, Items};
use crate::json;
use std::ops::ControlFlow;

/// Any text, line by line: each becomes an object with one member. Empty lines count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLines {
    name: String,
}

impl TextLines {
    /// Lines under this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Decoder for TextLines {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        let mut start = vec![b'{'];
        json::write_string(&mut start, &self.name);
        start.push(b':');
        let mut lines = Lines::with_returns(encoded.text(None)?);
        let mut item = Vec::new();
        while let Some(line) = lines.next()? {
            item.clear();
            item.extend_from_slice(&start);
            json::write_string(&mut item, line);
            item.push(b'}');
            if items.push(std::str::from_utf8(&item)?)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
