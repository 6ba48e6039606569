//! Pages by the number of records before them.

use serde_json::Value;

use super::page_number::page_size;
use super::{FieldPath, Pager, TokenPlace, foreign_token};
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// A page is requested by the number of records to skip and to return.
///
/// The offset grows by the received records, not by the requested ones, so that no record is lost if an API returns
/// fewer. A page with fewer records than the limit is the last, unless the response has the total ([`Offset::total`]),
/// which then decides.
///
/// ```
/// use source_http::streams::pager::Offset;
///
/// // ?offset=0&limit=50, ?offset=50&limit=50, ... up to {"total": 120}
/// let pager = Offset::new("offset", "limit", 50)?.total("total");
/// # Ok::<(), source_http::protocol::Failure>(())
/// ```
#[derive(Debug, Clone)]
pub struct Offset {
    place: TokenPlace,
    limit_place: TokenPlace,
    limit: u64,
    total: Option<FieldPath>,
}

impl Offset {
    /// Offset and limit go to these places. Do not exceed the API's maximum, or set the path of the total: without a
    /// total a short page counts as the last.
    ///
    /// # Errors
    /// A config failure if the limit is 0.
    pub fn new(place: impl Into<TokenPlace>, limit_place: impl Into<TokenPlace>, limit: u64) -> Result<Self, Failure> {
        Ok(Self { place: place.into(), limit_place: limit_place.into(), limit: page_size(limit)?, total: None })
    }

    /// Where the response has the total number of records. Default: nowhere.
    #[must_use]
    pub fn total(mut self, path: impl Into<FieldPath>) -> Self {
        self.total = Some(path.into());
        self
    }
}

fn offset(token: Option<&PageToken>) -> Result<u64, Failure> {
    token.map_or(Ok(0), |token| token.as_u64().ok_or_else(|| foreign_token(token, "an offset")))
}

impl Pager for Offset {
    fn is_resumable(&self) -> bool {
        false
    }

    fn next_page_token(&self, page: &Page, current: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        let (offset, records) = (offset(current)?, page.len() as u64);
        // The records of an empty page before the end may be invisible: skip it.
        let step = if records == 0 { self.limit } else { records };
        let next = offset.saturating_add(step);
        let more = match self.total.as_ref().map_or(Ok(None), |path| path.count(page))? {
            Some(total) => next < total,
            None => records >= self.limit,
        };
        Ok(more.then(|| next.into()))
    }

    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
        self.place.put(request, &Value::from(offset(token)?))?;
        self.limit_place.put(request, &Value::from(self.limit))
    }
}
