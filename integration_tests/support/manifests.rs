//! Streams of manifests, as tests build them.

use serde_json::{Value, json};

/// A stream with this requester: records at `data`, and the URL of the next page at `next`.
pub(crate) fn linked_stream(name: &str, requester: &Value) -> Value {
    json!({
        "type": "DeclarativeStream", "name": name,
        "retriever": {
            "type": "SimpleRetriever", "requester": requester,
            "record_selector": {
                "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {
                "type": "DefaultPaginator", "page_token_option": {"type": "RequestPath"},
                "pagination_strategy": {
                    "type": "CursorPagination", "cursor_value": "{{ response.get('next') }}",
                    "stop_condition": "{{ not response.get('next') }}",
                },
            },
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    })
}
