//! A list of objects that change. Stripe cannot be asked what has changed, but it keeps an event about each change
//! for 30 days, with the object in it. So: a first pass over the list, and the events after that.
//!
//! The state is `{"updated": "SECONDS"}`, as other connectors write it, and at most two members more, which they
//! carry along: `list_pass` while the first pass is not finished, so that it is resumed as a list and never taken
//! for a finished one; and `synced_to`, the moment up to which every change is known. When that moment is too long
//! ago for the events to tell what happened since, the list is read again: a silent gap is the one thing that must
//! not be.

use std::sync::Arc;

use serde_json::{Value, json};

use super::api::{Api, stripe_stream};
use super::created_list::{window, windows};
use super::state;
use super::table::Updated;
use crate::protocol::{LogLevel, StreamState, SyncMode};
use crate::streams::cursor::whole_number;
use crate::streams::{HttpStream, Record, RequestContext, Slice, SliceContext, Slices};

const CURSOR: &str = "updated";
const LIST_PASS: &str = "list_pass";
const SYNCED_TO: &str = "synced_to";
/// How long Stripe keeps events, in seconds. <https://docs.stripe.com/api/events>
const EVENTS_KEPT: i64 = 30 * 86_400;

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
    fn list(&self, started: i64, next: i64) -> Vec<Slice> {
        let mut slices: Vec<Slice> = match self.row.windows {
            true => windows(next, started, self.api.config.slice_range).collect(),
            false => vec![Slice::new()],
        };
        for slice in &mut slices {
            slice.insert(LIST_PASS.to_owned(), json!(started));
        }
        if let Some(last) = slices.last_mut() {
            last.insert("last".to_owned(), json!(true));
        }
        slices
    }

    fn events(&self, updated: i64, now: i64) -> Vec<Slice> {
        let config = &self.api.config;
        let from = updated.saturating_sub(config.lookback).max(now - EVENTS_KEPT).max(config.start);
        windows(from, now, config.slice_range).collect()
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
            true => Api::list_params(cx, self.row.params.iter().copied(), window(cx.slice)),
            false => Api::list_params(cx, self.row.events.iter().map(|kind| ("types[]", *kind)), window(cx.slice)),
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
        let slices = if let Some((started, next)) = unfinished(cx.state) {
            self.list(started, next)
        } else if cx.sync_mode == SyncMode::FullRefresh {
            if cx.resumed.is_some_and(is_last) { Vec::new() } else { self.list(now, start) }
        } else {
            let updated = state::cursor(cx.state, CURSOR, self.row.name)?;
            let synced_to = cx.state.get(SYNCED_TO).and_then(Value::as_i64);
            match (updated, updated.max(synced_to)) {
                (Some(updated), Some(known)) if known >= now - EVENTS_KEPT => self.events(updated, now),
                (None, _) | (_, None) => self.list(now, start),
                (Some(_), Some(known)) => {
                    let text = format!(
                        "{}: the state is of {known}, and Stripe keeps events for 30 days only. The whole list is read \
                         again, so that no change is missed.",
                        self.row.name
                    );
                    cx.output.log(LogLevel::Warn, &text)?;
                    self.list(now, start)
                }
            }
        };
        Ok(Box::new(slices.into_iter().map(Ok)))
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, _: &[String]) {
        let known = state::cursor(state, CURSOR, self.row.name).ok().flatten().unwrap_or(self.api.config.start);
        let newest = newest.and_then(whole_number).and_then(|newest| i64::try_from(newest).ok()).unwrap_or(known);
        state.remove(LIST_PASS);
        let Some(started) = slice.get(LIST_PASS).and_then(Value::as_i64) else {
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
            state.insert(LIST_PASS.to_owned(), json!({"started": started, "next": to + 1}));
        }
    }
}

impl ListThenEvents {
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
    slice.get("last") == Some(&Value::Bool(true))
}

/// When an unfinished pass over the list began, and from where on it is to go on.
fn unfinished(state: &StreamState) -> Option<(i64, i64)> {
    let pass = state.get(LIST_PASS)?;
    Some((pass.get("started")?.as_i64()?, pass.get("next")?.as_i64()?))
}
