//! Pages by the number of records before them.

use serde_json::Value;

use super::page_number::page_size;
use super::{FieldPath, Pager, TokenPlace, foreign_token};
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// A page is asked for by how many records to skip and how many to give.
///
/// The offset grows by what came, not by what was requested, so that an API which gives fewer loses none. A page of
/// fewer records than the limit is the last, unless the response tells the total ([`Offset::total`]), which then
/// decides.
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
    /// Offset and limit go to these places. Say no more records than the API gives at once, or tell it where the
    /// total is: without a total a short page is taken for the last.
    ///
    /// # Errors
    /// A config failure if the limit is 0.
    pub fn new(place: impl Into<TokenPlace>, limit_place: impl Into<TokenPlace>, limit: u64) -> Result<Self, Failure> {
        Ok(Self { place: place.into(), limit_place: limit_place.into(), limit: page_size(limit)?, total: None })
    }

    /// Where the response tells how many records there are in all. Default: nowhere.
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
        // An empty page before the end is one whose records may not be seen: it is stepped over.
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
