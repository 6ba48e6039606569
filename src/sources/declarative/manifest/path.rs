//! The path to a node, such as `streams[3].retriever.paginator`. It becomes text only for a fault.

use std::fmt;

use super::node::{Node, Value};

/// The path from the root of a manifest to a node.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    before: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a Node),
    Name(&'a str),
    Index(usize),
}

impl Path<'static> {
    /// The root itself.
    pub const ROOT: Path<'static> = Path { before: None, step: Step::Root };
}

impl<'a> Path<'a> {
    /// The path to the value of this key.
    pub fn key(&'a self, key: &'a Node) -> Path<'a> {
        Path { before: Some(self), step: Step::Key(key) }
    }

    /// The path to the field of this name.
    pub fn name(&'a self, name: &'a str) -> Path<'a> {
        Path { before: Some(self), step: Step::Name(name) }
    }

    /// The path to an item of a list.
    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path { before: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = Vec::new();
        let mut path = Some(self);
        while let Some(here) = path {
            steps.push(here.step);
            path = here.before;
        }
        let mut first = true;
        for step in steps.into_iter().rev() {
            let mut name = |f: &mut fmt::Formatter<'_>, name: &str| {
                let dot = if std::mem::take(&mut first) { "" } else { "." };
                write!(f, "{dot}{name}")
            };
            match step {
                Step::Root => {}
                Step::Name(text) => name(f, text)?,
                Step::Key(key) => match key.value() {
                    Value::Text(text) => name(f, text)?,
                    other => name(f, &format!("{other:?}"))?,
                },
                Step::Index(index) => {
                    first = false;
                    write!(f, "[{index}]")?;
                }
            }
        }
        Ok(())
    }
}
