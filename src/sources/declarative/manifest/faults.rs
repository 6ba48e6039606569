//! All faults of a manifest, so that nobody has to fix one to see the next.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use super::node::Mark;

/// Whether a fault keeps a manifest from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not: Airbyte's runtime ignores it. So do we, with a warning.
    Warning,
}

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The text is not YAML or JSON, or holds values that a manifest cannot have.
    Syntax,
    /// A value may not be what it looks like: octal, base 60, a key that is true.
    Surprise,
    /// A key comes twice.
    DuplicateKey,
    /// Too large, too deep, or too many.
    Limit,
    /// A reference to nothing.
    UndefinedReference,
    /// A reference to a value that contains it.
    CircularReference,
    /// A reference that leads through a value without members.
    ReferenceThroughValue,
    /// `$parameters` that are not a mapping.
    Parameters,
    /// A required field is missing.
    MissingField,
    /// A value of a wrong type.
    WrongType,
    /// A value that is not allowed.
    WrongValue,
    /// A component that does not exist, or not in this place.
    UnknownComponent,
    /// A field that the component does not have.
    UnknownField,
}

/// One fault: its place, its message, and the correct word if it can be guessed.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whether it keeps the manifest from running.
    pub severity: Severity,
    /// Its kind.
    pub kind: Kind,
    /// The line and column; 0 where there is none.
    pub mark: Mark,
    /// Its path from the root of the manifest, such as `streams[3].retriever.paginator`. The first one, if a shared
    /// part is used in several places.
    pub path: String,
    /// The message, without a full stop.
    pub message: String,
    /// The nearest allowed word.
    pub nearest: Option<String>,
    /// The number of places in the resolved manifest that have it.
    pub places: usize,
}

/// The faults of one manifest, in the order they were found. A fault in a shared part counts once.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    file: String,
    list: Vec<Fault>,
    known: HashMap<(Kind, Mark, String), usize>,
    /// The places in the list of all errors that were noted, those that were known before included.
    noted: Vec<usize>,
    left_out: usize,
}

/// More faults than this are counted only.
const MOST: usize = 1000;
/// How often errors are noted at most.
const MOST_NOTED: usize = 1_000_000;

impl Faults {
    /// No faults yet, of a manifest that people know by this name.
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// The name of the manifest.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Notes a fault.
    pub fn add(&mut self, fault: Fault) {
        let is_error = fault.severity == Severity::Error;
        let known = (fault.kind, fault.mark, fault.message.clone());
        let at = if let Some(index) = self.known.get(&known) {
            self.list[*index].places += 1;
            *index
        } else if self.list.len() < MOST {
            self.known.insert(known, self.list.len());
            self.list.push(fault);
            self.list.len() - 1
        } else {
            self.left_out += 1;
            // That there is one counts more than which one it is.
            self.list.len() - 1
        };
        if is_error && self.noted.len() < MOST_NOTED {
            self.noted.push(at);
        }
    }

    /// Each error as often as it was noted: several streams may have the same one.
    pub fn noted_errors(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.noted.iter().map(|at| &self.list[*at])
    }

    /// Notes an error.
    pub fn error(&mut self, kind: Kind, mark: Mark, path: impl Into<String>, message: impl Into<String>) {
        self.add(Fault::new(Severity::Error, kind, mark, path, message));
    }

    /// Notes a warning.
    pub fn warn(&mut self, kind: Kind, mark: Mark, path: impl Into<String>, message: impl Into<String>) {
        self.add(Fault::new(Severity::Warning, kind, mark, path, message));
    }

    /// All of them, warnings included.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.list.iter()
    }

    /// Those that keep the manifest from being run.
    pub fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter().filter(|fault| fault.severity == Severity::Error)
    }

    /// Those that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter().filter(|fault| fault.severity == Severity::Warning)
    }

    /// Whether the manifest cannot be run.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// How many faults were too many to be kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// A fault as a line for people: file, line, column, path, what is wrong.
    pub fn line(&self, fault: &Fault) -> String {
        let mut line = self.file.clone();
        if fault.mark.line > 0 {
            let _ = write!(line, ":{}:{}", fault.mark.line, fault.mark.column);
        }
        format!("{line}: {fault}")
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Fault {
    /// A fault without a nearest word.
    pub fn new(
        severity: Severity,
        kind: Kind,
        mark: Mark,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        // A name in it may have line breaks, and a fault is one line.
        let path = path.into().replace(char::is_control, "\u{fffd}");
        Self { severity, kind, mark, path, message: message.into(), nearest: None, places: 1 }
    }

    /// With the nearest of these words, if one is near.
    pub fn near<'a>(mut self, word: &str, allowed: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(word, allowed).map(str::to_owned);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(nearest) = &self.nearest {
            write!(f, ". Did you mean `{nearest}`?")?;
        }
        if self.places > 1 {
            write!(f, " (in {} places)", self.places)?;
        }
        Ok(())
    }
}

/// The word that is meant by one with a typing error, if one is near enough to be worth saying.
pub fn nearest<'a>(word: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['_', '-', ' ', '$'], "");
    let wanted = plain(word);
    if wanted.is_empty() || wanted.len() > 100 {
        return None;
    }
    let mut best: Option<(f64, &str)> = None;
    for candidate in allowed {
        let known = plain(candidate);
        let mut score = strsim::normalized_damerau_levenshtein(&wanted, &known);
        // `Paginator` for `DefaultPaginator`; of fields, a part is too often another field.
        let component = candidate.starts_with(char::is_uppercase);
        if component && wanted.len() >= 4 && (known.contains(&wanted) || wanted.contains(&known)) {
            score = score.max(0.7);
        }
        if score >= 0.65 && best.is_none_or(|(so_far, _)| score > so_far) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, word)| word)
}

/// A text from the manifest as it is in a message: short, on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut short: String =
        text.chars().take(60).map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect();
    if text.chars().nth(60).is_some() {
        short.push('\u{2026}');
    }
    format!("`{short}`")
}
