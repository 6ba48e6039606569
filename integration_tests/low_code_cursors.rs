//! Streams of manifests with a cursor: what switches of the config change, and that one worker gives the same output each time.

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{Finished, InProcess, Reply, Request, Server};

/// A stream of `/items` with pages of two and this cursor.
fn stream(server: &Server, cursor: Value) -> Value {
    let option = json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"});
    let mut incremental = json!({
        "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d",
        "start_datetime": "2024-01-01", "end_datetime": "2024-01-31",
    });
    incremental.as_object_mut().unwrap().extend(cursor.as_object().unwrap().clone());
    json!({
        "type": "DeclarativeStream", "name": "items",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": server.url(), "path": "items"},
            "record_selector": {
                "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {
                "type": "DefaultPaginator", "page_token_option": option,
                "pagination_strategy": {"type": "PageIncrement", "start_from_page": 1, "page_size": 2},
            },
        },
        "incremental_sync": incremental,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    })
}

fn read(streams: &[Value], mut config: Value, state: &Value) -> Finished {
    config["__injected_declarative_manifest"] = json!({
        "version": "7.39.1", "type": "DeclarativeSource", "streams": streams,
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 1},
    });
    let state = json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "items"}, "stream_state": state}}]);
    let connector = InProcess::with_registry(Registry::built_in()).config(&config).state(&state);
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
    let run = read(&[stream(&in_order, json!({"is_data_feed": true}))], json!({}), &state);
    assert_eq!((ids(&run), in_order.requests().len()), (vec![20], 1));
    let run = read(&[stream(&not, json!({"is_data_feed": true}))], json!({"__unsorted_feeds": true}), &state);
    assert_eq!((ids(&run), not.requests().len()), (vec![20, 18, 15], 3));
}

#[test]
fn a_switch_is_true_or_false() {
    let server = feed();
    let run = read(&[stream(&server, json!({"is_data_feed": true}))], json!({"__unsorted_feeds": "yes"}), &json!({}));
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
        let ignored = json!({"type": "HttpResponseFilter", "http_codes": [404], "action": "IGNORE"});
        items["retriever"]["requester"]["error_handler"] =
            json!({"type": "DefaultErrorHandler", "response_filters": [ignored]});
        let run = read(&[items], json!({}), &json!({}));
        let requests: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
        let said = run.stdout.replace(&server.url(), "");
        let lines = said.lines().filter(|line| line.contains("\"RECORD\"") || line.contains("\"STATE\""));
        (requests, lines.map(str::to_owned).collect::<Vec<_>>())
    };
    let first = run();
    assert_eq!(first.0.len(), 27, "three partitions, windows and pages: {:?}", first.0);
    for _ in 0..4 {
        assert_eq!(run(), first);
    }
}
