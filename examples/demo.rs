//! The main job on real sockets, without an account: starts a mock Stripe API on loopback, runs `spec`, `check`,
//! `discover` and `read` against it as Airbyte would, and a manifest, and shows what happened.
#![allow(clippy::print_stdout, reason = "it shows a person what happened")]

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use source_http::terminal::Terminal;
use source_http::{Host, Registry, run};
use source_http_testkit::Messages;
use stripe_mock::StripeMock;

const CHARGES: u64 = 20_000;

#[expect(clippy::disallowed_methods, reason = "a person wants to know how long it took")]
fn main() -> Result<(), Box<dyn Error>> {
    let now = jiff::Timestamp::now().as_second();
    let folder = tempfile::tempdir()?;
    let mock = StripeMock::builder()
        .late_by(0)
        .now(now)
        .count("charges", CHARGES)
        .count("customers", 500)
        .count("refunds", 120)
        .pretty(true)
        .start();
    println!("A mock Stripe API serves {CHARGES} charges, 500 customers and 120 refunds at {}.\n", mock.url());

    let config = json!({"client_secret": mock.key(), "account_id": "acct_demo", "api_url": format!("{}/v1", mock.url()), "call_rate_limit": 1_000_000});
    let config = file(folder.path(), "config.json", &config.to_string())?;

    let (_, output) = call(&["spec"]);
    let spec = Messages::parse(&output);
    let properties = spec.spec()["connectionSpecification"]["properties"].as_object().map_or(0, serde_json::Map::len);
    println!("$ source-http spec\n  {properties} settings may be in a config.\n");

    let (_, output) = call(&["check", "--config", &config]);
    println!("$ source-http check --config config.json\n  {}\n", output.trim_end());

    let (_, output) = call(&["discover", "--config", &config]);
    let catalog = Messages::parse(&output);
    println!("$ source-http discover --config config.json --format table");
    for stream in catalog.catalog()["streams"].as_array().into_iter().flatten() {
        let fields = stream["json_schema"]["properties"].as_object().map_or(0, serde_json::Map::len);
        println!(
            "  {:<22} {fields:>3} fields, cursor {}",
            text(&stream["name"]),
            text(&stream["default_cursor_field"][0])
        );
    }

    let begun = Instant::now();
    let (status, output) = call(&["read", "--config", &config, "--streams", "charges,customers,refunds"]);
    let took = begun.elapsed();
    let first = Messages::parse(&output);
    println!("\n$ source-http read --config config.json --streams charges,customers,refunds > out.jsonl");
    for stream in ["charges", "customers", "refunds"] {
        println!("  {:<10} {:>6} records, {}", stream, first.records(stream).len(), first.statuses(stream).join(", "));
    }
    println!(
        "  {:.1} MB in {} requests and {:.2} s, exit code {status}",
        megabytes(&output),
        mock.server().take_requests().len(),
        took.as_secs_f64()
    );
    if cfg!(debug_assertions) {
        println!("  This is a development build: a build with `--release` is faster.");
    }
    println!("  the first record begins {}...", first.records("charges")[0].chars().take(90).collect::<String>());

    let changed = r#"{"id":"cus_demo","object":"customer","created":1700000000,"name":"Ada"}"#;
    mock.push_event("customer.updated", now, changed);
    let state = file(folder.path(), "state.json", &first.state_file())?;
    let streams = "charges,customers,refunds";
    let (status, output) = call(&["read", "--config", &config, "--streams", streams, "--state", &state]);
    let second = Messages::parse(&output);
    println!("\nOne customer changes. Resuming from the last states:");
    println!("$ source-http read --config config.json --streams {streams} --state state.json");
    for request in mock.server().conversation() {
        println!("  asked: {}...", request.chars().take(100).collect::<String>());
    }
    for record in second.records("customers") {
        println!("  read:  {record}");
    }
    println!("  exit code {status}");

    let refunds = manifest(folder.path(), &mock)?;
    println!("\nNext: run it yourself, as README.md shows under \"To follow the examples\".");
    match refunds == 120 && first.records("charges").len() as u64 == CHARGES && second.records("customers").len() == 1 {
        true => Ok(()),
        false => Err("the demo did not read what the mock serves".into()),
    }
}

/// Reads one list as a file of YAML describes it. Returns how many records there were.
fn manifest(folder: &Path, mock: &StripeMock) -> io::Result<usize> {
    let manifest = file(folder, "refunds.yaml", include_str!("manifests/refunds.yaml"))?;
    let config = json!({"client_secret": mock.key(), "api_url": format!("{}/v1", mock.url())});
    let config = file(folder, "refunds.json", &config.to_string())?;
    mock.server().take_requests();
    let (status, output) = call(&["read", "--manifest-path", &manifest, "--config", &config]);
    let read = Messages::parse(&output);
    println!("\nA connector can be a file of YAML, here examples/manifests/refunds.yaml:");
    println!("$ source-http read --manifest-path refunds.yaml --config refunds.json");
    for request in mock.server().conversation() {
        println!("  asked: {request}");
    }
    println!("  read:  {} refunds, exit code {status}", read.records("refunds").len());
    Ok(read.records("refunds").len())
}

/// Runs one command in this process. Returns its exit code and stdout.
fn call(args: &[&str]) -> (u8, String) {
    let stdout = Shared::default();
    // What is for people is reported here.
    let host = Host { stdout: Box::new(stdout.clone()), terminal: Terminal::none(), ..Host::system() };
    let args = std::iter::once("source-http").chain(args.iter().copied()).map(Into::into);
    let status = run(args, &Registry::built_in(), host);
    let bytes = std::mem::take(&mut *stdout.0.lock().unwrap_or_else(PoisonError::into_inner));
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

fn file(folder: &Path, name: &str, content: &str) -> io::Result<String> {
    let path = folder.join(name);
    fs::write(&path, content)?;
    Ok(path.display().to_string())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn megabytes(text: &str) -> f64 {
    text.len() as f64 / 1e6
}

/// A writer whose bytes can be taken out.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
