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
    is_later.store(true, Ordering::SeqCst);
    let later = read(items, json!({}), &state);
    assert!(ids(&later).contains(&8), "{}", later.stdout);
    assert_eq!(
        (&state["state"]["at"], &state["parent_state"]["parents"]["at"]),
        (&json!("2024-01-09"), &json!("2024-01-02"))
    );
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
    let window = || json!({"start_time": "2024-01-01", "end_time": "2024-01-31"});
    let mut whole = stream(&server, json!({}));
    whole.as_object_mut().unwrap().remove("incremental_sync");
    let done = json!([{"slice": window(), "newest": "2024-01-30", "done": true}]);
    let refused = json!([{"slice": {"id": 7}, "next_page_token": 9}]);
    let cases = [
        (whole.clone(), json!({"__resume": place(json!({}))})),
        (whole, json!({"__refused": refused})),
        (stream(&server, json!({})), json!({"at": "2024-01-01", "__resume": place(window()), "__resume_of": "0"})),
        (stream(&server, json!({})), json!({"at": "2024-01-01", "__resume": done})),
        (stream(&server, json!({})), json!({"at": "2024-01-01", "__refused": refused})),
        (stream(&server, json!({})), json!({"at": "2024-01-01", "__resume": 7})),
    ];
    for (stream, state) in cases {
        let run = read(stream, json!({}), &state);
        assert_eq!(ids(&run), [1, 2, 3, 4], "from {state}: {}", run.stdout);
        let last = last_state(&run);
        assert!(last == json!({"at": "2024-01-04"}) || last == json!({"__ab_no_cursor_state_message": true}), "{last}");
    }
}

/// A stream of `/items` for each of the `sites` in the config, which requests can name.
fn of_sites(server: &Server, cursor: Value) -> Value {
    let option = |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
    let times = json!({"start_time_option": option("since"), "end_time_option": option("until")});
    let mut items = stream(server, with(times, cursor));
    let retriever = items["retriever"].as_object_mut().unwrap();
    retriever.remove("paginator");
    let router = json!({
        "type": "ListPartitionRouter", "values": "{{ config['sites'] }}", "cursor_field": "site",
        "request_option": option("site"),
    });
    retriever.insert("partition_router".to_owned(), router);
    items
}

/// A new partition begins at the value for all, as in the reference, and a warning says so; or at the start, if the config
/// says so.
#[test]
fn a_new_partition_is_read_from_the_value_for_all_with_a_warning_or_from_the_start() {
    let server = Server::start(|request: &Request| {
        let (since, site) = (request.param("since").unwrap().to_owned(), request.param("site").unwrap());
        let days: &[u8] = if site == "a" { &[20] } else { &[2, 25] };
        let records = days.iter().map(|id| json!({"id": id, "at": format!("2024-01-{id:02}")}));
        let records = records.filter(|record| *record["at"].as_str().unwrap() >= *since);
        Reply::json(json!({"data": records.collect::<Vec<_>>()}))
    });
    let read = |config: Value, state: &Value| read(of_sites(&server, json!({})), config, state);
    let first = last_state(&read(json!({"sites": ["a"]}), &json!({})));
    let warns =
        |run: &Finished| run.messages().logs().iter().any(|(_, text)| text.contains("__new_partitions_from_start"));
    let later = read(json!({"sites": ["a", "b"]}), &first);
    assert_eq!((ids(&later), warns(&later)), (vec![20, 25], true));
    let whole = read(json!({"sites": ["a", "b"], "__new_partitions_from_start": true}), &first);
    assert_eq!((ids(&whole), warns(&whole)), (vec![20, 2, 25], false));
}

/// A record of the year 9999, which the API returns in any window, says nothing about the days after the window's end.
#[test]
fn a_record_of_the_far_future_hides_nothing_that_comes_after_the_end() {
    let server = Server::start(|request: &Request| {
        let (since, until) = (request.param("since").unwrap().to_owned(), request.param("until").unwrap().to_owned());
        let days = [("2024-01-03", 3), ("2024-01-20", 20), ("9999-12-31", 99)];
        let found = days.into_iter().filter(|(at, id)| **at >= *since && (**at <= *until || *id == 99));
        Reply::json(json!({"data": found.map(|(at, id)| json!({"id": id, "at": at})).collect::<Vec<_>>()}))
    });
    for stream in [json!({}), json!({"step": "P5D", "cursor_granularity": "P1D"})] {
        let at = |end: &str| with(stream.clone(), json!({"end_datetime": end}));
        let config = json!({"sites": ["a"]});
        let first = read(of_sites(&server, at("2024-01-10")), config.clone(), &json!({}));
        let state = last_state(&first);
        assert_eq!(
            (&state["state"], &state["states"][0]["cursor"]),
            (&json!({"at": "2024-01-10"}), &json!({"at": "2024-01-10"}))
        );
        let later = read(of_sites(&server, at("2024-01-31")), config, &state);
        assert!(ids(&first).contains(&3) && ids(&later).contains(&20), "{}", later.stdout);
    }
}

/// Python reads such ids as floats, which are the same: one of the two is never asked for.
#[test]
fn partitions_of_ids_with_more_digits_than_a_float_are_told_apart() {
    let server = Server::start(|request: &Request| match request.path.as_str() {
        "/parents" => {
            Reply::json_text(r#"{"data":[{"id":100000000000000000001},{"id":100000000000000000002},{"id":7}]}"#)
        }
        _ => Reply::json(json!({"data": []})),
    });
    let option = json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": "of"});
    let mut parents = stream(&server, json!({}));
    (parents["name"], parents["retriever"]["requester"]["path"]) = ("parents".into(), "parents".into());
    let mut items = stream(&server, json!({}));
    for stream in [&mut parents, &mut items] {
        stream["retriever"].as_object_mut().unwrap().remove("paginator");
    }
    let config = json!({
        "type": "ParentStreamConfig", "stream": parents, "parent_key": "id", "partition_field": "parent",
        "request_option": option,
    });
    items["retriever"]["partition_router"] =
        json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]});
    let run = read(items, json!({}), &json!({}));
    assert_eq!(
        targets(&server)[1..],
        ["/items?of=100000000000000000001", "/items?of=100000000000000000002", "/items?of=7"]
    );
    let state = last_state(&run);
    let ids: Vec<&Value> =
        state["states"].as_array().unwrap().iter().map(|entry| &entry["partition"]["parent"]).collect();
    assert_eq!(ids, [&json!("100000000000000000001"), &json!("100000000000000000002"), &json!(7)]);
}
