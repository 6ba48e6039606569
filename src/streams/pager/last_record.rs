//! A field of a page's last record as the cursor.

use super::field_path::token;
use super::page_number::page_size;
use super::{FieldPath, Pager, TokenPlace};
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// The next page is requested with a field of this page's last record, usually its id.
///
/// The response says whether there is a next page ([`LastRecord::has_more`]), or a full page means it
/// ([`LastRecord::page_size`]). Without either, pages are requested until one is empty, or ends with the record of its
/// request.
///
/// ```
/// use source_http::streams::pager::LastRecord;
///
/// // {"data": [..., {"id": "ch_9"}], "has_more": true}  ->  ?starting_after=ch_9
/// let pager = LastRecord::new("id", "starting_after").has_more("has_more");
/// ```
#[derive(Debug, Clone)]
pub struct LastRecord {
    field: Vec<String>,
    place: TokenPlace,
    has_more: Option<FieldPath>,
    page_size: Option<u64>,
}

impl LastRecord {
    /// The field of that name goes to a place in the next request.
    pub fn new(field: impl Into<String>, place: impl Into<TokenPlace>) -> Self {
        Self::at([field.into()], place)
    }

    /// The field at that path of a record goes to a place in the next request.
    pub fn at<S: Into<String>>(field: impl IntoIterator<Item = S>, place: impl Into<TokenPlace>) -> Self {
        let field = field.into_iter().map(Into::into).collect();
        Self { field, place: place.into(), has_more: None, page_size: None }
    }

    /// The response says at this path whether there is more. Default: it does not.
    #[must_use]
    pub fn has_more(mut self, path: impl Into<FieldPath>) -> Self {
        self.has_more = Some(path.into());
        self
    }

    /// A page with fewer records is the last, unless the response says otherwise. Default: only an empty one is.
    ///
    /// # Errors
    /// A config failure if the size is 0.
    pub fn page_size(mut self, size: u64) -> Result<Self, Failure> {
        self.page_size = Some(page_size(size)?);
        Ok(self)
    }
}

impl Pager for LastRecord {
    fn next_page_token(&self, page: &Page, current: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        let promised = self.has_more.as_ref().map_or(Ok(None), |path| path.flag(page))?;
        let full = page.len() as u64 >= self.page_size.unwrap_or(1);
        if !promised.unwrap_or(full) {
            return Ok(None);
        }
        let next = page.last().and_then(|last| last.field_at(&self.field).and_then(token));
        let Some(next) = next else {
            return Err(Failure::system(format!(
                "There are more pages after the response to {}, and it has no record with `{}` to continue from.",
                page.response.request,
                self.field.join(".")
            ))
            .into());
        };
        // Some APIs begin a page with the record of its request. Alone it is nothing new.
        let is_new = promised.is_some() || current != Some(&next);
        Ok(is_new.then_some(next))
    }

    fn apply(&self, token: Option<&PageToken>, request: &mut HttpRequest) -> Result<(), Failure> {
        token.map_or(Ok(()), |token| self.place.put(request, token))
    }
}
