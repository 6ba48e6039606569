//! What libyaml takes, which Airbyte's runtime reads with, and the parser does not, because YAML 1.2 is stricter: tabs
//! between words, and lists in brackets and quoted texts whose later lines are not indented, as in
//!
//! ```yaml
//! schema: {
//!   "type": "object"
//! }
//! ```
//!
//! The text is changed where the parser stumbled, and read again.

use super::super::node::Mark;
use super::{MOST_BYTES, Problem};

/// How many bytes are read again at most, and how often.
const MOST_WORK: usize = 4 * MOST_BYTES;
const MOST_TIMES: usize = 2000;

/// How often one place is fixed.
const MOST_AGAIN: usize = 3;

/// How far a line is moved. Nothing is likely to be indented further; if something is, it is moved again.
const INDENT: usize = 64;

/// What the parser stumbled over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stumble {
    Tab,
    /// A line in brackets that is not indented.
    Flow,
    /// A line of a quoted text that is not indented; the place is where the text begins.
    Quoted,
}

/// What a message of the parser is about.
pub(super) fn stumble(message: &str) -> Option<Stumble> {
    match message {
        "invalid indentation" | "invalid indentation in flow construct" => Some(Stumble::Flow),
        "invalid indentation in quoted scalar" => Some(Stumble::Quoted),
        _ if message.contains("tab") || message.contains("valid YAML whitespace") => Some(Stumble::Tab),
        _ => None,
    }
}

/// A text, and by how much its lines were moved.
pub(super) struct Lenient {
    pub(super) text: String,
    pub(super) moved: Vec<u32>,
    work: usize,
    times: usize,
    /// Where the parser stumbled last, and how often there.
    last: (Mark, usize),
}

impl Lenient {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), moved: Vec::new(), work: 0, times: 0, last: (Mark::default(), 0) }
    }

    /// Changes the text so that the parser gets further; false if there is nothing to change. The problem's place is
    /// that in the changed text.
    pub(super) fn mend(&mut self, problem: &Problem) -> bool {
        self.work += self.text.len();
        self.times += 1;
        let further = match problem.stumble {
            Some(Stumble::Tab) => problem.mark > self.last.0,
            _ => problem.mark.line > self.last.0.line,
        };
        self.last = (problem.mark, if further { 0 } else { self.last.1 + 1 });
        if self.work > MOST_WORK || self.times > MOST_TIMES || self.last.1 > MOST_AGAIN {
            return false;
        }
        let line = (problem.mark.line as usize).saturating_sub(1);
        let start: usize = self.text.split_inclusive('\n').take(line).map(str::len).sum();
        let row = self.text.get(start..).and_then(|text| text.split('\n').next()).unwrap_or_default();
        let column = problem.mark.column as usize;
        let place = row.char_indices().nth(column.saturating_sub(1)).map_or(row.len(), |(place, _)| place);
        match problem.stumble {
            None => false,
            Some(Stumble::Tab) => {
                let until = row.char_indices().nth(column).map_or(row.len(), |(place, _)| place);
                let Some(tab) = row.get(..until).and_then(|row| row.rfind('\t')) else { return false };
                // A tab in front of everything is no indentation for libyaml either.
                if row.get(..tab).is_none_or(|before| before.trim().is_empty()) {
                    return false;
                }
                self.text.replace_range(start + tab..=start + tab, " ");
                true
            }
            Some(Stumble::Flow) => {
                let end = end_of_flow(self.text.as_bytes(), start);
                self.indent(line, start, end)
            }
            Some(Stumble::Quoted) => {
                let end = end_of_quotes(self.text.as_bytes(), start + place);
                let next = self.text.get(start..end).and_then(|text| text.find('\n'));
                next.is_some_and(|next| self.indent(line + 1, start + next + 1, end))
            }
        }
    }

    /// Moves the lines from a place to another to the right.
    fn indent(&mut self, line: usize, start: usize, end: usize) -> bool {
        let (Some(before), Some(lines), Some(after)) =
            (self.text.get(..start), self.text.get(start..end), self.text.get(end..))
        else {
            return false;
        };
        let count = lines.split('\n').count();
        self.moved.resize(self.moved.len().max(line + count), 0);
        for moved in &mut self.moved[line..line + count] {
            *moved += u32::try_from(INDENT).unwrap_or_default();
        }
        let margin = " ".repeat(INDENT);
        let moved = lines.replace('\n', &format!("\n{margin}"));
        self.text = format!("{before}{margin}{moved}{after}");
        true
    }
}

/// Where the brackets end that are open at the beginning of this line: the first bracket that closes more than opened.
fn end_of_flow(text: &[u8], start: usize) -> usize {
    let (mut place, mut depth, mut token) = (start, 1usize, true);
    while let Some(byte) = text.get(place) {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return place + 1;
                }
            }
            // A quote inside of a word is none.
            b'"' | b'\'' if token => {
                place = end_of_quotes(text, place);
                token = false;
                continue;
            }
            b'#' if place == 0 || text[place - 1].is_ascii_whitespace() => {
                while text.get(place).is_some_and(|byte| *byte != b'\n') {
                    place += 1;
                }
                continue;
            }
            _ => {}
        }
        token = matches!(byte, b'[' | b'{' | b',' | b':' | b'?') || (token && byte.is_ascii_whitespace());
        place += 1;
    }
    text.len()
}

/// The place behind a text in quotes that begins here.
fn end_of_quotes(text: &[u8], start: usize) -> usize {
    let Some(quote) = text.get(start).copied() else { return text.len() };
    let mut place = start + 1;
    while let Some(byte) = text.get(place) {
        match byte {
            b'\\' if quote == b'"' => place += 2,
            // Two quotes in a row stand for one.
            b'\'' if quote == b'\'' && text.get(place + 1) == Some(&quote) => place += 2,
            byte if *byte == quote => return place + 1,
            _ => place += 1,
        }
    }
    text.len()
}
