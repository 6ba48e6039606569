//! A list of objects that change. Stripe cannot be asked what has changed, but it keeps an event about each change
//! for 30 days, with the object in it. So: a first pass over the list, and the events after that.
//!
//! The state is `{"updated": "SECONDS"}`, as other connectors write it, and at most two members more: `list_pass` while the first pass is not finished, so that it is resumed as a list and never taken
//! for a finished one; and `synced_to`, the moment up to which every change is known. When that moment is too long
//! ago for the events to tell what happened since, the list is read again: a silent gap is the one thing that must
//! not be.

use std::sync::Arc;

use serde_json::{Value, json};

use super::api::{Api, stripe_stream};
use super::created_list::{window, windows};
use super::state;
use super::table::Updated;
use crate::protocol::{Failure, LogLevel, StreamState, SyncMode};
use crate::streams::cursor::whole_number;
use crate::streams::{HttpStream, Record, RequestContext, Slice, SliceContext, Slices};

const CURSOR: &str = "updated";
const LIST_PASS: &str = "list_pass";
const SYNCED_TO: &str = "synced_to";
/// Marks the last slice of a pass over the list.
const LAST: &str = "last";
/// Tells in a slice of events up to when every change was known before it.
const KNOWN: &str = "known";
/// How long Stripe keeps events, in seconds. <https://docs.stripe.com/api/events>
const EVENTS_KEPT: i64 = 30 * 86_400;
/// Up to which age a state is gone on from with events, in seconds. The rest is for the read itself: it takes its time,
/// and meanwhile the oldest events go.
const EVENTS_TRUSTED: i64 = 29 * 86_400;

/// A stream of [`Updated`] objects.
pub(super) struct ListThenEvents {
    row: &'static Updated,
    api: Arc<Api>,
}

impl ListThenEvents {
    pub(super) fn new(row: &'static Updated, api: Arc<Api>) -> Self {
        Self { row, api }
    }

    /// The slices of a pass over the list, or of what is left of it. Each knows when the pass began, and the last one
    /// that it is the last.
    fn list(&self, started: i64, next: i64) -> Slices<'static> {
        let step = self.api.config.slice_range;
        let mut slices: Box<dyn Iterator<Item = Slice> + Send> = match self.row.windows {
            true => Box::new(windows(next, started, step)),
            false => Box::new(std::iter::once(Slice::new())),
        };
        let mut next = slices.next();
        Box::new(std::iter::from_fn(move || {
            let mut slice = next.take()?;
            next = slices.next();
            slice.insert(LIST_PASS.to_owned(), json!(started));
            if next.is_none() {
                slice.insert(LAST.to_owned(), json!(true));
            }
            Some(Ok(slice))
        }))
    }

    /// The slices of the events since `updated`, when every change up to `known` is known.
    fn events(&self, updated: i64, known: i64, now: i64) -> Slices<'static> {
        let config = &self.api.config;
        let from = updated.saturating_sub(config.lookback).max(now - EVENTS_KEPT).max(config.start);
        Box::new(windows(from, now, config.slice_range).map(move |mut slice| {
            slice.insert(KNOWN.to_owned(), json!(known));
            Ok(slice)
        }))
    }
}

impl HttpStream for ListThenEvents {
    stripe_stream!();

    fn path(&self, cx: &RequestContext<'_>) -> String {
        if is_list(cx.slice) { self.row.path } else { "events" }.to_owned()
    }

    fn cursor_field(&self) -> Vec<String> {
        vec![CURSOR.to_owned()]
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        match is_list(cx.slice) {
            true => Api::list_params(self.row.params.iter().copied(), window(cx.slice)),
            false => Api::list_params(self.row.events.iter().map(|kind| ("types[]", *kind)), window(cx.slice)),
        }
    }

    /// A listed object gets the time of its last change: its own, if it tells, or else that of its creation. An
    /// event's object gets the event's time, and a flag if it was deleted.
    fn transform<'a>(&self, record: Record<'a>, cx: &RequestContext<'_>) -> Option<Record<'a>> {
        if !is_list(cx.slice) {
            return self.object_of(&record);
        }
        let mut record = record;
        if record.get::<i64>(CURSOR).is_none() {
            let pass = || cx.slice.get(LIST_PASS).and_then(Value::as_i64).unwrap_or_default();
            let created = record.get::<i64>("created").unwrap_or_else(pass);
            record.set(CURSOR, &created);
        }
        Some(record)
    }

    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let (start, now) = (self.api.config.start, self.api.now());
        if let Some((started, next)) = self.unfinished(cx.state, now)? {
            return Ok(self.list(started, next));
        }
        let updated = state::cursor(cx.state, CURSOR, self.row.name)?;
        let synced_to = cx.state.get(SYNCED_TO).and_then(Value::as_i64);
        if cx.sync_mode == SyncMode::FullRefresh {
            // A state is only given if it is of this full refresh, which has ended its pass if it says so.
            return Ok(if synced_to.is_some() { Box::new(std::iter::empty()) } else { self.list(now, start) });
        }
        let (Some(updated), Some(known)) = (updated, updated.max(synced_to)) else {
            return Ok(self.list(now, start));
        };
        if known >= now - EVENTS_TRUSTED {
            return Ok(self.events(updated, known, now));
        }
        let text = format!(
            "{}: the state is of {known}, and Stripe keeps events for 30 days only. The whole list is read again, so \
             that no change is missed.",
            self.row.name
        );
        cx.output.log(LogLevel::Warn, &text)?;
        Ok(self.list(now, start))
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, _: &[String]) {
        let known = state::cursor(state, CURSOR, self.row.name).ok().flatten().unwrap_or(self.api.config.start);
        let newest = newest.and_then(whole_number).and_then(|newest| i64::try_from(newest).ok()).unwrap_or(known);
        state.remove(LIST_PASS);
        let Some(started) = slice.get(LIST_PASS).and_then(Value::as_i64) else {
            // A slice that was begun long ago may have lost its oldest events before it was read. Its state stays as old
            // as it is, so the list is read again.
            let known_at = slice.get(KNOWN).and_then(Value::as_i64).unwrap_or(known);
            if known_at < self.api.now() - EVENTS_KEPT {
                return;
            }
            state::set_cursor(state, CURSOR, newest.max(known));
            if let Some((_, to)) = window(slice) {
                state.insert(SYNCED_TO.to_owned(), json!(to));
            }
            return;
        };
        // What changed during the pass may have been read before it changed: the events since its beginning tell.
        state::set_cursor(state, CURSOR, newest.max(known).min(started.max(self.api.config.start)));
        if is_last(slice) {
            state.insert(SYNCED_TO.to_owned(), json!(started));
        } else if let Some((_, to)) = window(slice) {
            state.insert(LIST_PASS.to_owned(), json!({"started": started, "next": to.saturating_add(1)}));
        }
    }
}

impl ListThenEvents {
    /// When an unfinished pass over the list began, and from where on it is to go on.
    fn unfinished(&self, state: &StreamState, now: i64) -> Result<Option<(i64, i64)>, Failure> {
        let Some(pass) = state.get(LIST_PASS) else { return Ok(None) };
        let (started, next) = (pass["started"].as_i64(), pass["next"].as_i64());
        match (started, next) {
            (Some(started), Some(next)) => {
                let started = started.min(now);
                // At least one second is left to be listed: the pass has to be ended.
                Ok(Some((started, next.max(self.api.config.start).min(started))))
            }
            _ => Err(Failure::config(format!(
                "The state of {:?} has a `{LIST_PASS}` that is damaged: {pass}. Remove the stream's state to read it from \
                 the beginning.",
                self.row.name
            ))),
        }
    }

    /// The object an event is about, if it is one of this stream.
    fn object_of(&self, event: &Record<'_>) -> Option<Record<'static>> {
        let object = event.field_at(&["data", "object"])?.get().to_owned();
        let mut object = Record::from_text(object);
        if object.get::<String>("object").as_deref() != Some(self.row.object) {
            return None;
        }
        object.set(CURSOR, &event.get::<i64>("created").unwrap_or_default());
        if event.get::<String>("type").is_some_and(|kind| kind.ends_with(".deleted")) {
            object.set("is_deleted", &true);
        }
        Some(object)
    }
}

/// Whether a slice is one of a pass over the list, rather than of events.
fn is_list(slice: &Slice) -> bool {
    slice.contains_key(LIST_PASS)
}

fn is_last(slice: &Slice) -> bool {
    slice.get(LAST) == Some(&Value::Bool(true))
}
