//! The values that a manifest is read as, and the messages about a faulty one.

use std::time::Instant;

use serde_json::{Value as Json, json};

use super::{Faults, Format, Kind, Node, Value, custom_classes, expand, json, load, resolve, yaml};

/// The value of a YAML text, and the messages about it.
fn read(text: &str) -> (Option<Json>, Vec<String>) {
    let mut faults = Faults::new("m");
    let node = yaml(text, &mut faults);
    (node.map(|node| node.to_json()), said(&faults))
}

fn said(faults: &Faults) -> Vec<String> {
    faults.iter().map(|fault| faults.line(fault)).collect()
}

fn value(text: &str) -> Json {
    let (value, said) = read(text);
    value.unwrap_or_else(|| panic!("{text:?}: {said:?}"))
}

fn refusal(text: &str) -> String {
    let (value, said) = read(text);
    assert!(value.is_none(), "{text:?} is {value:?}");
    said.join("\n")
}

#[test]
fn words_and_numbers_are_read_as_pyyaml_reads_them() {
    for (text, wanted) in [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("yEs", json!("yEs")),
        ("y", json!("y")),
        ("~", json!(null)),
        ("nUll", json!("nUll")),
        ("1e3", json!("1e3")),
        ("1.0e+3", json!(1000.0)),
        ("-.5", json!("-.5")),
        (".5", json!(0.5)),
        ("010", json!(8)),
        ("08", json!("08")),
        ("0o17", json!("0o17")),
        ("0x1F", json!(31)),
        ("1_000", json!(1000)),
        ("1:30", json!(90)),
        ("-1:30", json!(-90)),
        ("1:60", json!("1:60")),
        ("1:30.5", json!(90.5)),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("2024-01-31", json!("2024-01-31")),
        ("2024-1-31", json!("2024-1-31")),
        ("2024-01-31 1:02:03.5 -5:30", json!("2024-01-31T01:02:03.500000-05:30")),
        ("! '1'", json!(1)),
        ("!!str 1", json!("1")),
        ("!!int '1_0'", json!(10)),
    ] {
        assert_eq!(value(text), wanted, "{text}");
        assert_eq!(value(&format!("a:\n- {text}\n")), json!({"a": [wanted]}), "{text}");
    }
    let mut faults = Faults::new("m");
    let date = yaml("2024-01-31", &mut faults).unwrap();
    assert!(matches!(date.value(), Value::Date(_)), "{date:?}");
}

#[test]
fn values_that_look_like_others_are_named_with_their_line() {
    let (_, said) = read("a: 010\nb:\n  - 1:30\non: x\nyes: y\nok: on\n");
    assert_eq!(
        said,
        [
            "m:1:4: a: `010` is octal in YAML 1.1: 8; put it in quotes if it is a text",
            "m:3:5: b[0]: `1:30` is of base 60 in YAML 1.1: 90; put it in quotes if it is a text",
            "m:4:1: `on` is true as a key in YAML 1.1, not a text; put it in quotes if it is a text",
            "m:5:1: `yes` is true as a key in YAML 1.1, not a text; put it in quotes if it is a text",
            "m:5:1: the key true or false is already there in line 4; this one wins",
        ]
    );
}

#[test]
fn the_last_of_two_equal_keys_wins_with_a_warning() {
    let (value, said) = read("a: 1\nb: 2\na: 3\n1: x\n1.0: y\n");
    assert_eq!(value.unwrap().to_string(), r#"{"a":3,"b":2,"1":"y"}"#);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0], "m:3:1: the key `a` is already there in line 1; this one wins");
}

#[test]
fn merged_mappings_come_first_and_lose_to_explicit_keys() {
    assert_eq!(value("x: &x {p: 1, q: 2}\ny:\n  <<: *x\n  q: 3\n")["y"].to_string(), r#"{"p":1,"q":3}"#);
    // As in PyYAML 6.0.4, and the other way round with names of one letter.
    assert_eq!(value("<<: [{aa: 1}, {aa: 2}]"), json!({"aa": 2}));
    assert_eq!(value("<<: [{a: 1}, {a: 2}]"), json!({"a": 1}));
    assert_eq!(refusal("<<: [1]"), "m:1:6: `<<` merges mappings, but this is a whole number");
}

#[test]
fn texts_that_only_libyaml_accepts_are_read() {
    let flow = "schema: {\n\"a\": [\n1,\n\"]\" # ]\n],\n\"b\": 2\n}\nc: x\n";
    assert_eq!(value(flow), json!({"schema": {"a": [1, "]"], "b": 2}, "c": "x"}));
    assert_eq!(
        value("a:\n  b: [\n1, {c: d,\ne: f}\n]\n  g: h\n"),
        json!({"a": {"b": [1, {"c": "d", "e": "f"}], "g": "h"}})
    );
    assert_eq!(value("a:\n  b: \"x\ny\"\n  c: 'it''s\n1'\n"), json!({"a": {"b": "x y", "c": "it's 1"}}));
    assert_eq!(value("a:\tb\nc:\t\td\n"), json!({"a": "b", "c": "d"}));
    assert_eq!(value("a: |\n  x"), json!({"a": "x"}));
    assert_eq!(value("a: |\n  x\n"), json!({"a": "x\n"}));
    assert_eq!(value("\u{feff}a: 'b\u{85}c'"), json!({"a": "b c"}));
    assert!(refusal("a:\n\tb: 1").starts_with("m:2:"));
    // Places are those of the text as it was.
    assert!(refusal("a:\n  b: [\n1, &x\n]\n  c: !no x").starts_with("m:5:6: the tag `!no`"));
}

#[test]
fn a_faulty_text_is_refused_with_line_and_column() {
    for (text, wanted) in [
        ("a: 2024-13-01", "m:1:4: 2024-13-01 looks like a date"),
        ("a: 1\n---\nb: 2\n", "m:2:1: a second document"),
        ("a:\n  b: !x y\n", "m:2:6: the tag `!x` is unknown"),
        ("a: {{ x }}", "m:1:5: a mapping cannot be a key; a value that begins with `{{` needs quotes"),
        ("a: =", "m:1:4: a bare `=`"),
        ("a: b: c", "m:1:5: this is not YAML"),
        ("a: 'x", "m:1:4: this is not YAML"),
        ("a: *x", "m:1:4: this is not YAML"),
        ("a: &x [*x]", "m:1:8: an alias to a value that contains it"),
        ("a: \u{1}", "m:1:4: the character U+0001"),
        ("a: 0b_", "m:1:4: 0b_ looks like a whole number"),
        ("a: !!int x", "m:1:4: x looks like"),
        ("a: !!map [1]", "m:1:4: `!!map` takes a mapping"),
    ] {
        let said = refusal(text);
        assert!(said.starts_with(wanted), "{text:?}: {said}");
    }
    assert!(refusal("a:\n  b: {{ config['x'] }}").ends_with("; a value that begins with `{{` needs quotes"));
}

#[test]
fn json_is_read_with_lines_and_columns() {
    let mut faults = Faults::new("m");
    let text =
        "{\"a\": [1, -2.5,\n  {\"b\": \"\\u00e9\\n\"}, 18446744073709551616, NaN, null], \"a\": true, \"c\": {}}";
    let node = json(text, &mut faults).unwrap();
    assert_eq!(node.to_json(), json!({"a": true, "c": {}}));
    assert_eq!(said(&faults), ["m:2:56: the key `a` is already there in line 1; this one wins"]);
    for (text, wanted) in [
        ("{\"a\": }", "m:1:7: this is not JSON: a value is missing"),
        ("[1,\n 02]", "m:2:2: this is not JSON"),
        ("[1] x", "m:1:5: this is not JSON: there is more"),
        ("{a: 1}", "m:1:2: this is not JSON: a key in double quotes is missing"),
        ("[1", "m:1:3: this is not JSON: a comma"),
        ("\"a", "m:1:1: this is not JSON: a text that does not end"),
        ("", "m:1:1: this is not JSON: the text ends"),
    ] {
        let mut faults = Faults::new("m");
        assert!(json(text, &mut faults).is_none(), "{text}");
        assert!(said(&faults)[0].starts_with(wanted), "{text}: {:?}", said(&faults));
    }
}

#[test]
fn bombs_and_deep_nesting_are_refused_at_once() {
    let laughs: String = (1..12)
        .map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(",")))
        .fold("a0: &a0 [x]\n".to_owned(), |text, line| text + &line);
    let references: String = (1..20)
        .map(|n| format!("a{n}: {{x: '#/a{0}', y: '#/a{0}', z: {{$ref: '#/a{0}'}}}}\n", n - 1))
        .fold("a0: {x: 1}\n".to_owned(), |text, line| text + &line);
    let parameters: Vec<String> = (0..20).map(|n| format!("p{n}: {{type: T}}")).collect();
    let chain = (0..5000).fold(String::new(), |text, n| text + &format!("a{n}: '#/a{}'\n", n + 1));
    let nested: String =
        (1..5000).fold("a0: {x: 1}\n".to_owned(), |text, n| text + &format!("a{n}: {{x: '#/a{}'}}\n", n - 1));
    for text in [
        laughs,
        references,
        format!("type: T\n$parameters: {{{}}}", parameters.join(", ")),
        chain,
        nested,
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "- ".repeat(10_000) + "a",
        "? ".repeat(10_000) + "a",
    ] {
        let mut faults = Faults::new("m");
        assert!(load(&text, Format::Yaml, &mut faults).is_none());
        let limits = faults.errors().filter(|fault| fault.kind == Kind::Limit).count();
        assert!(limits > 0, "{:.60} {:?}", text, said(&faults).first());
    }
    let mut faults = Faults::new("m");
    assert!(load(&"[".repeat(10_000), Format::Json, &mut faults).is_none());
    assert_eq!(faults.iter().next().map(|fault| fault.kind), Some(Kind::Limit));
}

#[test]
fn the_target_of_several_references_is_in_memory_once() {
    let mut faults = Faults::new("m");
    let read = yaml(
        "d: {s: {type: object, properties: {a: {}}}}\nx: {$ref: '#/d/s'}\ny: '#/d/s'\nz: {w: {$ref: '#/x'}}",
        &mut faults,
    );
    let resolved = resolve(&read.unwrap(), &mut faults);
    let target = resolved.get("d").and_then(|node| node.get("s")).unwrap().address();
    let found = [resolved.get("x"), resolved.get("y"), resolved.get("z").and_then(|node| node.get("w"))];
    assert_eq!(found.map(|node| node.unwrap().address()), [target; 3]);

    let text = "d: {r: {type: R, s: {type: S}}}\nstreams:\n- {type: D, retriever: '#/d/r'}\n- {type: D, retriever: '#/d/r'}\n- {type: D, $parameters: {p: 1}, retriever: '#/d/r'}";
    let expanded = expand(&yaml(text, &mut faults).unwrap(), &mut faults).unwrap();
    let retrievers: Vec<&Node> = expanded
        .get("streams")
        .unwrap()
        .as_list()
        .unwrap()
        .iter()
        .filter_map(|stream| stream.get("retriever"))
        .collect();
    assert_eq!(retrievers[0].address(), retrievers[1].address());
    assert_eq!(
        retrievers[2].to_json(),
        json!({"type": "R", "s": {"type": "S", "p": 1, "$parameters": {"p": 1}}, "p": 1, "$parameters": {"p": 1}})
    );
}

const SMALL: &str = "\
version: 1.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [a]}
definitions:
  requester:
    type: HttpRequester
    url_base: https://a.com
    path: /items
    http_method: GET
streams:
  - type: DeclarativeStream
    name: a
    retriever:
      type: SimpleRetriever
      requester: {$ref: '#/definitions/requester'}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
";

#[test]
fn each_fault_has_its_place_its_path_and_the_nearest_word() {
    for (from, to, wanted) in [
        (
            "http_method: GET",
            "http_method: GETT",
            "m:9:18: streams[0].retriever.requester.http_method: `GETT` is not allowed; GET or POST is. Did you mean `GET`?",
        ),
        (
            "type: HttpRequester",
            "type: HttpRequestr",
            "m:6:11: streams[0].retriever.requester: `HttpRequestr` is not a component. Write HttpRequester or CustomRequester. Did you mean `HttpRequester`?",
        ),
        (
            "type: HttpRequester",
            "type: RecordFilter",
            "m:6:11: streams[0].retriever.requester: `RecordFilter` cannot stand here. Write HttpRequester or CustomRequester",
        ),
        (
            "/definitions/requester",
            "/definitions/requestr",
            "m:15:25: streams[0].retriever.requester: the reference `#/definitions/requestr` leads nowhere: `definitions` has no `requestr`. Did you mean `#/definitions/requester`?",
        ),
        (
            "field_path: [data]",
            "field_path: data",
            "m:16:93: streams[0].retriever.record_selector.extractor.field_path: has to be a list, not text",
        ),
        (
            "field_path: [data]",
            "fieldpath: [data]",
            "m:16:58: streams[0].retriever.record_selector.extractor: DpathExtractor needs the field `field_path`; there is a `fieldpath`",
        ),
        (
            "path: /items",
            "path: 2024-01-01",
            "m:8:11: streams[0].retriever.requester.path: has to be text, not a date (quotes make it text)",
        ),
        ("version: 1.0.0", "version: 1.0", "m:1:10: version: has to be text, not a number"),
        ("version: 1.0.0\n", "", "m:1:1: DeclarativeSource needs the field `version`"),
        (
            "version: 1.0.0",
            "version: '1'\nstream: []",
            "m:2:1: DeclarativeSource has no field `stream`. Did you mean `streams`?",
        ),
        (
            "    name: a\n",
            "    $parameters: 5\n",
            "m:12:18: streams[0].$parameters: `$parameters` has to be a mapping, not a whole number",
        ),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let mut faults = Faults::new("m");
        assert!(load(&SMALL.replacen(from, to, 1), Format::Yaml, &mut faults).is_none(), "{to}");
        assert_eq!(faults.errors().map(|fault| faults.line(fault)).next().as_deref(), Some(wanted));
    }
    let mut faults = Faults::new("m");
    assert!(load(SMALL, Format::Yaml, &mut faults).is_some());
    assert_eq!(said(&faults), Vec::<String>::new());
}

#[test]
fn all_faults_are_reported_at_once_and_each_once() {
    let text = SMALL.replace("GET", "GETT").replace("field_path: [data]", "field_path: data").replace(
        "streams:\n",
        "streams:\n  - {type: DeclarativeStream, name: b, retriever: {$ref: '#/streams/1/retriever'}}\n",
    );
    let mut faults = Faults::new("m");
    assert!(load(&text, Format::Yaml, &mut faults).is_none());
    let lines: Vec<u32> = faults.errors().map(|fault| fault.mark.line).collect();
    assert_eq!(lines, [9, 17]);
}

#[test]
fn unknown_fields_are_warnings_but_parameters_of_outer_components_are_not() {
    let text = SMALL
        .replace("    name: a\n", "    name: a\n    nam: b\n    $parameters: {unheard: 1}\n")
        .replace("path: /items", "path: /items\n    request_params: {a: b}");
    let mut faults = Faults::new("m");
    let manifest = load(&text, Format::Yaml, &mut faults).unwrap();
    assert_eq!(
        said(&faults),
        [
            "m:9:5: streams[0].retriever.requester: HttpRequester has no field `request_params`; it is ignored. Did you mean `request_parameters`?",
            "m:14:5: streams[0]: DeclarativeStream has no field `nam`; it is ignored. Did you mean `name`?",
        ]
    );
    assert_eq!(
        manifest.get("streams").unwrap().as_list().unwrap()[0].get("unheard").map(Node::to_json),
        Some(json!(1))
    );
}

#[test]
fn python_classes_are_named_with_the_streams_that_need_them() {
    let custom = "{type: CustomRecordExtractor, class_name: source_x.components.Odd}";
    let text = SMALL.replace("{type: DpathExtractor, field_path: [data]}", custom).replace(
        "streams:\n",
        "streams:\n  - {type: DeclarativeStream, name: b, retriever: {$ref: '#/streams/1/retriever', $parameters: {x: 1}}}\n",
    );
    let mut faults = Faults::new("m");
    let manifest = load(&text, Format::Yaml, &mut faults).unwrap();
    let classes = custom_classes(&manifest);
    assert_eq!(classes.len(), 1);
    assert_eq!(classes[0].class_name, "source_x.components.Odd");
    assert_eq!((classes[0].streams.clone(), classes[0].mark.line), (vec!["b".to_owned(), "a".to_owned()], 17));
}

#[test]
fn a_manifest_is_a_mapping() {
    for (text, wanted) in
        [("", "m:1:1: the manifest is empty"), ("- a", "m:1:1: a manifest has to be a mapping, not a list")]
    {
        let mut faults = Faults::new("m");
        assert!(load(text, Format::Yaml, &mut faults).is_none());
        assert_eq!(said(&faults), [wanted]);
    }
}

/// `cargo test --release -- --ignored --nocapture how_long` prints how long it takes.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, clippy::format_push_string, clippy::print_stdout, reason = "a measurement")]
fn how_long_a_manifest_of_one_megabyte_takes() {
    let mut text = SMALL.to_owned();
    for stream in 0..400 {
        text.push_str(&format!("  - type: DeclarativeStream\n    name: s{stream}\n    $parameters: {{path: p{stream}}}\n    retriever:\n      $ref: '#/streams/0/retriever'\n    schema_loader:\n      type: InlineSchemaLoader\n      schema:\n        type: object\n        properties:\n"));
        for property in 0..50 {
            text.push_str(&format!("          property_{property}:\n            type: [\"null\", string]\n"));
        }
    }
    let started = Instant::now();
    let mut faults = Faults::new("m");
    let manifest = load(&text, Format::Yaml, &mut faults).unwrap();
    println!("{} bytes, {} values: {:?}", text.len(), manifest.size(), started.elapsed());
}
