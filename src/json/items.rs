//! The values of lists anywhere in a text: objects, lists, numbers. A window over the text keeps only one value of a
//! disk-sized document in memory; everything beside the lists is skipped, token by token.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::fault::Fault;
use super::scan::{self, Skip};
use super::text::{Place, Text, Window};
use super::walk::MAX_RECORD;

/// The deepest nesting of containers around a list.
const MAX_DEPTH: usize = 1000;

/// Why a walk through the items of a text ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ItemsError {
    /// It is not JSON, or ends too early.
    #[error("{0}")]
    NotJson(String),
    /// It is JSON, but exceeds a limit.
    #[error("{0}")]
    TooLong(String),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The receiver of the items failed.
    #[error(transparent)]
    Stopped(anyhow::Error),
}

/// Takes items.
pub(crate) type TakeItem<'t> = dyn FnMut(&str) -> anyhow::Result<ControlFlow<()>> + 't;

/// Hands out the elements of each list at the end of a path of names, in order, until `take` breaks off. A step `item`
/// also leads into each element of a list. An empty path means the whole text: the elements of a list, or anything else
/// as one item.
pub(crate) fn for_each_item(
    reader: impl Read,
    path: &[&str],
    take: &mut TakeItem<'_>,
) -> Result<ControlFlow<()>, ItemsError> {
    let mut walk = Items { place: Place::new(Window::new(reader)), take };
    let flow = match (walk.place.peek()?, path) {
        (Some(b'['), []) | (_, [_, ..]) => walk.value(Some(path), 0)?,
        (_, []) => {
            let (at, end) = walk.whole()?;
            walk.hand_out(at, end)?
        }
    };
    match flow.is_continue() && walk.place.peek()?.is_some() {
        true => Err(walk.not_json()),
        false => Ok(flow),
    }
}

/// Whether a text is one JSON value. `None` if it may be the start of one.
pub(crate) fn is_value(text: &[u8]) -> Option<bool> {
    // A number has no end of its own.
    let start = scan::white_space(text, 0);
    match scan::value(text, start, &mut Skip) {
        Ok(end) => Some(scan::white_space(text, end) == text.len()),
        Err(Fault::Incomplete) if matches!(text.get(start), Some(b'-' | b'0'..=b'9')) => {
            let end = text.trim_ascii_end().len();
            serde_json::from_slice::<serde::de::IgnoredAny>(&text[start..end]).is_ok().then_some(true)
        }
        Err(Fault::Incomplete) => None,
        Err(_) => Some(false),
    }
}

struct Items<'t, 'f, R> {
    place: Place<Window<R>>,
    take: &'t mut TakeItem<'f>,
}

impl<R: Read> Items<'_, '_, R> {
    /// Walks over a value. `path` is the rest of the path at it, if it is on the way.
    fn value(&mut self, path: Option<&[&str]>, depth: usize) -> Result<ControlFlow<()>, ItemsError> {
        if depth > MAX_DEPTH {
            return Err(ItemsError::TooLong(format!("more than {MAX_DEPTH} lists and objects are nested")));
        }
        match (self.next()?, path) {
            (b'[', _) => self.list(path, depth),
            (b'{', _) => self.object(path, depth),
            _ => {
                let (_, end) = self.whole()?;
                self.place.at = end;
                Ok(ControlFlow::Continue(()))
            }
        }
    }

    fn list(&mut self, path: Option<&[&str]>, depth: usize) -> Result<ControlFlow<()>, ItemsError> {
        self.place.at += 1;
        if self.next()? == b']' {
            self.place.at += 1;
            return Ok(ControlFlow::Continue(()));
        }
        let inner = match path {
            Some(["item", rest @ ..]) => Some(rest),
            _ => None,
        };
        loop {
            self.next()?;
            let flow = if path == Some(&[]) {
                let (at, end) = self.whole()?;
                self.hand_out(at, end)?
            } else {
                self.value(inner, depth + 1)?
            };
            if flow.is_break() {
                return Ok(flow);
            }
            match self.next()? {
                b',' => self.place.at += 1,
                b']' => {
                    self.place.at += 1;
                    return Ok(ControlFlow::Continue(()));
                }
                _ => return Err(self.not_json()),
            }
        }
    }

    fn object(&mut self, path: Option<&[&str]>, depth: usize) -> Result<ControlFlow<()>, ItemsError> {
        self.place.at += 1;
        if self.next()? == b'}' {
            self.place.at += 1;
            return Ok(ControlFlow::Continue(()));
        }
        loop {
            if self.next()? != b'"' {
                return Err(self.not_json());
            }
            let (at, end) = self.whole()?;
            let name = std::str::from_utf8(&self.place.text.bytes()[at..end]).map_err(|_| self.not_json())?;
            let inner = match path {
                Some([first, rest @ ..]) if super::unquoted(name) == *first => Some(rest),
                _ => None,
            };
            self.place.at = end;
            if self.next()? != b':' {
                return Err(self.not_json());
            }
            self.place.at += 1;
            if self.value(inner, depth + 1)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            match self.next()? {
                b',' => self.place.at += 1,
                b'}' => {
                    self.place.at += 1;
                    return Ok(ControlFlow::Continue(()));
                }
                _ => return Err(self.not_json()),
            }
        }
    }

    /// Reads a whole value into memory, and returns its position.
    fn whole(&mut self) -> Result<(usize, usize), ItemsError> {
        self.next()?;
        loop {
            match scan::value(self.place.text.bytes(), self.place.at, &mut Skip) {
                Ok(end) if end - self.place.at > MAX_RECORD => return Err(Self::too_long()),
                Ok(end) => return Ok((self.place.at, end)),
                Err(Fault::Incomplete) if self.place.text.bytes().len() - self.place.at >= MAX_RECORD => {
                    return Err(Self::too_long());
                }
                Err(Fault::Incomplete) => {
                    if !self.place.more()? {
                        // A number may be the whole text.
                        let rest = &self.place.text.bytes()[self.place.at..];
                        return match is_value(rest) {
                            Some(true) => Ok((self.place.at, self.place.at + rest.trim_ascii_end().len())),
                            _ => Err(self.not_json()),
                        };
                    }
                }
                Err(Fault::NotUtf8) => return Err(not_utf8()),
                Err(_) => return Err(self.not_json()),
            }
        }
    }

    fn hand_out(&mut self, at: usize, end: usize) -> Result<ControlFlow<()>, ItemsError> {
        let item = std::str::from_utf8(&self.place.text.bytes()[at..end]);
        let item = item.map_err(|_| not_utf8())?;
        let flow = (self.take)(item).map_err(ItemsError::Stopped)?;
        self.place.at = end;
        Ok(flow)
    }

    /// The next byte other than white space. The text may not end here.
    fn next(&mut self) -> Result<u8, ItemsError> {
        self.place.peek()?.ok_or_else(|| self.not_json())
    }

    fn too_long() -> ItemsError {
        ItemsError::TooLong(format!("a value is longer than {} MiB", MAX_RECORD / (1024 * 1024)))
    }

    fn not_json(&self) -> ItemsError {
        ItemsError::NotJson(format!("it is not valid JSON (at byte {})", self.place.offset()))
    }
}

fn not_utf8() -> ItemsError {
    ItemsError::NotJson("it is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str, path: &[&str]) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let walked = for_each_item(text.as_bytes(), path, &mut |item| {
            found.push(item.to_owned());
            Ok(ControlFlow::Continue(()))
        });
        walked.map(|_| found).map_err(|error| error.to_string())
    }

    #[test]
    fn the_elements_of_lists_at_a_path_are_handed_out_unchanged() {
        let text = r#" {"meta":[{"rows":[9]}], "data": {"rows" : [{"id":1.50}, [2], null, 3 ], "x":{"rows":[8]}}, "n": -1.5} "#;
        assert_eq!(items(text, &["data", "rows"]).unwrap(), [r#"{"id":1.50}"#, "[2]", "null", "3"]);
        assert_eq!(items(text, &["nope"]).unwrap(), [""; 0]);
        assert_eq!(items(text, &["data"]).unwrap(), [""; 0], "an object is not a list");
        assert_eq!(items(text, &["meta", "item", "rows"]).unwrap(), ["9"]);
        assert_eq!(items(r#"{"\u0061":[1],"b":{}}"#, &["a"]).unwrap(), ["1"]);
    }

    #[test]
    fn without_a_path_the_whole_text_is_walked() {
        assert_eq!(items("[1, {\"a\":[]}]", &[]).unwrap(), ["1", "{\"a\":[]}"]);
        for one in ["{\"a\": 1}", "12", "\"x\"", "null"] {
            assert_eq!(items(&format!(" {one}\n"), &[]).unwrap(), [one]);
        }
        assert_eq!(items("[]", &[]).unwrap(), [""; 0]);
    }

    #[test]
    fn a_text_that_is_truncated_or_continues_is_not_json() {
        for text in ["", "[1", "{\"a\": [1, {\"b\":", "{\"a\":[1]} x", "{a:1}", "[1 2]", "{\"a\" 1}", "{\"a\":[1],}"] {
            assert!(items(text, &["a"]).unwrap_err().contains("not valid JSON"), "{text}");
        }
        assert!(items(&"[".repeat(2_000), &["a"]).unwrap_err().contains("nested"));
    }

    #[test]
    fn lists_longer_than_the_window_are_walked_through_and_values_longer_than_the_limit_are_refused() {
        let rows = vec![r#"{"id":12345,"name":"a name of some length"}"#; 50_000].join(",");
        let text = format!("{{\"skipped\":[{rows}],\"rows\":[{rows}]}}");
        assert_eq!(items(&text, &["rows"]).unwrap().len(), 50_000);
        let text = format!("[\"{}\"]", "x".repeat(MAX_RECORD));
        assert_eq!(items(&text, &[]).err().as_deref(), Some("a value is longer than 32 MiB"));
    }

    #[test]
    fn a_value_is_distinguished_from_its_start_and_from_anything_else() {
        for (text, expected) in [
            ("{\"a\":1}", Some(true)),
            (" [1] \r", Some(true)),
            ("12", Some(true)),
            ("-", None),
            ("{\"a\":", None),
            ("", None),
            ("not json", Some(false)),
            ("{} {}", Some(false)),
        ] {
            assert_eq!(is_value(text.as_bytes()), expected, "{text}");
        }
    }
}
