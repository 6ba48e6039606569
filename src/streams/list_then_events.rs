//! Reads a list of changing objects from an API that cannot filter by change, but keeps events about changes for a
//! while: a first pass over the list, and then the events. Airbyte's manifests call it a `StateDelegatingStream`. This
//! module has the slices and the state of such a stream; the requests are the stream's own.
//!
//! The state is `{CURSOR: "SECONDS"}`, as other connectors write it, and at most two more members: `list_pass` during
//! the first pass, so that it resumes as a list and never counts as finished; and `synced_to`, the moment up to which
//! every change is known. When the events no longer reach back to that moment, the list is read again: a silent gap
//! must never happen. The same applies to a state in the future.
//!
//! The events are one slice for any length of time: they come newest first, which is the only way to know which version
//! of an object is the newest.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::epoch_cursor::{self, date, is_future};
use super::{
    ApiClock, Cursor, DateWindows, GlobalCursor, ParentStream, Record, RequestContext, Scope, Slice, SliceContext,
    Slices,
};
use crate::protocol::{Failure, LogLevel, StreamState, SyncMode};

const LIST_PASS: &str = "list_pass";
const SYNCED_TO: &str = "synced_to";
/// Marks the last slice of a pass over the list.
const LAST: &str = "last";
/// In a pass: where to resume the list.
const NEXT: &str = "next";
/// In a slice of events: up to when every change was known before it.
const KNOWN: &str = "known";
/// In a slice of the list, and in its pass: the newest change that the destination may have of any object, when the
/// list is read again. Listed objects are newer.
const FLOOR: &str = "floor";
/// In a slice of the newest part of the list: from which moment on objects are wanted.
const SINCE: &str = "since";

/// The members of a slice of version 0.1.0, beside those of [`DateWindows`].
const MEMBERS: [&str; 6] = [LIST_PASS, LAST, NEXT, KNOWN, FLOOR, SINCE];

/// The cursor of one stream: its slices and its state.
#[derive(Debug, Clone)]
pub struct ListThenEvents {
    /// The stream's name, for messages.
    pub stream: String,
    /// The member of records and state with the moment of the last change, in seconds since the epoch.
    pub cursor_field: String,
    /// Where the list begins, in seconds since the epoch, if it can be filtered by time.
    pub start: i64,
    /// How long a span of time is, in seconds.
    pub step: i64,
    /// How long before the known moment the events, and the newest part of the list, are read again, in seconds: the
    /// API shows some objects later than their timestamps.
    pub lookback: i64,
    /// How long the API keeps events, in seconds.
    pub events_kept: i64,
    /// Whether new objects have no event, so that the newest part of the list is read along with the events.
    pub list_newest: bool,
    /// The slices of the list.
    pub list: Listing,
    /// Whether the state has the form of [`GlobalCursor`], as other connectors write it for a list inside each object
    /// of another list.
    pub in_global_form: bool,
    /// Up to when to read, and the API's time.
    pub clock: Arc<ApiClock>,
}

/// The slices of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// One, the whole list.
    Whole,
    /// Spans of time: see [`DateWindows`].
    Spans,
    /// One for each record of the stream's parent, which is read with a state of its own.
    Parents,
}

/// The content of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// The list, in a pass that began at this moment.
    List {
        /// Seconds since the epoch.
        started: i64,
        /// Listed objects are no older than this, in seconds since the epoch: the list was read before.
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
    /// The content of a slice.
    #[must_use]
    pub fn feed(slice: &Slice) -> Feed {
        let seconds = |name: &str| slice.get(name).and_then(Value::as_i64);
        match seconds(LIST_PASS) {
            Some(started) => Feed::List { started, floor: seconds(FLOOR) },
            None => seconds(SINCE).map_or(Feed::Events, |since| Feed::Newest { since }),
        }
    }

    /// The slices of a pass over the list that began at a moment, from its member `next` on, if it has one.
    fn list<'a>(
        &self,
        parents: &'a [ParentStream],
        cx: &SliceContext<'a>,
        started: i64,
        next: Option<&Value>,
    ) -> anyhow::Result<Slices<'a>> {
        match (self.list, parents.first()) {
            (Listing::Spans, _) => {
                let next = next.and_then(Value::as_i64).unwrap_or(self.start).max(self.start);
                // At least one second is left to list: the pass has to be ended.
                Ok(Box::new(DateWindows::new(next.min(started), started, self.step).slices().map(Ok)))
            }
            (Listing::Parents, Some(parent)) => {
                let progress = next.and_then(Value::as_object).cloned().unwrap_or_default();
                parent.slices_from(&SliceContext { sync_mode: SyncMode::FullRefresh, ..*cx }, progress)
            }
            _ => Ok(Box::new(std::iter::once(Ok(Slice::whole())))),
        }
    }

    /// The slices left for a state.
    fn slices<'a>(&self, parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let now = self.clock.began();
        let list = |started, next| self.list(parents, cx, started, next);
        if let Some(pass) = cx.state.get(LIST_PASS) {
            let started = pass["started"].as_i64().ok_or_else(|| self.damaged(pass))?.min(now);
            let floor = pass.get(FLOOR).and_then(Value::as_i64);
            return Ok(in_pass(started, floor, list(started, pass.get(NEXT))?));
        }
        let synced_to = cx.state.get(SYNCED_TO).and_then(Value::as_i64);
        if cx.sync_mode == SyncMode::FullRefresh {
            // A state is given only if it is from this full refresh, which has ended its pass if it says so.
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
            true => "which is in the future, so the read part is unknown".to_owned(),
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

    /// The cursor of the state. A cursor on another field, as old versions of connectors wrote it, says nothing about
    /// changes.
    fn updated(&self, cx: &SliceContext<'_>) -> anyhow::Result<Option<i64>> {
        let (field, created) = (&self.cursor_field, cx.state.get("created"));
        if !cx.state.contains_key(field) && created.is_some_and(|created| epoch_cursor::seconds(created).is_some()) {
            let text = format!(
                "{}: the state has `created` and no `{field}`, so changes since then are unknown. The whole \
                 list \
                 is read again.",
                self.stream
            );
            cx.output.log(LogLevel::Warn, &text)?;
            return Ok(None);
        }
        Ok(epoch_cursor::cursor(cx.state, field, &self.stream)?)
    }

    /// The oldest age of a state that resumes from events, in seconds. The rest is a reserve for the read itself,
    /// during which the oldest events expire.
    fn events_trusted(&self) -> i64 {
        self.events_kept - 86_400
    }

    /// The slices of the events, when every change up to `known` is known.
    fn events<'a>(&self, known: i64, now: i64) -> Slices<'a> {
        let since = known.saturating_sub(self.lookback);
        let newest = self.list_newest.then(|| Slice::of_span([(SINCE, since)]));
        let from = since.max(now - self.events_kept).max(self.start);
        let events = DateWindows::new(from.min(now), now, i64::MAX).slices();
        let events = events.map(move |slice| slice.with_span([(KNOWN, known)]));
        Box::new(newest.into_iter().chain(events).map(Ok))
    }

    /// Advances the state past a slice that was just read to its end.
    fn update(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>) {
        let (field, stream) = (&self.cursor_field, &self.stream);
        let (now, ahead) = (self.clock.now(), self.clock.ahead());
        let (started, floor) = match Self::feed(slice) {
            Feed::List { started, floor } => (started, floor),
            // The events' slices, which come after it, cover new objects.
            Feed::Newest { .. } => return,
            Feed::Events => {
                state.remove(LIST_PASS);
                // A slice that was begun long ago may have lost its oldest events before it was read. Its state stays
                // old, so the list is read again.
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
        // Objects may have changed after they were listed: the events since the start of the pass show it.
        epoch_cursor::advance(state, field, stream, self.start, newest);
        state.remove(SYNCED_TO);
        let updated = state.get(field).and_then(epoch_cursor::seconds).unwrap_or(started);
        epoch_cursor::set_cursor(state, field, updated.min(started.max(self.start)));
        let next = slice.progress().map(|progress| Value::from(progress.clone()));
        let next = next.or_else(|| DateWindows::of(slice).map(|(_, to)| json!(to.saturating_add(1))));
        if slice.get(LAST) == Some(&Value::Bool(true)) {
            state.remove(LIST_PASS);
            state.insert(SYNCED_TO.to_owned(), json!(started.saturating_sub(ahead)));
        } else if let Some(next) = next {
            state.insert(LIST_PASS.to_owned(), pass(started, floor, Some(next)));
        } else {
            // The place to resume from is that of the last slice with one.
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

impl Cursor for ListThenEvents {
    fn cursor_field(&self) -> Vec<String> {
        vec![self.cursor_field.clone()]
    }

    fn stream_slices<'a>(&'a self, parents: &'a [ParentStream], cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        self.slices(parents, cx)
    }

    fn slices_in_order(&self) -> bool {
        true
    }

    fn is_of_span(&self, member: &str) -> bool {
        MEMBERS.contains(&member) || DateWindows::MEMBERS.contains(&member)
    }

    fn has_scope(&self) -> bool {
        self.list_newest
    }

    /// The list is newest first: objects after an old enough one are older still.
    fn scope(&self, record: &Record<'_>, cx: &RequestContext<'_>, _: &[String]) -> Scope {
        match Self::feed(cx.slice) {
            Feed::Newest { since } if record.get::<i64>("created").is_some_and(|created| created < since) => {
                Scope::Past
            }
            _ => Scope::In,
        }
    }

    fn migrate_state(&self, state: StreamState) -> Result<StreamState, Failure> {
        Ok(if self.in_global_form { GlobalCursor::unfold(state, &self.cursor_field) } else { state })
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, _: &[String]) {
        self.update(state, slice, newest);
        if self.in_global_form {
            GlobalCursor::fold(state, &self.cursor_field);
        }
    }

    fn overlap(&self) -> Duration {
        Duration::from_secs(self.lookback.unsigned_abs())
    }
}

/// The state of an unfinished pass.
fn pass(started: i64, floor: Option<i64>, next: Option<Value>) -> Value {
    let mut pass = json!({"started": started});
    for (name, value) in [(FLOOR, floor.map(Value::from)), (NEXT, next)] {
        if let Some(value) = value {
            pass[name] = value;
        }
    }
    pass
}

/// Slices of a pass over a list: each knows the start of the pass, and the last one that it is the last.
fn in_pass(started: i64, floor: Option<i64>, mut slices: Slices<'_>) -> Slices<'_> {
    let mut next = slices.next();
    Box::new(std::iter::from_fn(move || {
        let slice = next.take()?;
        if slice.is_ok() {
            next = slices.next();
        }
        let is_last = next.is_none();
        Some(slice.map(|slice| {
            let slice = slice.with_span([(LIST_PASS, started)]).with_span(floor.map(|floor| (FLOOR, floor)));
            slice.with_span(is_last.then_some((LAST, true)))
        }))
    }))
}
