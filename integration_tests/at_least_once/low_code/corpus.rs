//! The manifest: a stream of each kind, each of few objects on many short pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Messages};

use super::api::{Api, Object, PAGE, PROPERTIES, shown};

/// 2026-10-29T00:00:00Z, in seconds since the epoch.
const NOW: i64 = 1_793_232_000;
const DAY: i64 = 86_400;

/// Names of the streams, how they are read, and the list of each.
const STREAMS: [(&str, bool, &str); 15] = [
    ("links", false, "links"),
    ("pages", false, "pages"),
    ("offsets", false, "offsets"),
    ("rows", false, "houses/*/rows"),
    ("lines", true, "lines"),
    ("wide", false, "wide"),
    ("houses", false, "houses"),
    ("rooms", false, "houses/*/rooms"),
    ("chairs", false, "houses/*/rooms/*/chairs"),
    ("events", true, "events"),
    ("news", true, "news"),
    ("visits", true, "houses/*/visits"),
    ("letters", true, "houses/*/letters"),
    ("counted", true, "counted"),
    ("kinds", true, "kinds/*"),
];

pub(super) struct Corpus {
    pub(super) api: Api,
    now: i64,
    first: BTreeMap<(&'static str, String), Value>,
}

fn object(list: impl Into<String>, id: usize, day: u32) -> Object {
    Object { list: list.into(), id, day }
}

/// The objects of a list with these days.
fn listed(list: &str, days: &[u32]) -> Vec<Object> {
    days.iter().enumerate().map(|(n, day)| object(list, n + 1, *day)).collect()
}

fn objects() -> Vec<Object> {
    let mut objects = Vec::new();
    for list in ["links", "pages", "offsets", "wide", "counted"] {
        objects.extend(listed(list, &[1, 2, 3, 4, 5]));
    }
    objects.extend(listed("houses", &[1, 2, 3]));
    for house in 1..=3 {
        let days: &[u32] = if house == 2 { &[] } else { &[2, 3, 4] };
        objects.extend(listed(&format!("houses/{house}/rows"), days));
        objects.extend(listed(&format!("houses/{house}/rooms"), days));
        objects.extend(listed(&format!("houses/{house}/rooms/1/chairs"), days));
        objects.extend(listed(&format!("houses/{house}/visits"), &[3, 4, 12, 25]));
        objects.extend(listed(&format!("houses/{house}/letters"), &[3, 14, 15, 26]));
    }
    for list in ["events", "news", "lines"] {
        objects.extend(listed(list, &[1, 2, 3, 11, 12, 21, 22, 23, 28]));
    }
    for kind in ["big", "small"] {
        objects.extend(listed(&format!("kinds/{kind}"), &[2, 13, 14, 27]));
    }
    objects
}

/// The stream whose list this is.
fn stream_of(list: &str) -> Option<&'static str> {
    let is_of = |pattern: &str| {
        let (pattern, list): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), list.split('/').collect());
        pattern.len() == list.len()
            && pattern.iter().zip(&list).all(|(pattern, part)| pattern == part || *pattern == "*")
    };
    STREAMS.iter().find(|(_, _, pattern)| is_of(pattern)).map(|(name, _, _)| *name)
}

/// The key of a record, and the record as its stream gives it.
fn expected(object: &Object) -> ((&'static str, String), Value) {
    let stream = stream_of(&object.list).unwrap();
    let mut record = shown(object, if stream == "wide" { &PROPERTIES } else { &[] });
    if stream == "rows" {
        record["id"] = object.id.to_string().into();
    }
    record["list"] = object.list.clone().into();
    ((stream, format!("{} {}", object.list, object.id)), record)
}

impl Corpus {
    pub(super) fn new() -> Self {
        let objects = objects();
        let first = objects.iter().map(expected).collect();
        Self { api: Api::new(objects), now: NOW, first }
    }

    pub(super) fn streams() -> impl Iterator<Item = &'static str> {
        STREAMS.iter().map(|(name, _, _)| *name)
    }

    /// A read in virtual time that resumes from a state.
    pub(super) fn read(&self, workers: usize, state: &Value) -> InProcess {
        let streams = STREAMS
            .map(|(name, is_incremental, _)| (name, if is_incremental { "incremental" } else { "full_refresh" }));
        InProcess::with_registry(Registry::built_in())
            .now(self.now)
            .config(&json!({"__injected_declarative_manifest": manifest(&self.api.server.url())}))
            .streams(&streams)
            .state(state)
            .arg("--workers")
            .arg(workers.to_string())
    }

    /// A day later, each list has new objects at its end, a new parent has children, and an old object of each
    /// incremental stream has changed.
    pub(super) fn change(&mut self) {
        let changes = (self.now - NOW) / DAY + 1;
        self.now += DAY;
        let (day, nth) = (28 + u32::try_from(changes).unwrap(), usize::try_from(changes).unwrap());
        self.api.change(|objects| {
            for (name, is_incremental, pattern) in STREAMS {
                let list = pattern.replace('*', if name == "kinds" { "big" } else { "1" });
                let newest = objects.iter().filter(|object| object.list == list).map(|object| object.id).max();
                objects.push(object(&list, newest.unwrap_or(0) + 1, day));
                if is_incremental && name != "counted" {
                    objects.iter_mut().find(|object| object.list == list && object.id == nth).unwrap().day = day;
                }
            }
            objects.push(object("houses/4/visits", nth, day));
        });
    }

    /// The first objects that the records lack, or, with `now`, the current objects of incremental streams.
    pub(super) fn missing(&self, written: &Union, now: bool) -> Vec<String> {
        let mut missing: Vec<String> =
            self.first.keys().filter(|key| !written.0.contains_key(key)).map(|key| format!("{key:?}")).collect();
        let is_incremental =
            |name: &str| STREAMS.iter().any(|(stream, incremental, _)| *stream == name && *incremental);
        let objects = self.api.objects();
        for (key, record) in objects.iter().map(expected).filter(|((stream, _), _)| now && is_incremental(stream)) {
            if written.0.get(&key) != Some(&record) {
                missing.push(format!("{key:?} as it is now"));
            }
        }
        missing
    }
}

/// A destination that keeps the newest record of each key.
#[derive(Debug, Clone, Default)]
pub(super) struct Union(pub(super) BTreeMap<(&'static str, String), Value>);

impl Union {
    /// Adds the records of one more run.
    pub(super) fn add(&mut self, messages: &Messages) {
        for stream in Corpus::streams() {
            for record in messages.records(stream) {
                let record: Value = serde_json::from_str(record).unwrap();
                let id = record["id"].as_str().map_or_else(|| record["id"].to_string(), ToOwned::to_owned);
                let key = (stream, format!("{} {id}", record["list"].as_str().unwrap()));
                let is_newer = |known: &Value| known["at"].as_str() <= record["at"].as_str();
                if self.0.get(&key).is_none_or(is_newer) {
                    // A record without a member is as bad as a lost one.
                    let whole = if stream == "wide" { 3 + PROPERTIES.len() } else { 3 };
                    assert_eq!(record.as_object().unwrap().len(), whole, "{stream}: {record}");
                    self.0.insert(key, record);
                }
            }
        }
    }
}

fn option(name: &str) -> Value {
    json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name})
}

fn paginator(strategy: Value, name: &str) -> Value {
    json!({"type": "DefaultPaginator", "pagination_strategy": strategy, "page_token_option": option(name)})
}

fn by_link() -> Value {
    paginator(
        json!({"type": "CursorPagination", "cursor_value": "{{ response.get('next') }}",
               "stop_condition": "{{ not response.get('next') }}"}),
        "after",
    )
}

fn by_page() -> Value {
    paginator(json!({"type": "PageIncrement", "page_size": PAGE, "start_from_page": 1}), "page")
}

/// A stream of a list, which adds the name of the list to each record.
fn stream(url: &str, name: &str, path: &str, paginator: Value) -> Value {
    json!({
        "type": "DeclarativeStream", "name": name,
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": path, "request_parameters": {}},
            "paginator": paginator,
            "record_selector": {
                "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["items"]},
            },
        },
        "transformations": [
            {"type": "AddFields", "fields": [{"type": "AddedFieldDefinition", "path": ["list"], "value": path,
                                              "value_type": "string"}]},
        ],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    })
}

/// A stream of files, which have no pages.
fn decoded(mut stream: Value, format: &str, decoder: Value) -> Value {
    stream["retriever"].as_object_mut().unwrap().remove("paginator");
    stream["retriever"]["decoder"] = decoder;
    stream["retriever"]["requester"]["request_parameters"]["as"] = format.into();
    stream["retriever"]["record_selector"]["extractor"]["field_path"] = json!([]);
    stream
}

/// The children of each record of a stream.
fn of_each(mut stream: Value, parent: &Value, key: &str, field: &str) -> Value {
    let config = json!({"type": "ParentStreamConfig", "stream": parent, "parent_key": key, "partition_field": field});
    stream["retriever"]["partition_router"] =
        json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]});
    stream
}

/// By the time of change, in steps of ten days.
fn by_time(mut stream: Value, more: Value) -> Value {
    let mut cursor = json!({
        "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
        "start_datetime": "2026-10-01T00:00:00Z", "step": "P10D", "cursor_granularity": "PT1S",
        "start_time_option": option("from"), "end_time_option": option("to"),
    });
    cursor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stream["incremental_sync"] = cursor;
    stream
}

fn manifest(url: &str) -> Value {
    let offsets = paginator(json!({"type": "OffsetIncrement", "page_size": PAGE}), "offset");
    let in_house = |rest: &str| format!("houses/{{{{ stream_partition['house'] }}}}/{rest}");
    let mut wide = stream(url, "wide", "wide", by_link());
    wide["retriever"]["requester"]["request_parameters"]["fields"] = json!({
        "type": "QueryProperties", "property_list": PROPERTIES,
        "property_chunking": {
            "type": "PropertyChunking", "property_limit_type": "property_count", "property_limit": 2,
            "record_merge_strategy": {"type": "GroupByKeyMergeStrategy", "key": "id"},
        },
    });
    let houses = stream(url, "houses", "houses", by_link());
    let rows = decoded(stream(url, "rows", &in_house("rows"), by_page()), "csv", json!({"type": "CsvDecoder"}));
    let rows = of_each(rows, &houses, "id", "house");
    let lines = decoded(stream(url, "lines", "lines", by_page()), "lines", json!({"type": "JsonlDecoder"}));
    let lines = by_time(lines, json!({}));
    let rooms = of_each(stream(url, "rooms", &in_house("rooms"), by_page()), &houses, "id", "house");
    let chairs = stream(
        url,
        "chairs",
        "houses/{{ stream_partition['parent_slice']['house'] }}/rooms/{{ stream_partition['room'] }}/chairs",
        by_link(),
    );
    let chairs = of_each(chairs, &rooms, "id", "room");
    let mut news = by_time(stream(url, "news", "news", by_page()), json!({"lookback_window": "P3D"}));
    news["retriever"]["requester"]["request_parameters"]["order"] = "newest_first".into();
    let visits = of_each(stream(url, "visits", &in_house("visits"), by_link()), &houses, "id", "house");
    let letters = of_each(stream(url, "letters", &in_house("letters"), by_page()), &houses, "id", "house");
    let mut counted = stream(url, "counted", "counted", by_link());
    counted["incremental_sync"] = json!({"type": "IncrementingCountCursor", "cursor_field": "id", "start_value": 0});
    let mut kinds = stream(url, "kinds", "kinds/{{ stream_partition['kind'] }}", by_page());
    kinds["retriever"]["partition_router"] =
        json!({"type": "ListPartitionRouter", "cursor_field": "kind", "values": ["big", "small"]});
    json!({
        "version": "7.39.1", "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["links"]},
        "streams": [
            stream(url, "links", "links", by_link()),
            stream(url, "pages", "pages", by_page()),
            stream(url, "offsets", "offsets", offsets),
            rows, lines, wide, houses, rooms, chairs,
            by_time(stream(url, "events", "events", by_link()), json!({})),
            news,
            by_time(visits, json!({})),
            by_time(letters, json!({"global_substream_cursor": true})),
            counted,
            by_time(kinds, json!({})),
        ],
    })
}
