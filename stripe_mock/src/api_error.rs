//! Error responses in Stripe's form.

use serde_json::{Map, Value, json};

use super::target::ListTarget;
use source_http_testkit::json_text;
use source_http_testkit::server::Reply;

/// An error object: HTTP status, error type, and the optional code and parameter.
#[derive(Debug)]
pub(super) struct ApiError {
    status: u16,
    code: Option<String>,
    message: String,
    param: Option<String>,
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: u16, code: Option<&str>, message: String) -> Self {
        Self { status, code: code.map(str::to_owned), message, param: None, retry_after: None }
    }

    /// Status 400 for a parameter.
    pub(super) fn invalid(code: &str, param: &str, message: String) -> Self {
        Self { param: Some(param.to_owned()), ..Self::new(400, Some(code), message) }
    }

    /// Status 400 for a cursor, or 404 for a path, that names no object.
    pub(super) fn missing(status: u16, object: &str, param: &str, id: &str) -> Self {
        Self { status, ..Self::invalid("resource_missing", param, format!("there is no {object} '{id}'")) }
    }

    /// Status 404 for an unknown path, or an unsupported method.
    pub(super) fn unknown_url(method: &str, path: &str) -> Self {
        Self::new(404, None, format!("the mock has no URL {method} {path}"))
    }

    /// Status 401 for a wrong or missing key.
    pub(super) fn unauthorized(key: Option<&str>) -> Self {
        let message = match key {
            Some(key) => format!("the API key {} is not valid", masked(key)),
            None => "the request has no API key: it goes into Authorization as a bearer token".to_owned(),
        };
        Self::new(401, None, message)
    }

    /// Status 400 or 403 for a path that the key cannot read. Its default message names the missing permission.
    pub(super) fn refused(status: u16, path: &str, message: Option<&str>) -> Self {
        let object = ListTarget::at(path).or_else(|| Some(ListTarget::of_object(path)?.0));
        let object = object.map_or(path.trim_start_matches("/v1/"), |target| target.resource.object);
        let permission = format!("rak_{}_read", object.replace(['.', '/'], "_"));
        let lacking = || format!("this key cannot read {path}: it lacks the permission '{permission}'");
        let code = if status == 403 { Some("more_permissions_required") } else { None };
        Self::new(status, code, message.map_or_else(lacking, str::to_owned))
    }

    /// An error with this message.
    pub(super) fn in_words(status: u16, code: Option<&str>, message: &str) -> Self {
        Self::new(status, code, message.to_owned())
    }

    /// Any other status, for a while.
    pub(super) fn failure(status: u16) -> Self {
        Self::new(status, None, format!("the mock is set to answer {status}"))
    }

    /// Status 429, with `Retry-After` in seconds if given.
    pub(super) fn rate_limited(retry_after: Option<u64>) -> Self {
        let message = "too many requests came too quickly".to_owned();
        Self { retry_after, ..Self::new(429, Some("rate_limit"), message) }
    }

    pub(super) fn into_reply(self) -> Reply {
        let mut error = Map::new();
        if let Some(code) = self.code {
            error.insert("code".to_owned(), code.into());
        }
        error.insert("message".to_owned(), self.message.into());
        if let Some(param) = self.param {
            error.insert("param".to_owned(), param.into());
        }
        let kind = if self.status >= 500 { "api_error" } else { "invalid_request_error" };
        error.insert("type".to_owned(), kind.into());
        let text = json!({ "error": Value::Object(error) }).to_string();
        let reply = Reply::json_text(json_text::pretty(&text, 0)).status(self.status);
        match self.retry_after {
            Some(seconds) => reply.header("Retry-After", seconds.to_string()),
            None => reply,
        }
    }
}

/// The key with only its kind and its last four characters visible.
fn masked(key: &str) -> String {
    let count = key.chars().count();
    let kind = ["sk_test_", "sk_live_", "rk_test_", "rk_live_"]
        .into_iter()
        .find(|kind| key.starts_with(kind))
        .unwrap_or_default();
    if count < kind.len() + 8 {
        return "*".repeat(count);
    }
    let end: String = key.chars().skip(count - 4).collect();
    format!("{kind}{}{end}", "*".repeat(count - kind.len() - 4))
}
