//! Reads the answer of a token endpoint.

use jiff::Timestamp;
use serde_json::Value;

use super::expiry;
use super::token_rules::{RE_AUTHENTICATE, words};
use crate::http::Response;
use crate::protocol::Failure;

/// How deep in the response a value may be.
const DEPTH: usize = 6;

/// The names of values in the response.
#[derive(Debug, Clone)]
pub(super) struct ResponseNames {
    pub(super) access_token: String,
    pub(super) expires_in: String,
}

impl Default for ResponseNames {
    fn default() -> Self {
        Self { access_token: "access_token".to_owned(), expires_in: "expires_in".to_owned() }
    }
}

/// New tokens, not yet registered as secrets.
pub(super) struct TokenResponse {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_at: Timestamp,
}

impl TokenResponse {
    /// Reads a response with a good status. A failure never shows its body: it may hold tokens that are not registered
    /// as secrets yet.
    ///
    /// # Errors
    /// A config failure with the API's message if it is an error after all; a system failure if there is no token in
    /// it.
    pub(super) fn parse(
        response: &Response,
        names: &ResponseNames,
        refresh_token_name: &str,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let answered = format!("{} answered {}", response.request, response.status);
        let Ok(document) = response.json::<Value>() else {
            let kind = response.header("content-type").unwrap_or("no content type");
            return Err(Failure::system(format!("{answered} with something other than JSON ({kind}).")));
        };
        let text = |name: &str| match find(&document, name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let Some(access_token) = text(&names.access_token) else {
            if let Some(words) = document.get("error").and_then(|_| words(&document)) {
                return Err(Failure::config(format!("{answered}: {words}. {RE_AUTHENTICATE}")));
            }
            let members = document.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str));
            let members = members.collect::<Vec<_>>().join(", ");
            let name = &names.access_token;
            return Err(Failure::system(format!("{answered} without a text named {name:?}. It has: {members}.")));
        };
        Ok(Self {
            access_token,
            refresh_token: text(refresh_token_name),
            expires_at: expiry::expires_at(find(&document, &names.expires_in), now),
        })
    }
}

/// The value of that name with the least depth in a document.
fn find<'d>(document: &'d Value, name: &str) -> Option<&'d Value> {
    let mut level = vec![document];
    for _ in 0..DEPTH {
        if let Some(found) = level.iter().find_map(|value| value.get(name)) {
            return Some(found);
        }
        level = level.into_iter().flat_map(children).collect();
    }
    None
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::response::tests::response;
    use crate::protocol::FailureKind;

    fn parse(body: &str) -> Result<(String, Option<String>, i64), Failure> {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let response = response(200, &[("content-type", "text/x")], body);
        let parsed = TokenResponse::parse(&response, &ResponseNames::default(), "refresh_token", now)?;
        Ok((parsed.access_token, parsed.refresh_token, parsed.expires_at.as_second() - 1_800_000_000))
    }

    #[test]
    fn values_are_found_at_the_root_and_below_it_the_least_deep_one_first() {
        let root = json!({"access_token": "a", "refresh_token": "r", "expires_in": 60});
        assert_eq!(parse(&root.to_string()), Ok(("a".into(), Some("r".into()), 60)));
        let nested =
            json!({"x": {"y": {"z": {"access_token": "deep"}}}, "data": [{"access_token": "a", "expires_in": "9"}]});
        assert_eq!(parse(&nested.to_string()), Ok(("a".into(), None, 9)));
    }

    #[test]
    fn an_error_with_a_good_status_is_reported_in_the_apis_words() {
        let failure = parse(r#"{"ok": false, "error": "bad_refresh_token"}"#).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(failure.message.contains("bad_refresh_token. Re-authenticate"), "{failure}");
    }

    #[test]
    fn a_response_without_a_token_is_reported_by_its_members_and_never_by_its_values() {
        for (body, told) in [
            (r#"{"token": "s3cret", "ttl": 5}"#, "It has: token, ttl."),
            (r#"{"access_token": ""}"#, "It has: access_token."),
            ("access_token=s3cret", "something other than JSON (text/x)"),
            (r#"["s3cret"]"#, "without a text"),
        ] {
            let failure = parse(body).unwrap_err();
            assert_eq!(failure.kind, FailureKind::System, "{body}");
            assert!(failure.message.contains(told) && !format!("{failure:?}").contains("s3cret"), "{failure:?}");
        }
    }
}
