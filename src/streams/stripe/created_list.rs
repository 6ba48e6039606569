//! A list of objects that never change, read in windows of creation time.

use std::sync::Arc;

use serde_json::{Value, json};

use super::api::{Api, stripe_stream};
use super::state;
use super::table::Created;
use crate::protocol::{LogLevel, StreamState};
use crate::streams::cursor::whole_number;
use crate::streams::{DateWindows, HttpStream, RequestContext, Slice, SliceContext, Slices};

const CURSOR: &str = "created";

/// A stream of [`Created`] objects. Its state is `{"created": "SECONDS"}`, the newest object seen.
pub(super) struct CreatedList {
    row: &'static Created,
    api: Arc<Api>,
}

impl CreatedList {
    pub(super) fn new(row: &'static Created, api: Arc<Api>) -> Self {
        Self { row, api }
    }
}

impl HttpStream for CreatedList {
    stripe_stream!();

    fn path(&self, _: &RequestContext<'_>) -> String {
        self.row.path.to_owned()
    }

    fn cursor_field(&self) -> Vec<String> {
        vec![CURSOR.to_owned()]
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        Api::list_params([], window(cx.slice))
    }

    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let (config, now) = (&self.api.config, self.api.now());
        let known = state::cursor(cx.state, CURSOR, self.row.name)?;
        let from = known.map_or(config.start, |known| known.saturating_sub(config.lookback).max(config.start));
        if from > now {
            let text = format!("{}: nothing is newer than {from}, which lies in the future.", self.row.name);
            cx.output.log(LogLevel::Warn, &text)?;
        }
        Ok(Box::new(windows(from, now, config.slice_range).map(Ok)))
    }

    fn get_updated_state(&self, state: &mut StreamState, _: &Slice, newest: Option<&Value>, _: &[String]) {
        let known = state::cursor(state, CURSOR, self.row.name).ok().flatten().unwrap_or(self.api.config.start);
        let newest = newest.and_then(whole_number).and_then(|newest| i64::try_from(newest).ok());
        state::set_cursor(state, CURSOR, newest.map_or(known, |newest| newest.max(known)));
    }
}

/// Slices of a span of creation times: `{"from": SECONDS, "to": SECONDS}`, both included.
pub(super) fn windows(from: i64, to: i64, step: i64) -> impl Iterator<Item = Slice> {
    DateWindows::new(from, to, step).map(|(from, to)| {
        let mut slice = Slice::new();
        slice.insert("from".to_owned(), json!(from));
        slice.insert("to".to_owned(), json!(to));
        slice
    })
}

/// The span of creation times of a slice, if it has one.
pub(super) fn window(slice: &Slice) -> Option<(i64, i64)> {
    Some((slice.get("from")?.as_i64()?, slice.get("to")?.as_i64()?))
}
