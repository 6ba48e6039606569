//! A guard against paging that returns new tokens and old records: an API that does not know the page parameter answers
//! every request with the first page.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use super::{HttpStream, Page};
use crate::protocol::Failure;

/// Equal pages in a row that count as a cycle, if records have a primary key.
const SAME_WITH_KEY: u32 = 3;
/// The same without one, where equal records are possible: measurements, log lines.
const SAME_WITHOUT_KEY: u32 = 100;

/// Finds pages that repeat the previous one, in constant memory. Empty pages do not count.
///
/// At first it compares only the number of records and the last of them, which costs next to nothing; once those are
/// equal, the whole text of all records.
#[derive(Debug, Default)]
pub(super) struct PageGuard {
    glance: Option<(usize, u64)>,
    records: Option<u64>,
    same: u32,
}

impl PageGuard {
    /// Records a page that promises another one.
    ///
    /// # Errors
    /// A system failure if pages repeat; an error of the temporary file that the page is in.
    pub(super) fn check(&mut self, stream: &dyn HttpStream, page: &Page) -> anyhow::Result<()> {
        let limit = if stream.primary_key().is_empty() { SAME_WITHOUT_KEY } else { SAME_WITH_KEY };
        if self.note(page)? < limit {
            return Ok(());
        }
        Err(Failure::system(format!(
            "Pagination of {:?} is stuck: {} pages in a row, each with a new page token, had the same {} \
             records. The last answer was to {}. The API ignores the page token, or does not say where the list ends: \
             check the pagination of the \
             stream.",
            stream.name(),
            self.same,
            page.len(),
            page.response.request
        ))
        .into())
    }

    /// How many pages in a row had exactly these records.
    fn note(&mut self, page: &Page) -> anyhow::Result<u32> {
        let Some(last) = page.last() else { return Ok(0) };
        let glance = Some((page.len(), hash(&last.text())));
        if self.glance != glance {
            *self = Self { glance, ..Self::default() };
            return Ok(0);
        }
        let mut hasher = DefaultHasher::new();
        let _: ControlFlow<()> = page.for_each(&mut |record| {
            record.text().hash(&mut hasher);
            Ok(ControlFlow::Continue(()))
        })?;
        let records = Some(hasher.finish());
        self.same = if self.records == records { self.same + 1 } else { 1 };
        self.records = records;
        Ok(self.same)
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::RequestContext;

    struct Items {
        keyed: bool,
    }

    impl HttpStream for Items {
        fn name(&self) -> &'static str {
            "items"
        }
        fn url_base(&self) -> &'static str {
            "http://a.com"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            "items".into()
        }
        fn primary_key(&self) -> Vec<Vec<String>> {
            if self.keyed { vec![vec!["id".to_owned()]] } else { Vec::new() }
        }
    }

    /// The page, counted from 1, that is refused.
    fn refused(keyed: bool, pages: impl IntoIterator<Item = &'static str>) -> Option<usize> {
        let mut guard = PageGuard::default();
        pages.into_iter().position(|records| guard.check(&Items { keyed }, &Page::of(records)).is_err()).map(|n| n + 1)
    }

    const A: &str = r#"[{"id":1},{"id":2}]"#;

    #[test]
    fn a_page_that_comes_again_and_again_is_refused() {
        assert_eq!(refused(true, [A; 9]), Some(4));
        assert_eq!(refused(true, [r#"[{"id":9},{"id":2}]"#, A, A, A, A, A]), Some(4), "the last record was the same");
        assert_eq!(refused(true, [A, A, "[]", A, A, A]), Some(5), "an empty page in between changes nothing");
    }

    #[test]
    fn records_without_a_key_may_be_equal_for_longer() {
        assert_eq!(refused(false, [A; 100]), None);
        assert_eq!(refused(false, [A; 101]), Some(101));
    }

    #[test]
    fn pages_that_differ_in_any_record_continue() {
        let pages = [A, A, A, r#"[{"id":7},{"id":2}]"#, A, A, r#"[{"id":2}]"#];
        assert_eq!(refused(true, pages.into_iter().cycle().take(100)), None);
        assert_eq!(refused(true, ["[]"; 100]), None);
    }

    #[test]
    fn the_failure_names_the_problem() {
        let mut guard = PageGuard::default();
        let refused = (0..9).find_map(|_| guard.check(&Items { keyed: true }, &Page::of(A)).err()).unwrap();
        let message = Failure::from_error(&refused).message;
        assert!(message.contains("3 pages in a row") && message.contains("same 2 records"), "{message}");
    }
}
