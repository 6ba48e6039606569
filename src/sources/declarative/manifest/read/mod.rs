//! Reads the text of a manifest into its tree. A file is YAML, and JSON is read as YAML, as in Airbyte's runtime; a
//! manifest inside a config is JSON only.
//!
//! saphyr-parser finds the start and end of nodes; their meaning is decided here, as in `PyYAML` 6.

mod compose;
mod json;
mod lenient;
mod number;
mod scalar;
mod tagged;

use std::borrow::Cow;

use super::faults::{Faults, Kind};
use super::node::{Mark, Node};
use lenient::{Lenient, Stumble};

pub use json::json;

/// The longest manifest that is read, in bytes. Airbyte's largest are a bit over one megabyte.
pub const MOST_BYTES: usize = 16 << 20;

/// How deep a manifest may be nested. Real ones have about 30 levels.
pub const MOST_LEVELS: usize = 200;

/// The tree of a YAML text with one document, or nothing if it has none or is faulty; `faults` has the reason. An empty
/// text is null.
pub fn yaml(text: &str, faults: &mut Faults) -> Option<Node> {
    let text = acceptable(text, faults)?;
    // A "next line" character breaks lines in YAML 1.1, but not for the parser, which reads YAML 1.2.
    let text = if text.contains('\u{85}') { Cow::Owned(text.replace('\u{85}', "\n")) } else { Cow::Borrowed(text) };
    let first = match compose::document(&text, &[], faults) {
        Ok(node) => return Some(node),
        Err(problem) => problem,
    };
    let (mut lenient, mut problem) = (Lenient::new(&text), first);
    while lenient.mend(&problem) {
        match compose::document(&lenient.text, &lenient.moved, faults) {
            Ok(node) => return Some(node),
            Err(next) => problem = next,
        }
    }
    let line = lenient.text.split('\n').nth((problem.mark.line as usize).saturating_sub(1)).unwrap_or_default();
    if problem.kind == Kind::Syntax && [": {{", "- {{", "[{{"].iter().any(|template| line.contains(template)) {
        problem.message.push_str("; a value that begins with `{{` needs quotes");
    }
    // At the end of a text, the parser may be a line ahead.
    let last = u32::try_from(lenient.text.split('\n').count()).unwrap_or(u32::MAX);
    let mark = moved_back(Mark { line: problem.mark.line.min(last), ..problem.mark }, &lenient.moved);
    faults.error(problem.kind, mark, "", problem.message);
    None
}

/// A place in the text before lines were moved.
fn moved_back(mark: Mark, moved: &[u32]) -> Mark {
    let by = moved.get((mark.line as usize).saturating_sub(1)).copied().unwrap_or_default();
    Mark { column: mark.column.saturating_sub(by).max(1), ..mark }
}

/// A reason why a text cannot be read.
#[derive(Debug)]
struct Problem {
    kind: Kind,
    mark: Mark,
    message: String,
    /// Whether, and how, it can be fixed here.
    stumble: Option<Stumble>,
}

impl Problem {
    fn new(mark: Mark, message: impl Into<String>) -> Self {
        Self { kind: Kind::Syntax, mark, message: message.into(), stumble: None }
    }

    fn too_deep(mark: Mark) -> Self {
        let message = format!("more than {MOST_LEVELS} lists and mappings nested");
        Self { kind: Kind::Limit, mark, message, stumble: None }
    }
}

/// The text without a byte order mark, if its size and characters are allowed.
fn acceptable<'a>(text: &'a str, faults: &mut Faults) -> Option<&'a str> {
    if text.len() > MOST_BYTES {
        let message = format!("{} bytes are more than the {MOST_BYTES} that a manifest may have", text.len());
        faults.error(Kind::Limit, Mark::default(), "", message);
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let good =
        |char: char| matches!(char, ' '..='~' | '\t' | '\n' | '\r' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    let bad = text.char_indices().find(|(_, char)| !good(*char));
    let Some((place, char)) = bad else { return Some(text) };
    let message = format!("the character U+{:04X} cannot stand in YAML; write \"\\u{:04x}\"", char as u32, char as u32);
    faults.error(Kind::Syntax, mark_at(text, place), "", message);
    None
}

/// The line and column of a place in a text.
fn mark_at(text: &str, place: usize) -> Mark {
    let before = &text[..place];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    mark(line, column)
}

fn mark(line: usize, column: usize) -> Mark {
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Mark { line: narrow(line), column: narrow(column) }
}
