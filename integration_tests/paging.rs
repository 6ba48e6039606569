//! Each way of paging over real sockets, with the whole conversation asserted; and the guards against endless paging.

use serde_json::{Value, json};
use source_http::http::auth::TokenAuthenticator;
use source_http::http::{Method, RequestBody};
use source_http::json::RecordPath;
use source_http::protocol::Redactor;
use source_http::streams::pager::{
    BodyCursor, LastRecord, LinkHeader, NextUrl, Offset, PageNumber, Pager, SinglePage, TokenPlace,
};
use source_http::streams::{HttpStream, Page, PageToken, RequestContext};
use source_http_testkit::{Finished, InProcess, Items, Reply, Request, Routes, Server};

use crate::support::connector;

fn items<P: Pager + 'static>(url: String, pager: impl Fn() -> P + Send + Sync + 'static) -> InProcess {
    connector(move || Box::new(stream(&url, pager())))
}

fn stream(url: &str, pager: impl Pager + 'static) -> Items {
    let items = Items::new(url).pager(pager).authenticator(TokenAuthenticator::bearer("secret", &Redactor::default()));
    items.with(|items| {
        items.params = vec![("q".into(), "1".into())];
        items.primary_key = Some("id".into());
    })
}

/// Reads pages that a server returns in order, each once.
fn read<P: Pager + 'static>(
    method: &str,
    replies: Vec<Reply>,
    pager: impl Fn() -> P + Send + Sync + 'static,
) -> (Finished, Server) {
    let server = Server::start(Routes::new().once(method, "/items", replies));
    let done = items(server.url(), pager).run("read");
    (done, server)
}

/// A page of records with these ids and these other members.
fn page(ids: &[u32], beside: Value) -> Reply {
    let mut body = beside;
    body["data"] = ids.iter().map(|id| json!({ "id": id })).collect();
    Reply::json(body)
}

fn ids(done: &Finished) -> Vec<u64> {
    assert_eq!(done.status, 0, "{}", done.stdout);
    let messages = done.messages();
    let id = |record: &&str| serde_json::from_str::<Value>(record).unwrap()["id"].as_u64().unwrap();
    messages.records("items").iter().map(id).collect()
}

fn failure(done: &Finished) -> String {
    assert_eq!(done.status, 1, "{}", done.stdout);
    let messages = done.messages();
    assert_eq!(messages.statuses("items").last(), Some(&"INCOMPLETE"));
    let errors = messages.errors();
    assert_eq!(errors[0].failure_type.as_deref(), Some("system_error"), "{errors:?}");
    errors[0].message.clone()
}

#[test]
fn a_single_page_is_requested_once() {
    let (done, server) = read("GET", vec![page(&[1, 2], json!({"next": "b", "has_more": true}))], || SinglePage);
    assert_eq!(ids(&done), [1, 2]);
    assert_eq!(server.conversation(), ["GET /items?q=1"]);
}

#[test]
fn a_cursor_in_the_body_is_sent_back_and_an_empty_page_in_the_middle_does_not_end_it() {
    let replies = vec![
        page(&[1, 2], json!({"meta": {"next": "b c"}})),
        page(&[], json!({"meta": {"next": "d"}})),
        page(&[3], json!({"meta": {"next": null}})),
    ];
    let (done, server) = read("GET", replies, || BodyCursor::new(["meta", "next"], "cursor"));
    assert_eq!(ids(&done), [1, 2, 3]);
    assert_eq!(server.conversation(), ["GET /items?q=1", "GET /items?q=1&cursor=b c", "GET /items?q=1&cursor=d"]);
}

#[test]
fn a_cursor_goes_into_a_header_or_a_body_if_that_is_its_place() {
    let replies = || vec![page(&[1], json!({"next": "b"})), page(&[2], json!({}))];
    let (done, server) = read("GET", replies(), || BodyCursor::new("next", TokenPlace::header("X-Cursor")));
    assert_eq!(ids(&done), [1, 2]);
    let cursors: Vec<_> = server.requests().iter().map(|r| r.header("x-cursor").map(str::to_owned)).collect();
    assert_eq!(cursors, [None, Some("b".to_owned())]);

    let server = Server::start(Routes::new().once("POST", "/items", replies()));
    let url = server.url();
    let done = connector(move || {
        let mut stream = stream(&url, BodyCursor::new("next", TokenPlace::body(["page", "after"])));
        (stream.method, stream.body) = (Method::POST, RequestBody::Json(json!({"filter": "x"})));
        Box::new(stream)
    })
    .run("read");
    assert_eq!(ids(&done), [1, 2]);
    let bodies: Vec<_> = server.requests().iter().map(Request::body_text).collect();
    assert_eq!(bodies, [r#"{"filter":"x"}"#, r#"{"filter":"x","page":{"after":"b"}}"#]);
}

#[test]
fn the_last_records_field_leads_to_the_next_page() {
    let replies = vec![page(&[1, 2], json!({"has_more": true})), page(&[3], json!({"has_more": false}))];
    let (done, server) = read("GET", replies, || LastRecord::new("id", "starting_after").has_more("has_more"));
    assert_eq!(ids(&done), [1, 2, 3]);
    assert_eq!(server.conversation(), ["GET /items?q=1", "GET /items?q=1&starting_after=2"]);
}

#[test]
fn page_numbers_go_up_to_the_short_page() {
    let replies = vec![page(&[1, 2], json!({})), page(&[3, 4], json!({})), page(&[5], json!({}))];
    let (done, server) = read("GET", replies, || PageNumber::new("page").page_size_param("size", 2).unwrap());
    assert_eq!(ids(&done), [1, 2, 3, 4, 5]);
    assert_eq!(
        server.conversation(),
        ["GET /items?q=1&page=1&size=2", "GET /items?q=1&page=2&size=2", "GET /items?q=1&page=3&size=2"]
    );
}

#[test]
fn page_numbers_go_up_to_the_total_past_an_empty_page() {
    let replies =
        vec![page(&[1], json!({"pages": 3})), page(&[], json!({"pages": 3})), page(&[2], json!({"pages": 3}))];
    let (done, server) = read("GET", replies, || PageNumber::new("p").start_at(0).total_pages("pages"));
    assert_eq!(ids(&done), [1, 2]);
    assert_eq!(server.conversation(), ["GET /items?q=1&p=0", "GET /items?q=1&p=1", "GET /items?q=1&p=2"]);
}

#[test]
fn an_offset_continues_after_what_came_up_to_the_total() {
    // Three were requested and two came: no record may be skipped.
    let replies = vec![page(&[1, 2], json!({"total": 5})), page(&[3, 4, 5], json!({"total": 5}))];
    let (done, server) = read("GET", replies, || Offset::new("offset", "limit", 3).unwrap().total("total"));
    assert_eq!(ids(&done), [1, 2, 3, 4, 5]);
    assert_eq!(server.conversation(), ["GET /items?q=1&offset=0&limit=3", "GET /items?q=1&offset=2&limit=3"]);
}

#[test]
fn a_next_url_is_followed_as_it_is() {
    let server = Server::start(|request: &Request| {
        let own = format!("http://{}", request.header("host").unwrap());
        let hit = |path: &str, query: &str| request.path == path && request.query.iter().any(|(n, _)| n == query);
        match () {
            () if hit("/items", "after") => page(&[2], json!({"next": "/more/2?a=b"})),
            () if hit("/items", "q") => page(&[1], json!({"next": "?after=1"})),
            () if request.path == "/more/2" => page(&[3], json!({"next": format!("{own}/3#top")})),
            () => page(&[4], json!({"next": ""})),
        }
    });
    let done = items(server.url(), || NextUrl::new("next")).run("read");
    assert_eq!(ids(&done), [1, 2, 3, 4]);
    assert_eq!(server.conversation(), ["GET /items?q=1", "GET /items?after=1", "GET /more/2?a=b", "GET /3"]);
    assert!(server.requests().iter().all(|request| request.header("authorization") == Some("Bearer secret")));
}

#[test]
fn a_next_url_on_another_host_is_asked_without_credentials() {
    let other = Server::start(Routes::new().once("GET", "/elsewhere", [page(&[2], json!({}))]));
    let (done, server) =
        read("GET", vec![page(&[1], json!({"next": format!("{}/elsewhere?x=1", other.url())}))], || {
            NextUrl::new("next")
        });
    assert_eq!(ids(&done), [1, 2]);
    assert_eq!(server.requests()[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(other.conversation(), ["GET /elsewhere?x=1"]);
    assert_eq!(other.requests()[0].header("authorization"), None);
}

#[test]
fn the_link_header_leads_to_the_next_page() {
    let replies = vec![
        page(&[1], json!({}))
            .header("Link", "</items?page=1>; rel=\"prev first\"; title=\"a, b\"")
            .header("Link", "</items?page=9>; rel=last, <?page=2>; rel=\"next\""),
        page(&[2], json!({})).header("link", "</items?page=1>; rel=\"prev\""),
    ];
    let (done, server) = read("GET", replies, LinkHeader::new);
    assert_eq!(ids(&done), [1, 2]);
    assert_eq!(server.conversation(), ["GET /items?q=1", "GET /items?page=2"]);
}

#[test]
fn a_read_that_was_interrupted_resumes_at_the_page_it_stopped_at() {
    let pager = || LastRecord::new("id", "after").has_more("more");
    let more = || json!({"more": true});
    let (done, _server) = read("GET", vec![page(&[1], more()), page(&[2], more()), Reply::empty(403)], pager);
    assert_eq!((done.status, done.messages().records("items").len()), (1, 2));
    let state: Value = serde_json::from_str(&done.messages().state_file()).unwrap();

    let server = Server::start(Routes::new().once("GET", "/items", [page(&[3], more()), page(&[], json!({}))]));
    let done = items(server.url(), pager).state(&state).run("read");
    assert_eq!(ids(&done), [3]);
    assert_eq!(server.conversation(), ["GET /items?q=1&after=2", "GET /items?q=1&after=3"]);
}

#[test]
fn counted_pages_are_not_resumed_because_deleted_records_shift_them() {
    let pager = || PageNumber::new("page").page_size(1).unwrap();
    let (done, _server) = read("GET", vec![page(&[1], json!({})), page(&[2], json!({})), Reply::empty(403)], pager);
    assert_eq!(done.messages().states("items").len(), 0, "the next read begins at the first page");
    let discovered = items("http://127.0.0.1:1".into(), pager).run("discover").messages();
    assert_eq!(discovered.catalog()["streams"][0]["is_resumable"], false);
}

/// A pager of a source's own: its token is an object, which is put into every part of the request.
struct Own {
    items: Items,
}

impl HttpStream for Own {
    fn name(&self) -> &'static str {
        "items"
    }
    fn url_base(&self) -> &str {
        &self.items.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        format!("items/{}", cx.page_token.map_or("first", |token| token["shard"].as_str().unwrap()))
    }
    fn record_path(&self) -> RecordPath {
        self.items.record_path()
    }
    fn http_method(&self) -> Method {
        Method::POST
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        cx.page_token.map(|token| ("n".into(), token["n"].to_string())).into_iter().collect()
    }
    fn request_headers(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        cx.page_token.map(|token| ("X-N".into(), token["n"].to_string())).into_iter().collect()
    }
    fn request_body(&self, cx: &RequestContext<'_>) -> RequestBody {
        cx.page_token.cloned().map_or(RequestBody::Empty, RequestBody::Json)
    }
    fn pager(&self) -> &dyn Pager {
        &*self.items.pager
    }
    fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        let n = cx.page_token.map_or(0, |token| token["n"].as_u64().unwrap());
        Ok((!page.is_empty()).then(|| json!({"shard": "b", "n": n + 1})))
    }
}

#[test]
fn a_stream_that_pages_by_itself_has_its_token_everywhere_and_its_pager_unasked() {
    let server =
        Server::start(Routes::new().once("POST", "/items/first", [page(&[1], json!({"next": "pager"}))]).once(
            "POST",
            "/items/b",
            [page(&[2], json!({"next": "pager"})), page(&[], json!({"next": "pager"}))],
        ));
    let url = server.url();
    let done = connector(move || {
        Box::new(Own { items: stream(&url, BodyCursor::new("next", TokenPlace::header("X-Pager"))) })
    })
    .run("read");
    assert_eq!(ids(&done), [1, 2]);
    assert_eq!(server.conversation(), ["POST /items/first", "POST /items/b?n=1", "POST /items/b?n=2"]);
    let last = &server.requests()[2];
    assert_eq!((last.header("x-n"), last.body_text().as_str()), (Some("2"), r#"{"shard":"b","n":2}"#));
}

#[test]
fn a_cursor_that_comes_back_ends_the_stream_with_a_failure() {
    for (cursors, requests) in [(["a", "a", "a", "a"], 2), (["a", "b", "a", "b"], 3)] {
        let replies = cursors.iter().zip(1..).map(|(next, id)| page(&[id], json!({"next": next}))).collect();
        let (done, server) = read("GET", replies, || BodyCursor::new("next", "cursor"));
        assert!(failure(&done).contains("the page token \"a\" came back"), "{}", failure(&done));
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn empty_pages_that_always_promise_more_end_the_stream_with_a_failure() {
    let server = Server::start(|request: &Request| {
        let n: u32 = request.param("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        page(&[], if n < 2000 { json!({"next": n + 1}) } else { json!({}) })
    });
    let done = items(server.url(), || BodyCursor::new("next", "cursor")).run("read");
    assert!(failure(&done).contains("1000 pages in a row were empty"), "{}", failure(&done));
    assert_eq!(server.requests().len(), 1000);
}

#[test]
fn an_api_that_does_not_know_the_page_parameter_ends_the_stream_with_a_failure() {
    // Without the guard, the page after these would end the paging.
    let mut replies = vec![page(&[1, 2], json!({})); 50];
    replies.push(page(&[], json!({})));
    let server = Server::start(Routes::new().once("GET", "/items", replies));
    let done = items(server.url(), || PageNumber::new("page")).run("read");
    assert!(failure(&done).contains("had the same 2 records"), "{}", failure(&done));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn equal_pages_of_records_without_a_key_are_no_fault() {
    let mut replies = vec![page(&[7], json!({})); 20];
    replies.push(page(&[], json!({})));
    let server = Server::start(Routes::new().once("GET", "/items", replies));
    let url = server.url();
    let done =
        connector(move || Box::new(stream(&url, PageNumber::new("page")).with(|items| items.primary_key = None)))
            .run("read");
    assert_eq!(ids(&done), [7; 20]);
    assert_eq!(server.requests().len(), 21);
}
