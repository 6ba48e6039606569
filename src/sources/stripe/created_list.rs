//! A list of objects that never change, read in windows of creation time.

use std::sync::Arc;

use serde_json::Value;

use super::api::Api;
use super::row::Created;
use super::rules::Rules;
use super::stripe_stream::stripe_stream;
use crate::protocol::{LogLevel, StreamState};
use crate::streams::{
    DateWindows, HttpStream, RequestContext, Slice, SliceContext, Slices, date, epoch_cursor, is_future,
};

const CURSOR: &str = "created";
/// In a slice: the state's cursor lay in the future, and must not stay there.
const AHEAD: &str = "ahead";

/// A stream of [`Created`] objects. Its state is `{"created": "SECONDS"}`, the newest object seen.
pub(super) struct CreatedList {
    row: &'static Created,
    api: Arc<Api>,
    rules: Rules,
}

impl CreatedList {
    pub(super) fn new(row: &'static Created, api: Arc<Api>) -> Self {
        let rules = Rules::of_account(api.clone());
        Self { row, rules, api }
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
        let ahead = known.filter(|known| is_future(*known, now));
        if let Some(ahead) = ahead {
            let text = format!(
                "{}: the state is of {}, which lies in the future and does not tell what is known. Everything is read.",
                self.row.name,
                date(ahead)
            );
            cx.output.log(LogLevel::Warn, &text)?;
        }
        let known = known.filter(|_| ahead.is_none());
        let from = known.map_or(config.start, |known| config.read_again_from(known).max(config.start));
        Ok(Box::new(DateWindows::new(from.min(now), now, config.slice_range).slices().map(move |mut slice| {
            if ahead.is_some() {
                slice.insert(AHEAD.to_owned(), true.into());
            }
            Ok(slice)
        })))
    }

    fn get_updated_state(&self, state: &mut StreamState, slice: &Slice, newest: Option<&Value>, _: &[String]) {
        if let Some((_, to)) = DateWindows::of(slice).filter(|_| slice.contains_key(AHEAD)) {
            let known = state.get(CURSOR).and_then(epoch_cursor::seconds);
            if known.is_none_or(|known| is_future(known, to)) {
                epoch_cursor::set_cursor(state, CURSOR, self.api.config.start.min(to));
            }
        }
        epoch_cursor::advance(state, CURSOR, self.row.name, self.api.config.start, newest);
    }
}
