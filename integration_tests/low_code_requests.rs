//! What APIs do to the requests of a manifest: chunks that fail, pages that are too large, deleted parents, quotas
//! without numbers.

use std::time::Duration;

use serde_json::{Value, json};
use source_http_testkit::{Fault, Finished, Reply, Routes, Server};

use crate::support::{self, items, manifest_stream, of_manifest, on_status, requester, targets};

/// A stream of `/NAME` whose requester and retriever have these members besides.
fn stream(server: &Server, name: &str, own: Value, retriever: Value) -> Value {
    let requester = requester(&server.url(), name, own);
    manifest_stream(name, support::retriever(requester, &["items"], retriever), json!({}))
}

/// Runs a command on the last of these streams, with these additional members of the manifest.
fn run(command: &str, streams: &[Value], more: Value, config: Value) -> Finished {
    let name = streams.last().unwrap()["name"].as_str().unwrap();
    let connector = of_manifest(streams, more, config);
    if command == "read" { connector.streams(&[(name, "full_refresh")]).run("read") } else { connector.run(command) }
}

fn read(stream: Value) -> Finished {
    run("read", &[stream], json!({}), json!({}))
}

fn records(run: &Finished, stream: &str) -> Vec<Value> {
    run.messages().records(stream).into_iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn chunked() -> Value {
    let chunking = json!({"type": "PropertyChunking", "property_limit_type": "property_count", "property_limit": 1});
    let properties = json!({"type": "QueryProperties", "property_list": ["a", "b"], "property_chunking": chunking});
    json!({"request_parameters": {"f": properties}})
}

fn paged(size: u32) -> Value {
    json!({
        "type": "DefaultPaginator",
        "pagination_strategy": {"type": "OffsetIncrement", "page_size": size},
        "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "limit"},
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "offset"},
    })
}

#[test]
fn a_page_whose_second_chunk_fails_gives_no_half_of_a_record() {
    let replies = [items(json!([{"id": 1, "a": 1}])), Reply::empty(403)];
    let server = Server::start(Routes::new().on("GET", "/s", replies));
    let run = read(stream(&server, "s", chunked(), json!({})));
    assert_eq!((run.status, run.messages().record_count()), (1, 0), "{}", run.stdout);
}

#[test]
fn a_chunk_that_breaks_off_is_requested_again_and_records_are_merged_by_keys_of_any_type() {
    let broken = items(json!([{"id": 1, "b": 2}])).fault(Fault::ResetInBody(3));
    let replies = [
        items(json!([{"id": 1, "a": 1.10, "n": {"x": 1}}, {"a": 0}])),
        broken,
        items(json!([{"id": 1, "b": 2, "n": {"y": 2}}, {"id": "1", "b": 3}])),
    ];
    let server = Server::start(Routes::new().on("GET", "/s", replies));
    let run = read(stream(&server, "s", chunked(), json!({})));
    let merged = json!([{"a": 0}, {"id": 1, "a": 1.1, "n": {"x": 1, "y": 2}, "b": 2}, {"id": "1", "b": 3}]);
    assert_eq!((run.status, Value::from(records(&run, "s"))), (0, merged), "{}", run.stdout);
    assert_eq!(targets(&server), ["/s?f=a", "/s?f=b", "/s?f=b"]);
}

#[test]
fn a_filter_sees_whole_records_and_the_page_is_as_long_as_they_are_many() {
    let replies = [
        items(json!([{"id": 1, "a": 1}, {"id": 2, "a": 2}])),
        items(json!([{"id": 1, "b": 5}])),
        items(json!([{"id": 3, "a": 3}])),
        items(json!([])),
    ];
    let server = Server::start(Routes::new().on("GET", "/s", replies));
    let mut stream = stream(&server, "s", chunked(), json!({"paginator": paged(2)}));
    stream["retriever"]["record_selector"]["record_filter"] =
        json!({"type": "RecordFilter", "condition": "{{ record.a == 1 and record.b == 5 }}"});
    let run = read(stream);
    assert_eq!(records(&run, "s"), [json!({"id": 1, "a": 1, "b": 5})], "{}", run.stdout);
    assert_eq!(targets(&server).len(), 4);
}

#[test]
fn a_page_gets_smaller_until_the_smallest_is_refused_too() {
    let server = Server::start(Routes::new().on("GET", "/s", [Reply::empty(502)]));
    let reduction = json!({"type": "PageSizeReduction", "failure_message": "Ask for one field less."});
    let retriever = json!({"paginator": paged(4), "page_size_reduction": reduction});
    let run = read(stream(&server, "s", on_status(502, "REDUCE_PAGE_SIZE"), retriever));
    assert_eq!(targets(&server), ["/s?limit=4", "/s?limit=2", "/s?limit=1"]);
    assert_eq!(run.sleeps, [Duration::from_millis(500), Duration::from_secs(1)]);
    let error = &run.messages().errors()[0];
    assert_eq!(error.failure_type.as_deref(), Some("transient_error"));
    assert!(run.stdout.contains("at every size down to 1 records. Ask for one field less."), "{}", run.stdout);
}

#[test]
fn a_page_that_gets_smaller_is_read_once_and_the_next_one_has_its_size() {
    let replies = [
        items(json!([{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}])),
        Reply::empty(502),
        items(json!([{"id": 5}, {"id": 6}])),
        items(json!([{"id": 7}])),
    ];
    let server = Server::start(Routes::new().on("GET", "/s", replies));
    let retriever = json!({"paginator": paged(4), "page_size_reduction": {"type": "PageSizeReduction"}});
    let run = read(stream(&server, "s", on_status(502, "REDUCE_PAGE_SIZE"), retriever));
    assert_eq!(run.messages().record_count(), 7, "{}", run.stdout);
    assert_eq!(targets(&server), ["/s?limit=4", "/s?offset=4&limit=4", "/s?offset=4&limit=2", "/s?offset=6&limit=2"]);
}

#[test]
fn a_reset_that_repeats_ends_the_stream_with_both_reasons() {
    let replies = [items(json!([{"id": 1}, {"id": 2}])), Reply::empty(400)];
    let server = Server::start(Routes::new().on("GET", "/s", replies));
    let run = read(stream(&server, "s", on_status(400, "RESET_PAGINATION"), json!({"paginator": paged(2)})));
    assert_eq!((run.status, targets(&server).len()), (1, 3));
    assert!(run.stdout.contains("began again and ended the same way") && run.stdout.contains("answered 400"));
}

#[test]
fn an_invalid_quota_costs_nothing_and_a_valid_one_is_kept() {
    let page = |reset: &str, left: &str| {
        items(json!([{"id": 1}, {"id": 2}])).header("ratelimit-reset", reset).header("ratelimit-remaining", left)
    };
    let replies = [page("soon", "many"), page("", "-1"), page("7", "0"), items(json!([]))];
    let server = Server::start(Routes::new().on("GET", "/s", replies));
    let policy = json!({"type": "FixedWindowCallRatePolicy", "period": "PT1M", "call_limit": 100, "matchers": []});
    let budget = json!({"api_budget": {"type": "HTTPAPIBudget", "policies": [policy]}});
    let one = stream(&server, "s", json!({}), json!({"paginator": paged(2)}));
    let run = run("read", &[one], budget, json!({}));
    assert_eq!(run.messages().record_count(), 6, "{}", run.stdout);
    assert_eq!(run.sleeps, [Duration::from_secs(7)]);
}

#[test]
fn a_fixed_window_begins_with_the_first_request_and_lasts_its_period() {
    let full = || items(json!([{"id": 1}, {"id": 2}]));
    let server = Server::start(Routes::new().on("GET", "/s", [full(), full(), items(json!([]))]));
    let policy = json!({"type": "FixedWindowCallRatePolicy", "period": "PT1M", "call_limit": 2, "matchers": []});
    let budget = json!({"api_budget": {"type": "HTTPAPIBudget", "policies": [policy]}});
    let one = stream(&server, "s", json!({}), json!({"paginator": paged(2)}));
    let run = run("read", &[one], budget, json!({}));
    assert_eq!((run.status, run.sleeps.len()), (0, 1), "{}", run.stdout);
    assert!(run.sleeps[0] <= Duration::from_secs(60));
}

/// A stream whose path contains the key of each record of another stream.
fn child(server: &Server, parent: Value) -> Value {
    let config = json!({"type": "ParentStreamConfig", "stream": parent, "parent_key": "id", "partition_field": "pid"});
    let router = json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]});
    let path = json!({"path": "child/{{ stream_partition.pid }}"});
    stream(server, "child", path, json!({"partition_router": router}))
}

fn parents(server: &Server) -> Value {
    stream(server, "parents", json!({}), json!({}))
}

#[test]
fn a_parent_that_is_gone_fails_the_stream_after_the_children_of_all_others_were_read() {
    let listed = || [items(json!([{"id": 1}, {"id": 2}, {"id": 3}]))];
    let routes = Routes::new().on("GET", "/parents", listed()).on("GET", "/child/1", [items(json!([{"c": 1}]))]);
    let server = Server::start(routes.on("GET", "/child/2", [Reply::empty(404)]).on(
        "GET",
        "/child/3",
        [items(json!([{"c": 3}]))],
    ));
    let run = read(child(&server, parents(&server)));
    assert_eq!((run.status, run.messages().record_count()), (1, 2), "{}", run.stdout);
    assert!(run.messages().errors()[0].message.contains("/child/2"), "{}", run.stdout);
}

#[test]
fn the_first_page_of_children_is_taken_from_the_parent_and_the_others_are_requested() {
    let first = json!({"items": [{"c": 1}, {"c": 2}]});
    let listed = items(json!([{"id": 1, "kids": first}, {"id": 2}]));
    let routes = Routes::new().on("GET", "/parents", [listed]).on("GET", "/child/1", [items(json!([{"c": 3}]))]);
    let server = Server::start(routes);
    let mut child = child(&server, parents(&server));
    let config = &mut child["retriever"]["partition_router"]["parent_stream_configs"][0];
    config["lazy_read_pointer"] = json!(["kids"]);
    child["retriever"]["paginator"] = paged(2);
    let run = read(child);
    assert_eq!(records(&run, "child"), [json!({"c": 1}), json!({"c": 2}), json!({"c": 3})], "{}", run.stdout);
    assert_eq!(targets(&server), ["/parents", "/child/1?offset=2&limit=2"]);
}

#[test]
fn messages_name_the_settings_of_a_url_and_not_their_values() {
    let server = Server::start(Routes::new().on("GET", "/acme-corp/items", [Reply::empty(403)]));
    let requester = json!({
        "path": "{{ config['account'] }}/items",
        "request_parameters": {"since": "{{ config['start'] }}", "kind": "full"},
    });
    let one = stream(&server, "s", requester, json!({}));
    let run = run("read", &[one], json!({}), json!({"account": "acme-corp", "start": "2024-05-06"}));
    assert_eq!(run.status, 1);
    assert!(run.stdout.contains("/{account}/items?since={start}&kind=full answered 403"), "{}", run.stdout);
    assert!(!run.stdout.contains("acme-corp") && !run.stdout.contains("2024-05-06"), "{}", run.stdout);
}

#[test]
fn a_cookie_that_a_redirect_sets_is_sent_on() {
    let login = Reply::empty(302).header("Location", "/real").header("Set-Cookie", "sid=abc; Path=/");
    let routes = Routes::new().on("GET", "/s", [login]).on("GET", "/real", [items(json!([{"id": 1}]))]);
    let server = Server::start(routes);
    let run = read(stream(&server, "s", json!({}), json!({})));
    assert_eq!(run.messages().record_count(), 1, "{}", run.stdout);
    assert_eq!(server.requests()[1].header("cookie"), Some("sid=abc"));
}

#[test]
fn collisions_that_the_config_decides_are_reported_at_load_with_both_components() {
    let server = Server::start(Routes::new().on("GET", "/s", [items(json!([]))]));
    let own = json!({"request_parameters": {"limit": "{{ config['n'] }}"}});
    let one = || stream(&server, "s", own.clone(), json!({"paginator": paged(2)}));
    let run_with = |config: Value| run("read", &[one()], json!({}), config);
    let told = run_with(json!({"n": "5"}));
    assert!(told.status == 1 && told.stdout.contains("both set the query parameter `limit`"), "{}", told.stdout);
    assert!(told.stdout.contains("requester.request_parameters") && told.stdout.contains("page_size_option"));
    assert_eq!(targets(&server), [""; 0]);
    assert_eq!(run_with(json!({})).status, 0, "an empty value is not sent");
}

#[test]
fn a_check_has_settings_of_its_own() {
    let server = Server::start(Routes::new().on("GET", "/s", [items(json!([{"id": 1}]))]));
    let one = stream(&server, "s", json!({"request_parameters": {"d": "{{ config['d'] }}"}}), json!({}));
    let check = json!({"type": "CheckStream", "stream_names": ["s"], "config_overrides": {"d": "short"}});
    let checked = run("check", &[one], json!({"check": check}), json!({"d": "long"}));
    assert!(checked.stdout.contains("SUCCEEDED"), "{}", checked.stdout);
    assert_eq!(targets(&server), ["/s?d=short"]);
}

#[test]
fn a_selector_requests_the_columns_of_the_catalog_alone() {
    let server = Server::start(Routes::new().on("GET", "/s", [items(json!([{"id": 1, "a": 1}]))]));
    let properties = json!({
        "type": "QueryProperties",
        "property_list": ["a", "b"],
        "always_include_properties": ["id"],
        "property_selector": {"type": "JsonSchemaPropertySelector"},
    });
    let one = stream(&server, "s", json!({"request_parameters": {"f": properties}}), json!({}));
    let catalog = json!({"streams": [{
        "stream": {
            "name": "s",
            "json_schema": {"type": "object", "properties": {"a": {"type": "integer"}, "c": {"type": "integer"}}},
            "supported_sync_modes": ["full_refresh"],
        },
        "sync_mode": "full_refresh",
        "destination_sync_mode": "overwrite",
    }]});
    let run = of_manifest(&[one], json!({}), json!({})).catalog(&catalog).run("read");
    assert_eq!((run.status, targets(&server)), (0, vec!["/s?f=id%2Ca".to_owned()]), "{}", run.stdout);
}

#[test]
fn a_list_that_is_truncated_is_read_whole_for_its_records() {
    let lines = json!({"data": [{"x": 1}], "has_more": true, "total_count": 3});
    let routes = Routes::new().on("GET", "/s", [items(json!([{"id": 7, "lines": lines}, {"id": 8}]))]);
    let server = Server::start(routes.on("GET", "/full/7", [items(json!([{"x": 1}, {"x": 2}]))]));
    let whole = stream(&server, "full", json!({"path": "full/{{ stream_slice['parent_record']['id'] }}"}), json!({}));
    let named = json!({"type": "QueryProperties", "property_list": ["id", "lines"]});
    for requester in [json!({}), json!({"request_parameters": {"f": named}})] {
        let mut one = stream(&server, "s", requester, json!({}));
        one["retriever"]["record_selector"]["extractor"]["record_expander"] = json!({
            "type": "RecordExpander",
            "expand_records_from_field": ["lines", "data"],
            "truncation_indicator_path": ["lines", "has_more"],
            "truncated_list_retriever": whole["retriever"],
        });
        let run = read(one);
        assert_eq!(records(&run, "s"), [json!({"x": 1}), json!({"x": 2})], "{}", run.stdout);
        assert!(run.stdout.contains("gave 2 entries of a list that has 3"), "{}", run.stdout);
    }
}

#[test]
fn of_several_routers_the_options_of_the_last_come_first_and_the_first_counts() {
    let list = |field: &str, option: &str| {
        let option = json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": option});
        json!({"type": "ListPartitionRouter", "cursor_field": field, "values": [field], "request_option": option})
    };
    let server = Server::start(Routes::new().on("GET", "/s", [items(json!([{"id": 1}]))]));
    let routers = json!([list("a", "x"), list("b", "y"), list("c", "x")]);
    let run = read(stream(&server, "s", json!({}), json!({"partition_router": routers})));
    assert_eq!((run.status, targets(&server)), (0, vec!["/s?y=b&x=a".to_owned()]), "{}", run.stdout);
}
