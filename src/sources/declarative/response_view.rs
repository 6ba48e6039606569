//! A response as the templates of a paginator see it. Nearly all of them need a value beside the records, such as a token,
//! and those were kept when the records were found. The body is read again only if a template needs the records or the whole
//! response.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use super::response_text::json_text;
use super::template::{Json, Members};
use crate::http::{Response, Undecodable};
use crate::json::{self, RecordPath};
use crate::protocol::{Failure, FailureKind};

/// A response that is one JSON document.
#[derive(Debug)]
pub(super) enum ResponseView<'p> {
    /// Its text.
    Text(Cow<'p, str>),
    /// An object. Its list of records is read only if a template needs it.
    Around(Level<'p>),
}

impl<'p> ResponseView<'p> {
    /// The response around the records at a path of names. `None` if something else stands there than the path says.
    pub(super) fn around(response: &'p Response, rest: &'p str, path: &RecordPath) -> Option<Self> {
        let whole = Rc::new(Whole { response, text: OnceCell::new() });
        Level::new(&whole, path.plain_names()?, 0, rest).map(Self::Around)
    }

    pub(super) fn json(&self) -> Json<'_> {
        match self {
            Self::Text(text) => Json::Text(text),
            Self::Around(level) => Json::Object(level),
        }
    }

    /// Why the body could not be read for a template.
    pub(super) fn problem(&self) -> Option<&Undecodable> {
        match self {
            Self::Around(Level { whole, .. }) => whole.text.get().and_then(|text| text.as_ref().err()),
            Self::Text(_) => None,
        }
    }

    /// Whether it is the word `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim() == "null")
    }
}

/// The failure of a page whose body is needed and cannot be read.
pub(super) fn no_next_page(response: &Response, Undecodable { problem, .. }: &Undecodable) -> Failure {
    let text = format!("The next page cannot be determined from the response: {problem}. {}", response.request);
    Failure::new(FailureKind::System, text)
}

/// The body, which is read only if a template needs it.
#[derive(Debug)]
struct Whole<'p> {
    response: &'p Response,
    text: OnceCell<Result<Cow<'p, str>, Undecodable>>,
}

impl Whole<'_> {
    /// The value at a path of names; of no names, all of it.
    fn at(&self, path: &[String]) -> Option<&str> {
        let text = self.text.get_or_init(|| json_text(self.response).map(|json| json.text)).as_deref().ok()?;
        if path.is_empty() { Some(text) } else { json::field_at(text, path) }
    }
}

/// An object on the way to the records.
#[derive(Debug)]
pub(super) struct Level<'p> {
    whole: Rc<Whole<'p>>,
    /// The names that lead to it, and after them the one that leads on to the records.
    path: Vec<String>,
    /// The object without the records.
    rest: &'p str,
    inner: Option<Box<Self>>,
}

impl<'p> Level<'p> {
    fn new(whole: &Rc<Whole<'p>>, names: &[String], depth: usize, rest: &'p str) -> Option<Self> {
        let name = names.get(depth)?;
        if !rest.trim_start().starts_with('{') {
            return None;
        }
        let inner = match depth + 1 < names.len() {
            true => Some(Box::new(Self::new(whole, names, depth + 1, json::field(rest, name)?)?)),
            false => None,
        };
        Some(Self { whole: Rc::clone(whole), path: names[..=depth].to_vec(), rest, inner })
    }
}

impl Members for Level<'_> {
    fn member(&self, name: &str) -> Option<Json<'_>> {
        match &self.inner {
            _ if self.path.last().is_none_or(|last| last != name) => json::last_field(self.rest, name).map(Json::Text),
            Some(inner) => Some(Json::Object(&**inner)),
            None => self.whole.at(&self.path).map(Json::Text),
        }
    }

    fn text(&self) -> Cow<'_, str> {
        let before = self.path.split_last().map_or(&[][..], |(_, before)| before);
        self.whole.at(before).unwrap_or("{}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Body, HeaderMap, StatusCode};

    fn response(text: &str) -> Response {
        Response {
            request: "GET http://a.com".to_owned(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Body::Memory(text.as_bytes().to_vec().into()),
        }
    }

    /// What a template finds, and whether the body was read for it.
    fn look(response: &Response, rest: &str, keys: &[&str]) -> (Option<String>, bool) {
        let view = ResponseView::around(response, rest, &RecordPath::new(["r", "items"])).unwrap();
        let found = keys.iter().try_fold(view.json(), |json, key| json.member(key));
        let text = found.and_then(Json::to_text);
        let ResponseView::Around(level) = &view else { panic!("{view:?}") };
        (text, level.whole.text.get().is_some())
    }

    #[test]
    fn the_body_is_read_for_the_records_and_for_nothing_beside_them() {
        let response = response(r#"{"r":{"items":[{"id":7},{"id":8}],"next":"b"},"total":2,"total":3}"#);
        let rest = r#"{"r":{"items":null,"next":"b"},"total":2,"total":3}"#;
        let look = |keys: &[&str]| look(&response, rest, keys);
        assert_eq!(look(&["total"]), (Some("3".to_owned()), false));
        assert_eq!(look(&["r", "next"]), (Some("b".to_owned()), false));
        assert_eq!(look(&["r", "none"]), (None, false));
        assert_eq!(look(&["next"]), (None, false));
        assert_eq!(look(&["r", "items"]), (Some("[{'id': 7}, {'id': 8}]".to_owned()), true));
        assert_eq!(look(&["r"]), (Some("{'items': [{'id': 7}, {'id': 8}], 'next': 'b'}".to_owned()), true));
        assert!(look(&[]).0.unwrap().starts_with("{'r': {'items': [{'id': 7}"));
    }

    #[test]
    fn a_body_that_cannot_be_read_is_a_problem_only_where_it_is_asked_for() {
        let response = response("not JSON");
        let view = ResponseView::around(&response, r#"{"data":null,"next":1}"#, &RecordPath::new(["data"])).unwrap();
        assert_eq!(view.json().member("next").and_then(Json::to_text).as_deref(), Some("1"));
        assert!(view.problem().is_none());
        assert!(view.json().member("data").is_none() && view.problem().is_some());
    }

    #[test]
    fn what_does_not_lead_to_the_records_by_names_is_no_view() {
        let response = response("[]");
        let around = |rest, path: &[&str]| {
            ResponseView::around(&response, rest, &RecordPath::new(path.iter().copied())).is_some()
        };
        assert!(around("{}", &["data"]), "there may be nothing");
        assert!(!around("", &[]) && !around(r#"{"a":null}"#, &["*"]) && !around(r#"{"a":7}"#, &["a", "b"]));
    }
}
