//! Manifests and their streams, as tests build them: what is usual in a component is here, and a test adds what it is about.

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Reply, Server};

/// A component with these members besides. One that is null takes the usual one away.
pub(crate) fn with(mut component: Value, more: Value) -> Value {
    let members = component.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    component
}

/// A requester of a path, with these members besides.
pub(crate) fn requester(base: &str, path: &str, more: Value) -> Value {
    with(json!({"type": "HttpRequester", "url_base": base, "path": path}), more)
}

/// What takes the value at a path.
pub(crate) fn extractor(path: &[&str]) -> Value {
    json!({"type": "DpathExtractor", "field_path": path})
}

/// A retriever whose records are at a path, with these members besides.
pub(crate) fn retriever(requester: Value, path: &[&str], more: Value) -> Value {
    let selector = json!({"type": "RecordSelector", "extractor": extractor(path)});
    with(json!({"type": "SimpleRetriever", "requester": requester, "record_selector": selector}), more)
}

/// A stream without a schema, with these members besides.
pub(crate) fn manifest_stream(name: &str, retriever: Value, more: Value) -> Value {
    let schema = json!({"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}});
    with(json!({"type": "DeclarativeStream", "name": name, "retriever": retriever, "schema_loader": schema}), more)
}

/// The connector of a manifest with these streams and members. A check reads the last stream, and one worker reads.
pub(crate) fn of_manifest(streams: &[Value], more: Value, config: Value) -> InProcess {
    let manifest = json!({
        "version": "7.39.1", "type": "DeclarativeSource", "streams": streams,
        "check": {"type": "CheckStream", "stream_names": [streams.last().unwrap()["name"]]},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 1},
    });
    let config = with(config, json!({"__injected_declarative_manifest": with(manifest, more)}));
    InProcess::with_registry(Registry::built_in()).config(&config)
}

/// An error handler that does this about a status.
pub(crate) fn on_status(status: u16, action: &str) -> Value {
    let filter = json!({"type": "HttpResponseFilter", "http_codes": [status], "action": action});
    json!({"error_handler": {"type": "DefaultErrorHandler", "response_filters": [filter]}})
}

/// A page of records at `items`.
pub(crate) fn items(items: Value) -> Reply {
    Reply::json(json!({"items": items}))
}

/// The targets of a server's requests, in their order.
pub(crate) fn targets(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.target).collect()
}

/// A stream with this requester: records at `data`, and the URL of the next page at `next`.
pub(crate) fn linked_stream(name: &str, requester: &Value) -> Value {
    let paginator = json!({
        "type": "DefaultPaginator", "page_token_option": {"type": "RequestPath"},
        "pagination_strategy": {
            "type": "CursorPagination", "cursor_value": "{{ response.get('next') }}",
            "stop_condition": "{{ not response.get('next') }}",
        },
    });
    manifest_stream(name, retriever(requester.clone(), &["data"], json!({"paginator": paginator})), json!({}))
}
