//! How a record differs from its text: members with another value, members that are left out, members that are added. A page
//! keeps its text once, and records that a stream has changed are put together when they are written.

use crate::json::{self, Object};

/// How a record differs from its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edits {
    /// Members of the text that have another value, as JSON, or are left out; by their place, in order.
    pub(super) changed: Vec<(usize, Change)>,
    /// Members that are not in the text and follow it: their names, and their values as JSON.
    pub(super) added: Vec<(String, String)>,
    /// The API's name of this version.
    pub(super) version: Option<Box<str>>,
}

/// No edits.
pub(super) static NONE: Edits = Edits { changed: Vec::new(), added: Vec::new(), version: None };

/// The difference of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has this value, as JSON.
    Value(Box<str>),
    /// It is not in the record.
    LeftOut,
}

impl Change {
    pub(super) fn value(&self) -> Option<&str> {
        match self {
            Self::Value(value) => Some(value),
            Self::LeftOut => None,
        }
    }
}

impl Edits {
    /// The change of the member of the text at a place.
    pub(super) fn change(&self, place: usize) -> Option<&Change> {
        let at = self.changed.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        Some(&self.changed[at].1)
    }

    /// Changes the member of the text at a place.
    pub(super) fn set_change(&mut self, place: usize, change: Change) {
        match self.changed.binary_search_by_key(&place, |(place, _)| *place) {
            Ok(at) => self.changed[at].1 = change,
            Err(at) => self.changed.insert(at, (place, change)),
        }
    }

    /// Whether the text is as it was.
    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty()
    }

    /// Appends the text: the runs of members that are as they were, what has changed between them, and what was added.
    pub(super) fn write(&self, out: &mut Vec<u8>, object: Object<'_>) {
        let text = object.bytes();
        if self.changed.is_empty() {
            let body = text.strip_suffix(b"}").filter(|_| !self.added.is_empty());
            out.extend_from_slice(body.unwrap_or(text));
            if let Some(body) = body {
                self.write_added(out, body.trim_ascii_end().ends_with(b"{"));
            }
            return;
        }
        out.push(b'{');
        // Up to where the text is written, if the member before is; and the first member that is not yet.
        let (mut written, mut next, mut is_first) = (None, 0, true);
        let mut write_text = |out: &mut Vec<u8>, start: usize, end: usize, written: Option<usize>| {
            if !std::mem::take(&mut is_first) {
                // What stands between two members is kept.
                out.extend_from_slice(written.and_then(|at| text.get(at..start)).unwrap_or(b","));
            }
            out.extend_from_slice(text.get(start..end).unwrap_or_default());
        };
        let count = object.names().map_or(0, <[u32]>::len);
        let ends = self.changed.iter().map(|(place, change)| (*place, change.value()));
        for (place, value) in ends.chain([(count, None)]) {
            if next < place
                && let (Some(first), Some(last)) = (object.span(next), object.span(place - 1))
            {
                write_text(out, first.start, last.end, written);
                written = Some(last.end);
            }
            next = place + 1;
            let Some(span) = object.span(place) else { continue };
            match value.zip(object.value(place)) {
                Some((new, old)) => {
                    write_text(out, span.start, span.end - old.len(), written);
                    out.extend_from_slice(new.as_bytes());
                    written = Some(span.end);
                }
                None => written = None,
            }
        }
        self.write_added(out, is_first);
    }

    /// Appends the members that are not in the text, and the closing brace.
    fn write_added(&self, out: &mut Vec<u8>, mut is_first: bool) {
        for (name, value) in &self.added {
            out.extend_from_slice(if is_first { b"" } else { b"," });
            json::write_string(out, name);
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
            is_first = false;
        }
        out.push(b'}');
    }
}
