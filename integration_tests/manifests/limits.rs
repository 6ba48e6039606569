//! Manifests that would use up the memory, the time or the stack are refused; the message names the limit.

use std::fmt::Write as _;

use serde_json::json;
use source_http_testkit::{Routes, Server};

use crate::support::binary::Binary;

const BEGIN: &str = "version: 1.0.0\ntype: DeclarativeSource\ncheck: {type: CheckStream, stream_names: [a]}\n";

/// A stream of one request, whose path is this template.
fn stream(path: &str) -> String {
    let url = "url: \"{{ config['api_url'] }}\"";
    format!(
        "{BEGIN}streams:\n- type: DeclarativeStream\n  name: a\n  retriever:\n    type: SimpleRetriever\n    requester: {{type: \
         HttpRequester, {url}, request_parameters: {{q: {path:?}}}}}\n    record_selector: {{type: RecordSelector, \
         extractor: {{type: DpathExtractor, field_path: [a]}}}}\n"
    )
}

/// The message of a check of a manifest.
fn checked(manifest: &str) -> String {
    let server = Server::start(Routes::new().on("GET", "/", [json!({"a": [{"id": 1}]})]));
    let args = ["check", "--manifest-path", "m.yaml", "--config", "config.json"];
    let output =
        Binary::new(&args).file("m.yaml", manifest).file("config.json", json!({"api_url": server.url()})).run();
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let messages = output.messages();
    let (status, message) = messages.connection_status();
    format!("{status} {}", message.unwrap_or_default())
}

#[test]
fn references_that_multiply_are_refused() {
    let mut bomb = format!("{BEGIN}streams: []\ndefinitions:\n  d0: {{a: 1, b: 2}}\n");
    for level in 1..40 {
        let below = format!("{{$ref: '#/definitions/d{}'}}", level - 1);
        writeln!(bomb, "  d{level}: [{below}, {below}]").unwrap();
    }
    let said = checked(&bomb);
    assert!(
        said.starts_with("FAILED ") && said.contains("references and aliases make this a manifest of more than"),
        "{said}"
    );
    let said = checked(&format!("{BEGIN}streams: []\ndefinitions: {{a: {{$ref: '#/definitions/a'}}}}\n"));
    assert!(said.contains("m.yaml:5:25: definitions.a") && said.contains("contains it"), "{said}");
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = format!("{BEGIN}streams: []\ndefinitions:\n  d0: &d0 {{a: 1, b: 2}}\n");
    for level in 1..40 {
        writeln!(bomb, "  d{level}: &d{level} [*d{0}, *d{0}]", level - 1).unwrap();
    }
    let said = checked(&bomb);
    assert!(said.starts_with("FAILED ") && said.contains("aliases make this a manifest of more than"), "{said}");
}

#[test]
fn ten_thousand_levels_are_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let nested = format!("{}{}", open.repeat(10_000), close.repeat(10_000));
        let said = checked(&format!("{BEGIN}streams: []\ndefinitions: {{a: {nested}}}\n"));
        assert!(said.starts_with("FAILED ") && said.contains("m.yaml:5:") && said.contains("nested"), "{said}");
    }
}

#[test]
fn a_file_of_too_many_bytes_is_refused() {
    let said = checked(&format!("{BEGIN}streams: []\n# {}\n", "x".repeat(64 << 20)));
    assert!(said.starts_with("FAILED ") && said.contains("m.yaml"), "{}", &said[..said.len().min(500)]);
}

#[test]
fn templates_that_do_not_end_or_grow_are_stopped() {
    for (template, what) in [
        ("{% set s = 'x' * 9999 %}{% for a in s %}{% for b in s %}{% endfor %}{% endfor %}", "steps"),
        ("{{ 'x' * 9999999999 }}", "too long"),
        ("{{ 'x' | center(9999999999) }}", "too long"),
        (
            "{% set n = namespace(x='x') %}{% for i in 'x' * 60 %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
            "too long",
        ),
        ("{% for i in 'x' * 9999 %}{{ 'x' * 9999 }}{% endfor %}", "too long"),
        ("{{ 9 ** 99999999 }}", "too large"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "too deep"),
    ] {
        let said = checked(&stream(template));
        let is_told = said.starts_with("FAILED ") && said.contains("m.yaml:") && said.contains(what);
        assert!(is_told && said.len() < 1000, "{template}: {said}");
    }
    assert!(checked(&stream("{{ 1 + 1 }}")).starts_with("SUCCEEDED"));
}
