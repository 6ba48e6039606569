//! The place of a token that is obtained during a run. Each attempt sets the token again, so the place must also be
//! found on a request that was already signed.

use serde_json::Value;
use url::form_urlencoded;

use super::header::AuthHeader;
use crate::http::{HttpRequest, RequestBody, sendable, set_param};
use crate::protocol::Failure;

/// The place of a token in a request. Default: `Authorization: Bearer TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header, and the word before the token. An empty word has no blank after it.
    Header {
        /// The header.
        name: String,
        /// The word before the token, such as `Bearer`.
        method: String,
    },
    /// A query parameter. It replaces parameters of that name.
    Query(String),
    /// A field of the body: a member of a JSON object, or a pair of a form, which an empty body becomes.
    Body(String),
    /// Wherever the request's query or body has this text: the token replaces it, escaped for the place. The text must
    /// consist of letters and digits, and not occur in requests by chance.
    StandIn(String),
}

impl Default for TokenPlace {
    fn default() -> Self {
        Self::Header { name: "Authorization".to_owned(), method: "Bearer".to_owned() }
    }
}

impl TokenPlace {
    /// A header with nothing before the token.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self::Header { name: name.to_owned(), method: String::new() }
    }

    /// Adds a token to a request.
    ///
    /// # Errors
    /// A config failure if the token cannot be sent there; a system failure if the body has no fields.
    pub(super) fn put(&self, request: &mut HttpRequest, token: &str) -> Result<(), Failure> {
        if let Self::Header { name, method } = self {
            return AuthHeader { name: name.clone(), method: method.clone() }.put(request, token);
        }
        if let Some(problem) = sendable::in_credential(token) {
            return Err(sendable::failure("The token", problem));
        }
        match self {
            Self::Header { .. } => {}
            Self::Query(name) => set_param(&mut request.url, name, token),
            Self::Body(name) => put_in_body(&mut request.body, name, token)?,
            Self::StandIn(text) => replace(request, text, token),
        }
        Ok(())
    }

    /// Whether a signed request carries this token.
    pub(super) fn is_on(&self, signed: &HttpRequest, token: &str) -> bool {
        match self {
            Self::Header { name, method } => {
                AuthHeader { name: name.clone(), method: method.clone() }.is_on(signed, token)
            }
            Self::Query(_) | Self::Body(_) | Self::StandIn(_) => {
                let in_query = signed.url.query().is_some_and(|query| query.contains(&encoded(token)));
                let text = signed.body.encode().map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned());
                in_query || text.is_some_and(|text| text.contains(&encoded(token)) || text.contains(&in_json(token)))
            }
        }
    }
}

fn put_in_body(body: &mut RequestBody, name: &str, token: &str) -> Result<(), Failure> {
    match body {
        RequestBody::Json(Value::Object(members)) => {
            members.insert(name.to_owned(), token.into());
        }
        RequestBody::Form(pairs) => {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name.to_owned(), token.to_owned()));
        }
        RequestBody::Empty => *body = RequestBody::Form(vec![(name.to_owned(), token.to_owned())]),
        RequestBody::Json(_) | RequestBody::Text(_) | RequestBody::Streamed(_) => {
            return Err(Failure::system(format!(
                "The token cannot be put in the field {name:?} of a body other than a form or a JSON object."
            )));
        }
    }
    Ok(())
}

/// Replaces a text with a token, in the query and in the body.
fn replace(request: &mut HttpRequest, text: &str, token: &str) {
    if let Some(query) = request.url.query().filter(|query| query.contains(text)) {
        let query = query.replace(text, &encoded(token));
        request.url.set_query(Some(&query));
    }
    match &mut request.body {
        RequestBody::Text(body) if body.contains(text) => {
            let is_json = body.trim_start().starts_with(['{', '[']);
            *body = body.replace(text, &if is_json { in_json(token) } else { encoded(token) });
        }
        RequestBody::Form(pairs) => {
            for (_, value) in pairs.iter_mut().filter(|(_, value)| value.contains(text)) {
                *value = value.replace(text, token);
            }
        }
        RequestBody::Json(value) => replace_in_json(value, text, token),
        RequestBody::Text(_) | RequestBody::Empty | RequestBody::Streamed(_) => {}
    }
}

fn replace_in_json(value: &mut Value, text: &str, token: &str) {
    match value {
        Value::String(known) if known.contains(text) => *known = known.replace(text, token),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_in_json(item, text, token)),
        Value::Object(members) => members.values_mut().for_each(|member| replace_in_json(member, text, token)),
        _ => {}
    }
}

fn encoded(token: &str) -> String {
    form_urlencoded::byte_serialize(token.as_bytes()).collect()
}

/// The token inside a JSON text, without the quotation marks around it.
fn in_json(token: &str) -> String {
    let text = Value::from(token).to_string();
    text[1..text.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed(place: &TokenPlace, url: &str, body: RequestBody) -> HttpRequest {
        let mut request = HttpRequest { body, ..HttpRequest::get(url.parse().unwrap()) };
        place.put(&mut request, "t &\"1").unwrap();
        assert!(place.is_on(&request, "t &\"1") && !place.is_on(&request, "other"), "{place:?}");
        request
    }

    #[test]
    fn a_placeholder_keeps_its_place_and_the_token_is_escaped_for_it() {
        let place = TokenPlace::StandIn("abc123".to_owned());
        let request = signed(&place, "http://a.com/x?a=1&sid=Token+abc123&b=2", RequestBody::Empty);
        assert_eq!(request.url.query(), Some("a=1&sid=Token+t+%26%221&b=2"));
        for (body, sent) in [
            (RequestBody::Text(r#"{"a": {"t": "abc123"}}"#.to_owned()), r#"{"a": {"t": "t &\"1"}}"#),
            (RequestBody::Text("a=1&t=abc123".to_owned()), "a=1&t=t+%26%221"),
            (RequestBody::Json(json!({"a": ["abc123"]})), r#"{"a":["t &\"1"]}"#),
            (RequestBody::Form(vec![("t".to_owned(), "abc123".to_owned())]), "t=t+%26%221"),
        ] {
            let request = signed(&place, "http://a.com/", body);
            assert_eq!(String::from_utf8(request.body.encode().unwrap().0).unwrap(), sent);
        }
    }

    #[test]
    fn a_token_is_in_its_place_once_however_often_it_is_added() {
        let query = TokenPlace::Query("k".to_owned());
        let mut request = signed(&query, "http://a.com/x?k=old&a=1", RequestBody::Empty);
        query.put(&mut request, "new").unwrap();
        assert_eq!(request.url.query(), Some("a=1&k=new"));
        let body = TokenPlace::Body("k".to_owned());
        let mut request = signed(&body, "http://a.com/", RequestBody::Empty);
        body.put(&mut request, "new").unwrap();
        assert_eq!(request.body, RequestBody::Form(vec![("k".to_owned(), "new".to_owned())]));
        let request = signed(&TokenPlace::header("X-Session"), "http://a.com/", RequestBody::Empty);
        assert_eq!(request.headers["x-session"], "t &\"1");
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_without_being_shown() {
        let mut request = HttpRequest::get("http://a.com/".parse().unwrap());
        for place in [TokenPlace::default(), TokenPlace::Query("k".to_owned())] {
            let failure = place.put(&mut request, "s3cret\n").unwrap_err();
            assert!(!failure.message.contains("s3cret"), "{failure}");
        }
        request.body = RequestBody::Text("text".to_owned());
        let failure = TokenPlace::Body("k".to_owned()).put(&mut request, "s3cret").unwrap_err();
        assert!(!failure.message.contains("s3cret"), "{failure}");
    }
}
