//! No paging at all.

use super::Pager;
use crate::http::HttpRequest;
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// One response holds everything: the default of a stream without pagination.
///
/// ```
/// use source_http::streams::pager::{Pager, SinglePage};
///
/// struct Stream { pager: Box<dyn Pager> }
/// let whole_list = Stream { pager: Box::new(SinglePage) };
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SinglePage;

impl Pager for SinglePage {
    fn next_page_token(&self, _: &Page, _: Option<&PageToken>) -> anyhow::Result<Option<PageToken>> {
        Ok(None)
    }

    fn apply(&self, _: Option<&PageToken>, _: &mut HttpRequest) -> Result<(), Failure> {
        Ok(())
    }
}
