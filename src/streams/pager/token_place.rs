//! Where a pager puts a value in a request.

use serde_json::{Map, Value};

use super::FieldPath;
use crate::http::{HttpRequest, RequestBody, set_param};
use crate::protocol::Failure;

/// A place in a request: a query parameter, a header, or a member of the body. A plain text is the name of a query
/// parameter.
///
/// ```
/// use source_http::streams::pager::{BodyCursor, TokenPlace};
///
/// let in_query = BodyCursor::new("next", "cursor");
/// let in_header = BodyCursor::new("next", TokenPlace::header("X-Cursor"));
/// let in_body = BodyCursor::new("next", TokenPlace::body(["paging", "cursor"]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPlace(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Param(String),
    Header(String),
    Body(Vec<String>),
}

impl TokenPlace {
    /// The query parameter of that name.
    pub fn param(name: impl Into<String>) -> Self {
        Self(Place::Param(name.into()))
    }

    /// The header of that name.
    pub fn header(name: impl Into<String>) -> Self {
        Self(Place::Header(name.into()))
    }

    /// The member of the body at that path: of a JSON body, or, with a path of one name, of a form. An empty body
    /// becomes a JSON object.
    pub fn body<S: Into<String>>(path: impl IntoIterator<Item = S>) -> Self {
        Self(Place::Body(path.into_iter().map(Into::into).collect()))
    }

    /// Sets a value there, replacing an existing one. Outside of a JSON body, values other than texts are written as
    /// JSON.
    ///
    /// # Errors
    /// If the request cannot hold it: its body is a text or a list, or the value is not valid in a header.
    pub fn put(&self, request: &mut HttpRequest, value: &Value) -> Result<(), Failure> {
        match &self.0 {
            Place::Param(name) => set_param(&mut request.url, name, &text(value)),
            Place::Header(name) => request.set_header(name, &text(value))?,
            Place::Body(path) => put_into_body(&mut request.body, path, value).ok_or_else(|| {
                let path = FieldPath::from(path.clone());
                Failure::system(format!(
                    "The page token cannot be put at {path} of the body of {}.",
                    request.describe()
                ))
            })?,
        }
        Ok(())
    }
}

impl From<&str> for TokenPlace {
    fn from(name: &str) -> Self {
        Self::param(name)
    }
}

impl From<String> for TokenPlace {
    fn from(name: String) -> Self {
        Self::param(name)
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn put_into_body(body: &mut RequestBody, path: &[String], value: &Value) -> Option<()> {
    let (last, parents) = path.split_last()?;
    if matches!(body, RequestBody::Empty) {
        *body = RequestBody::Json(Map::new().into());
    }
    match body {
        RequestBody::Json(document) => {
            let mut members = document.as_object_mut()?;
            for name in parents {
                let member = members.entry(name.as_str()).or_insert(Value::Null);
                if member.is_null() {
                    *member = Map::new().into();
                }
                members = member.as_object_mut()?;
            }
            members.insert(last.clone(), value.clone());
            Some(())
        }
        RequestBody::Form(pairs) if parents.is_empty() => {
            pairs.retain(|(name, _)| name != last);
            pairs.push((last.clone(), text(value)));
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(place: &TokenPlace, body: RequestBody, value: &Value) -> Result<HttpRequest, Failure> {
        let mut request = HttpRequest { body, ..HttpRequest::get("http://a.com/x?c=old&d=1".parse().unwrap()) };
        place.put(&mut request, value).map(|()| request)
    }

    #[test]
    fn a_parameter_and_a_header_take_the_value_as_text() {
        let request = put(&"c".into(), RequestBody::Empty, &json!(7)).unwrap();
        assert_eq!(request.url.as_str(), "http://a.com/x?d=1&c=7");
        let request = put(&TokenPlace::header("X-C"), RequestBody::Empty, &json!("a b")).unwrap();
        assert_eq!(request.headers["x-c"], "a b");
        assert!(put(&TokenPlace::header("X-C"), RequestBody::Empty, &json!("a\nb")).is_err());
    }

    #[test]
    fn a_body_gets_the_value_at_its_path_and_keeps_the_rest() {
        let place = TokenPlace::body(["p", "after"]);
        let bodies = [
            (RequestBody::Empty, json!({"p": {"after": 7}})),
            (RequestBody::Json(json!({"q": 1, "p": null})), json!({"q": 1, "p": {"after": 7}})),
            (RequestBody::Json(json!({"p": {"after": 1, "n": 2}})), json!({"p": {"after": 7, "n": 2}})),
        ];
        for (body, expected) in bodies {
            assert_eq!(put(&place, body, &json!(7)).unwrap().body, RequestBody::Json(expected));
        }
        let form = RequestBody::Form(vec![("after".into(), "1".into()), ("q".into(), "x".into())]);
        let expected = RequestBody::Form(vec![("q".into(), "x".into()), ("after".into(), "7".into())]);
        assert_eq!(put(&TokenPlace::body(["after"]), form, &json!(7)).unwrap().body, expected);
    }

    #[test]
    fn a_body_that_cannot_hold_it_is_a_failure() {
        let place = TokenPlace::body(["p", "after"]);
        let bodies = [
            RequestBody::Text("x".into()),
            RequestBody::Json(json!([])),
            RequestBody::Json(json!({"p": 1})),
            RequestBody::Form(vec![]),
        ];
        for body in bodies {
            assert!(put(&place, body, &json!(7)).unwrap_err().message.contains("`p.after`"));
        }
        assert!(put(&TokenPlace::body([""; 0]), RequestBody::Empty, &json!(7)).is_err());
    }
}
