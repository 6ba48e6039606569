//! The path of a record, without the network: finds the records in a page's body, looks up the cursor of each, and
//! makes each a line. Measures bytes a second of the body, and records a second of decoders:
//!
//! ```sh
//! cargo bench --bench record_path
//! cargo bench --bench record_path -- --save-baseline before    # and later: --baseline before
//! ```

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use source_http::http::{Body, HeaderMap, Response, StatusCode, Undecodable};
use source_http::json::RecordPath;
use source_http::protocol::{RecordWriter, StreamDescriptor};
use source_http::streams::decoders::{Csv, JsonLines};
use source_http::streams::{Page, Records};
use source_http_testkit::json_text;
use stripe_mock::StripeMock;

const RECORDS: u64 = 100;
/// Nested objects and lists in a record of the nested page.
const LEVELS: usize = 24;

/// Pages of 100 records, by their form.
fn pages() -> Vec<(&'static str, String)> {
    let charges = StripeMock::builder().count("charges", RECORDS).start().objects("charges").join(",");
    let compact = format!(r#"{{"object":"list","data":[{charges}],"has_more":true,"url":"/v1/charges"}}"#);
    let trees: Vec<String> =
        (0..RECORDS).map(|id| format!(r#"{{"id":{id},"created":{id},"tree":{}}}"#, tree())).collect();
    let nested = format!(r#"{{"data":[{}]}}"#, trees.join(","));
    vec![
        ("pretty", json_text::pretty(&compact, 0)),
        ("pretty_nested", json_text::pretty(&nested, 0)),
        ("compact", compact),
        ("nested", nested),
    ]
}

/// Lists in objects in lists, with a few members on each level.
fn tree() -> String {
    (0..LEVELS)
        .fold("null".to_owned(), |tree, level| format!(r#"{{"n":{level},"s":"level \"{level}\"","b":[true,{tree}]}}"#))
}

/// Appends the lines of a page's records to `out`, as a read does.
fn write_lines(response: Response, find: Find<'_>, writer: &RecordWriter, out: &mut Vec<u8>) -> anyhow::Result<Page> {
    let records = find(&response).map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
    let page = Page::new(response, records);
    let lines = writer.at(1_767_225_600_000);
    let _ = page.for_each(&mut |record| {
        black_box(record.field_at(&["created"]));
        lines.write_with(out, None, |out| record.write_one_line(out));
        Ok(ControlFlow::Continue(()))
    })?;
    black_box(page.last());
    Ok(page)
}

fn record_path(criterion: &mut Criterion) {
    let path = RecordPath::new(["data"]);
    let writer = RecordWriter::new(&StreamDescriptor { name: "charges".into(), namespace: None });
    let find = |response: &Response| Records::at(response, &path);
    let mut group = criterion.benchmark_group("record_path");
    for (name, text) in pages() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        let mut out = Vec::new();
        assert!(write_lines(response(&text), &find, &writer, &mut out).is_ok(), "{name} is a page of records");
        assert_eq!(String::from_utf8_lossy(&out).lines().count() as u64, RECORDS, "each record is a line");
        group.bench_function(name, |bencher| {
            let run = |response| {
                out.clear();
                write_lines(response, &find, &writer, &mut out)
            };
            // The page is returned, so that freeing its memory is not measured.
            bencher.iter_batched(|| response(&text), run, BatchSize::SmallInput);
        });
    }
    group.finish();
}

/// Finds the records of a page.
type Find<'f> = &'f dyn Fn(&Response) -> Result<Records, Undecodable>;

/// The same 10,000 records as JSON lines, as CSV and as a list. Records a second.
fn decoders(criterion: &mut Criterion) {
    const ROWS: u64 = 10_000;
    let row = |id: u64| format!(r#"{{"id":{id},"created":{id},"name":"a name of some length","city":"Oslo"}}"#);
    let rows: Vec<String> = (0..ROWS).map(row).collect();
    let lines = rows.join("\n");
    let list = format!("[{}]", rows.join(","));
    let rows: Vec<String> = (0..ROWS).map(|id| format!("{id},{id},a name of some length,Oslo")).collect();
    let table = format!("id,created,name,city\n{}\n", rows.join("\n"));
    let json_lines = |response: &Response| Records::decoded(response, JsonLines::new());
    let csv = |response: &Response| Records::decoded(response, Csv::new());
    let json = |response: &Response| Records::at(response, &RecordPath::default());
    let pages: [(&str, &str, Find<'_>); 3] =
        [("json", &list, &json), ("json_lines", &lines, &json_lines), ("csv", &table, &csv)];
    let writer = RecordWriter::new(&StreamDescriptor { name: "rows".into(), namespace: None });
    let mut group = criterion.benchmark_group("decoders");
    for (name, text, find) in pages {
        group.throughput(Throughput::Elements(ROWS));
        let mut out = Vec::new();
        assert!(write_lines(response(text), find, &writer, &mut out).is_ok(), "{name} is a page of records");
        assert_eq!(String::from_utf8_lossy(&out).lines().count() as u64, ROWS, "each record is a line");
        group.bench_function(name, |bencher| {
            let run = |response| {
                out.clear();
                write_lines(response, find, &writer, &mut out)
            };
            bencher.iter_batched(|| response(text), run, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn response(text: &str) -> Response {
    Response {
        request: "GET http://127.0.0.1/v1/charges".to_owned(),
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Body::Memory(text.as_bytes().to_vec().into()),
    }
}

criterion_group!(benches, record_path, decoders);
criterion_main!(benches);
