//! A connector for a made-up library, whose API lists its books in pages. It shows that the public API is enough for a
//! stream with pages, credentials, a schema and a cursor, and the test kit for its tests.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use source_http::http::auth::{Authenticator, TokenAuthenticator};
use source_http::json::RecordPath;
use source_http::protocol::{ConnectorSpecification, Failure, JsonSchema};
use source_http::source::{Config, SourceContext};
use source_http::streams::pager::{BodyCursor, Pager, TokenPlace};
use source_http::streams::{Cursor, CursorField, HttpStream, RequestContext, SchemaContext};
use source_http::{Registry, Source, launch};

/// `GET /books?since=7&cursor=abc` answers `{"books": [...], "next": "..."}`, without `next` on the last page.
struct Books {
    url: String,
    auth: TokenAuthenticator,
    pager: BodyCursor,
}

static CHANGED: CursorField = CursorField::new("changed");

impl HttpStream for Books {
    fn name(&self) -> &str {
        "books"
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "books".into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["books"])
    }
    fn primary_key(&self) -> Vec<Vec<String>> {
        vec![vec!["isbn".into()]]
    }
    fn cursor(&self) -> &dyn Cursor {
        &CHANGED
    }
    fn authenticator(&self) -> &dyn Authenticator {
        &self.auth
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        cx.state.get("changed").map(|changed| ("since".into(), changed.to_string())).into_iter().collect()
    }
    fn json_schema(&self, _: &SchemaContext<'_>) -> anyhow::Result<JsonSchema> {
        let properties = json!({
            "isbn": {"type": ["null", "string"]},
            "title": {"type": ["null", "string"]},
            "changed": {"type": ["null", "integer"]},
        });
        Ok(json!({"type": "object", "properties": properties}).try_into()?)
    }
}

struct Library;

impl Source for Library {
    fn name(&self) -> &str {
        "library"
    }
    fn spec(&self) -> ConnectorSpecification {
        let connection_specification = json!({
            "type": "object",
            "required": ["token", "url"],
            "properties": {
                "token": {"type": "string", "airbyte_secret": true},
                "url": {"type": "string"},
            },
        });
        ConnectorSpecification { connection_specification, ..Default::default() }
    }
    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let text = |name: &str| config[name].as_str().unwrap_or_default();
        Ok(vec![Arc::new(Books {
            url: text("url").into(),
            auth: TokenAuthenticator::bearer(text("token"), &cx.redactor),
            pager: BodyCursor::new(["next"], TokenPlace::param("cursor")),
        })])
    }
}

fn main() -> ExitCode {
    launch(&Registry::of(Library).named(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use source_http_testkit::conformance::Connector;
    use source_http_testkit::{InProcess, Reply, Request, Routes, Server};

    use super::*;

    fn config(server: &Server) -> Value {
        json!({"token": "t0ken", "url": server.url()})
    }

    /// Four books on two pages, or those since a number.
    fn api(request: &Request) -> Reply {
        let since = request.param("since").and_then(|since| since.parse().ok()).unwrap_or(1);
        let from = if request.param("cursor").is_some() { 3 } else { since };
        let book = |n: u64| json!({"isbn": format!("978-{n}"), "title": format!("Volume {n}"), "changed": n});
        let books: Vec<Value> = (from..=4).take(2).map(book).collect();
        let next = (from < 3).then_some("p2");
        Reply::json(json!({"books": books, "next": next}))
    }

    #[test]
    fn books_are_read_page_by_page_and_a_failure_is_tried_again() {
        let server = Server::start(api);
        let done = InProcess::new(Library).config(&config(&server)).streams(&[("books", "incremental")]).run("read");
        let messages = done.messages();
        assert_eq!((done.status, messages.records("books").len()), (0, 4));
        assert_eq!(messages.states("books").last().map(|state| &state["changed"]), Some(&json!(4)));
        assert_eq!(server.conversation(), ["GET /books", "GET /books?cursor=p2"]);
        assert_eq!(server.requests()[0].header("authorization"), Some("Bearer t0ken"));

        let replies = [Reply::empty(503), Reply::json(json!({"books": []}))];
        let server = Server::start(Routes::new().once("GET", "/books", replies));
        let done = InProcess::new(Library).config(&config(&server)).run("read");
        assert_eq!((done.status, done.sleeps.len()), (0, 1));
    }

    #[test]
    fn it_keeps_airbytes_rules_for_connectors() {
        let server = Server::start(api);
        let report = Connector::new(|| InProcess::new(Library), &config(&server)).assert_conforms();
        assert_eq!((report.records, report.unseen), (4, Vec::new()));
    }
}
