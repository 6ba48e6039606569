//! `LegacySessionTokenAuthenticator`: a session token from the config, or a login with user name and password when the
//! API does not accept it.

use serde_json::{Value, json};

use super::super::literals::{literal_of, python_json};
use super::super::options::{By, RequestOption};
use super::super::part::{Builder, Part};
use super::{Auth, Target, secret, text_or};
use crate::http::auth::{AuthContext, SessionLogin, SessionTokenAuthenticator};
use crate::http::{HttpRequest, Method, RequestBody, Response, ResponseAction, RetryRules, Verdict, join_url};
use crate::protocol::{Failure, LogLevel};

/// The authenticator that a part describes. Its URLs begin with its requester's, as written there.
pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, requester: &Part<'_>) -> Option<Auth> {
    let base = match requester.present("url") {
        Some(_) => text_or(builder, requester, "url", "")?,
        None => text_or(builder, requester, "url_base", "")?,
    };
    let url = |field: &str| text_or(builder, part, field, "").map(|path| format!("{base}{path}"));
    let login = Login {
        given: secret(builder, part, "session_token")?,
        username: secret(builder, part, "username")?,
        password: secret(builder, part, "password")?,
        url: url("login_url")?,
        validate_url: url("validate_session_url")?,
        key: text_or(builder, part, "session_token_response_key", "")?,
        header: text_or(builder, part, "header", "")?,
    };
    builder.redactor.add(&login.given);
    builder.redactor.add(&login.password);
    let option = RequestOption::header(builder, part, login.header.clone(), By::Authenticator);
    let target = Target::of(builder, option, "");
    let key = format!("legacy session {}", login.identity());
    let auth = SessionTokenAuthenticator::new(login, &builder.redactor).place(target.place.clone());
    Some(target.auth(builder.shared_as(key, || auth)))
}

struct Login {
    /// The token of the config.
    given: String,
    username: String,
    password: String,
    url: String,
    validate_url: String,
    /// The member of the login's response with the token.
    key: String,
    header: String,
}

impl Login {
    /// Whether the API accepts the config's token.
    fn is_taken(&self, cx: &AuthContext<'_>) -> anyhow::Result<bool> {
        let mut request = HttpRequest::get(join_url(&self.validate_url, "")?);
        request.set_secret_header(&self.header, &self.given)?;
        Ok(cx.send(&request, &ValidationRules)?.status.as_u16() != 401)
    }

    /// A new token.
    fn new_token(&self, cx: &AuthContext<'_>) -> anyhow::Result<String> {
        let mut request = HttpRequest { method: Method::POST, ..HttpRequest::get(join_url(&self.url, "")?) };
        request.set_header("Content-Type", "application/json")?;
        let body = literal_of(&json!({"username": self.username, "password": self.password}));
        request.body = RequestBody::Text(python_json(&body).unwrap_or_default());
        let response = cx.send(&request, &LoginRules)?;
        let answered = format!("{} answered {}", response.request, response.status);
        let document: Value =
            response.json().map_err(|_| Failure::system(format!("{answered} with something other than JSON.")))?;
        match document.get(&self.key) {
            Some(Value::String(token)) if !token.is_empty() => Ok(token.clone()),
            Some(Value::Number(token)) => Ok(token.to_string()),
            _ => Err(Failure::system(format!("{answered} without a session token named {:?}.", self.key)).into()),
        }
    }
}

impl SessionLogin for Login {
    fn log_in(&self, cx: &AuthContext<'_>) -> anyhow::Result<String> {
        if !self.given.is_empty() {
            if self.is_taken(cx)? {
                return Ok(self.given.clone());
            }
            cx.output()
                .log(LogLevel::Info, "The API does not accept the session token of the config: logging in again.")?;
        }
        if self.username.is_empty() || self.password.is_empty() {
            let what = if self.given.is_empty() { "has no session token" } else { "has an expired session token" };
            let text = format!("The config {what}, and no user name and password to log in with. Add them.");
            return Err(Failure::config(text).into());
        }
        self.new_token(cx)
    }

    fn identity(&self) -> String {
        let Self { given, username, password, url, validate_url, key, header } = self;
        format!("{:?}", [given, username, password, url, validate_url, key, header])
    }
}

/// A refusal is an answer, too.
struct ValidationRules;

impl RetryRules for ValidationRules {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        let mut verdict = Verdict::for_status(response.status);
        if response.status.as_u16() == 401 {
            verdict.action = ResponseAction::Success;
        }
        super::no_redirect(response, &mut verdict);
        Ok(verdict)
    }
}

struct LoginRules;

impl RetryRules for LoginRules {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        let mut verdict = Verdict::for_status(response.status);
        super::no_redirect(response, &mut verdict);
        Ok(verdict)
    }
}
