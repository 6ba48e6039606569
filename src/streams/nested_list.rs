//! A list inside the records of another one, with its first page there: `{"lines": {"data": [...], "has_more": true}}`.
//! The inner list's records are taken from the outer pages, so they need no request; only if there are more, their own
//! list is requested, from the last one on. A page token holds the rest: the next outer page, and the unfinished inner
//! lists, so that a read can be interrupted and resumed anywhere.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{NextPart, PageToken, Record};
use crate::json;

/// An inner list that has more records than its first page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The outer record: the parts that the inner list's requests and records need.
    pub parent: serde_json::Map<String, Value>,
    /// The id of the last inner record so far; `None` if there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The requests after a page: first the rest of the inner lists, then the next outer page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NestedPages {
    /// The token of the next outer page; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<PageToken>,
    /// The inner lists, the next one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Unfinished>,
}

impl NestedPages {
    /// From a page token; `None` is the first page.
    #[must_use]
    pub fn of(token: Option<&PageToken>) -> Self {
        token.and_then(|token| Self::deserialize(token).ok()).unwrap_or_default()
    }

    /// The inner list to request next, if it is not the outer one's turn.
    #[must_use]
    pub fn inner(&self) -> Option<&Unfinished> {
        self.unfinished.first()
    }

    /// The rest after a page of an inner list: `after` is its last record's id, if there are more.
    #[must_use]
    pub fn after_inner(mut self, after: Option<String>) -> Self {
        match (after, self.unfinished.first_mut()) {
            (Some(after), Some(first)) => first.after = Some(after),
            (None, Some(_)) => drop(self.unfinished.remove(0)),
            (_, None) => {}
        }
        self
    }

    /// How the slice continues when only the page of this token is refused: the inner list is left out and the next
    /// read requests it again, from its beginning; this read continues with the rest.
    #[must_use]
    pub fn refused(token: Option<&PageToken>) -> NextPart {
        let pages = Self::of(token);
        let Some(inner) = pages.inner() else { return NextPart::default() };
        let again = Self { outer: None, unfinished: vec![Unfinished { after: None, ..inner.clone() }] };
        let next = pages.after_inner(None).token();
        NextPart { again: Some(again.token()), next: Some(next).filter(|next| !next.is_null()) }
    }

    /// As a page token; null if nothing is left.
    #[must_use]
    pub fn token(&self) -> Value {
        match self.outer.is_none() && self.unfinished.is_empty() {
            true => Value::Null,
            // JSON values only: this cannot fail.
            false => serde_json::to_value(self).unwrap_or_default(),
        }
    }
}

/// The first page of the list under `field` of an outer record.
#[derive(Debug)]
pub struct FirstPage<'r> {
    /// Its records.
    pub records: Vec<Record<'r>>,
    has_more: bool,
}

impl<'r> FirstPage<'r> {
    /// Finds it. A record without such a list has none.
    #[must_use]
    pub fn of(outer: &'r Record<'_>, field: &str) -> Self {
        let mut records = Vec::new();
        let Some(list) = outer.field(field) else { return Self { records, has_more: false } };
        // Old versions of an API may have a bare array, which is complete.
        let data = if list.starts_with('[') { Some(list) } else { json::field(list, "data") };
        if let Some(data) = data {
            json::for_each_element(data, |record| records.push(Record::from_text(record)));
        }
        let has_more = json::field(list, "has_more") == Some("true");
        Self { records, has_more }
    }

    /// The rest of the list after this page, if any; `parent` is kept for its requests. The inner list's own requests
    /// continue after the last record for which `is_listed` is true: the page may hold records that the requested list
    /// does not have. If there is none, they begin with its first page.
    #[must_use]
    pub fn unfinished(
        &self,
        is_listed: impl Fn(&Record<'_>) -> bool,
        parent: impl FnOnce() -> serde_json::Map<String, Value>,
    ) -> Option<Unfinished> {
        let last = || self.records.iter().rev().find(|record| is_listed(record));
        self.has_more.then(|| Unfinished { parent: parent(), after: last().and_then(|last| last.get("id")) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_page_is_found_and_shows_whether_there_is_more() {
        let outer = Record::from_text(
            r#"{"id":"in_1","lines":{"object":"list","data":[{"id":"il_1"}, {"id":"il_2","n":1.10}],"has_more":true}}"#,
        );
        let page = FirstPage::of(&outer, "lines");
        assert_eq!(
            page.records.iter().map(Record::text).collect::<Vec<_>>(),
            [r#"{"id":"il_1"}"#, r#"{"id":"il_2","n":1.10}"#]
        );
        let after = |is_listed: fn(&Record<'_>) -> bool| page.unfinished(is_listed, Default::default).unwrap().after;
        assert_eq!(after(|_| true).as_deref(), Some("il_2"));
        assert_eq!(after(|record| record.field("n").is_none()).as_deref(), Some("il_1"), "the last of its own kind");
        assert_eq!(after(|_| false), None, "from the beginning");
        let bare = Record::from_text(r#"{"id":"in_1","lines":[{"id":"il_1"}]}"#);
        let page = FirstPage::of(&bare, "lines");
        assert!(page.records.len() == 1 && page.unfinished(|_| true, Default::default).is_none());
        for text in [r#"{"id":"in_2"}"#, r#"{"lines":null}"#, r#"{"lines":{"data":[],"has_more":false}}"#] {
            let outer = Record::from_text(text);
            let page = FirstPage::of(&outer, "lines");
            assert!(page.records.is_empty() && page.unfinished(|_| true, Default::default).is_none(), "{text}");
        }
    }

    #[test]
    fn inner_lists_are_finished_before_the_next_outer_page() {
        let unfinished = |id: &str| Unfinished {
            parent: std::iter::once(("id".to_owned(), json!(id))).collect(),
            after: Some("x_9".to_owned()),
        };
        let pages =
            NestedPages { outer: Some(json!("in_9")), unfinished: vec![unfinished("in_1"), unfinished("in_2")] };
        let pages = NestedPages::of(Some(&pages.token())).after_inner(Some("x_19".to_owned()));
        assert_eq!(pages.inner().unwrap().after.as_deref(), Some("x_19"));
        let pages = pages.after_inner(None).after_inner(None);
        assert_eq!((pages.inner(), pages.outer.clone()), (None, Some(json!("in_9"))));
        assert_eq!(pages.token(), json!({"outer": "in_9"}));
        assert_eq!(NestedPages::default().token(), Value::Null);
    }

    #[test]
    fn a_refused_inner_list_is_left_out_and_the_rest_continues() {
        let unfinished = |id: &str, after: Option<&str>| Unfinished {
            parent: std::iter::once(("id".to_owned(), json!(id))).collect(),
            after: after.map(str::to_owned),
        };
        let left = vec![unfinished("in_1", Some("x_9")), unfinished("in_2", Some("x_19"))];
        let refused = NestedPages::refused(Some(&NestedPages { outer: Some(json!("in_9")), unfinished: left }.token()));
        let again = NestedPages::of(refused.again.as_ref());
        assert_eq!((again.outer, again.unfinished), (None, vec![unfinished("in_1", None)]));
        let next = NestedPages::of(refused.next.as_ref());
        assert_eq!((next.outer, next.unfinished), (Some(json!("in_9")), vec![unfinished("in_2", Some("x_19"))]));
        let last = NestedPages { outer: None, unfinished: vec![unfinished("in_1", None)] };
        assert_eq!(NestedPages::refused(Some(&last.token())).next, None);
        assert_eq!(NestedPages::refused(Some(&json!("in_9"))), NextPart::default(), "the outer list");
    }
}
