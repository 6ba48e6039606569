//! A stream's own cursor: the order of values, the records it selects, and the form of the state.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Value, json};
use source_http::protocol::{Failure, StreamState};
use source_http::streams::cursor::newer;
use source_http::streams::{
    Cursor, CursorField, CursorRead, CursorState, HttpStream, NoCursor, Page, PageToken, ParentCursor, ParentStream,
    Record, RequestContext, Scope, Slice, SliceContext, Slices,
};
use source_http_testkit::{InProcess, Messages, Reply, Request, Server};

use crate::support::connector;

/// A list of records with `n` or `day`; `next` of each page is the token of the next one; by region or not.
#[derive(Clone)]
struct List {
    name: &'static str,
    url: String,
    cursor: Arc<dyn Cursor>,
    regions: &'static [&'static str],
    parent: Option<Arc<ParentStream>>,
}

impl List {
    fn new(server: &Server, cursor: impl Cursor + 'static) -> Self {
        Self { name: "list", url: server.url(), cursor: Arc::new(cursor), regions: &[], parent: None }
    }

    fn read(&self, state: &Value) -> Messages {
        self.connector(state).run("read").messages()
    }

    fn connector(&self, state: &Value) -> InProcess {
        let stream = self.clone();
        connector(move || Box::new(stream.clone())).state(state)
    }
}

impl HttpStream for List {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        let parent = cx.slice.get("id").and_then(Value::as_str);
        let region = cx.slice.get("region").and_then(Value::as_str);
        [Some(self.name), region, parent].into_iter().flatten().collect::<Vec<_>>().join("/")
    }
    fn record_path(&self) -> source_http::json::RecordPath {
        source_http::json::RecordPath::new(["data"])
    }
    fn cursor(&self) -> &dyn Cursor {
        &*self.cursor
    }
    fn parents(&self) -> &[ParentStream] {
        self.parent.as_deref().map_or(&[], std::slice::from_ref)
    }
    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        match self.regions {
            [] => self.cursor.stream_slices(self.parents(), cx),
            regions => Ok(Box::new(regions.iter().map(|region| Ok(Slice::of_partition([("region", *region)]))))),
        }
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let since = cx.state.get("n").map(|n| ("since".to_owned(), n.to_string()));
        let page = cx.page_token.map(|page| ("page".to_owned(), page.to_string()));
        since.into_iter().chain(page).collect()
    }
    fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        Ok(page.get(&["next"]))
    }
}

/// Days as `31/12/2026`, of a list that is newest first.
struct Day;

impl Cursor for Day {
    fn cursor_field(&self) -> Vec<String> {
        vec!["day".into()]
    }
    fn compare(&self, one: &Value, other: &Value) -> Option<Ordering> {
        let parts = |day: &Value| day.as_str().map(|day| day.rsplit('/').map(str::to_owned).collect::<Vec<_>>());
        parts(one)?.partial_cmp(&parts(other)?)
    }
    fn has_scope(&self) -> bool {
        true
    }
    fn scope(&self, record: &Record<'_>, cx: &RequestContext<'_>, cursor_field: &[String]) -> Scope {
        assert_eq!(cursor_field, ["day"]);
        match (record.get::<Value>("day"), cx.state.get("day")) {
            (Some(day), _) if day == "99/99/9999" => Scope::Out,
            (Some(day), Some(known)) if self.compare(&day, known) == Some(Ordering::Less) => Scope::Past,
            _ => Scope::In,
        }
    }
}

#[test]
fn a_cursor_compares_its_values_and_says_which_records_are_wanted_and_when_paging_stops() {
    let server = Server::start(|request: &Request| {
        let page: usize = request.param("page").map_or(0, |page| page.parse().unwrap());
        let days = [["01/03/2026", "99/99/9999"], ["31/01/2026", "02/02/2026"], ["30/01/2026", "15/12/2025"]];
        let data: Vec<Value> = days[page].iter().map(|day| json!({ "day": day })).collect();
        Reply::json(json!({"data": data, "next": (page < 2).then_some(page + 1)}))
    });
    let list = List::new(&server, Day);
    let all = list.read(&json!({}));
    assert_eq!(all.records("list").len(), 5, "one is out of scope");
    assert_eq!(all.states("list").last(), Some(&&json!({"day": "01/03/2026"})), "31/01 would be the last text");

    server.take_requests();
    let since = |day: &str| list.read(&json!({"list": {"day": day}}));
    assert_eq!(since("01/02/2026").records("list"), [r#"{"day":"01/03/2026"}"#, r#"{"day":"02/02/2026"}"#]);
    assert_eq!(server.take_requests().len(), 3, "the second page ends with a day that is wanted");
    assert_eq!(since("03/02/2026").records("list"), [r#"{"day":"01/03/2026"}"#]);
    assert_eq!(server.take_requests().len(), 2, "the second page ends with one that is too old");
}

#[test]
fn a_stream_without_a_cursor_may_ignore_every_state_and_write_one_that_says_nothing() {
    let server = Server::start(|request: &Request| match request.param("page") {
        None => Reply::json(json!({"data": [{"n": 1}], "next": 1})),
        Some("1") => Reply::json(json!({"data": [{"n": 2}], "next": 2})),
        Some(_) => Reply::json(json!({"error": "no"})).status(401),
    });
    let list = List::new(&server, NoCursor::stateless());
    for state in [json!({"any": 1}), json!({"__ab_full_refresh_sync_complete": true}), json!({"states": 7})] {
        let failed = list.read(&json!({ "list": state }));
        assert_eq!(failed.records("list").len(), 2, "{state}");
        let legal = |state: &&Value| state.get("__resume").is_none();
        assert!(failed.states("list").iter().all(legal), "{:?}", failed.states("list"));
    }
    let well = Server::start(|_: &Request| Reply::json(json!({"data": [{"n": 1}]})));
    let done = List::new(&well, NoCursor::stateless()).read(&json!({"list": {"any": 1}}));
    assert_eq!(done.states("list").last(), Some(&&json!({"__ab_no_cursor_state_message": true})));
    let refused = List::new(&well, NoCursor::resumable()).read(&json!({"list": {"any": 1}}));
    assert!(refused.errors()[0].message.contains("has no cursor"), "{}", refused.errors()[0].message);
}

/// One value for all regions, which moves when all of them are read: the library has no such form.
struct Global;

struct GlobalState {
    state: StreamState,
    newest: Option<Value>,
}

impl Cursor for Global {
    fn cursor_field(&self) -> Vec<String> {
        vec!["n".into()]
    }
    fn begin<'a>(&'a self, read: CursorRead<'_>) -> Result<Box<dyn CursorState + 'a>, Failure> {
        Ok(Box::new(GlobalState { state: read.state, newest: None }))
    }
}

impl CursorState for GlobalState {
    fn is_in_order(&self) -> bool {
        false
    }
    fn open(&mut self, slice: &Slice, made_from: &StreamState) -> Option<StreamState> {
        Some(self.reopen(slice, made_from))
    }
    fn reopen(&mut self, _: &Slice, _: &StreamState) -> StreamState {
        self.state.get("state").and_then(Value::as_object).cloned().unwrap_or_default()
    }
    fn close(&mut self, _: &Slice, newest: Option<&Value>) -> bool {
        self.newest = newest.cloned().into_iter().fold(self.newest.take(), |known, seen| newer(&Global, known, seen));
        false
    }
    fn count(&mut self, _: &Slice, _: Option<&Value>) -> bool {
        false
    }
    fn end(&mut self) -> bool {
        self.state.insert("use_global_cursor".into(), json!(true));
        self.state.insert("state".into(), json!({ "n": self.newest }));
        true
    }
    fn state(&self) -> StreamState {
        self.state.clone()
    }
}

#[test]
fn the_form_of_the_state_is_the_cursors_own() {
    let server = Server::start(|request: &Request| match request.path.as_str() {
        "/list/eu" => Reply::json(json!({"data": [{"n": 9}]})),
        _ => Reply::json(json!({"data": [{"n": 4}]})),
    });
    let list = List { regions: &["eu", "us"], ..List::new(&server, Global) };
    let first = list.read(&json!({}));
    let state = json!({"use_global_cursor": true, "state": {"n": 9}});
    assert_eq!(first.states("list"), [&state]);
    list.read(&json!({ "list": state }));
    assert_eq!(server.conversation(), ["GET /list/eu", "GET /list/us", "GET /list/eu?since=9", "GET /list/us?since=9"]);
}

#[test]
fn a_parent_that_is_read_incrementally_has_a_state_for_each_of_its_partitions() {
    let server = Server::start(|request: &Request| match (request.path.as_str(), request.param("since")) {
        ("/shops/eu", None) => Reply::json(json!({"data": [{"id": "a", "n": 9}]})),
        ("/shops/us", None) => Reply::json(json!({"data": [{"id": "b", "n": 3}]})),
        ("/shops/us", Some("3")) => Reply::json(json!({"data": [{"id": "c", "n": 5}]})),
        ("/shops/eu", Some("9")) => Reply::json(json!({"data": []})),
        _ => Reply::json(json!({"data": [{"n": 1}]})),
    });
    let shops = List { name: "shops", regions: &["eu", "us"], ..List::new(&server, CursorField::new("n")) };
    let parent = Some(Arc::new(ParentStream::new(Arc::new(shops), ["id"])));
    let list = List { parent, ..List::new(&server, ParentCursor::new(["n"])) };
    let first = list.read(&json!({}));
    let expected = json!({"states": [
        {"partition": {"region": "eu"}, "cursor": {"n": 9}},
        {"partition": {"region": "us"}, "cursor": {"n": 3}},
    ]});
    assert_eq!(first.states("list").last(), Some(&&expected));

    server.take_requests();
    let second = list.read(&json!({ "list": expected }));
    assert_eq!(server.conversation(), ["GET /shops/eu?since=9", "GET /shops/us?since=3", "GET /list/c"]);
    assert_eq!(second.states("list").last().unwrap()["states"][1]["cursor"], json!({"n": 5}));

    // Version 0.1.0 had one value for all regions, which does not show how far each was read.
    server.take_requests();
    let third = list.read(&json!({"list": {"n": 9}}));
    assert_eq!(third.states("list").last(), Some(&&expected));
    assert_eq!(server.conversation().len(), 4);
}
