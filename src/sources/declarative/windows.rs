//! Parts of a slice's window, for APIs that cannot serve all of it: halves of a refused one (`RequestWindowSplitting`),
//! and the rest after the newest record (`SPLIT_USING_CURSOR`). They are a place within the slice. States know only the
//! slice, so no state passes a part that was not read.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::asked_properties::has_some;
use super::incremental::{Incremental, span};
use super::part::{Builder, Part, flat};
use crate::protocol::{Failure, FailureKind};
use crate::streams::cursor::{DatetimeCursor, Moment, TimeSpan};
use crate::streams::{Page, Slice};

/// How often a window may be halved, at most.
const MOST_SPLITS: u32 = 10;

/// `RequestWindowSplitting`.
#[derive(Debug)]
pub(super) struct Splitting {
    /// A window of this length is not split.
    least: Option<TimeSpan>,
    message: Option<String>,
}

/// A part of a slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Window {
    span: Map<String, Value>,
    /// How often it was split so far.
    depth: u32,
}

/// The remaining parts of a slice; the current one is last. `None` is the whole slice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Windows {
    left: Vec<Window>,
    /// The newest value of the cursor in the part so far.
    newest: Option<Moment>,
    /// Whether a record was older than one before it.
    is_mixed: bool,
}

/// The part of a slice's window that a page belongs to.
pub(super) struct AskedWindow<'a> {
    pub(super) slice: &'a Slice,
    pub(super) cursor: Option<&'a DatetimeCursor>,
}

impl<'a> AskedWindow<'a> {
    pub(super) fn new(slice: &'a Slice, incremental: Option<&'a Incremental>) -> Self {
        Self { slice, cursor: incremental.and_then(Incremental::datetime) }
    }
}

impl Splitting {
    /// Builds the splitting of a stream's windows. `is_asked`: one of its filters asks for it.
    #[allow(clippy::option_option, reason = "nothing differs from a fault")]
    pub(super) fn build(
        builder: &Builder<'_>,
        stream: &Part<'_>,
        retriever: &Part<'_>,
        is_asked: bool,
        incremental: Option<&Incremental>,
    ) -> Option<Option<Self>> {
        let field = retriever.field("request_window_splitting");
        let Some(part) = field else {
            if is_asked {
                let text = "a response filter has the action `SPLIT_REQUEST_WINDOW`: add `request_window_splitting`";
                builder.error(retriever, text);
                return None;
            }
            return Some(None);
        };
        let cursor = stream.field("incremental_sync");
        let has_unit = cursor.as_ref().is_some_and(|cursor| cursor.present("cursor_granularity").is_some());
        let is_filtered = cursor.as_ref().is_some_and(|cursor| cursor.flag("is_client_side_incremental") == Some(true));
        let wrong = [
            (!is_asked, "no response filter has the action `SPLIT_REQUEST_WINDOW`, so no window is split"),
            (
                incremental.is_some_and(|incremental| incremental.datetime().is_none())
                    || cursor.is_none()
                    || !has_unit,
                "it needs a `DatetimeBasedCursor` with `step` and `cursor_granularity`: there is no window to split",
            ),
            (is_filtered, "it cannot be used with `is_client_side_incremental`, which requests no window"),
            (
                has_some(&retriever.field("requester")?),
                "it cannot be used together with `QueryProperties`: a window is refused when some of its chunks are read",
            ),
            (
                stream.field("file_uploader").is_some(),
                "it cannot be used together with `file_uploader`: a window is refused when some of its files are read",
            ),
        ];
        wrong.iter().filter(|(is_wrong, _)| *is_wrong).for_each(|(_, what)| builder.error(&part, *what));
        let least = part.field("min_split_window");
        let least = flat(least.map(|least| {
            let length = span(builder, &least, least.node.as_text().unwrap_or_default())?;
            if length.months != 0 || !length.is_positive() {
                builder.error(&least, "it has to be a fixed time above zero, such as `PT1H` or `P1D`");
                return None;
            }
            Some(length)
        }))?;
        let message = part.text("failure_message").map(str::to_owned);
        wrong.iter().all(|(is_wrong, _)| !is_wrong).then_some(Some(Self { least, message }))
    }

    /// The parts with the current one split in two.
    ///
    /// # Errors
    /// A transient failure if it cannot be split further. `why` is the API's message.
    pub(super) fn split(
        &self,
        windows: &Windows,
        asked: &AskedWindow<'_>,
        why: &Failure,
        place: &str,
    ) -> Result<Windows, Failure> {
        let current = windows.current();
        let depth = current.map_or(0, |window| window.depth);
        let cursor = asked.cursor.filter(|_| depth < MOST_SPLITS);
        let slice = windows.slice(asked.slice);
        let halves = cursor.map(|cursor| cursor.halves(&slice, self.least)).transpose()?.flatten();
        let Some([first, second]) = halves else {
            let own = self.message.as_ref().map(|own| format!(" {own}")).unwrap_or_default();
            let text =
                format!("{} The window was split {depth} times, and cannot be any shorter: {place}.{own}", why.message);
            return Err(Failure { kind: FailureKind::Transient, message: text, otherwise: None, ..why.clone() });
        };
        let mut left = windows.left.clone();
        left.pop();
        let part = |half: Slice| Window { span: half.span().clone(), depth: depth + 1 };
        left.extend([part(second), part(first)]);
        Ok(Windows { left, ..Windows::default() })
    }
}

impl Windows {
    pub(super) fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// The current part. `None` is the whole slice.
    fn current(&self) -> Option<&Window> {
        self.left.last()
    }

    /// The part of a slice that is read.
    pub(super) fn slice<'s>(&self, slice: &'s Slice) -> Cow<'s, Slice> {
        match self.current() {
            Some(window) => Cow::Owned(slice.clone().with_span(window.span.clone())),
            None => Cow::Borrowed(slice),
        }
    }

    /// The parts after the current one.
    pub(super) fn next(&self) -> Option<Self> {
        let left = self.left.get(..self.left.len().checked_sub(1)?)?;
        (!left.is_empty()).then(|| Self { left: left.to_vec(), ..Self::default() })
    }

    /// Records the newest record of a page.
    pub(super) fn note(&mut self, page: &Page, cursor: &DatetimeCursor) -> anyhow::Result<()> {
        let _ = page.for_each(&mut |record| {
            if let Some(moment) = cursor.moment_of(&record)? {
                match self.newest {
                    Some(newest) if moment < newest => self.is_mixed = true,
                    _ => self.newest = Some(moment),
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    }

    /// The part from the newest record on.
    ///
    /// # Errors
    /// If records do not come in the order of the cursor, so that older ones may be left; a system failure if the
    /// newest record is at the start.
    pub(super) fn since_newest(&self, asked: &AskedWindow<'_>, place: &str) -> Result<Self, Failure> {
        if self.is_mixed {
            return Err(Failure::config(format!(
                "{place}: paging would restart at the newest record, but the records do not come in the order of the \
                 cursor, and some before it would be lost. Have the API sort them, or use the action `RESET`."
            )));
        }
        let rest = match asked.cursor.zip(self.newest) {
            Some((cursor, newest)) => cursor.rest_from(&self.slice(asked.slice), newest)?,
            None => None,
        };
        let Some(rest) = rest else {
            return Err(Failure::system(format!(
                "{place}: paging would restart at the newest record, and no record is newer than the start of the \
                 window. The API returns too few records at once that share one cursor value."
            )));
        };
        let mut left = self.left.clone();
        let depth = left.pop().map_or(0, |window| window.depth);
        left.push(Window { span: rest.span().clone(), depth });
        Ok(Self { left, ..Self::default() })
    }
}
