//! A source in Rust that asks the API for its streams, with the client that reads them afterwards; that updates old
//! configs; and whose streams are not read at the same time.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use source_http::Source;
use source_http::clock::Clock;
use source_http::http::auth::{Authenticator, TokenAuthenticator};
use source_http::protocol::{ConnectorSpecification, Failure, Redactor};
use source_http::source::{Config, SourceContext};
use source_http::streams::HttpStream;
use source_http::streams::pager::PageNumber;
use source_http_testkit::{InProcess, Items, Reply, Request, Server};

struct Database;

impl Source for Database {
    fn name(&self) -> &str {
        "database"
    }

    fn spec(&self) -> ConnectorSpecification {
        ConnectorSpecification::new(json!({
            "type": "object",
            "required": ["url", "token"],
            "additionalProperties": false,
            "properties": {"url": {"type": "string"}, "token": {"type": "string", "airbyte_secret": true}},
        }))
    }

    fn migrate_config(&self, mut config: Config, _: &Arc<dyn Clock>, _: &Redactor) -> Result<Config, Failure> {
        if let Some(key) = config.remove("api_key") {
            config.insert("token".to_owned(), key);
        }
        Ok(config)
    }

    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let text = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
        let auth: Arc<dyn Authenticator> = Arc::new(TokenAuthenticator::bearer(&text("token"), &cx.redactor));
        let list = |name: &str, path: String| -> Result<Items, Failure> {
            let pager = PageNumber::new("page").page_size_param("per_page", 2)?;
            Ok(Items::new(text("url")).pager(pager).with(|items| {
                name.clone_into(&mut items.name);
                items.use_cache = name == "tables";
                items.group = path.ends_with("/rows").then(|| "one export at a time".to_owned());
                items.path = path;
                items.authenticator = auth.clone();
            }))
        };
        let tables = list("tables", "tables".to_owned())?;
        let mut streams: Vec<Arc<dyn HttpStream>> = Vec::new();
        cx.for_each_record(&tables, &mut |_, table| {
            if let Some(name) = table.get::<String>("name") {
                streams.push(Arc::new(list(&name, format!("tables/{name}/rows"))?));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        streams.insert(0, Arc::new(tables));
        Ok(streams)
    }
}

fn api(request: &Request) -> Reply {
    if request.header("authorization") != Some("Bearer t0ken-of-tables") {
        return Reply::json(json!({})).status(401);
    }
    let items = match (request.path.as_str(), request.param("page")) {
        ("/tables", Some("1")) => json!([{"name": "a"}, {"name": "b"}]),
        ("/tables", Some("2")) => json!([{"name": "c"}]),
        (path, Some("1")) => json!([{"at": path}]),
        _ => json!([]),
    };
    Reply::json(json!({ "data": items }))
}

fn config(url: &str) -> Value {
    json!({"url": url, "token": "t0ken-of-tables"})
}

#[test]
fn the_streams_are_those_that_the_api_lists_page_by_page() {
    let server = Server::start(api);
    let done = InProcess::new(Database).config(&config(&server.url())).arg("--workers").arg("1").run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    assert_eq!(done.messages().records("c"), [r#"{"at":"/tables/c/rows"}"#]);
    // The pages of the list are kept for the stream of the same list.
    assert_eq!(
        server.conversation(),
        [
            "GET /tables?page=1&per_page=2",
            "GET /tables?page=2&per_page=2",
            "GET /tables/a/rows?page=1&per_page=2",
            "GET /tables/b/rows?page=1&per_page=2",
            "GET /tables/c/rows?page=1&per_page=2",
        ]
    );
}

#[test]
fn waits_for_the_list_are_reported_and_a_refusal_is_the_answer_of_check() {
    let hits = AtomicUsize::new(0);
    let server = Server::start(move |request: &Request| match hits.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(json!({})).status(429).header("retry-after", "9"),
        _ => api(request),
    });
    let done = InProcess::new(Database).config(&config(&server.url())).run("discover");
    assert_eq!(done.messages().catalog()["streams"].as_array().unwrap().len(), 4);
    assert!(done.messages().logs().iter().any(|(level, text)| *level == "INFO" && text.contains("429")));
    assert!(done.sleeps.iter().map(std::time::Duration::as_secs).sum::<u64>() >= 9);

    let other = json!({"url": server.url(), "token": "an0ther-t0ken"});
    let done = InProcess::new(Database).config(&other).run("check");
    let messages = done.messages();
    let (status, why) = messages.connection_status();
    assert!(status == "FAILED" && why.unwrap().contains("401"), "{why:?}");
}

#[test]
fn an_old_config_is_brought_up_to_date_before_it_is_checked_and_kept() {
    let server = Server::start(api);
    let old = json!({"url": server.url(), "api_key": "t0ken-of-tables"});
    let done = InProcess::new(Database).config(&old).run("check");
    let messages = done.messages();
    assert_eq!(messages.connection_status().0, "SUCCEEDED");
    assert_eq!(messages.configs(), [&config(&server.url())]);
    let without_control = done.stdout.lines().filter(|line| !line.contains("\"CONTROL\"")).collect::<String>();
    assert!(!without_control.contains("t0ken-of-tables"), "{without_control}");
    let done = InProcess::new(Database).config(&config(&server.url())).run("check");
    assert_eq!(done.messages().configs().len(), 0);

    let refers = json!({"url": server.url(), "api_key": "${TABLES_TOKEN}"});
    let done = InProcess::new(Database).config(&refers).env("TABLES_TOKEN", "t0ken-of-tables").run("check");
    assert_eq!(done.messages().configs(), [&json!({"url": server.url(), "token": "${TABLES_TOKEN}"})]);
    assert!(!done.stdout.contains("t0ken-of-tables"), "{}", done.stdout);
}

#[test]
fn streams_of_a_group_are_not_read_at_the_same_time() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let server = Server::start(move |request: &Request| {
        let is_export = request.path.ends_with("/rows");
        if is_export {
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        }
        let reply = api(request);
        if is_export {
            now.fetch_sub(1, Ordering::SeqCst);
        }
        reply
    });
    let done = InProcess::new(Database).config(&config(&server.url())).arg("--workers").arg("8").run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 6), "{}", done.stdout);
    // Each stream of the group begins when the previous one has ended.
    let statuses: Vec<String> = done
        .messages()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| {
            let status = line["trace"]["stream_status"].as_object()?.clone();
            Some(format!("{} {}", status["stream_descriptor"]["name"].as_str()?, status["status"].as_str()?))
        })
        .filter(|status| !status.starts_with("tables") && !status.ends_with("RUNNING"))
        .collect();
    for pair in statuses.chunks(2) {
        let (begun, ended) = (pair[0].split_once(' ').unwrap(), pair[1].split_once(' ').unwrap());
        assert_eq!((begun.0, begun.1, ended.1), (ended.0, "STARTED", "COMPLETE"), "{statuses:?}");
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}
