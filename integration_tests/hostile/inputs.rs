//! What must hold for any bytes from outside: one function for each kind of input. The fuzz targets call them with
//! libFuzzer's inputs; the tests beside it with random documents and with every finding so far.
//!
//! None of them may panic, and each asserts what a reader of the output relies on.

use std::ffi::OsString;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use source_http::clock::{FixedRandom, VirtualClock};
use source_http::http::{
    Body, HeaderMap, HeaderValue, NetworkEnvironment, Response, ResponseAction, StatusCode, link_target, server_hint,
};
use source_http::json::{RecordPath, write_one_line};
use source_http::memory::MemoryLimit;
use source_http::sources::declarative::manifest::{self, Faults, Format, Map, custom_classes, load};
use source_http::sources::declarative::template::datetime::{format_datetime, parse_datetime, parse_duration};
use source_http::sources::declarative::template::{InterpolatedString, Json, Literal, Scope, Variable};
use source_http::stop::Stop;
use source_http::streams::{Page, Record, Records};
use source_http::terminal::Terminal;
use source_http::{Environment, Host, Registry, run};
use source_http_testkit::{Messages, Reply, Request, Server};

/// A config of the built-in source. A read with it chooses no stream.
pub fn config(bytes: &[u8]) {
    let done = read(bytes, &["--config", "-", "--catalog", &file("nothing", &serde_json::json!({"streams": []}))]);
    done.check();
}

/// A configured catalog. Its streams are read from an API without objects.
pub fn catalog(bytes: &[u8]) {
    read(bytes, &["--config", &good_config(), "--catalog", "-"]).check();
}

/// The state of an earlier read. The next read accepts the state that this read writes.
pub fn state(bytes: &[u8]) {
    let streams: Vec<Value> =
        STREAMS.map(|name| serde_json::json!({"stream": {"name": name}, "sync_mode": "incremental"})).into();
    let catalog = file("catalog", &serde_json::json!({ "streams": streams }));
    let args = ["--config", &good_config(), "--catalog", &catalog, "--state", "-"];
    let done = read(bytes, &args);
    let messages = done.check();
    if done.status == 0 {
        let again = read(messages.state_file().as_bytes(), &args);
        again.check();
        assert_eq!(again.status, 0, "a state of ours was refused: {}", again.stdout);
    }
}

/// One stream of each kind that has states of its own.
const STREAMS: [&str; 6] =
    ["events", "charges", "setup_attempts", "persons", "subscription_items", "balance_transactions"];

/// The body of a response. The first byte says where the records are.
pub fn records(bytes: &[u8]) {
    let Some((place, bytes)) = bytes.split_first() else { return };
    let path = match place % 4 {
        0 => RecordPath::default(),
        1 => RecordPath::new(["data"]),
        2 => RecordPath::new(["data", "items"]),
        _ => RecordPath::new(["", "\u{e9}\n"]),
    };
    let in_memory = found(Body::Memory(bytes.to_vec().into()), &path);
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).and_then(|()| file.seek(SeekFrom::Start(0))).expect("written");
    let on_disk = found(Body::Spooled { file, length: bytes.len() as u64 }, &path);
    match (&in_memory, &on_disk) {
        (Ok(in_memory), Ok(on_disk)) => assert_eq!(in_memory, on_disk, "memory and disk differ"),
        // The texts of errors may differ.
        (Err(_), Err(_)) => {}
        _ => panic!("memory and disk differ: {in_memory:?} {on_disk:?}"),
    }
    let tree = serde_json::from_slice::<Value>(bytes);
    match in_memory {
        Ok(records) => {
            for record in &records {
                let raw: &RawValue = serde_json::from_str(record).expect("a record is JSON");
                let mut line = Vec::new();
                write_one_line(&mut line, raw.get());
                assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "a record breaks its line");
                let line = std::str::from_utf8(&line).expect("a record is text");
                if let Ok(value) = serde_json::from_str::<Value>(record) {
                    assert_eq!(serde_json::from_str::<Value>(line).ok(), Some(value), "a record was changed");
                }
            }
        }
        Err((problem, retry)) => {
            // Valid JSON is never taken for a truncated response: it would be requested again and again.
            assert!(!(retry && tree.is_ok()), "valid JSON called broken: {problem}");
        }
    }
}

fn line(record: &Record<'_>) -> String {
    let mut line = Vec::new();
    record.write_one_line(&mut line);
    String::from_utf8(line).expect("a record is text")
}

/// The records of a response, or its problem and whether a retry may help.
fn found(body: Body, path: &RecordPath) -> Result<Vec<String>, (String, bool)> {
    let response = response(HeaderMap::new(), body);
    let records = Records::at(&response, path).map_err(|undecodable| (undecodable.problem, undecodable.retry))?;
    let page = Page::new(response, records);
    let mut texts = Vec::new();
    let walked = page.for_each(&mut |record| {
        texts.push(line(&record));
        Ok(ControlFlow::Continue(()))
    });
    assert!(matches!(walked, Ok(ControlFlow::Continue(()))), "found records cannot be read: {walked:?}");
    assert_eq!(texts.len(), page.len(), "records were miscounted");
    assert_eq!(texts.last(), page.last().as_ref().map(line).as_ref());
    for name in ["next", "has_more", "data", ""] {
        let _: Option<Value> = page.get(&[name]);
    }
    Ok(texts)
}

/// The headers that a client evaluates, one a line: `Link`, then `Retry-After`, then those of a rate limit.
pub fn headers(bytes: &[u8]) {
    const NAMES: [&str; 4] = ["link", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining"];
    let mut headers = HeaderMap::new();
    for (name, line) in NAMES.iter().zip(bytes.split(|byte| *byte == b'\n')) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(*name, value);
        }
    }
    for rel in ["next", "NEXT", ""] {
        if let Some(target) = link_target(&headers, rel) {
            let whole = String::from_utf8_lossy(headers["link"].as_bytes()).into_owned();
            assert!(whole.contains(&format!("<{target}")) || whole.contains(&target), "a target made up: {target}");
        }
    }
    let now = Timestamp::from_second(1_793_491_200).expect("a time");
    let hint = server_hint(&response(headers, Body::Memory(Vec::new().into())), ResponseAction::RateLimited, now);
    if let Some((wait, header)) = hint {
        assert!(!wait.is_zero() && wait.as_secs() <= 31 * 86_400, "{header} asks for a wait of {wait:?}");
    }
}

/// A low-code manifest: a file, and if it begins like JSON, one inside a config, too.
pub fn manifest(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let formats = if text.starts_with('{') { &[Format::Yaml, Format::Json][..] } else { &[Format::Yaml] };
    for format in formats {
        let mut faults = Faults::new("manifest");
        let loaded = load(&text, *format, &mut faults);
        assert_eq!(loaded.is_none(), faults.has_errors(), "a manifest is there, or it is said why not");
        let lines = text.lines().count() + 1;
        for fault in &faults {
            assert!(!fault.message.is_empty() && !faults.line(fault).contains('\n'), "a fault is not one line");
            // A control character ends a line in YAML 1.1 only.
            assert!(fault.mark.line as usize <= lines + text.matches(['\r', '\u{85}']).count(), "{fault} is nowhere");
        }
        if let Some(manifest) = loaded {
            custom_classes(&manifest);
        }
    }
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        let mut faults = Faults::new("manifest");
        let node = manifest::json(&text, &mut faults).expect("JSON is read as JSON");
        if let Value::Object(fields) = &value {
            assert_eq!(node.as_map().map(Map::len), Some(fields.len()), "fields were lost");
        }
    }
}

/// The contents of the response cache's file.
pub fn cache_entry(bytes: &[u8]) {
    source_http::http::cache::read_entry(bytes);
}

fn response(headers: HeaderMap, body: Body) -> Response {
    Response { request: "GET http://a.com/x".to_owned(), status: StatusCode::OK, headers, body }
}

/// The result of a run.
struct Done {
    status: u8,
    stdout: String,
}

impl Done {
    /// Every line is a message of the protocol, and every problem of an input is reported as such.
    #[track_caller]
    fn check(&self) -> Messages {
        assert!(self.status < 2, "a usage error: {}", self.stdout);
        let messages = Messages::parse(&self.stdout);
        let errors = messages.errors();
        assert_eq!(self.status == 0, errors.is_empty(), "the exit code and the messages differ: {}", self.stdout);
        for error in &errors {
            assert_eq!(error.failure_type.as_deref(), Some("config_error"), "{}", error.message);
        }
        messages
    }
}

/// Reads with these bytes on standard input, in virtual time.
fn read(stdin: &[u8], args: &[&str]) -> Done {
    let stdout = Stdout::default();
    let host = Host {
        clock: Arc::new(VirtualClock::at(1_793_491_200)),
        random: Arc::new(FixedRandom(0.5)),
        network: NetworkEnvironment::from_vars(Vec::<(String, OsString)>::new()),
        environment: Environment::from_vars(Vec::<(String, OsString)>::new()),
        memory: MemoryLimit::none(),
        stop: Stop::default(),
        stdin: Box::new(Cursor::new(stdin.to_vec())),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(io::sink()),
        terminal: Terminal::none(),
    };
    let args = ["source-http", "read"].iter().chain(args).map(OsString::from);
    let status = run(args, &Registry::built_in(), host);
    let bytes = stdout.0.lock().expect("a lock").clone();
    Done { status, stdout: String::from_utf8(bytes).expect("output in UTF-8") }
}

#[derive(Clone, Default)]
struct Stdout(Arc<Mutex<Vec<u8>>>);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An API whose every list is empty.
fn empty_api() -> &'static Server {
    static API: OnceLock<Server> = OnceLock::new();
    API.get_or_init(|| {
        let server =
            Server::start(|_: &Request| Reply::json_text(r#"{"object":"list","data":[],"has_more":false,"url":"/"}"#));
        server.set_recording(false);
        server
    })
}

fn good_config() -> String {
    let api_url = format!("{}/v1", empty_api().url());
    let config = serde_json::json!({
        "client_secret": "sk_test_x", "account_id": "acct_1", "api_url": api_url,
        "start_date": "2026-10-01T00:00:00Z", "num_workers": 1, "call_rate_limit": 1_000_000,
    });
    file("config", &config)
}

/// The path of a file with this content, which is written once.
fn file(name: &'static str, content: &Value) -> String {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    static MADE: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a directory"));
    let path: PathBuf = folder.path().join(name);
    let mut made = MADE.lock().expect("a lock");
    if !made.contains(&name) {
        std::fs::write(&path, content.to_string()).expect("written");
        made.push(name);
    }
    path.to_string_lossy().into_owned()
}

/// Secrets that a template's error must not show.
const SECRET: &str = "s3cr3t-of-the-config";

/// A template of a manifest. The first byte chooses: the template, a text for the literal step, a date in a format, or
/// a duration.
pub fn templates(bytes: &[u8]) {
    let Some((what, bytes)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match what % 4 {
        0 => template(text),
        1 => literal(text),
        2 => {
            let (format, date) = text.split_once('\n').unwrap_or((text, ""));
            if let Ok(moment) = parse_datetime(date, format) {
                let _: String = format_datetime(&moment, format);
                assert!((1..=9999).contains(&moment.date.year), "a year that Python has not");
            }
        }
        _ => {
            let moment = parse_datetime("951782399.999999", "%s_as_float").expect("a date");
            if let Ok(span) = parse_duration(text) {
                let _: (Result<_, _>, Result<_, _>) = (span.added_to(moment), span.subtracted_from(moment));
            }
        }
    }
}

fn template(text: &str) {
    let config =
        serde_json::json!({"key": "k1", "n": 5, "list": ["a", 1.5, null], "token": SECRET, "date": "2024-01-31"});
    let record = r#"{"id": 7, "a": {"b": [1, {"c": "deep"}]}, "big": 123456789012345678901234567890, "nul": null}"#;
    let headers = [("Link".to_owned(), "<https://example.com>; rel=next".to_owned())];
    let variables = [
        ("config", Variable::Json(Json::Tree(&config))),
        ("parameters", Variable::Json(Json::Text("{}"))),
        ("record", Variable::Json(Json::Text(record))),
        ("headers", Variable::Headers(&headers)),
        (
            "stream_slice",
            Variable::Slice {
                partition: Json::Text(r#"{"id": "p1"}"#),
                cursor_slice: Json::Text(r#"{"start": "2024-01-01"}"#),
                extra_fields: Json::Text("{}"),
                answers: &[],
            },
        ),
        ("next_page_token", Variable::None),
    ];
    let scope = Scope::new(&variables, &|| 1_710_498_030_123_456, &|| 4);
    let outcome = InterpolatedString::compile(text, None).and_then(|template| {
        let first = template.eval(&scope);
        let again = template.eval(&scope);
        assert_eq!(first.is_ok(), again.is_ok(), "a template gives another result the second time");
        first
    });
    match outcome {
        Ok(value) => {
            let _: Result<(), _> = value.write_json(&mut String::new());
        }
        Err(fault) => {
            assert!(text.contains(SECRET) || !fault.to_string().contains(SECRET), "a secret is shown: {fault}");
        }
    }
}

/// A literal is read back from Python's output, unless Python cannot express a part of it.
fn literal(text: &str) {
    fn has_a_word(value: &Literal) -> bool {
        match value {
            Literal::Float(value) => value.is_finite(),
            Literal::Ellipsis => false,
            Literal::List(items) | Literal::Tuple(items) | Literal::Set(items) => items.iter().all(has_a_word),
            Literal::Dict(entries) => entries.iter().all(|(key, value)| has_a_word(key) && has_a_word(value)),
            // A number that was written in hexadecimal may be longer than Python prints.
            Literal::Big(value) => value.bits() < 14_000,
            _ => true,
        }
    }
    if let Some(value) = Literal::parse(text)
        && has_a_word(&value)
    {
        assert_eq!(Literal::parse(&value.repr()), Some(value), "a literal changes when it is printed");
    }
}
