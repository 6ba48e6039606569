//! The mock over real sockets.

mod changes;
mod children;
mod expand;
mod facts;
mod lists;
mod objects;
mod refusals;

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::resource::{RESOURCES, Resource};
use super::{DAY, DEFAULT_KEY, DEFAULT_NOW, StripeMock, StripeMockBuilder};
use source_http_testkit::json_text;
use source_http_testkit::server::Reply;
use source_http_testkit::{Client, Response};

/// Sends a request with the mock's key.
fn ask(mock: &StripeMock, target: &str) -> Response {
    ask_with(mock, target, &[("Authorization", &format!("Bearer {}", mock.key()))])
}

fn ask_with(mock: &StripeMock, target: &str, headers: &[(&str, &str)]) -> Response {
    Client::connect(mock.server().addr()).get(target, headers).unwrap()
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Status, and the error object.
fn error_of(response: &Response) -> (u16, Value) {
    (response.status, json_of(response)["error"].clone())
}

/// The ids on a page, and its `has_more`.
fn ids_of(response: &Response) -> (Vec<String>, bool) {
    assert_eq!(response.status, 200, "{}", response.text());
    let page = json_of(response);
    let ids = page["data"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().into());
    (ids.collect(), page["has_more"].as_bool().unwrap())
}

/// The text of every object of a list, page by page.
fn walk(mock: &StripeMock, path: &str, params: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut after = String::new();
    let version = if path == "/v1/invoice_payments" { "2025-03-31.basil" } else { "2022-11-15" };
    let key = format!("Bearer {}", mock.key());
    for _ in 0..1000 {
        let target = format!("{path}?limit=100{params}{after}");
        let response = ask_with(mock, &target, &[("Authorization", &key), ("Stripe-Version", version)]);
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        let page: std::collections::HashMap<String, Box<RawValue>> = serde_json::from_slice(&response.body).unwrap();
        let data: Vec<Box<RawValue>> = serde_json::from_str(page["data"].get()).unwrap();
        texts.extend(data.iter().map(|object| json_text::compact(object.get())));
        if page["has_more"].get() == "false" {
            return texts;
        }
        let last: Value = serde_json::from_str(texts.last().unwrap()).unwrap();
        after = format!("&starting_after={}", last["id"].as_str().unwrap());
    }
    panic!("no end of {path}");
}

fn same(texts: &[String], objects: &[Arc<str>]) -> bool {
    texts.iter().map(String::as_str).eq(objects.iter().map(|object| &**object))
}
