//! A list of objects that never change, read in windows of creation time.

use std::sync::Arc;

use super::api::Api;
use super::api_error::Subject;
use super::row::Created;
use super::stripe_stream::stripe_stream;
use crate::http::{Response, ResponseAction};
use crate::streams::{CreatedWindows, Cursor, DateWindows, HttpStream, RequestContext};

/// A stream of [`Created`] objects. Its state is `{"created": "SECONDS"}`, the newest object seen.
pub(super) struct CreatedList {
    row: &'static Created,
    api: Arc<Api>,
    cursor: Box<dyn Cursor>,
}

impl CreatedList {
    /// Such a list is there, or the request is wrong.
    const VANISHED: Option<ResponseAction> = None;

    pub(super) fn new(row: &'static Created, api: Arc<Api>) -> Self {
        let cursor = Box::new(CreatedWindows {
            stream: row.name.to_owned(),
            cursor_field: "created".to_owned(),
            start: api.config.start,
            step: api.config.slice_range,
            lookback: api.config.lookback,
            clock: api.clock.clone(),
        });
        Self { row, api, cursor }
    }

    #[expect(clippy::unused_self, reason = "streams of another kind ask for lists of several kinds")]
    fn subject(&self, _: &Response) -> Subject {
        Subject::Account
    }
}

impl HttpStream for CreatedList {
    stripe_stream!();

    fn path(&self, _: &RequestContext<'_>) -> String {
        self.row.path.to_owned()
    }

    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        Api::list_params([], DateWindows::of(cx.slice))
    }
}
