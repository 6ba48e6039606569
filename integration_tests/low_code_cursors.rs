//! Streams of manifests with a cursor: what switches of the config change, and that one worker gives the same output each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use source_http_testkit::{Finished, Reply, Request, Server};

use crate::support::{manifest_stream, of_manifest, on_status, requester, retriever, targets, with};

/// A stream of `/items` with pages of two and this cursor.
fn stream(server: &Server, cursor: Value) -> Value {
    let option = json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"});
    let incremental = json!({
        "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d",
        "start_datetime": "2024-01-01", "end_datetime": "2024-01-31",
    });
    let paginator = json!({
        "type": "DefaultPaginator", "page_token_option": option,
        "pagination_strategy": {"type": "PageIncrement", "start_from_page": 1, "page_size": 2},
    });
    let requester = requester(&server.url(), "items", json!({}));
    let retriever = retriever(requester, &["data"], json!({"paginator": paginator}));
    manifest_stream("items", retriever, json!({"incremental_sync": with(incremental, cursor)}))
}

fn read(stream: Value, config: Value, state: &Value) -> Finished {
    let state = json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "items"}, "stream_state": state}}]);
    let connector = of_manifest(&[stream], json!({}), config).state(&state);
    connector.streams(&[("items", "incremental")]).run("read")
}

fn ids(run: &Finished) -> Vec<i64> {
    let id = |text: &str| serde_json::from_str::<Value>(text).unwrap()["id"].as_i64().unwrap();
    run.messages().records("items").into_iter().map(id).collect()
}

/// Pages of two days of January, the newest first except on the second.
fn feed() -> Server {
    Server::start(|request: &Request| {
        let days: &[u8] = match request.target.as_str() {
            "/items" => &[20, 5],
            "/items?page=2" => &[18, 15],
            "/items?page=3" => &[4, 3],
            _ => &[2, 1],
        };
        let record = |day: &u8| json!({"id": day, "at": format!("2024-01-{day:02}")});
        Reply::json(json!({"data": days.iter().map(record).collect::<Vec<_>>()}))
    })
}

/// An old record out of order at the end of a page ends the paging, as in the reference, unless the config says that
/// such lists are unordered.
#[test]
fn a_feed_that_is_not_in_order_is_read_until_a_whole_page_is_old() {
    let state = json!({"at": "2024-01-12"});
    let (in_order, not) = (feed(), feed());
    let run = read(stream(&in_order, json!({"is_data_feed": true})), json!({}), &state);
    assert_eq!((ids(&run), in_order.requests().len()), (vec![20], 1));
    let run = read(stream(&not, json!({"is_data_feed": true})), json!({"__unsorted_feeds": true}), &state);
    assert_eq!((ids(&run), not.requests().len()), (vec![20, 18, 15], 3));
}

#[test]
fn a_switch_is_true_or_false() {
    let server = feed();
    let run = read(stream(&server, json!({"is_data_feed": true})), json!({"__unsorted_feeds": "yes"}), &json!({}));
    let said = &run.stdout;
    assert!(said.contains("the setting __unsorted_feeds has to be true or false"), "{said}");
    assert_eq!(server.requests().len(), 0);
}

/// Partitions of a parent, windows and pages: with one worker, requests and output always come in their order.
#[test]
fn one_worker_gives_the_same_output_on_every_run() {
    let run = || {
        let server = Server::start(|request: &Request| {
            let id = request.target.len();
            Reply::json(json!({"data": [{"id": id, "at": "2024-01-09"}, {"id": id + 1, "at": "2024-01-03"}]}))
                .status(if request.target.contains("page=3") { 404 } else { 200 })
        });
        let since = json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": "since"});
        let mut items =
            stream(&server, json!({"step": "P10D", "cursor_granularity": "P1D", "start_time_option": since}));
        items["retriever"]["partition_router"] =
            json!({"type": "ListPartitionRouter", "values": ["a", "b", "c"], "cursor_field": "site"});
        let requester = &mut items["retriever"]["requester"];
        *requester = with(requester.take(), on_status(404, "IGNORE"));
        let run = read(items, json!({}), &json!({}));
        let said = run.stdout.replace(&server.url(), "");
        let lines = said.lines().filter(|line| line.contains("\"RECORD\"") || line.contains("\"STATE\""));
        (targets(&server), lines.map(str::to_owned).collect::<Vec<_>>())
    };
    let first = run();
    assert_eq!(first.0.len(), 27, "three partitions, windows and pages: {:?}", first.0);
    for _ in 0..4 {
        assert_eq!(run(), first);
    }
}

fn last_state(run: &Finished) -> Value {
    let messages = run.messages();
    messages.states("items").last().copied().unwrap().clone()
}

/// A parent beside another router is read from its own state: a new one that is older than the child's value is seen.
/// The reference writes no state of such a parent, and has it begin at the child's value.
#[test]
fn a_new_parent_beside_another_router_is_read_though_it_is_older_than_the_children() {
    let is_later = Arc::new(AtomicBool::new(false));
    let of_server = Arc::clone(&is_later);
    let server = Server::start(move |request: &Request| {
        let parents: &[u8] = if of_server.load(Ordering::SeqCst) { &[2, 8] } else { &[2] };
        let since = request.param("since").unwrap_or_default();
        let day = |day: &u8| format!("2024-01-{day:02}");
        let found: Vec<Value> = match request.path.as_str() {
            "/parents" => {
                parents.iter().filter(|id| *day(id) >= *since).map(|id| json!({"id": id, "at": day(id)})).collect()
            }
            _ => vec![json!({"id": request.param("of").unwrap().parse::<u8>().unwrap(), "at": day(&9)})],
        };
        Reply::json(json!({"data": found}))
    });
    let option = |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
    let mut parents = stream(&server, json!({"start_time_option": option("since")}));
    parents["name"] = "parents".into();
    parents["retriever"]["requester"]["path"] = "parents".into();
    let mut items = stream(&server, json!({}));
    for stream in [&mut parents, &mut items] {
        stream["retriever"].as_object_mut().unwrap().remove("paginator");
    }
    let config = json!({
        "type": "ParentStreamConfig", "stream": parents, "parent_key": "id", "partition_field": "parent",
        "incremental_dependency": true, "request_option": option("of"),
    });
    items["retriever"]["partition_router"] = json!([
        {"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]},
        {"type": "ListPartitionRouter", "values": ["x"], "cursor_field": "kind"},
    ]);
    let first = read(items.clone(), json!({}), &json!({}));
    assert_eq!(ids(&first), [2]);
    let state = last_state(&first);
    assert_eq!(
        (&state["state"]["at"], &state["parent_state"]["parents"]["at"]),
        (&json!("2024-01-09"), &json!("2024-01-02"))
    );
    is_later.store(true, Ordering::SeqCst);
    let later = read(items, json!({}), &state);
    assert!(ids(&later).contains(&8), "{}", later.stdout);
}

/// By the reference, a state that cannot be read ends the run, whichever stream it is of.
#[test]
fn a_state_that_cannot_be_read_fails_its_stream_and_no_other() {
    let server = feed();
    let items = stream(&server, json!({"is_data_feed": true}));
    let mut other = items.clone();
    other["name"] = "other".into();
    let of = |name: &str, at: &str| {
        let stream = json!({"stream_descriptor": {"name": name}, "stream_state": {"at": at}});
        json!({"type": "STREAM", "stream": stream})
    };
    let run = of_manifest(&[other, items], json!({}), json!({}))
        .state(&json!([of("other", "soon"), of("items", "2024-01-12")]))
        .streams(&[("other", "incremental"), ("items", "incremental")])
        .run("read");
    let messages = run.messages();
    assert_eq!(
        (messages.statuses("other").last(), messages.statuses("items").last()),
        (Some(&"INCOMPLETE"), Some(&"COMPLETE"))
    );
    assert!(!ids(&run).is_empty() && messages.records("other").is_empty(), "{}", run.stdout);
    let failed = messages.errors().into_iter().find(|error| error.stream.as_deref() == Some("other")).unwrap();
    assert!(failed.message.contains("its `at` is in none of the formats"), "{}", failed.message);
    assert_eq!(failed.failure_type.as_deref(), Some("config_error"));
}

/// A place within a list that an earlier source of the same name has left behind, however long ago, is no place of a
/// manifest's stream: all pages are read, and the state has it no more.
#[test]
fn a_place_that_another_source_has_left_in_the_state_is_dropped() {
    let server = Server::start(|request: &Request| {
        let page = request.param("page").map_or(1, |page| page.parse::<usize>().unwrap());
        let days = [[1, 2], [3, 4]].get(page - 1).copied().into_iter().flatten();
        let record = |day: i64| json!({"id": day, "at": format!("2024-01-{day:02}")});
        Reply::json(json!({"data": days.map(record).collect::<Vec<_>>()}))
    });
    let place = |slice: Value| json!([{"slice": slice, "next_page_token": 3, "newest": "2024-01-04"}]);
    let window = json!({"start_time": "2024-01-01", "end_time": "2024-01-31"});
    let mut whole = stream(&server, json!({}));
    whole.as_object_mut().unwrap().remove("incremental_sync");
    let cases = [
        (whole, json!({"__resume": place(json!({}))})),
        (stream(&server, json!({})), json!({"at": "2024-01-01", "__resume": place(window)})),
    ];
    for (stream, state) in cases {
        let run = read(stream, json!({}), &state);
        assert_eq!(ids(&run), [1, 2, 3, 4], "from {state}: {}", run.stdout);
        assert_eq!(last_state(&run).get("__resume"), None, "{state}");
    }
}
