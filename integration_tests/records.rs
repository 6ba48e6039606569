//! Records between the API and stdout, and the origins of schemas.

use std::fmt::Write;

use include_dir::{Dir, include_dir};
use serde_json::{Map, Value, json};
use source_http::json::RecordPath;
use source_http::protocol::{Failure, JsonSchema};
use source_http::streams::pager::{PageNumber, Pager};
use source_http::streams::{
    Cursor, CursorField, HttpStream, Record, RequestContext, SchemaContext, SchemaFolder, SchemaUse, Transformed,
};
use source_http_testkit::{Finished, InProcess, Reply, Routes, Server};

use crate::support::connector;

/// A stream whose schema comes from the API.
#[derive(Clone)]
struct Contacts {
    url: String,
    normalizes: bool,
    filters: bool,
    pager: PageNumber,
}

static AT: CursorField = CursorField::new("at");

impl HttpStream for Contacts {
    fn name(&self) -> &'static str {
        "contacts"
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "contacts".into()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn cursor(&self) -> &dyn Cursor {
        &AT
    }
    fn request_headers(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        vec![("X-Account".into(), "7".into())]
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn json_schema(&self, cx: &SchemaContext<'_>) -> anyhow::Result<JsonSchema> {
        let types: Option<Map<String, Value>> = cx.fetcher.get_json(self, "contacts/fields", &[("all", "1")])?;
        let properties: Map<String, Value> =
            types.unwrap_or_default().into_iter().map(|(name, kind)| (name, json!({"type": ["null", kind]}))).collect();
        Ok(json!({"type": "object", "properties": properties}).try_into()?)
    }
    fn transform<'a>(&self, mut record: Record<'a>, _: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        record.set("note", 1.5);
        Ok(record.into())
    }
    fn schema_use(&self) -> SchemaUse {
        let uses = SchemaUse::default();
        let uses = if self.normalizes { uses.normalize_records() } else { uses };
        if self.filters { uses.only_configured_columns() } else { uses }
    }
}

fn contacts(server: &Server, normalizes: bool, filters: bool) -> InProcess {
    let stream = Contacts { url: server.url(), normalizes, filters, pager: PageNumber::new("page") };
    connector(move || Box::new(stream.clone()))
}

fn api(fields: impl Into<Reply>, pages: &[&str]) -> Server {
    let pages = pages.iter().map(|records| Reply::json_text(format!(r#"{{"data":[{records}]}}"#)));
    Server::start(Routes::new().once("GET", "/contacts/fields", [fields]).once("GET", "/contacts", pages))
}

fn types() -> Value {
    json!({"n": "number", "i": "integer", "b": "boolean", "l": "array", "note": "string", "at": "string"})
}

/// A configured catalog with these columns.
fn catalog(columns: &[&str]) -> Value {
    let properties: Map<String, Value> = columns.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    json!({"streams": [{
        "stream": {
            "name": "contacts",
            "json_schema": {"type": "object", "properties": properties},
            "supported_sync_modes": ["full_refresh", "incremental"]
        },
        "sync_mode": "incremental",
        "destination_sync_mode": "append"
    }]})
}

fn warnings(done: &Finished) -> Vec<String> {
    let messages = done.messages();
    messages.logs().iter().filter(|(level, _)| *level == "WARN").map(|(_, text)| (*text).to_owned()).collect()
}

const RAW: &str = r#"{"n":"1.50","i":1.0,"b":"yes","l":3,"x":1e400,"at":7}"#;

#[test]
fn records_go_out_as_they_came_and_no_schema_is_requested() {
    let server = api(types(), &[RAW, ""]);
    let done = contacts(&server, false, false).catalog(&catalog(&["n", "gone"])).run("read");
    let expected = RAW.replace('}', r#","note":1.5}"#);
    assert_eq!((done.status, done.messages().records("contacts")), (0, vec![expected.as_str()]));
    assert_eq!(server.conversation(), ["GET /contacts?page=1", "GET /contacts?page=2"]);
}

#[test]
fn records_are_normalized_after_the_streams_own_change_to_a_schema_requested_once() {
    let server = api(types(), &[RAW, RAW, ""]);
    let done = contacts(&server, true, false).catalog(&catalog(&[])).run("read");
    let expected = r#"{"n":1.50,"i":1,"b":true,"l":[3],"x":1e400,"at":"7","note":"1.5"}"#;
    let messages = done.messages();
    assert_eq!((done.status, messages.records("contacts")), (0, vec![expected; 2]));
    assert_eq!(warnings(&done), [""; 0]);
    assert_eq!(messages.states("contacts").last().unwrap()["at"], 7, "the cursor is what the API gave");
    assert_eq!(
        server.conversation(),
        ["GET /contacts/fields?all=1", "GET /contacts?page=1", "GET /contacts?page=2", "GET /contacts?page=3"]
    );
    assert!(server.requests().iter().all(|request| request.header("x-account") == Some("7")));
}

#[test]
fn what_cannot_be_converted_goes_out_and_is_reported_once_a_field() {
    let mut pages: Vec<String> = Vec::new();
    for page in 0..3 {
        let mut records = String::new();
        for n in 0..10 {
            let comma = if n == 0 { "" } else { "," };
            write!(records, r#"{comma}{{"i":{page}.{n}1,"b":null,"n":"x"}}"#).unwrap();
        }
        pages.push(records);
    }
    pages.push(String::new());
    let server = api(types(), &pages.iter().map(String::as_str).collect::<Vec<_>>());
    let done = contacts(&server, true, false).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.record_count()), (0, 30));
    assert_eq!(messages.records("contacts")[29], r#"{"i":2.91,"b":null,"n":"x","note":"1.5"}"#);
    let warnings = warnings(&done);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].starts_with("contacts: `i` is a number that cannot be converted to an integer"),
        "{warnings:?}"
    );
    assert!(warnings[1].starts_with("contacts: `n` is a string that cannot be converted to a number"), "{warnings:?}");
}

#[test]
fn only_the_configured_columns_go_out_and_those_the_source_lost_are_reported_once() {
    let server = api(types(), &[RAW, RAW, ""]);
    let done = contacts(&server, false, true).catalog(&catalog(&["note", "n", "gone", "lost"])).run("read");
    assert_eq!((done.status, done.messages().records("contacts")), (0, vec![r#"{"n":"1.50","note":1.5}"#; 2]));
    assert_eq!(
        warnings(&done),
        [
            "contacts: the configured catalog has columns that the source no longer has, and they will be empty: `gone`, \
          `lost`. Run discover and refresh the catalog."
        ]
    );
}

#[test]
fn both_together_convert_what_is_left() {
    let server = api(types(), &[RAW, ""]);
    let done = contacts(&server, true, true).catalog(&catalog(&["i", "note"])).run("read");
    assert_eq!((done.status, done.messages().records("contacts")), (0, vec![r#"{"i":1,"note":"1.5"}"#]));
}

#[test]
fn a_catalog_without_columns_cuts_nothing_and_needs_no_schema() {
    let server = api(types(), &[r#"{"n":"1"}"#, ""]);
    let done = contacts(&server, false, true).streams(&[("contacts", "full_refresh")]).run("read");
    assert_eq!((done.status, done.messages().records("contacts")), (0, vec![r#"{"n":"1","note":1.5}"#]));
    assert_eq!(server.requests().len(), 2);
}

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas/stripe");

/// A stream whose schema is a file.
struct Refunds(String);

impl HttpStream for Refunds {
    fn name(&self) -> &'static str {
        "refunds"
    }
    fn url_base(&self) -> &str {
        &self.0
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "refunds".into()
    }
    fn schemas(&self) -> Option<SchemaFolder> {
        Some(SchemaFolder::new(&FILES))
    }
}

#[test]
fn columns_that_a_file_no_longer_lists_are_reported_and_records_go_out_whole() {
    let server = Server::start(Routes::new().once("GET", "/refunds", [Reply::json_text(r#"[{"id":1,"x":2}]"#)]));
    let url = server.url();
    let mut catalog = catalog(&["id", "gone", "amount"]);
    catalog["streams"][0]["stream"]["name"] = "refunds".into();
    catalog["streams"][0]["sync_mode"] = "full_refresh".into();
    let done = connector(move || Box::new(Refunds(url.clone()))).catalog(&catalog).run("read");
    assert_eq!((done.status, done.messages().records("refunds")), (0, vec![r#"{"id":1,"x":2}"#]));
    let warnings = warnings(&done);
    assert!(
        warnings.len() == 1 && warnings[0].contains("no longer has, and they will be empty: `gone`."),
        "{warnings:?}"
    );
}

#[test]
fn discover_asks_the_api_for_a_schema_that_only_it_knows() {
    let server = api(json!({"n": "number"}), &[""]);
    let done = contacts(&server, false, false).run("discover");
    let messages = done.messages();
    assert_eq!(done.status, 0);
    let schema = &messages.catalog()["streams"][0]["json_schema"];
    assert_eq!(*schema, json!({"type": "object", "properties": {"n": {"type": ["null", "number"]}}}));
    assert_eq!(server.conversation(), ["GET /contacts/fields?all=1"]);
}

#[test]
fn a_schema_is_requested_again_after_a_passing_fault() {
    let fields = [Reply::empty(503), Reply::json_text(r#"{"n":"num"#), Reply::json(json!({"n": "number"}))];
    let server = Server::start(Routes::new().once("GET", "/contacts/fields", fields));
    let done = contacts(&server, false, false).run("discover");
    assert_eq!((done.status, done.sleeps.len()), (0, 2), "{}", done.stdout);
    assert_eq!(server.conversation(), ["GET /contacts/fields?all=1"; 3]);
}

#[test]
fn a_schema_that_cannot_be_had_is_a_failure_that_names_the_stream() {
    for command in ["discover", "read"] {
        let server = api(Reply::json(json!({"error": "no scope"})).status(403), &[RAW]);
        let done = contacts(&server, true, false).run(command);
        assert_eq!(done.status, 1);
        let error = &done.messages().errors()[0];
        assert_eq!(
            (error.stream.as_deref(), error.failure_type.as_deref()),
            (Some("contacts"), Some("config_error")),
            "{command}"
        );
        assert!(error.message.starts_with("The schema of \"contacts\" is not known. GET "), "{error:?}");
        assert_eq!(server.conversation(), ["GET /contacts/fields?all=1"]);
    }
}
