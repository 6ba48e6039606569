//! Sub-streams: a slice a parent's record, in whatever order the catalog lists parent and children.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use source_http::json::RecordPath;
use source_http::streams::{Cursor, CursorField, HttpStream, NoCursor, Page, PageToken, ParentStream, RequestContext};
use source_http_testkit::{Finished, InProcess, Messages, Reply, Request, Server};

use crate::support::TestSource;

/// Orders, two a page, and the items of each, incremental or not.
struct Stream {
    name: &'static str,
    url: String,
    parent: Option<ParentStream>,
    cursor: bool,
    cache: bool,
}

static AT: CursorField = CursorField::new("at");
static NONE: NoCursor = NoCursor::resumable();

impl HttpStream for Stream {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        if self.parent.is_some() { format!("orders/{}/items", cx.path_segment("id")) } else { "orders".into() }
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn parents(&self) -> &[ParentStream] {
        self.parent.as_slice()
    }
    fn cursor(&self) -> &dyn Cursor {
        if self.cursor { &AT } else { &NONE }
    }
    fn use_cache(&self) -> bool {
        self.cache
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let page = cx.page_token.map(|page| ("page".to_owned(), page.to_string()));
        let since = cx.state.get("at").map(|at| ("since".to_owned(), at.to_string()));
        page.into_iter().chain(since).collect()
    }
    fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        Ok(page.get(&["next"]))
    }
}

/// A connector of the parent and two children: one with a cursor, one without.
fn connector(url: String, orders: &[(&str, &str)]) -> InProcess {
    connector_with_cache(url, orders, false)
}

/// The same, whose parent is read through the cache, or not.
fn connector_with_cache(url: String, orders: &[(&str, &str)], cache: bool) -> InProcess {
    InProcess::new(TestSource::new(move |_, _| {
        let stream = |name, parent: bool, cursor| {
            let url = url.clone();
            let parent = parent.then(|| {
                let orders = Stream { name: "orders", url: url.clone(), parent: None, cursor: false, cache };
                ParentStream::new(Arc::new(orders), ["id"])
            });
            Box::new(Stream { name, url, cache: cache && parent.is_none(), parent, cursor }) as Box<dyn HttpStream>
        };
        vec![stream("orders", false, false), stream("items", true, false), stream("changes", true, true)]
    }))
    .config(&json!({}))
    .streams(orders)
}

/// Five orders; each has as many items as its number says.
fn api(request: &Request) -> Reply {
    let page = request.param("page").map_or(1, |page| page.parse().unwrap());
    if request.path == "/orders" {
        let ids = (2 * page - 1..=(2 * page).min(5)).map(|id| json!({"id": format!("o/{id}"), "big": "x".repeat(500)}));
        return Reply::json(json!({"data": ids.collect::<Vec<Value>>(), "next": (page < 3).then_some(page + 1)}));
    }
    let order: i64 = request.path["/orders/o%2F".len()..].split('/').next().unwrap().parse().unwrap();
    let since: i64 = request.param("since").map_or(0, |since| since.parse().unwrap());
    let items = (1..=order).filter(|at| *at >= since).map(|at| json!({"order": order, "at": at}));
    Reply::json(json!({"data": items.collect::<Vec<Value>>()}))
}

fn ids(messages: &Messages, stream: &str) -> BTreeSet<String> {
    messages.records(stream).into_iter().map(str::to_owned).collect()
}

#[test]
fn children_are_read_as_their_parents_pages_come() {
    let server = Server::start(api);
    let messages = connector(server.url(), &[("items", "full_refresh")]).run("read").messages();
    assert_eq!(messages.records("items").len(), 15);
    assert_eq!(
        server.conversation(),
        [
            "GET /orders",
            "GET /orders/o%2F1/items",
            "GET /orders/o%2F2/items",
            "GET /orders?page=2",
            "GET /orders/o%2F3/items",
            "GET /orders/o%2F4/items",
            "GET /orders?page=3",
            "GET /orders/o%2F5/items",
        ]
    );
    assert_eq!(**messages.states("items").last().unwrap(), json!({"__ab_full_refresh_sync_complete": true}));
}

#[test]
fn the_order_of_the_catalog_and_what_is_selected_make_no_difference() {
    let server = Server::start(api);
    for streams in [&["orders", "items", "changes"][..], &["changes", "items", "orders"], &["items", "changes"]] {
        let catalog: Vec<(&str, &str)> = streams.iter().map(|name| (*name, "full_refresh")).collect();
        let messages = connector(server.url(), &catalog).run("read").messages();
        assert_eq!((messages.records("items").len(), messages.records("changes").len()), (15, 15), "{streams:?}");
        assert_eq!(messages.records("orders").len(), if streams.contains(&"orders") { 5 } else { 0 });
    }
}

const ALL: [(&str, &str); 3] = [("orders", "full_refresh"), ("items", "full_refresh"), ("changes", "incremental")];

#[test]
fn a_parent_and_two_children_fetch_each_page_of_a_cached_parent_once_in_any_order() {
    let [a, b, c] = ALL;
    for streams in [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        let server = Server::start(api);
        let done = connector_with_cache(server.url(), &streams, true).run("read");
        let asked = server.take_requests();
        let pages: Vec<String> =
            asked.iter().filter(|request| request.path == "/orders").map(Request::to_string).collect();
        assert_eq!(pages, ["GET /orders", "GET /orders?page=2", "GET /orders?page=3"], "{streams:?}");
        assert_eq!(asked.len(), 3 + 5 + 5, "{streams:?}: the children's own requests are all sent");
        assert_eq!(done.stdout, connector(server.url(), &streams).run("read").stdout, "{streams:?}");
        assert_eq!(server.requests().len(), 3 * 3 + 5 + 5, "without a cache each reads the parent again");
    }
}

#[test]
fn pages_are_kept_only_if_two_of_the_chosen_streams_read_them() {
    let [orders, items, changes] = ALL;
    for (streams, is_shared) in [
        (vec![orders], false),
        (vec![items], false),
        (vec![orders, items], true),
        (vec![items, orders], true),
        (vec![items, changes], true),
    ] {
        let server = Server::start(api);
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("made when needed");
        let done = connector_with_cache(server.url(), &streams, true).arg("--cache-dir").arg(&cache).run("read");
        assert_eq!((done.status, cache.exists()), (0, is_shared), "{streams:?}");
        let pages = server.conversation().iter().filter(|line| !line.contains("/items")).count();
        assert_eq!(pages, 3, "{streams:?}");
    }
}

#[test]
fn ten_workers_fetch_each_page_of_a_cached_parent_once_and_lose_no_child() {
    let server = Server::start(api);
    for _ in 0..10 {
        let messages = connector_with_cache(server.url(), &ALL, true).arg("--workers").arg("10").run("read").messages();
        let mut asked: Vec<String> = server.take_requests().iter().map(Request::to_string).collect();
        asked.sort_unstable();
        let mut expected: Vec<String> = ["", "?page=2", "?page=3"].map(|page| format!("GET /orders{page}")).to_vec();
        expected.extend((1..=5).flat_map(|id| [(); 2].map(|()| format!("GET /orders/o%2F{id}/items"))));
        expected.sort_unstable();
        assert_eq!(asked, expected);
        let counts = ["orders", "items", "changes"].map(|stream| messages.records(stream).len());
        assert_eq!(counts, [5, 15, 15]);
        let states = messages.states("changes").last().unwrap()["states"].as_array().unwrap().len();
        assert_eq!(states, 5, "each parent has its state");
    }
}

#[test]
fn children_without_records_cost_no_state_each() {
    let server = Server::start(|request: &Request| {
        if request.path == "/orders" {
            let ids: Vec<Value> = (0..200).map(|id| json!({"id": format!("o/{id}")})).collect();
            return Reply::json(json!({ "data": ids }));
        }
        Reply::json(json!({"data": []}))
    });
    for workers in ["1", "8"] {
        let read = connector(server.url(), &[("changes", "incremental")]).arg("--workers").arg(workers).run("read");
        let messages = read.messages();
        assert_eq!(messages.states("changes").len(), 1);
        assert_eq!(messages.states("changes")[0]["states"].as_array().unwrap().len(), 200);
    }
}

#[test]
fn a_cache_that_is_spoilt_while_a_child_reads_changes_nothing_but_the_number_of_requests() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().to_owned();
    let server = Server::start(move |request: &Request| {
        // The second page of the parent is in the file by now, and will be read twice more.
        if request.path == "/orders/o%2F3/items" {
            for entry in fs::read_dir(&file).unwrap() {
                let path = entry.unwrap().path();
                let length = fs::metadata(&path).unwrap().len();
                fs::write(&path, vec![0xa5; usize::try_from(length).unwrap()]).unwrap();
            }
        }
        api(request)
    });
    let streams = [ALL[1], ALL[0], ALL[2]];
    let done = connector_with_cache(server.url(), &streams, true).arg("--cache-dir").arg(folder.path()).run("read");
    assert!(server.requests().len() > 3 + 5 + 5, "the file was not spoilt");
    let warned = done.stdout.lines().filter(|line| line.contains("response cache can no longer be used")).count();
    assert_eq!((done.status, warned), (0, 1));
    let whole = Server::start(api);
    let expected = connector_with_cache(whole.url(), &streams, true).run("read");
    assert_eq!(whole.requests().len(), 3 + 5 + 5);
    let without_log = |done: &Finished| {
        done.messages().lines().filter(|line| !line.contains(r#""type":"LOG""#)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_log(&done), without_log(&expected));
}

#[test]
fn each_parent_has_a_state_of_its_own_that_holds_its_key_and_no_more() {
    let server = Server::start(api);
    let first = connector(server.url(), &[("changes", "incremental")]).run("read").messages();
    let state = |at: i64| json!({"partition": {"id": format!("o/{at}")}, "cursor": {"at": at}});
    let expected = json!({"states": [state(1), state(2), state(3), state(4), state(5)]});
    assert_eq!(**first.states("changes").last().unwrap(), expected);

    server.take_requests();
    let state = serde_json::from_str(&first.state_file()).unwrap();
    let second = connector(server.url(), &[("changes", "incremental")]).state(&state).run("read").messages();
    assert_eq!(second.records("changes").len(), 5, "the newest of each is requested again");
    assert_eq!(server.conversation()[1], "GET /orders/o%2F1/items?since=1");
}

#[test]
fn an_interrupted_read_continues_with_the_parents_that_are_left() {
    let server = Server::start(api);
    for stream in ["items", "changes"] {
        let mode = if stream == "items" { "full_refresh" } else { "incremental" };
        let all = ids(&connector(server.url(), &[(stream, mode)]).run("read").messages(), stream);
        for limit in 1..15 {
            let limited = connector(server.url(), &[(stream, mode)]).arg("--limit").arg(limit.to_string());
            let first = limited.run("read").messages();
            server.take_requests();
            let state = serde_json::from_str(&first.state_file()).unwrap();
            let rest = connector(server.url(), &[(stream, mode)]).state(&state).run("read").messages();
            assert_eq!(&ids(&first, stream) | &ids(&rest, stream), all, "{stream} {limit}");
            let asked = server.conversation();
            assert!(
                stream == "changes" || limit < 3 || !asked.contains(&"GET /orders/o%2F1/items".to_owned()),
                "a finished parent was asked again: {asked:?}"
            );
        }
    }
}

#[test]
fn states_of_many_parents_stay_a_small_part_of_the_output() {
    let server = Server::start(|request: &Request| {
        if request.path == "/orders" {
            let ids: Vec<Value> = (0..600).map(|id| json!({"id": id})).collect();
            return Reply::json(json!({ "data": ids }));
        }
        Reply::json(json!({"data": [{"at": 1, "text": "x".repeat(10_000)}]}))
    });
    for (stream, mode) in [("items", "full_refresh"), ("changes", "incremental")] {
        let done = connector(server.url(), &[(stream, mode)]).run("read");
        done.messages();
        let bytes = |kind: &str| done.stdout.lines().filter(|line| line.contains(kind)).map(str::len).sum::<usize>();
        let (states, records) = (bytes(r#""type":"STATE""#), bytes(r#""type":"RECORD""#));
        // The last state is always written, however long it is.
        let last = done.stdout.lines().rfind(|line| line.contains(r#""type":"STATE""#)).unwrap().len();
        assert!(20 * (states - last) <= records, "{stream}: {states} bytes of states for {records} of records");
        assert!(done.stdout.matches(r#""type":"STATE""#).count() > 3, "{stream} wrote hardly any state");
    }
}

#[test]
fn a_parent_without_the_field_its_children_need_is_a_named_failure() {
    let server = Server::start(|_: &Request| Reply::json(json!({"data": [{"name": "no id"}]})));
    let messages = connector(server.url(), &[("items", "full_refresh")]).run("read").messages();
    let error = &messages.errors()[0];
    assert_eq!(error.message, "A record of \"orders\" has no \"id\", which the requests of its sub-streams need.");
    assert_eq!(messages.statuses("items"), ["STARTED", "INCOMPLETE"]);
}
