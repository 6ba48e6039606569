//! The faults of templates, and their places. A fault names settings and Python classes, never a value: values of a
//! config may be secrets.

use std::fmt;

/// The kind of a fault, by how a caller can react.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The template cannot be parsed, or names an unknown filter or test.
    Syntax,
    /// It uses a variable that does not exist in its place.
    Undeclared,
    /// It uses a missing value. The reference takes the default then.
    Undefined,
    /// Python's `TypeError`. The reference gives the text of the template instead of a result.
    Type,
    /// The sandbox does not allow it.
    Security,
    /// The template takes too many steps, too much memory, or is nested too deep.
    Limit,
    /// Known and refused by name: `stream_state`, which the reference also refuses, and the few filters and methods of
    /// the reference that are missing here.
    Refused,
    /// Any other Python exception, such as a `ValueError`.
    Other,
}

/// A fault of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How a caller can react.
    pub kind: FaultKind,
    /// The Python class of the exception that the reference raises.
    pub class: &'static str,
    /// The problem. It contains no value.
    pub message: String,
    /// The line in the template, from 1.
    pub line: u32,
    /// The column in its line, in characters from 1.
    pub column: u32,
    /// The expression or tag of the fault, as the template spells it.
    pub expression: Option<Box<str>>,
}

/// A fault is boxed: every step of an evaluation returns a result.
pub(crate) type Result<T> = std::result::Result<T, Box<Fault>>;

impl Fault {
    pub(crate) fn new(kind: FaultKind, class: &'static str, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { kind, class, message: message.into(), line: 0, column: 0, expression: None })
    }

    pub(crate) fn ty(message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Type, "TypeError", message)
    }

    pub(crate) fn value(message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Other, "ValueError", message)
    }

    pub(crate) fn other(class: &'static str, message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Other, class, message)
    }

    pub(crate) fn undefined(message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Undefined, "UndefinedError", message)
    }

    pub(crate) fn security(message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Security, "SecurityError", message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Limit, "RecursionError", message)
    }

    /// Memory would run out.
    pub(crate) fn too_large(message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Limit, "MemoryError", message)
    }

    /// A feature of Python that this engine lacks.
    pub(crate) fn unsupported(message: impl Into<String>) -> Box<Self> {
        Self::new(FaultKind::Refused, "NotImplementedError", message)
    }

    pub(crate) fn overflow(message: impl Into<String>) -> Box<Self> {
        Self::other("OverflowError", message)
    }

    /// Sets the place, unless a closer one is known.
    pub(crate) fn at(mut self: Box<Self>, line: u32, column: u32) -> Box<Self> {
        if self.line == 0 {
            self.line = line;
            self.column = column;
        }
        self
    }

    /// The tag of the template with the fault.
    pub(crate) fn in_source(mut self: Box<Self>, source: &str) -> Box<Self> {
        if self.expression.is_none() && self.line > 0 {
            let lines = source.split_inclusive('\n').take(self.line as usize - 1);
            let line = lines.map(str::len).sum::<usize>();
            let before = source[line..].chars().take(self.column.saturating_sub(1) as usize);
            let at = line + before.map(char::len_utf8).sum::<usize>();
            let start = ["{{", "{%"].iter().filter_map(|tag| source[..at].rfind(tag)).max().unwrap_or(0);
            let end = ["}}", "%}"].iter().filter_map(|tag| source[at..].find(tag)).min();
            let end = end.map_or(source.len(), |end| at + end + 2);
            self.expression = Some(source[start..end].chars().take(200).collect::<String>().into());
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Some(expression) => write!(f, "in the template `{expression}`: ")?,
            None => f.write_str("in the template: ")?,
        }
        f.write_str(&self.message)?;
        if self.line > 0 {
            write!(f, " (line {}, column {})", self.line, self.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
