//! A whole connector in one file, for a made-up API of a company's staff. It has two streams: `employees`, a list in
//! numbered pages, and `employee_details`, one document for each of them. The API wants OAuth 2.0 access tokens and
//! gives out refresh tokens that are good for one use, so each new one goes back into the config. Retries, states, the
//! cache and the four commands come from the library. `docs/write-a-source.md` walks through it.

use std::process::ExitCode;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde_json::Value;
use source_http::http::auth::{Authenticator, ConfigPaths, OAuth2Authenticator, TokenRequest};
use source_http::http::{ResponseAction, ResponseRule, RetryRules};
use source_http::json::RecordPath;
use source_http::protocol::{ConnectorSpecification, Failure};
use source_http::source::{Config, SourceContext};
use source_http::streams::pager::{PageNumber, Pager};
use source_http::streams::{HttpStream, ParentStream, Record, RequestContext, SchemaFolder, Transformed};
use source_http::{Registry, Source, launch};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/employees/schemas");
/// One JSON Schema a stream, by its name.
const SCHEMAS: SchemaFolder = SchemaFolder::new(&FILES);

/// `GET /employees?page=1&per_page=100` answers `{"data": [{"id": 7, ...}, ...]}`.
struct Employees {
    api_url: String,
    auth: OAuth2Authenticator,
    pager: PageNumber,
}

impl HttpStream for Employees {
    fn name(&self) -> &str {
        "employees"
    }
    fn url_base(&self) -> &str {
        &self.api_url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "employees".into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn primary_key(&self) -> Vec<Vec<String>> {
        vec![vec!["id".into()]]
    }
    fn schemas(&self) -> Option<SchemaFolder> {
        Some(SCHEMAS)
    }
    fn authenticator(&self) -> &dyn Authenticator {
        &self.auth
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn use_cache(&self) -> bool {
        true
    }
}

/// `GET /employees/7/details` answers one object, or 404 if the employee has left since the list was read.
struct EmployeeDetails {
    employees: ParentStream,
    rules: [ResponseRule; 1],
}

impl HttpStream for EmployeeDetails {
    fn name(&self) -> &str {
        "employee_details"
    }
    fn url_base(&self) -> &str {
        self.employees.stream().url_base()
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        format!("employees/{}/details", cx.path_segment("id"))
    }
    fn primary_key(&self) -> Vec<Vec<String>> {
        vec![vec!["employee_id".into()]]
    }
    fn schemas(&self) -> Option<SchemaFolder> {
        Some(SCHEMAS)
    }
    fn authenticator(&self) -> &dyn Authenticator {
        self.employees.stream().authenticator()
    }
    fn parents(&self) -> &[ParentStream] {
        std::slice::from_ref(&self.employees)
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        &self.rules
    }
    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        record.set("employee_id", cx.slice_value("id"));
        Ok(record.into())
    }
}

/// The connector: its config, and the streams of a config.
pub(crate) struct Company;

impl Source for Company {
    fn name(&self) -> &str {
        "company"
    }

    fn spec(&self) -> ConnectorSpecification {
        // The file is part of the binary, and the tests read it: it is always JSON.
        ConnectorSpecification::new(serde_json::from_str(include_str!("employees/spec.json")).unwrap_or_default())
    }

    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let text = |name: &str, default| config.get(name).and_then(Value::as_str).unwrap_or(default);
        let credential = |name: &str| config["credentials"][name].as_str().unwrap_or_default();
        let page_size = config.get("page_size").and_then(Value::as_u64).unwrap_or(100);
        let request = TokenRequest::refresh_token(
            text("token_url", "https://auth.example.com/oauth/token"),
            credential("client_id"),
            credential("client_secret"),
            credential("refresh_token"),
            &cx.redactor,
        );
        let employees = Arc::new(Employees {
            api_url: text("api_url", "https://api.example.com/v1").into(),
            auth: OAuth2Authenticator::new(request).stored_in(config.clone(), ConfigPaths::default()),
            pager: PageNumber::new("page").page_size_param("per_page", page_size)?,
        });
        let details = EmployeeDetails {
            employees: ParentStream::new(employees.clone(), ["id"]),
            rules: [ResponseRule::new(ResponseAction::Ignore).status(404)],
        };
        Ok(vec![employees, Arc::new(details)])
    }
}

fn main() -> ExitCode {
    launch(&Registry::of(Company).named("employees", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use source_http_testkit::{InProcess, Reply, Request, Server};

    use super::Company;

    /// Two employees, and the second has left.
    fn api(request: &Request) -> Reply {
        match request.path.as_str() {
            "/token" => {
                Reply::json(json!({"access_token": "acc3ss", "refresh_token": "r3fresh-2", "expires_in": 7200}))
            }
            "/employees" => Reply::json(json!({"data": [{"id": 1}, {"id": 2}]})),
            "/employees/1/details" => Reply::json(json!({"salary": 5000})),
            _ => Reply::empty(404),
        }
    }

    #[test]
    fn who_has_left_has_no_details_and_the_list_is_requested_once() {
        let server = Server::start(api);
        let config = json!({
            "credentials": {"client_id": "me", "client_secret": "s3cret", "refresh_token": "r3fresh-1"},
            "api_url": server.url(),
            "token_url": format!("{}/token", server.url()),
        });
        let done = InProcess::new(Company).config(&config).run("read");
        assert_eq!(done.status, 0);
        let messages = done.messages();
        assert_eq!(messages.records("employees"), [r#"{"id":1}"#, r#"{"id":2}"#]);
        assert_eq!(messages.records("employee_details"), [r#"{"salary":5000,"employee_id":1}"#]);
        assert_eq!(messages.configs()[0]["credentials"]["refresh_token"], "r3fresh-2");
        assert_eq!(
            server.conversation(),
            [
                "POST /token",
                "GET /employees?page=1&per_page=100",
                "GET /employees/1/details",
                "GET /employees/2/details",
            ]
        );
    }
}
