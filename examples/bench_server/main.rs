//! An API for benchmarks, fast enough not to be the limit: its records are rendered before the first request, and a
//! page is one copy of a range of them with other ids. So it can serve any number of records in little memory.
//!
//! The first path segment selects the content, so that one server serves every benchmark; `settings` lists its options:
//!
//! | path | answer |
//! | --- | --- |
//! | `/count=200000,pretty/v1/charges?limit=100&starting_after=ch_...` | Stripe's list of charges; ignores `created` |
//! | `/count=200000/v1/...` | any other list of Stripe's: empty |
//! | `/count=1000,kind=customers/items?of=7&cursor=100` | `{"data": [...], "next": "200"}`: list 7, its records from the 100th on |
//! | `/count=1000000,kind=invoice_items/document` | `{"data": [...]}`, all records in one response |
//! | `/count=1000000/csv` | a CSV file with this many rows of 100 bytes, and a line of names before them |
//! | `/count=1000000/csv.gz` | the same as a file in gzip, whose ids repeat |
//! | `/count=1/job` | `{"id": 1, "status": "done"}`, for each request about a job |
//!
//! ```sh
//! cargo run --release --example bench_server -- --port 8099
//! curl -s 'http://127.0.0.1:8099/count=1000,pretty/v1/charges?limit=2'
//! ```
//!
//! The first line of stdout is `{"url": "http://127.0.0.1:PORT"}`. Each line on stdin gets one line that begins with
//! `ok`: `record` starts recording requests, `targets` stops it and prints the recorded targets. It serves until it is
//! killed, or gets `quit`.
#![allow(clippy::print_stdout, reason = "the URL and the answers are its output")]

mod csv;
mod reel;
mod settings;

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use serde_json::json;
use source_http_testkit::{Reply, Request, Server};

use reel::Reel;
use settings::Settings;

/// Records written at a time in a streamed response.
const PORTION: u64 = 1_000;

/// Serves an API for benchmarks.
#[derive(Parser)]
struct Args {
    /// The port. Default: any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// State shared by the server's threads.
#[derive(Default)]
struct Api {
    /// Rendered records by kind and style.
    reels: Mutex<HashMap<(String, bool), Arc<Reel>>>,
    /// Compressed pages by target: compression is far slower than everything else here, so it is done once.
    compressed: Mutex<HashMap<String, Reply>>,
}

impl Api {
    fn answer(&self, request: &Request) -> Reply {
        let gzip = request.header("Accept-Encoding").is_some_and(|accepted| accepted.contains("gzip"));
        match Settings::parse(&request.path) {
            Ok((settings, path)) if settings.gzip && gzip => self.compressed(request, &settings, path),
            Ok((settings, path)) => self.plain(request, &settings, path).delay(settings.delay),
            Err(problem) => Reply::json(json!({ "error": problem })).status(404),
        }
    }

    fn compressed(&self, request: &Request, settings: &Settings, path: &str) -> Reply {
        let find = || self.compressed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = find().get(&request.target) {
            return reply.clone();
        }
        let reply = self.plain(request, settings, path).gzip().delay(settings.delay);
        find().insert(request.target.clone(), reply.clone());
        reply
    }

    fn plain(&self, request: &Request, settings: &Settings, path: &str) -> Reply {
        match path {
            "/v1/charges" => self.stripe_list(request, settings),
            "/items" => self.items(request, settings),
            "/document" => self.document(settings),
            "/csv" => csv::plain(settings.count, PORTION),
            "/csv.gz" => csv::gzipped(settings.count, PORTION)
                .unwrap_or_else(|error| Reply::json(json!({"error": error.to_string()})).status(500)),
            "/job" => Reply::json(json!({"id": 1, "status": "done"})),
            path if path.starts_with("/v1/") => {
                Reply::json(json!({"object": "list", "data": [], "has_more": false, "url": path}))
            }
            path => Reply::json(json!({"error": format!("nothing is at {path}")})).status(404),
        }
    }

    fn stripe_list(&self, request: &Request, settings: &Settings) -> Reply {
        let from = request.param("starting_after").map_or(0, |id| digits(id) + 1);
        let limit = request.param("limit").map_or(10, digits);
        let upto = from.saturating_add(limit).min(settings.count);
        let has_more = upto < settings.count;
        let (open, close) = match settings.pretty {
            true => (
                "{\n  \"object\": \"list\",\n  \"data\": [\n    ",
                format!("\n  ],\n  \"has_more\": {has_more},\n  \"url\": \"/v1/charges\"\n}}"),
            ),
            false => (r#"{"object":"list","data":["#, format!(r#"],"has_more":{has_more},"url":"/v1/charges"}}"#)),
        };
        self.reel("charges", settings.pretty).page(open, 0, from..upto, &close)
    }

    fn items(&self, request: &Request, settings: &Settings) -> Reply {
        let from = request.param("cursor").map_or(0, digits);
        let upto = from.saturating_add(settings.size).min(settings.count);
        let next = if upto < settings.count { format!("\"{upto}\"") } else { "null".to_owned() };
        let (open, close) = match settings.pretty {
            true => ("{\n  \"data\": [\n    ", format!("\n  ],\n  \"next\": {next}\n}}")),
            false => (r#"{"data":["#, format!(r#"],"next":{next}}}"#)),
        };
        let list = request.param("of").map_or(0, digits);
        self.reel(&settings.kind, settings.pretty).page(open, list, from..upto, &close)
    }

    fn document(&self, settings: &Settings) -> Reply {
        let (open, close) =
            if settings.pretty { ("{\n  \"data\": [\n    ", "\n  ]\n}") } else { (r#"{"data":["#, "]}") };
        let (reel, count) = (self.reel(&settings.kind, settings.pretty), settings.count);
        let length = (open.len() + close.len()) as u64 + reel.length(count);
        Reply::streamed("application/json", length, move |out| {
            let mut text = open.as_bytes().to_vec();
            for from in (0..count).step_by(usize::try_from(PORTION).unwrap_or(1)) {
                reel.append(&mut text, 0, from..count.min(from + PORTION), from > 0);
                out.write_all(&text)?;
                text.clear();
            }
            out.write_all(close.as_bytes())
        })
    }

    fn reel(&self, kind: &str, pretty: bool) -> Arc<Reel> {
        let mut reels = self.reels.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(reels.entry((kind.to_owned(), pretty)).or_insert_with(|| Arc::new(Reel::new(kind, pretty))))
    }
}

/// The number that a text's digits make; 0 if there are none.
fn digits(text: &str) -> u64 {
    text.bytes()
        .filter(u8::is_ascii_digit)
        .fold(0, |number, digit| u64::from(digit - b'0').saturating_add(number.saturating_mul(10)))
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let api = Api::default();
    let server = Server::start_at(args.port, move |request: &Request| api.answer(request));
    server.set_recording(false);
    println!("{}", json!({"url": server.url()}));
    for line in io::stdin().lock().lines() {
        match line?.trim() {
            "record" => {
                server.take_requests();
                server.set_recording(true);
                println!("ok");
            }
            "targets" => {
                server.set_recording(false);
                let targets: Vec<String> = server.take_requests().into_iter().map(|request| request.target).collect();
                println!("ok {}", targets.join(" "));
            }
            "quit" => return Ok(()),
            "" => {}
            other => println!("error {other} is no command"),
        }
    }
    loop {
        std::thread::park();
    }
}
