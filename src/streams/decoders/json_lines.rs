//! JSON lines: one JSON value a line.

use std::ops::ControlFlow;

use super::lines::Lines;
use super::{Decoder, Decoding, Encoded, Items, broken, wrong};
use crate::json;

/// JSON lines, also called NDJSON: one JSON value a line. Empty lines are ignored. A line is handed out as it was sent,
/// without parsing and writing it again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonLines {
    skips_bad_lines: bool,
}

impl JsonLines {
    /// JSON lines, each of which must be JSON.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ignores lines that are not JSON, with one warning a body. A body without any JSON line, or one that ends within
    /// a line, still fails. Default: no, such a line fails the body.
    #[must_use]
    pub fn skip_bad_lines(self) -> Self {
        Self { skips_bad_lines: true }
    }
}

impl Decoder for JsonLines {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        let mut lines = Lines::new(encoded.text(None)?);
        let (mut good, mut bad, mut no_numbers, mut first) = (0_u64, 0_u64, false, 0);
        while let Some(line) = lines.next()? {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let is_value = json::is_value(line.as_bytes());
            let flow = if is_value == Some(true) {
                items.push(line)?
            } else if let Some(line) = mended(line) {
                no_numbers = true;
                items.push(&line)?
            } else {
                let (number, is_last) = (lines.number, !lines.is_ended);
                if is_last && is_value.is_none() {
                    return Err(broken(format!("it ends within line {number}, which is not JSON")).into());
                }
                if !self.skips_bad_lines {
                    return Err(wrong(format!("line {number} is not JSON")).into());
                }
                bad += 1;
                first = if first == 0 { number } else { first };
                continue;
            };
            good += 1;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        match (good, bad) {
            (_, 0) => {}
            (0, _) => return Err(broken("none of its lines is JSON").into()),
            (_, 1) => items.warn(format!("Line {first} of the response is not JSON. It is left out.")),
            _ => {
                items.warn(format!("{bad} lines of the response are not JSON, line {first} first. They are left out."));
            }
        }
        if no_numbers {
            items.warn("NaN or Infinity in a response is read as null: JSON has no such numbers".to_owned());
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A line with NaN and Infinity replaced by null.
fn mended(line: &str) -> Option<String> {
    json::without_no_numbers(line).filter(|line| json::is_value(line.as_bytes()) == Some(true))
}
