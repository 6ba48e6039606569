//! States that version 0.1.0 wrote, in which a slice was one object without parts: they are resumed as they were meant.

use std::sync::Arc;

use serde_json::{Value, json};
use source_http::Registry;
use source_http::json::RecordPath;
use source_http::protocol::Failure;
use source_http::streams::{
    Cursor, CursorField, DateCursor, DateFormat, DateSlicer, HttpStream, Page, PageToken, ParentStream, Record,
    RequestContext, Transformed,
};
use source_http_testkit::{InProcess, Messages, Reply, Request, Server};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::StripeMock;

use crate::support::binary::config;

/// Customers, and orders of each with the customer's currency.
struct Stream {
    name: &'static str,
    url: String,
    cursor: CursorField,
    parent: Option<ParentStream>,
}

impl HttpStream for Stream {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        match self.parent {
            Some(_) => format!("customers/{}/orders", cx.slice_text("id")),
            None => "customers".into(),
        }
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn cursor(&self) -> &dyn Cursor {
        &self.cursor
    }
    fn parents(&self) -> &[ParentStream] {
        self.parent.as_slice()
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let page = cx.page_token.map(|page| ("page".to_owned(), page.to_string()));
        let since = cx.state.get("at").map(|at| ("since".to_owned(), at.to_string()));
        page.into_iter().chain(since).collect()
    }
    fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        Ok(page.get(&["next"]))
    }
    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        if self.parent.is_some() {
            record.set("currency", cx.slice_value("currency"));
        }
        Ok(record.into())
    }
}

fn api(request: &Request) -> Reply {
    match request.path.as_str() {
        // The first one has another currency than when the state was written.
        "/customers" => Reply::json(json!({"data": [
            {"id": 1, "currency": "usd"}, {"id": 2, "currency": "eur"}, {"id": 3, "currency": "eur"}]})),
        _ => Reply::json(json!({"data": [{"at": 7}]})),
    }
}

/// Reads the orders from the state.
fn orders(server: &Server, state: &Value) -> Messages {
    let url = server.url();
    let done = InProcess::of_streams(move |_| {
        let customers = Stream { name: "customers", url: url.clone(), cursor: CursorField::default(), parent: None };
        let parent = Some(ParentStream::new(Arc::new(customers), ["id"]).extra_fields(["currency"]));
        Ok(vec![Arc::new(Stream { name: "orders", url: url.clone(), cursor: CursorField::new("at"), parent })])
    });
    done.state(&json!({ "orders": state })).run("read").messages()
}

#[test]
fn a_partition_with_extra_fields_is_known_whatever_they_are_now() {
    let server = Server::start(api);
    let states = |partitions: [Value; 3]| {
        let cursors = [5, 6, 7].into_iter().map(|at| json!({ "at": at }));
        let entry = |(partition, cursor)| json!({"partition": partition, "cursor": cursor});
        partitions.into_iter().zip(cursors).map(entry).collect::<Value>()
    };
    let old = states([1, 2, 3].map(|id| json!({"id": id, "currency": "eur"})));
    let done = orders(&server, &json!({ "states": old }));
    let asked = server.conversation();
    assert_eq!(asked[1..], [(1, 5), (2, 6), (3, 7)].map(|(id, at)| format!("GET /customers/{id}/orders?since={at}")));
    assert_eq!(done.records("orders")[0], r#"{"at":7,"currency":"usd"}"#);
    let last = done.states("orders").last().unwrap()["states"].clone();
    let partitions: Vec<&Value> = last.as_array().unwrap().iter().map(|entry| &entry["partition"]).collect();
    assert_eq!(partitions, [&json!({"id": 1}), &json!({"id": 2}), &json!({"id": 3})]);
}

#[test]
fn a_slice_with_extra_fields_that_was_begun_or_refused_is_resumed() {
    let server = Server::start(api);
    let slice = |id: i64| json!({"id": id, "currency": "eur"});
    let state = json!({
        "states": [{"partition": slice(1), "cursor": {"at": 5}}],
        "__resume": {"slice": slice(1), "next_page_token": 4, "newest": 6},
        "__refused": [{"slice": slice(3)}],
    });
    let done = orders(&server, &state);
    assert_eq!(
        server.conversation(),
        [
            "GET /customers",
            "GET /customers/3/orders",
            "GET /customers/1/orders?page=4&since=5",
            "GET /customers/2/orders",
        ]
    );
    let currencies: Vec<bool> = done.records("orders").iter().map(|record| record.contains("currency")).collect();
    assert_eq!(currencies, [true; 3]);
    assert_eq!(done.states("orders").last().unwrap().get("__refused"), None);
}

#[test]
fn what_this_version_writes_of_a_begun_slice_is_resumed_with_its_extra_fields() {
    let server = Server::start(api);
    let slice = json!({"id": 9, "__extra": {"currency": "chf"}});
    let done = orders(&server, &json!({"states": [], "__refused": [{"slice": slice, "next_page_token": 2}]}));
    assert_eq!(server.conversation()[1], "GET /customers/9/orders?page=2");
    assert_eq!(done.records("orders")[0], r#"{"at":7,"currency":"chf"}"#);
}

/// A list of days by spans of time.
struct Days {
    url: String,
    cursor: DateCursor,
}

impl HttpStream for Days {
    fn name(&self) -> &str {
        "days"
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "days".into()
    }
    fn is_resumable(&self) -> bool {
        true
    }
    fn cursor(&self) -> &dyn Cursor {
        &self.cursor
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let page = cx.page_token.map(|page| ("page".to_owned(), page.to_string()));
        let span = [("from".to_owned(), cx.slice_text("start")), ("to".to_owned(), cx.slice_text("end"))];
        span.into_iter().chain(page).collect()
    }
}

#[test]
fn a_span_that_was_begun_is_read_to_its_end_and_the_others_follow() {
    let server = Server::start(|request: &Request| Reply::json(json!([{"day": request.param("to")}])));
    let url = server.url();
    let days = InProcess::of_streams(move |cx| {
        let week = std::time::Duration::from_secs(7 * 86_400);
        let slicer = DateSlicer {
            step: week,
            granularity: week / 7,
            format: DateFormat::Day,
            ..DateSlicer::new("2026-10-12T00:00:00Z".parse().unwrap_or_default())
        };
        Ok(vec![Arc::new(Days { url: url.clone(), cursor: DateCursor::new("day", slicer, cx.clock.clone()) })])
    });
    let state = json!({"days": {"day": "2026-10-18", "__resume": [
        {"slice": {"start": "2026-10-19", "end": "2026-10-25"}, "next_page_token": 3, "newest": "2026-10-21"},
        {"slice": {"start": "2026-10-26", "end": "2026-10-27"}, "newest": "2026-10-27", "done": true},
    ]}});
    let done = days.state(&state).run("read").messages();
    assert_eq!(
        server.conversation(),
        ["GET /days?from=2026-10-19&to=2026-10-25&page=3", "GET /days?from=2026-10-27&to=2026-11-01"]
    );
    assert_eq!(done.states("days").last(), Some(&&json!({"day": "2026-11-01"})));
}

#[test]
fn children_of_stripe_that_were_begun_are_resumed_with_what_their_parent_gave_along() {
    let mock = StripeMock::builder().count("checkout_sessions", 2).start();
    let name = "checkout_sessions_line_items";
    let slice = json!({
        "checkout_session_id": "cs_gone", "created": 5, "updated": 6, "expires_at": 7, "__changed": 6,
    });
    let marker = json!({"parent_progress": {"updated": "6"}});
    let state = json!({
        "use_global_cursor": true, "lookback_window": 1, "state": {}, "parent_state": {"checkout_sessions": {}},
        "__resume": [{"slice": slice, "next_page_token": "li_1"}, {"slice": marker, "done": true}],
    });
    let done = InProcess::with_registry(Registry::built_in()).config(&config(&mock)).now(DEFAULT_NOW);
    let done = done.streams(&[(name, "incremental")]).state(&json!({ (name): state })).run("read");
    let requests = mock.server().conversation();
    assert!(requests[0].starts_with("GET /v1/checkout/sessions/cs_gone/line_items?"), "{requests:?}");
    assert!(requests[0].contains("starting_after=li_1"), "{requests:?}");
    assert_eq!(done.status, 0, "{}", done.stdout);
    let last = done.messages().states(name).last().copied().cloned().unwrap();
    assert_eq!(last.get("__resume"), None, "{last}");
}
