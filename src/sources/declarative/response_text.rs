//! The text of a response: JSON as Python reads it, which also accepts `NaN` and `Infinity`, and Latin-1 if the
//! response says so.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Read;

use serde::de::IgnoredAny;

use crate::http::{Body, Response, Undecodable};
use crate::json;

/// The longest document that is held in memory, in bytes.
const MAX_DOCUMENT: u64 = 256 * 1024 * 1024;

/// A body as one JSON text.
#[derive(Debug)]
pub(super) struct JsonText<'r> {
    /// The text; empty if there is none.
    pub(super) text: Cow<'r, str>,
    /// Whether it had a NaN or Infinity, which is null now.
    pub(super) mended: bool,
}

/// The body of a response as one JSON text, without a byte order mark.
///
/// # Errors
/// If it is not text, or not JSON.
pub(super) fn json_text(response: &Response) -> Result<JsonText<'_>, Undecodable> {
    let text = text(response)?;
    if text.trim().is_empty() {
        return Ok(JsonText { text: Cow::Borrowed(""), mended: false });
    }
    let Err(error) = serde_json::from_str::<IgnoredAny>(&text) else { return Ok(JsonText { text, mended: false }) };
    let mended = json::without_no_numbers(&text).filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match mended {
        Some(text) => Ok(JsonText { text: Cow::Owned(text), mended: true }),
        None => Err(Undecodable { problem: format!("it is not JSON: {error}"), retry: true }),
    }
}

fn text(response: &Response) -> Result<Cow<'_, str>, Undecodable> {
    let no_text = |error: &dyn Display| Undecodable { problem: format!("it is not UTF-8: {error}"), retry: false };
    let text = match &response.body {
        Body::Memory(bytes) => {
            std::str::from_utf8(json::without_mark(bytes)).map(Cow::Borrowed).map_err(|error| no_text(&error))
        }
        body @ Body::Spooled { .. } if body.len() > MAX_DOCUMENT => {
            let most = MAX_DOCUMENT >> 20;
            let problem = format!(
                "it is JSON of more than {most} MiB, too much for memory: request smaller pages, or \
                 take records that are a list of objects at a path of names"
            );
            return Err(Undecodable { problem, retry: false });
        }
        body @ Body::Spooled { .. } => {
            let mut bytes = Vec::new();
            let read = body.reader().and_then(|mut reader| reader.read_to_end(&mut bytes));
            read.map_err(|error| Undecodable { problem: error.to_string(), retry: true })?;
            std::str::from_utf8(json::without_mark(&bytes)).map(|text| text.to_owned().into()).map_err(|e| no_text(&e))
        }
    };
    match text {
        Err(_) if is_latin1(response) => {
            let mut bytes = Vec::new();
            let read = response.body.reader().and_then(|mut reader| reader.read_to_end(&mut bytes));
            read.map_err(|error| Undecodable { problem: error.to_string(), retry: true })?;
            Ok(Cow::Owned(bytes.into_iter().map(char::from).collect()))
        }
        text => text,
    }
}

/// Whether a response says that its text is in Latin-1.
fn is_latin1(response: &Response) -> bool {
    let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let charset = kind.split(';').find_map(|part| part.trim().strip_prefix("charset="));
    charset.is_some_and(|charset| matches!(charset.trim_matches('"'), "iso-8859-1" | "latin-1" | "latin1"))
}
