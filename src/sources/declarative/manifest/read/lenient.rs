//! Accepts what libyaml, the parser of Airbyte's runtime, accepts and our stricter YAML 1.2 parser does not: tabs
//! between words, and lists in brackets and quoted texts whose later lines are not indented, as in
//!
//! ```yaml
//! schema: {
//!   "type": "object"
//! }
//! ```
//!
//! The text is changed at the place of the error, and read again.

use super::super::node::Mark;
use super::{MOST_BYTES, Problem};

/// The most bytes that are read again, and the most times.
const MOST_WORK: usize = 4 * MOST_BYTES;
const MOST_TIMES: usize = 2000;

/// How often one place is fixed.
const MOST_AGAIN: usize = 3;

/// How far a line is moved. Nothing is likely to be indented further; otherwise it is moved again.
const INDENT: usize = 64;

/// The cause of a parser error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stumble {
    Tab,
    /// A line in brackets that is not indented.
    Flow,
    /// An unindented line of a quoted text; the place is the start of the text.
    Quoted,
}

/// The cause behind a message of the parser.
pub(super) fn stumble(message: &str) -> Option<Stumble> {
    match message {
        "invalid indentation" | "invalid indentation in flow construct" => Some(Stumble::Flow),
        "invalid indentation in quoted scalar" => Some(Stumble::Quoted),
        _ if message.contains("tab") || message.contains("valid YAML whitespace") => Some(Stumble::Tab),
        _ => None,
    }
}

/// A text, and the columns by which its lines were moved.
pub(super) struct Lenient {
    pub(super) text: String,
    pub(super) moved: Vec<u32>,
    work: usize,
    times: usize,
    /// The place of the last error, and how often it occurred there.
    last: (Mark, usize),
}

impl Lenient {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), moved: Vec::new(), work: 0, times: 0, last: (Mark::default(), 0) }
    }

    /// Changes the text so that the parser gets further; false if nothing can be changed. The problem's place is that
    /// in the changed text.
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
                // A leading tab is no indentation for libyaml either.
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

    /// Moves the lines between two places to the right.
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

/// The end of the brackets that are open at the start of this line: the first bracket that closes more than opened.
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
            // A quote inside a word is an ordinary character.
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

/// The end of the quoted text that begins here.
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
