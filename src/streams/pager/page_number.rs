//! Pages by number.

use serde_json::Value;

use super::{FieldPath, Pager, TokenPlace, foreign_token};
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// Pages are counted, and each is requested by its number, including the first.
///
/// If the response has the number of pages ([`PageNumber::total_pages`]) or says whether there is more
/// ([`PageNumber::has_more`]), that decides. Otherwise a page with fewer records than the page size is the last, and
/// without a page size the first empty page.
///
/// ```
/// use source_http::streams::pager::PageNumber;
///
/// // ?page=1&per_page=100, ?page=2&per_page=100, ...
/// let pager = PageNumber::new("page").page_size_param("per_page", 100)?;
/// // ?p=0, ?p=1, ..., as many as {"paging": {"pages": 7}} says
/// let pager = PageNumber::new("p").start_at(0).total_pages(["paging", "pages"]);
/// # Ok::<(), source_http::protocol::Failure>(())
/// ```
#[derive(Debug, Clone)]
pub struct PageNumber {
    place: TokenPlace,
    start: u64,
    page_size: Option<u64>,
    size_place: Option<TokenPlace>,
    total_pages: Option<FieldPath>,
    has_more: Option<FieldPath>,
}

impl PageNumber {
    /// The number goes to that place.
    pub fn new(place: impl Into<TokenPlace>) -> Self {
        let place = place.into();
        Self { place, start: 1, page_size: None, size_place: None, total_pages: None, has_more: None }
    }

    /// The first page's number. Default: 1.
    #[must_use]
    pub fn start_at(mut self, start: u64) -> Self {
        self.start = start;
        self
    }

    /// The records on each page but the last, if the API fixes it. Do not exceed the API's number, or the first page
    /// counts as the last. Default: unknown.
    ///
    /// # Errors
    /// A config failure if the size is 0.
    pub fn page_size(mut self, size: u64) -> Result<Self, Failure> {
        self.page_size = Some(page_size(size)?);
        Ok(self)
    }

    /// As [`PageNumber::page_size`], and the size is sent at that place.
    ///
    /// # Errors
    /// A config failure if the size is 0.
    pub fn page_size_param(self, place: impl Into<TokenPlace>, size: u64) -> Result<Self, Failure> {
        Ok(Self { size_place: Some(place.into()), ..self.page_size(size)? })
    }

    /// Where the response has the number of pages. Default: nowhere.
    #[must_use]
    pub fn total_pages(mut self, path: impl Into<FieldPath>) -> Self {
        self.total_pages = Some(path.into());
        self
    }

    /// Where the response says whether there is more. Default: nowhere.
    #[must_use]
    pub fn has_more(mut self, path: impl Into<FieldPath>) -> Self {
        self.has_more = Some(path.into());
        self
    }

    fn number(&self, token: Option<&PageToken>) -> Result<u64, Failure> {
        match token {
            None => Ok(self.start),
            Some(token) => token.as_u64().ok_or_else(|| foreign_token(token, "a page number")),
        }
    }
}

impl Pager for PageNumber {
    fn is_resumable(&self) -> bool {
        false
    }

    fn next_page_token(&self, page: &Page, current: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        let number = self.number(current)?;
        let total = self.total_pages.as_ref().map_or(Ok(None), |path| path.count(page))?;
        let has_more = self.has_more.as_ref().map_or(Ok(None), |path| path.flag(page))?;
        let more = match (total, has_more) {
            (Some(total), _) => number.saturating_sub(self.start).saturating_add(1) < total,
            (None, Some(has_more)) => has_more,
            (None, None) => page.len() as u64 >= self.page_size.unwrap_or(1),
        };
        Ok(more.then(|| number.saturating_add(1).into()))
    }

    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
        self.place.put(request, &Value::from(self.number(token)?))?;
        match (&self.size_place, self.page_size) {
            (Some(place), Some(size)) => place.put(request, &Value::from(size)),
            _ => Ok(()),
        }
    }
}

/// A valid page size. It may come from a config.
pub(super) fn page_size(size: u64) -> Result<u64, Failure> {
    if size == 0 {
        return Err(Failure::config("A page size of 0 never returns a record. Set at least 1."));
    }
    Ok(size)
}
