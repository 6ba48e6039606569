//! Everything that comes from outside, as documents that are almost right, and every finding of the fuzz targets so
//! far. The checks are in `inputs`, which the targets of `fuzz/` share.

#[allow(unreachable_pub, reason = "it is a crate of its own, too")]
mod decoders;
#[allow(unreachable_pub, reason = "it is a crate of its own, too")]
mod inputs;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value};

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 9] = [
    ("config", inputs::config),
    ("catalog", inputs::catalog),
    ("state", inputs::state),
    ("records", inputs::records),
    ("headers", inputs::headers),
    ("cache_entry", inputs::cache_entry),
    ("manifest", inputs::manifest),
    ("templates", inputs::templates),
    ("decoders", decoders::decoders),
];

/// The files in `FOLDER/TARGET`: names and contents.
fn files(folder: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration_tests/hostile").join(folder).join(target);
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

#[test]
fn every_seed_and_every_finding_of_the_fuzz_targets_passes() {
    for (name, target) in TARGETS {
        let seeds = files("seeds", name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        for (path, bytes) in seeds.into_iter().chain(files("findings", name)) {
            assert!(catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_ok(), "{path}");
        }
    }
}

/// Any JSON, with names that mean something here.
fn json() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 28] = [
        "stateType",
        "streamState",
        "globalState",
        "streamDescriptor",
        "singer_state",
        "completed",
        "type",
        "stream",
        "streams",
        "stream_descriptor",
        "stream_state",
        "stream_states",
        "name",
        "namespace",
        "state",
        "sync_mode",
        "global",
        "shared_state",
        "updated",
        "list_pass",
        "synced_to",
        "__resume",
        "slice",
        "next_page_token",
        "states",
        "partition",
        "cursor",
        "charges",
    ];
    const TEXTS: [&str; 12] = [
        "",
        "STREAM",
        "GLOBAL",
        "LEGACY",
        "charges",
        "setup_attempts",
        "incremental",
        "full_refresh",
        "9223372036854775807",
        "2026-01-01T00:00:00Z",
        "sk_test_x",
        "\u{0}\u{1f600}\"\\",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (1_700_000_000_i64..1_800_000_000).prop_map(Value::from),
        prop::sample::select(TEXTS.to_vec()).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let name = prop_oneof![4 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// One of the documents with one of its values replaced by another one.
fn almost(seeds: Vec<Value>) -> impl Strategy<Value = Value> {
    (prop::sample::select(seeds), any::<prop::sample::Index>(), json()).prop_map(|(mut seed, at, value)| {
        let mut places = places(&seed, String::new());
        let place = places.swap_remove(at.index(places.len()));
        if let Some(found) = seed.pointer_mut(&place) {
            *found = value;
        }
        seed
    })
}

/// The places of all values of a document, as JSON pointers.
fn places(value: &Value, at: String) -> Vec<String> {
    let mut all = vec![at.clone()];
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                all.extend(places(value, format!("{at}/{name}")));
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                all.extend(places(value, format!("{at}/{n}")));
            }
        }
        _ => {}
    }
    all
}

fn run(target: &str, cases: u32) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let seeds = files("seeds", target).into_iter().filter_map(|(_, text)| serde_json::from_slice(&text).ok()).collect();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let documents = prop_oneof![3 => almost(seeds), 1 => json()];
    let result = runner.run(&documents, |document| {
        check(document.to_string().as_bytes());
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn any_config_is_taken_or_named() {
    run("config", 400);
}

#[test]
fn any_catalog_is_taken_or_named() {
    run("catalog", 200);
}

#[test]
fn any_state_is_taken_or_named_and_what_is_written_in_its_place_is_taken() {
    run("state", 300);
}

#[test]
fn any_manifest_is_taken_or_named() {
    run("manifest", 400);
}

proptest! {
    #![proptest_config(Config { cases: 500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_response_has_the_same_records_in_memory_and_on_disk(document in json(), place in 0..4_u8, cut in any::<prop::sample::Index>()) {
        let wrapped = serde_json::json!({"data": [document.clone(), {"items": document}], "next": "b"}).to_string();
        for text in [wrapped.clone(), document.to_string()] {
            inputs::records(&[&[place], text.as_bytes()].concat());
            inputs::records(&[&[place], &text.as_bytes()[..cut.index(text.len() + 1)]].concat());
        }
    }

    #[test]
    fn any_body_is_decoded_or_named(kind in 0..12_u8, bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[a{}<>/\\[\\]\",:&;! \r\n\t0-9]{0,60}") {
        decoders::decoders(&[&[kind], &bytes[..]].concat());
        decoders::decoders(&[&[kind], text.as_bytes()].concat());
    }

    #[test]
    fn any_headers_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..80), wait in "[-+0-9.eEinfNa]{0,12}") {
        inputs::headers(&bytes);
        inputs::headers(format!("<a>; rel=next\n{wait}").as_bytes());
    }

    #[test]
    fn any_text_is_a_manifest_or_named(text in "[-a-c:?!&*#|>{}\\[\\],'\"<= \t\r\n0-9.~$/]{0,60}") {
        inputs::manifest(text.as_bytes());
        inputs::manifest(format!("a: 1\n{text}").as_bytes());
    }

    #[test]
    fn any_entry_of_the_cache_is_refused_or_comes_back_as_it_was(bytes in prop::collection::vec(any::<u8>(), 0..120), head in "[a-z:\r\n ]{0,30}") {
        inputs::cache_entry(&bytes);
        inputs::cache_entry(&[b"\r\n200\r\n", head.as_bytes(), b"\r\n\r\n", &bytes].concat());
    }

    #[test]
    fn any_template_gives_a_value_or_a_fault(what in 0..4_u8, pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..14)) {
        inputs::templates(&[&[what], pieces.concat().as_bytes()].concat());
        inputs::templates(format!("\0{{{{ {} }}}}", pieces.join(" ")).as_bytes());
    }
}

/// Pieces of templates, literals, dates and durations.
static PIECES: [&str; 96] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{-",
    "-%}",
    " ",
    "\n",
    "\t",
    "'",
    "\"",
    "'a'",
    "'x y'",
    "1",
    "0",
    "-1",
    "2.5",
    "1e400",
    "0x1f",
    "99999999999999999999",
    "config",
    "config.token",
    "config.list",
    "record",
    "record.a.b",
    "x",
    "true",
    "none",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ":",
    ".",
    "|",
    "~",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "==",
    "<",
    "in",
    "not",
    "is",
    "and",
    "or",
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "endfor",
    "set",
    "=",
    "endset",
    "macro m(a)",
    "endmacro",
    "m(",
    "loop.index",
    "now_utc()",
    "duration('P1M')",
    "str_to_datetime(",
    "format_datetime(",
    "|upper",
    "|int",
    "|float",
    "|list",
    "|sort",
    "|map('upper')",
    "|join(',')",
    "|round(2)",
    "|regex_replace('(a)','\\\\1')",
    "|tojson",
    "|string",
    ".split(',')",
    ".format(1)",
    ".append(",
    ".strftime(",
    "[::-1]",
    "[:2]",
    "%Y-%m-%dT%H:%M:%S",
    "%f",
    "%z",
    "P1Y",
    "T5H",
    "b'",
    "\\",
];
