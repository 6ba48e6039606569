//! A connector for a made-up help desk, whose API has three peculiarities. A POST with a JSON body finds tickets, and
//! has the cursor of the next page in it. A server that is too busy gives a wait in milliseconds, in a header that nobody
//! else uses. And each account defines its own fields, so discovery requests the schema. Tickets are read incrementally, in windows of the time they were changed.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use source_http::http::auth::{ApiKeyAuthenticator, Authenticator};
use source_http::http::{Method, Outcome, RequestBody, RetryRules};
use source_http::json::RecordPath;
use source_http::protocol::{ConnectorSpecification, Failure, JsonSchema};
use source_http::source::{Config, SourceContext};
use source_http::streams::pager::{BodyCursor, Pager, TokenPlace};
use source_http::streams::{Cursor, DateCursor, DateFormat, DateSlicer, HttpStream, RequestContext, SchemaContext};
use source_http::{Registry, Source, launch};

const API_URL: &str = "https://desk.example.com/api";
const DAY: Duration = Duration::from_secs(86_400);

/// `POST /tickets/search` with `{"changed": {"from": ..., "to": ...}, "limit": 100, "cursor": "..."}` answers
/// `{"tickets": [...], "page": {"next": "..."}}`, without `next` on the last page. Both ends of `changed` are included,
/// and `changed_at` has whole seconds.
struct Tickets {
    api_url: String,
    auth: ApiKeyAuthenticator,
    cursor: DateCursor,
    pager: BodyCursor,
}

/// The answer to `GET /tickets/fields`.
#[derive(Deserialize)]
struct Fields {
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    kind: String,
}

impl Field {
    /// The field's JSON Schema. What has no value is null, and a kind that is new is left to the destination.
    fn schema(&self) -> Value {
        match self.kind.as_str() {
            "number" => json!({"type": ["null", "number"]}),
            "flag" => json!({"type": ["null", "boolean"]}),
            "text" => json!({"type": ["null", "string"]}),
            "time" => json!({"type": ["null", "string"], "format": "date-time"}),
            _ => json!({}),
        }
    }
}

impl HttpStream for Tickets {
    fn name(&self) -> &str {
        "tickets"
    }
    fn url_base(&self) -> &str {
        &self.api_url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "tickets/search".into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["tickets"])
    }
    fn primary_key(&self) -> Vec<Vec<String>> {
        vec![vec!["id".into()]]
    }
    fn cursor(&self) -> &dyn Cursor {
        &self.cursor
    }
    fn authenticator(&self) -> &dyn Authenticator {
        &self.auth
    }
    fn http_method(&self) -> Method {
        Method::POST
    }
    fn request_body(&self, cx: &RequestContext<'_>) -> RequestBody {
        let changed = json!({"from": cx.slice.get("start"), "to": cx.slice.get("end")});
        RequestBody::Json(json!({"changed": changed, "limit": 100}))
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    /// A search is forgotten after some minutes, and its cursors with it: an interrupted window is read again.
    fn is_resumable(&self) -> bool {
        false
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        self
    }
    fn json_schema(&self, cx: &SchemaContext<'_>) -> anyhow::Result<JsonSchema> {
        let answer: Option<Fields> = cx.fetcher.get_json(self, "tickets/fields", &[])?;
        let fields = answer.map(|answer| answer.fields).unwrap_or_default();
        let properties: Map<_, _> = fields.into_iter().map(|field| (field.name.clone(), field.schema())).collect();
        Ok(json!({"type": "object", "properties": properties}).try_into()?)
    }
}

impl RetryRules for Tickets {
    fn backoff_time(&self, outcome: Outcome<'_>, _failed: u32) -> Result<Option<Duration>, Failure> {
        let wait = outcome.response().and_then(|response| response.header("x-retry-in-ms"));
        Ok(wait.and_then(|wait| wait.parse().ok()).map(Duration::from_millis))
    }
}

/// The connector.
pub(crate) struct HelpDesk;

impl Source for HelpDesk {
    fn name(&self) -> &str {
        "help-desk"
    }

    fn spec(&self) -> ConnectorSpecification {
        ConnectorSpecification::new(json!({
            "type": "object",
            "required": ["api_key", "start_date"],
            "properties": {
                "api_key": {"type": "string", "airbyte_secret": true},
                "start_date": {
                    "type": "string",
                    "format": "date-time",
                    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
                    "examples": ["2026-01-01T00:00:00Z"],
                },
                "api_url": {"type": "string", "default": API_URL},
            },
        }))
    }

    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let text = |name: &str, default| config.get(name).and_then(Value::as_str).unwrap_or(default);
        let start = DateFormat::Rfc3339.parse(&config["start_date"]).ok_or_else(|| {
            Failure::config(
                "The config's `start_date` is not a date and time such as 2026-01-01T00:00:00Z. Correct it.",
            )
        })?;
        let slicer = DateSlicer { step: 7 * DAY, granularity: Duration::from_secs(1), ..DateSlicer::new(start) };
        Ok(vec![Arc::new(Tickets {
            api_url: text("api_url", API_URL).into(),
            auth: ApiKeyAuthenticator::header("X-Api-Key", text("api_key", ""), &cx.redactor),
            cursor: DateCursor::new("changed_at", slicer, cx.clock.clone()),
            pager: BodyCursor::new(["page", "next"], TokenPlace::body(["cursor"])),
        })])
    }
}

fn main() -> ExitCode {
    launch(&Registry::of(HelpDesk).named("ticket_search", env!("CARGO_PKG_VERSION")))
}
