//! How a list of objects that change is read when the API cannot be asked what has changed, but keeps events about each
//! change for a while: a first pass over the list, and the events after that. Airbyte's manifests call it a
//! `StateDelegatingStream`. Here are the slices and the state of such a stream; what a list's or an event's request
//! looks like is the stream's own.
//!
//! The state is `{CURSOR: "SECONDS"}`, as other connectors write it, and at most two members more: `list_pass` while the
//! first pass is not finished, so that it is resumed as a list and never taken for a finished one; and `synced_to`, the
//! moment up to which every change is known. When that moment is too long ago for the events to tell what happened since,
//! the list is read again: a silent gap is the one thing that must not be. So it is when the state is of the future.
//!
//! The events are one slice, however long the time: they come newest first, and only so it is known of an object which
//! of its versions is the newest.

use serde_json::{Value, json};

use super::epoch_cursor::{self, date, is_future};
use super::{DateWindows, Slice, SliceContext, Slices};
use crate::protocol::{Failure, LogLevel, StreamState, SyncMode};

const LIST_PASS: &str = "list_pass";
const SYNCED_TO: &str = "synced_to";
/// Marks the last slice of a pass over the list.
const LAST: &str = "last";
/// In a slice of the list: from where on the list is to be read when the pass is gone on with after it.
const NEXT: &str = "next";
/// In a slice of events: up to when every change was known before it.
const KNOWN: &str = "known";
/// In a slice of the list, and in its pass: the newest change that the destination may have of any object, when the list
/// is read again. What is listed now is newer.
const FLOOR: &str = "floor";
/// In a slice of the newest part of the list: the moment since which objects are wanted.
const SINCE: &str = "since";

/// The slices and the state of one stream.
#[derive(Debug, Clone)]
pub struct ListThenEvents {
    /// The stream's name, for messages.
    pub stream: String,
    /// The member of records and state with the moment of the last change, in seconds since the epoch.
    pub cursor_field: String,
    /// Where the list begins, in seconds since the epoch, if it can be asked for spans of time.
    pub start: i64,
    /// How long a span of time is, in seconds.
    pub step: i64,
    /// How far before the moment up to which everything is known the events, and the newest part of the list, are read
    /// again, in seconds: because the API shows some things later than it stamps them.
    pub lookback: i64,
    /// How long the API keeps events, in seconds.
    pub events_kept: i64,
    /// Whether there is no event about a new object, so that the newest part of the list is read along with the events.
    pub list_newest: bool,
}

/// What is to be read of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// The list, in a pass that began at this moment.
    List {
        /// Seconds since the epoch.
        started: i64,
        /// What is listed now is no older than this, in seconds since the epoch: the list was read before.
        floor: Option<i64>,
    },
    /// The list from its newest object on, down to those created before this moment.
    Newest {
        /// Seconds since the epoch.
        since: i64,
    },
    /// The events.
    Events,
}

impl ListThenEvents {
    /// What a slice asks for.
    #[must_use]
    pub fn feed(slice: &Slice) -> Feed {
        let seconds = |name: &str| slice.get(name).and_then(Value::as_i64);
        match (seconds(LIST_PASS), seconds(SINCE)) {
            (Some(started), _) => Feed::List { started, floor: seconds(FLOOR) },
            (None, Some(since)) => Feed::Newest { since },
            (None, None) => Feed::Events,
        }
    }

    /// The slices of a list that is read in spans of time, or whole, and of the events. `now` is the moment up to which
    /// they go.
    ///
    /// # Errors
    /// A config failure if the state makes no sense.
    pub fn slices<'a>(&self, cx: &SliceContext<'_>, now: i64, spans: bool) -> anyhow::Result<Slices<'a>> {
        let (start, step) = (self.start, self.step);
        self.slices_of(cx, now, |started, next| {
            let next = next.and_then(Value::as_i64).unwrap_or(start).max(start);
            Ok(match spans {
                // At least one second is left to be listed: the pass has to be ended.
                true => Box::new(DateWindows::new(next.min(started), started, step).slices().map(Ok)),
                false => Box::new(std::iter::once(Ok(Slice::new()))),
            })
        })
    }

    /// As [`ListThenEvents::slices`], for a list that is read in slices of another kind. `list` makes them, given when
    /// the pass began and, if it is gone on with, the member `next` of the last slice that was read.
    ///
    /// # Errors
    /// As [`ListThenEvents::slices`], and those of `list`.
    pub fn slices_of<'a>(
        &self,
        cx: &SliceContext<'_>,
        now: i64,
        list: impl FnOnce(i64, Option<&Value>) -> anyhow::Result<Slices<'a>>,
    ) -> anyhow::Result<Slices<'a>> {
        if let Some(pass) = cx.state.get(LIST_PASS) {
            let started = pass["started"].as_i64().ok_or_else(|| self.damaged(pass))?.min(now);
            let floor = pass.get(FLOOR).and_then(Value::as_i64);
            return Ok(in_pass(started, floor, list(started, pass.get("next"))?));
        }
        let synced_to = cx.state.get(SYNCED_TO).and_then(Value::as_i64);
        if cx.sync_mode == SyncMode::FullRefresh {
            // A state is only given if it is of this full refresh, which has ended its pass if it says so.
            return match synced_to {
                Some(_) => Ok(Box::new(std::iter::empty())),
                None => Ok(in_pass(now, None, list(now, None)?)),
            };
        }
        let Some(updated) = self.updated(cx)? else { return Ok(in_pass(now, None, list(now, None)?)) };
        let known = match synced_to {
            Some(ahead) if is_future(ahead, now) => {
                let (ahead, since) = (date(ahead), date(updated));
                let text = format!("{}: the state was written by a clock that was ahead, at {ahead}.", self.stream);
                cx.output.log(LogLevel::Warn, &format!("{text} What has changed since {since} is read."))?;
                updated
            }
            synced_to => synced_to.map_or(updated, |synced_to| synced_to.max(updated)),
        };
        if !is_future(known, now) && known >= now - self.events_trusted() {
            return Ok(self.events(known, now));
        }
        let why = match is_future(known, now) {
            true => "which lies in the future and does not tell what is known".to_owned(),
            false => format!("and the API keeps events for {} days only", self.events_kept / 86_400),
        };
        let text = format!(
            "{}: the state is of {}, {why}. The whole list is read again, so that no change is missed.",
            self.stream,
            date(known)
        );
        cx.output.log(LogLevel::Warn, &text)?;
        Ok(in_pass(now, Some(updated.min(now)), list(now, None)?))
    }

    /// The cursor of the state. One of another field, as old versions of connectors wrote it, says nothing about changes.
    fn updated(&self, cx: &SliceContext<'_>) -> anyhow::Result<Option<i64>> {
        let (field, created) = (&self.cursor_field, cx.state.get("created"));
        if !cx.state.contains_key(field) && created.is_some_and(|created| epoch_cursor::seconds(created).is_some()) {
            let text = format!(
                "{}: the state has `created` and no `{field}`, which does not tell what has changed since. The whole list \
                 is read again.",
                self.stream
            );
            cx.output.log(LogLevel::Warn, &text)?;
            return Ok(None);
        }
        Ok(epoch_cursor::cursor(cx.state, field, &self.stream)?)
    }

    /// Up to which age a state is gone on from with events, in seconds. The rest is for the read itself: it takes its
    /// time, and meanwhile the oldest events go.
    fn events_trusted(&self) -> i64 {
        self.events_kept - 86_400
    }

    /// The slices of the events, when every change up to `known` is known.
    fn events<'a>(&self, known: i64, now: i64) -> Slices<'a> {
        let since = known.saturating_sub(self.lookback);
        let newest = self.list_newest.then(|| std::iter::once((SINCE.to_owned(), json!(since))).collect());
        let from = since.max(now - self.events_kept).max(self.start);
        let events = DateWindows::new(from.min(now), now, i64::MAX).slices().map(move |mut slice| {
            slice.insert(KNOWN.to_owned(), json!(known));
            slice
        });
        Box::new(newest.into_iter().chain(events).map(Ok))
    }

    /// Advances the state past a slice that was read to its end. `now` is the moment at which it was, and `ahead` says how
    /// many seconds this machine's clock is ahead of the API's, as far as is known.
    pub fn update(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, now: i64, ahead: i64) {
        let (field, stream) = (&self.cursor_field, &self.stream);
        let (started, floor) = match Self::feed(slice) {
            Feed::List { started, floor } => (started, floor),
            // What is new is covered by the events' slices, which come after it.
            Feed::Newest { .. } => return,
            Feed::Events => {
                state.remove(LIST_PASS);
                // A slice that was begun long ago may have lost its oldest events before it was read. Its state stays as
                // old as it is, so the list is read again.
                if slice.get(KNOWN).and_then(Value::as_i64).is_some_and(|known| known < now - self.events_kept) {
                    return;
                }
                epoch_cursor::advance(state, field, stream, self.start, newest);
                if let Some((_, to)) = DateWindows::of(slice) {
                    state.insert(SYNCED_TO.to_owned(), json!(to.saturating_sub(ahead)));
                }
                return;
            }
        };
        // What changed during the pass may have been read before it changed: the events since its beginning tell.
        epoch_cursor::advance(state, field, stream, self.start, newest);
        state.remove(SYNCED_TO);
        let updated = state.get(field).and_then(epoch_cursor::seconds).unwrap_or(started);
        epoch_cursor::set_cursor(state, field, updated.min(started.max(self.start)));
        let next =
            slice.get(NEXT).cloned().or_else(|| DateWindows::of(slice).map(|(_, to)| json!(to.saturating_add(1))));
        if slice.get(LAST) == Some(&Value::Bool(true)) {
            state.remove(LIST_PASS);
            state.insert(SYNCED_TO.to_owned(), json!(started.saturating_sub(ahead)));
        } else if let Some(next) = next {
            state.insert(LIST_PASS.to_owned(), pass(started, floor, Some(next)));
        } else {
            // The place to go on from is that of the last slice that said one.
            state.entry(LIST_PASS).or_insert_with(|| pass(started, floor, None));
        }
    }

    fn damaged(&self, pass: &Value) -> Failure {
        Failure::config(format!(
            "The state of {:?} has a `{LIST_PASS}` that is damaged: {pass}. Remove the stream's state to read it from the \
             beginning.",
            self.stream
        ))
    }
}

/// The state of a pass that is not finished.
fn pass(started: i64, floor: Option<i64>, next: Option<Value>) -> Value {
    let mut pass = json!({"started": started});
    for (name, value) in [(FLOOR, floor.map(Value::from)), (NEXT, next)] {
        if let Some(value) = value {
            pass[name] = value;
        }
    }
    pass
}

/// Slices of a pass over a list: each knows when the pass began, and the last one that it is the last.
fn in_pass(started: i64, floor: Option<i64>, mut slices: Slices<'_>) -> Slices<'_> {
    let mut next = slices.next();
    Box::new(std::iter::from_fn(move || {
        let slice = next.take()?;
        if slice.is_ok() {
            next = slices.next();
        }
        let is_last = next.is_none();
        Some(slice.map(|mut slice| {
            slice.insert(LIST_PASS.to_owned(), json!(started));
            if let Some(floor) = floor {
                slice.insert(FLOOR.to_owned(), json!(floor));
            }
            if is_last {
                slice.insert(LAST.to_owned(), json!(true));
            }
            slice
        }))
    }))
}
