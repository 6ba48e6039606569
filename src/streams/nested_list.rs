//! A list that stands inside the records of another one, with its first page there: `{"lines": {"data": [...],
//! "has_more": true}}`. The records of the inner list are taken out of the outer one's pages, so they cost no request;
//! only where there is more of them is their own list asked for, from the last one on. A page token says what is left: the
//! outer page to come, and the inner lists that have more, so that a read can be interrupted and gone on with anywhere.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PageToken, Record};
use crate::json;

/// An inner list that has more records than its first page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The outer record: what the inner list's requests and records need of it.
    pub parent: serde_json::Map<String, Value>,
    /// The id of the last inner record so far; `None` if there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What is to be asked for after a page: first the rest of the inner lists, then the next outer page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NestedPages {
    /// The token of the next outer page; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<PageToken>,
    /// The inner lists, the next one to be asked for first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Unfinished>,
}

impl NestedPages {
    /// From a page token; `None` is the first page.
    #[must_use]
    pub fn of(token: Option<&PageToken>) -> Self {
        token.and_then(|token| Self::deserialize(token).ok()).unwrap_or_default()
    }

    /// The inner list that is to be asked for, if it is not the outer one's turn.
    #[must_use]
    pub fn inner(&self) -> Option<&Unfinished> {
        self.unfinished.first()
    }

    /// What is left after a page of an inner list: `after` is its last record's id, if there are more.
    #[must_use]
    pub fn after_inner(mut self, after: Option<String>) -> Self {
        match (after, self.unfinished.first_mut()) {
            (Some(after), Some(first)) => first.after = Some(after),
            (None, Some(_)) => drop(self.unfinished.remove(0)),
            (_, None) => {}
        }
        self
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
        // Old versions of an API may have a bare array, which is whole.
        let data = if list.starts_with('[') { Some(list) } else { json::field(list, "data") };
        if let Some(data) = data {
            json::for_each_element(data, |record| records.push(Record::from_text(record)));
        }
        let has_more = json::field(list, "has_more") == Some("true");
        Self { records, has_more }
    }

    /// What is left of the list after this page, if anything; `parent` is kept for its requests.
    #[must_use]
    pub fn unfinished(&self, parent: impl FnOnce() -> serde_json::Map<String, Value>) -> Option<Unfinished> {
        self.has_more
            .then(|| Unfinished { parent: parent(), after: self.records.last().and_then(|last| last.get("id")) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_page_is_found_and_says_whether_there_is_more() {
        let outer = Record::from_text(
            r#"{"id":"in_1","lines":{"object":"list","data":[{"id":"il_1"}, {"id":"il_2","n":1.10}],"has_more":true}}"#,
        );
        let page = FirstPage::of(&outer, "lines");
        assert_eq!(
            page.records.iter().map(Record::text).collect::<Vec<_>>(),
            [r#"{"id":"il_1"}"#, r#"{"id":"il_2","n":1.10}"#]
        );
        assert_eq!(page.unfinished(Default::default).unwrap().after.as_deref(), Some("il_2"));
        let bare = Record::from_text(r#"{"id":"in_1","lines":[{"id":"il_1"}]}"#);
        let page = FirstPage::of(&bare, "lines");
        assert!(page.records.len() == 1 && page.unfinished(Default::default).is_none());
        for text in [r#"{"id":"in_2"}"#, r#"{"lines":null}"#, r#"{"lines":{"data":[],"has_more":false}}"#] {
            let outer = Record::from_text(text);
            let page = FirstPage::of(&outer, "lines");
            assert!(page.records.is_empty() && page.unfinished(Default::default).is_none(), "{text}");
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
}
