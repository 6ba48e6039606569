//! Cases that are a whole run: a manifest, a config, a server's replies, and the reference's result.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use source_http::Registry;
use source_http::clock::Clock;
use source_http::clock::VirtualClock;
use source_http_testkit::{Fault, InProcess, Reply, Request, Server};

/// The result of a run.
pub(crate) struct Ran {
    pub(crate) requests: Vec<Request>,
    /// The streams and texts of the records, in their order.
    pub(crate) records: Vec<(String, Value)>,
    /// The last status of each stream.
    pub(crate) ends: BTreeMap<String, String>,
    /// The errors of streams, and that of the run, with their kinds.
    pub(crate) errors: Vec<(Option<String>, String, String)>,
    /// The status of a check.
    pub(crate) check: Option<(String, String)>,
    /// The streams of a discover.
    pub(crate) catalog: Option<Value>,
    /// The configs that the platform was asked to store, without the manifest.
    pub(crate) configs: Vec<Value>,
    /// When the run began, in seconds since the epoch.
    pub(crate) began: i64,
    /// The last state of each stream.
    pub(crate) states: HashMap<String, Value>,
    pub(crate) stdout: String,
}

impl Ran {
    /// A run with its output only.
    pub(crate) fn of(stdout: String) -> Self {
        let (requests, records, ends, errors) = Default::default();
        Self {
            requests,
            records,
            ends,
            errors,
            check: None,
            catalog: None,
            configs: Vec::new(),
            began: 0,
            states: HashMap::new(),
            stdout,
        }
    }

    /// The first error, with its kind.
    pub(crate) fn error(&self) -> Option<String> {
        self.errors.first().map(|(_, kind, text)| format!("{kind}: {text}"))
    }

    /// The component that does not run here yet, if that is why a stream was not read.
    pub(crate) fn not_yet(&self) -> Option<&str> {
        let texts = self.errors.iter().map(|(_, _, text)| text.as_str());
        let all = texts.chain(self.check.iter().map(|(_, text)| text.as_str())).chain([self.stdout.as_str()]);
        let what = all.filter_map(|text| text.split_once("does not run here yet: ")).map(|(_, what)| what).next()?;
        what.split([':', '.', '"']).next()
    }
}

/// A text with a moment in place of each `{NOW+n}`.
fn with_moments(text: &str, now: i64) -> String {
    let mut parts = text.split("{NOW");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (offset, rest) = part.split_once('}').expect("a placeholder's end");
        let offset = if offset.is_empty() { 0 } else { offset.parse::<i64>().expect("seconds") };
        out.push_str(&(now + offset).to_string());
        out.push_str(rest);
    }
    out
}

/// One reply of a case.
fn reply(json: &Value, base: &str, now: i64) -> Reply {
    let json: Value = serde_json::from_str(&with_moments(&json.to_string(), now)).expect("JSON");
    let json = &json;
    let mut reply = if let Some(body) = json.get("json") {
        Reply::json_text(put(body, base).to_string())
    } else if let Some(bytes) = json.get("b64").and_then(Value::as_str) {
        Reply::bytes(BASE64_STANDARD.decode(bytes).expect("base64"))
    } else {
        let text = json.get("body").or_else(|| json.get("text")).and_then(Value::as_str).unwrap_or_default();
        Reply::bytes(text.replace("{BASE}", base).into_bytes())
    };
    let status = json.get("status").and_then(Value::as_u64).unwrap_or(200);
    let given = headers(json.get("headers"));
    if let Some((_, kind)) = given.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        reply = Reply::shared(kind, reply.body().to_vec());
    }
    if let Some(claimed) = json.get("claim_length").and_then(Value::as_u64) {
        let mut body = reply.body().to_vec();
        let sent = body.len();
        body.resize(usize::try_from(claimed).expect("a length").max(sent), b' ');
        reply = Reply::bytes(body).fault(Fault::TruncateBody(sent));
    }
    if let Some(seconds) = json.get("delay").and_then(Value::as_f64) {
        reply = reply.delay(Duration::from_secs_f64(seconds));
    }
    let mut reply = reply.status(u16::try_from(status).expect("a status"));
    for (name, value) in given.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")) {
        reply = reply.header(name, put_text(value, base));
    }
    if json.get("close").is_some() {
        reply = reply.fault(Fault::RefuseHead);
    }
    reply
}

fn headers(json: Option<&Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match json {
        Some(Value::Object(members)) => members.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        Some(Value::Array(pairs)) => pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        _ => Vec::new(),
    }
}

/// A case's value with the address of the server in it.
pub(crate) fn put(value: &Value, base: &str) -> Value {
    serde_json::from_str(&put_text(&value.to_string(), base)).expect("JSON")
}

fn put_text(text: &str, base: &str) -> String {
    let host = base.trim_start_matches("http://");
    let port = host.rsplit(':').next().unwrap_or_default();
    text.replace("{BASE}", base).replace("{HOST}", host).replace("{PORT}", port)
}

/// The replies to each request: by the key of a rule, in the order of the requests.
type Rules = Vec<(Box<dyn Fn(&Request) -> bool + Send + Sync>, Vec<Value>)>;

/// The rules of `requests.jsonl`: a list, each with a path, and of `records.jsonl`: by `[METHOD ]path[?query]`.
fn rules(server: &Value) -> Rules {
    let replies = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    match server {
        Value::Array(rules) => rules
            .iter()
            .map(|rule| {
                let path = rule["path"].as_str().unwrap_or("*").to_owned();
                let method = rule.get("method").and_then(Value::as_str).map(str::to_owned);
                let query = rule.get("query").cloned();
                let takes: Box<dyn Fn(&Request) -> bool + Send + Sync> = Box::new(move |request| {
                    (path == "*" || request.path == path)
                        && method.as_ref().is_none_or(|method| *method == request.method)
                        && query.as_ref().is_none_or(|query| has_query(request, query))
                });
                (takes, replies(&rule["replies"]))
            })
            .collect(),
        Value::Object(rules) => {
            let mut keys: Vec<(&String, &Value)> = rules.iter().collect();
            // The most specific first: with a method, with a query.
            keys.sort_by_key(|(key, _)| std::cmp::Reverse((key.contains(' '), key.contains('?'))));
            keys.into_iter()
                .map(|(key, value)| {
                    let (method, target) = key.split_once(' ').map_or((None, key.as_str()), |(m, t)| (Some(m), t));
                    let (method, target) = (method.map(str::to_owned), target.to_owned());
                    let takes: Box<dyn Fn(&Request) -> bool + Send + Sync> = Box::new(move |request| {
                        let known = if target.contains('?') { &request.target } else { &request.path };
                        method.as_ref().is_none_or(|method| *method == request.method) && *known == target
                    });
                    (takes, replies(value))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a request has these query parameters.
fn has_query(request: &Request, query: &Value) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match query {
        Value::Object(params) => params.iter().all(|(name, value)| request.param(name) == Some(&*text(value))),
        Value::String(query) => request.target.split_once('?').map_or("", |(_, query)| query) == query,
        _ => true,
    }
}

/// Runs a command over a case.
pub(crate) fn run(case: &Value, command: &str) -> Ran {
    let rules = rules(&case["server"]);
    let hits = Mutex::new(vec![0usize; rules.len()]);
    let base: std::sync::Arc<std::sync::OnceLock<String>> = std::sync::Arc::default();
    let address = base.clone();
    let clock: std::sync::Arc<std::sync::OnceLock<std::sync::Arc<VirtualClock>>> = std::sync::Arc::default();
    let time = clock.clone();
    let server = Server::start(move |request: &Request| {
        let base = address.get().map_or("", String::as_str);
        let now = time.get().map_or(0, |clock| clock.now().as_second());
        let Some(place) = rules.iter().position(|(takes, _)| takes(request)) else {
            return Reply::json(json!({"error": "no rule"})).status(404);
        };
        let replies = &rules[place].1;
        let mut hits = hits.lock().expect("a counter");
        let hit = hits[place].min(replies.len().saturating_sub(1));
        hits[place] += 1;
        replies.get(hit).map_or_else(|| Reply::empty(404), |json| reply(json, base, now))
    });
    let _ = base.set(server.url());
    let manifest = put(&case["manifest"], &server.url());
    let mut config = put(&case["config"], &server.url());
    config["__injected_declarative_manifest"] = manifest.clone();
    let mut connector = InProcess::with_registry(Registry::built_in()).config(&config);
    let began = connector.clock().now().as_second();
    let _ = clock.set(connector.clock());
    if command == "read" {
        let streams = manifest["streams"].as_array().cloned().unwrap_or_default();
        // Streams that a condition excludes are not in the catalog.
        let listed = |stream: &Value| match case["catalog"]["streams"].as_array() {
            Some(listed) => listed.iter().any(|known| known["name"] == stream["name"]),
            None => true,
        };
        let inner = |stream: &Value| {
            let streams = stream["streams"].as_array().cloned().unwrap_or_default();
            streams.into_iter().filter(listed).collect::<Vec<_>>()
        };
        let all = streams.iter().flat_map(|stream| [vec![stream.clone()], inner(stream)].concat());
        let mut names: Vec<String> = Vec::new();
        // The catalog names those that come from the API or the config.
        let by_api = case["catalog"]["streams"].as_array().filter(|_| manifest.get("dynamic_streams").is_some());
        let statuses = case["statuses"].as_array().cloned().unwrap_or_default();
        let is_read = |stream: &Value| statuses.is_empty() || statuses.iter().any(|status| status[0] == stream["name"]);
        let all = all.chain(by_api.cloned().unwrap_or_default().into_iter().filter(is_read));
        for name in all.filter_map(|stream| stream["name"].as_str().map(str::to_owned)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mode = case.get("sync_mode").and_then(Value::as_str).unwrap_or("full_refresh");
        let streams: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), mode)).collect();
        connector = connector.streams(&streams).arg("--workers").arg("1");
    }
    if let Some(state) = case.get("input_state").filter(|state| !state.is_null() && command == "read") {
        connector = connector.state(state);
    }
    let done = connector.run(command);
    let mut ran = Ran { requests: server.requests(), began, ..Ran::of(done.stdout.clone()) };
    for line in done.stdout.lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_else(|_| in_range(line));
        note(&message, &mut ran);
    }
    ran
}

/// A message with numbers too large for a float: they are the text `{Infinity}`.
fn in_range(line: &str) -> Value {
    let is_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let (mut out, mut rest, mut is_text) = (String::new(), line, false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\\' if is_text => 2,
            _ if !is_text && is_number(first) => rest.find(|c| !is_number(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        is_text ^= first == '"';
        let (token, after) = rest.split_at(length);
        let is_large = !is_text && token.parse::<f64>().is_ok_and(f64::is_infinite);
        out.push_str(if is_large { "\"{Infinity}\"" } else { token });
        rest = after;
    }
    serde_json::from_str(&out).expect("a message")
}

pub(crate) fn note(message: &Value, ran: &mut Ran) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match message["type"].as_str().unwrap_or_default() {
        "RECORD" => ran.records.push((text(&message["record"]["stream"]), message["record"]["data"].clone())),
        "STATE" => {
            let stream = &message["state"]["stream"];
            ran.states.insert(text(&stream["stream_descriptor"]["name"]), stream["stream_state"].clone());
        }
        "CONNECTION_STATUS" => {
            let status = &message["connectionStatus"];
            ran.check = Some((text(&status["status"]), text(&status["message"])));
        }
        "CONTROL" => {
            let mut config = message["control"]["connectorConfig"]["config"].clone();
            if let Some(members) = config.as_object_mut() {
                members.remove("__injected_declarative_manifest");
            }
            ran.configs.push(config);
        }
        "CATALOG" => ran.catalog = Some(message["catalog"].clone()),
        "TRACE" => match message["trace"]["type"].as_str() {
            Some("STREAM_STATUS") => {
                let status = &message["trace"]["stream_status"];
                ran.ends.insert(text(&status["stream_descriptor"]["name"]), text(&status["status"]));
            }
            Some("ERROR") => {
                let error = &message["trace"]["error"];
                let stream = error["stream_descriptor"]["name"].as_str().map(str::to_owned);
                ran.errors.push((stream, text(&error["failure_type"]), text(&error["message"])));
            }
            _ => {}
        },
        _ => {}
    }
}
