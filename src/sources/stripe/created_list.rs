//! A list of objects that never change, read in windows of creation time.

use std::sync::Arc;

use serde_json::Value;

use super::api::Api;
use super::row::Created;
use super::stripe_stream::stripe_stream;
use crate::http::ResponseAction;
use crate::protocol::{LogLevel, StreamState};
use crate::streams::{DateWindows, HttpStream, RequestContext, Slice, SliceContext, Slices, epoch_cursor};

const CURSOR: &str = "created";

/// A stream of [`Created`] objects. Its state is `{"created": "SECONDS"}`, the newest object seen.
pub(super) struct CreatedList {
    row: &'static Created,
    api: Arc<Api>,
}

impl CreatedList {
    /// Such a list is there, or the request is wrong.
    const VANISHED: Option<ResponseAction> = None;

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

    fn slices_in_order(&self) -> bool {
        true
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        Api::list_params([], DateWindows::of(cx.slice))
    }

    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        let (config, now) = (&self.api.config, self.api.now());
        let known = epoch_cursor::cursor(cx.state, CURSOR, self.row.name)?;
        let from = known.map_or(config.start, |known| known.saturating_sub(config.lookback).max(config.start));
        if from > now {
            let text = format!("{}: nothing is newer than {from}, which lies in the future.", self.row.name);
            cx.output.log(LogLevel::Warn, &text)?;
        }
        Ok(Box::new(DateWindows::new(from, now, config.slice_range).slices().map(Ok)))
    }

    fn get_updated_state(&self, state: &mut StreamState, _: &Slice, newest: Option<&Value>, _: &[String]) {
        epoch_cursor::advance(state, CURSOR, self.row.name, self.api.config.start, newest);
    }
}
