//! The table of faults as users meet them: the binary's whole messages, in `golden/faults.txt`. Each entry is a real
//! run, and has to say what happened, where, and what to do. `UPDATE_GOLDEN=1 cargo test fault_table` rewrites the
//! table.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};
use source_http_testkit::{Fault, Reply, Request};
use stripe_mock::{StripeMock, StripeMockBuilder};

use crate::support::binary::{Binary, config};
use crate::support::{Answer, Authority, ClosedPort, TlsServer, TunnelProxy, no_such_host};

mod manifests;

/// The name of a fault, and its cause.
type Entry = (&'static str, Box<dyn FnOnce() -> Told + Send>);

/// The result of a run.
struct Told {
    args: String,
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

/// The arguments of a call, and the files in its directory.
struct Call {
    binary: Binary,
    args: &'static str,
}

impl Call {
    fn new(args: &'static str) -> Self {
        Self { binary: Binary::new(&args.split_whitespace().collect::<Vec<_>>()), args }
    }

    fn file(self, name: &str, content: impl ToString) -> Self {
        Self { binary: self.binary.file(name, content), ..self }
    }

    fn env(self, name: &str, value: &str) -> Self {
        Self { binary: self.binary.env(name, value), ..self }
    }

    fn run(self) -> Told {
        let output = self.binary.run();
        Told { args: self.args.to_owned(), status: output.status, stdout: output.stdout, stderr: output.stderr }
    }

    /// With this instead of stdout.
    fn run_to(self, stdout: impl Into<Stdio>, shown: &str) -> Told {
        let (mut command, _directory) = self.binary.command();
        let output = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let args = format!("{} {shown}", self.args);
        Told { args, status: output.status.code(), stdout: String::new(), stderr }
    }
}

const READ: &str = "read --config config.json --streams accounts";

/// A valid config of a server that does not exist.
fn nowhere() -> Value {
    json!({"client_secret": "sk_test_x", "account_id": "acct_x", "api_url": "http://127.0.0.1:1"})
}

/// A config with these members.
fn with(members: Value) -> Value {
    let mut config = nowhere();
    for (name, value) in members.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// An entry that sends no request.
fn local(title: &'static str, call: impl FnOnce() -> Call + Send + 'static) -> Entry {
    (title, Box::new(|| call().run()))
}

/// An entry that reads the accounts of a mock.
fn api(title: &'static str, mock: impl FnOnce(StripeMockBuilder) -> StripeMockBuilder + Send + 'static) -> Entry {
    (title, Box::new(|| read(&mock(StripeMock::builder().count("accounts", 2)).start())))
}

/// An entry in which every attempt gets this answer.
fn always(title: &'static str, reply: Reply) -> Entry {
    api(title, move |mock| mock.on_reply(move |_: &Request, _| reply.clone()))
}

fn read(mock: &StripeMock) -> Told {
    Call::new(READ).file("config.json", config(mock)).run()
}

fn refusal(status: u16, error: Value) -> Reply {
    Reply::json(json!({ "error": error })).status(status)
}

fn command_line() -> Vec<Entry> {
    vec![
        local("A flag that there is not", || Call::new("read --config config.json --stream accounts")),
        local("A command that there is not", || Call::new("sync --config config.json")),
        local("A flag that is missing", || Call::new("read --streams accounts")),
        local("Flags that contradict each other", || {
            Call::new("read --config config.json --state a.json --state-file b.json")
        }),
        local("Two files on standard input", || Call::new("read --config - --catalog -")),
        local("A source that there is not", || Call::new("check --source strip --config config.json")),
    ]
}

fn configs() -> Vec<Entry> {
    vec![
        local("A config file that is not there", || Call::new("check --config confg.json --exit-status")),
        local("A config file that cannot be read", || Call::new("read --config .")),
        local("A config that is not JSON", || {
            Call::new(READ).file("config.json", "{\n  \"client_secret\": \"sk_test_x\",\n}\n")
        }),
        local("A config file that is empty", || Call::new(READ).file("config.json", "\n")),
        local("A date without its time", || {
            Call::new(READ).file("config.json", with(json!({"start_date": "2024-01-31"})))
        }),
        local("A setting whose name is mistyped, and another that is missing for it", || {
            let config =
                json!({"client_secrt": "sk_test_x", "account_id": "acct_x", "star_date": "2024-01-31T00:00:00Z"});
            Call::new(READ).file("config.json", config)
        }),
        local("A config without a member, and with a wrong one", || {
            Call::new(READ).file("config.json", json!({"client_secret": "sk_test_x", "num_workers": "ten"}))
        }),
        local("A variable whose name is misspelt", || {
            let config = with(json!({"client_secret": "${STRIPE_API_KY}"}));
            Call::new(READ).file("config.json", config).env("STRIPE_API_KEY", "sk_test_x")
        }),
        local("An invalid reference", || {
            Call::new(READ).file("config.json", with(json!({"client_secret": "${STRIPE-API-KEY}"})))
        }),
        local("An invalid URL", || Call::new(READ).file("config.json", with(json!({"api_url": "api.stripe.com"})))),
        local("The same for a command for people", || Call::new("discover --config config.json --format table")),
    ]
}

fn catalogs_and_states() -> Vec<Entry> {
    fn with_catalog(catalog: &str) -> Call {
        Call::new("read --config config.json --catalog catalog.json")
            .file("config.json", nowhere())
            .file("catalog.json", catalog)
    }
    fn with_state(state: &str) -> Call {
        Call::new("read --config config.json --streams accounts --state state.json")
            .file("config.json", nowhere())
            .file("state.json", state)
    }
    vec![
        local("A stream that there is not, in --streams", || {
            let catalog = json!({"streams": [{"stream": {"name": "accounts"}}, {"stream": {"name": "charges"}}]});
            Call::new("read --config config.json --catalog catalog.json --streams accounts,customer")
                .file("config.json", nowhere())
                .file("catalog.json", catalog)
        }),
        local("A stream that there is not, in the catalog", || {
            with_catalog(r#"{"streams":[{"stream":{"name":"employees"},"sync_mode":"full_refresh"}]}"#)
        }),
        local("A sync mode that there is not", || {
            with_catalog(r#"{"streams":[{"stream":{"name":"accounts"},"sync_mode":"sometimes"}]}"#)
        }),
        local("The output of discover as a catalog", || with_catalog(r#"{"type":"CATALOG","catalog":{"streams":[]}}"#)),
        local("A state that was cut", || with_state(r#"[{"type":"STREAM","stream":{"stream_descr"#)),
        local("A state of no known form", || with_state(r#"[{"type":"CHECKPOINT"}]"#)),
        local("A state that is not the stream's", || with_state(r#"{"accounts":{"updated":"soon"}}"#)),
        local("A state file in a directory that is not there", || {
            Call::new("read --config config.json --streams accounts --state-file states/accounts.json")
                .file("config.json", nowhere())
        }),
        (
            "A state file that another run uses",
            Box::new(|| {
                let folder = tempfile::tempdir().unwrap();
                let (path, link) = (folder.path().join("state.json"), "state.json");
                let held = File::create(&path).unwrap();
                held.try_lock().unwrap();
                let call = Call::new("read --config config.json --streams accounts --state-file state.json");
                let (mut command, directory) = call.file("config.json", nowhere()).binary.command();
                fs::hard_link(&path, directory.path().join(link)).unwrap();
                let output = command.output().unwrap();
                Told {
                    args: "read --config config.json --streams accounts --state-file state.json".to_owned(),
                    status: output.status.code(),
                    stdout: String::from_utf8(output.stdout).unwrap(),
                    stderr: String::from_utf8(output.stderr).unwrap(),
                }
            }),
        ),
    ]
}

fn refusals() -> Vec<Entry> {
    let invalid = json!({"message": "Invalid API Key provided: sk_test_****", "type": "invalid_request_error"});
    let lacking = json!({"message": "The provided key does not have the required permissions for this endpoint. Having \
                                     the 'rak_accounts_read' permission would allow this request to continue."});
    let account = json!({"code": "account_invalid", "message": "No access to account 'acct_test'."});
    vec![
        always("A wrong API key", refusal(401, invalid.clone())),
        (
            "A wrong API key, checked",
            Box::new(move || {
                let mock = StripeMock::builder().on_reply(move |_: &Request, _| refusal(401, invalid.clone())).start();
                Call::new("check --config config.json --exit-status").file("config.json", config(&mock)).run()
            }),
        ),
        always("A key without the permission", refusal(403, lacking)),
        always("An account that the key does not know", refusal(403, account)),
        api("A limit that is lifted too late", |mock| mock.rate_limit("/v1/accounts", 9, 1_000_000)),
    ]
}

fn answers() -> Vec<Entry> {
    let page = r#"{"object":"list","data":[{"id":"acct_1","object":"account"}],"has_more":false}"#;
    vec![
        always("A server that fails again and again", refusal(500, json!({"message": "Sorry."}))),
        always("A web page", Reply::shared("text/html", "<html><title>Sign in</title></html>".as_bytes())),
        always("A body that is cut", Reply::json_text(page).fault(Fault::TruncateBody(40))),
        always("A body of another shape", Reply::json_text(r#"{"object":"list","items":[]}"#)),
        always("A URL that is wrong", Reply::text("no such page").status(404)),
    ]
}

fn network() -> Vec<Entry> {
    fn reading(api_url: &str) -> Call {
        Call::new(READ).file("config.json", with(json!({ "api_url": api_url })))
    }
    fn site() -> (StripeMock, TlsServer) {
        let mock = StripeMock::builder().start();
        let leaf = Authority::named("Corporate root").sign("127.0.0.1");
        let tls = TlsServer::start(mock.server().addr(), &leaf, None);
        (mock, tls)
    }
    vec![
        local("A host that there is not", || reading(&format!("http://{}", no_such_host()))),
        ("A port that nobody listens on", Box::new(|| reading(&format!("http://{}", ClosedPort::new().addr())).run())),
        (
            "A certificate that nobody trusts",
            Box::new(|| {
                let (_mock, tls) = site();
                let others = Authority::named("Another root").pem();
                reading(&tls.url()).file("roots.pem", others).env("SSL_CERT_FILE", "roots.pem").run()
            }),
        ),
        (
            "TLS spoken to a server without it",
            Box::new(|| {
                let mock = StripeMock::builder().start();
                reading(&mock.url().replace("http:", "https:")).run()
            }),
        ),
        (
            "A proxy that refuses",
            Box::new(|| {
                let (mock, tls) = site();
                let proxy = TunnelProxy::start(mock.server().addr(), Answer::Refuse(403));
                reading(&tls.url()).env("HTTPS_PROXY", &format!("http://{}", proxy.addr())).run()
            }),
        ),
        (
            "A proxy that is not there",
            Box::new(|| {
                let closed = ClosedPort::new();
                reading("http://api.stripe.test").env("HTTP_PROXY", &format!("http://{}", closed.addr())).run()
            }),
        ),
        local("An invalid proxy", || reading("http://api.stripe.test").env("HTTP_PROXY", "ftp://proxy")),
    ]
}

fn outputs() -> Vec<Entry> {
    let mut entries: Vec<Entry> = vec![(
        "The reader of stdout closes the pipe",
        Box::new(|| {
            let mock = StripeMock::builder().count("accounts", 2).start();
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            Call::new(READ).file("config.json", config(&mock)).run_to(writer, "| true")
        }),
    )];
    if Path::new("/dev/full").exists() {
        entries.push((
            "A disk that is full",
            Box::new(|| {
                let mock = StripeMock::builder().count("accounts", 2).start();
                let full = File::options().write(true).open("/dev/full").unwrap();
                Call::new(READ).file("config.json", config(&mock)).run_to(full, "> /dev/full")
            }),
        ));
    }
    entries
}

#[test]
fn every_fault_is_reported_as_in_the_table() {
    let chapters = [
        ("The command line", command_line()),
        ("Configs", configs()),
        ("Manifests", manifests::entries()),
        ("Catalogs and states", catalogs_and_states()),
        ("Refusals", refusals()),
        ("Answers", answers()),
        ("The network", network()),
        ("Stdout", outputs()),
    ];
    let mut table =
        String::from("What the binary says when something is wrong. Of stdout: warnings, and the last line.\n");
    let mut number = 0;
    // Some wait for their retries, so all run at the same time.
    let told = thread::scope(|scope| {
        let chapters: Vec<_> = chapters
            .into_iter()
            .map(|(chapter, entries)| {
                let runs = entries.into_iter().map(|(title, run)| (title, scope.spawn(run)));
                (chapter, runs.collect::<Vec<_>>())
            })
            .collect();
        let join = |runs: Vec<(&'static str, thread::ScopedJoinHandle<'_, Told>)>| {
            runs.into_iter().map(|(title, run)| (title, run.join().unwrap())).collect::<Vec<_>>()
        };
        chapters.into_iter().map(|(chapter, runs)| (chapter, join(runs))).collect::<Vec<_>>()
    });
    for (chapter, entries) in told {
        write!(table, "\n# {chapter}\n").unwrap();
        for (title, told) in entries {
            number += 1;
            write!(table, "\n## {title}\n{}", render(&told)).unwrap();
        }
    }
    assert!(number >= 40, "{number} entries");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration_tests/golden/faults.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    for (line, (is, should)) in table.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, should, "line {} of golden/faults.txt", line + 1);
    }
    assert_eq!(table.lines().count(), golden.lines().count());
}

fn render(told: &Told) -> String {
    let mut text = format!("$ source-http {}\n", told.args);
    for line in shown(&told.stdout) {
        writeln!(text, "stdout: {}", masked(&line)).unwrap();
    }
    for line in told.stderr.lines() {
        writeln!(text, "stderr: {}", masked(line)).unwrap();
    }
    let status = told.status.map_or_else(|| "a signal".to_owned(), |status| status.to_string());
    writeln!(text, "exit:   {status}").unwrap();
    // Editors remove blanks at the end of a line.
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The warnings, and always the last line.
fn shown(stdout: &str) -> Vec<String> {
    let messages: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_warning = |message: &Value| ["WARN", "ERROR"].iter().any(|level| message["log"]["level"] == **level);
    let warnings = messages.iter().take(messages.len().saturating_sub(1)).filter(|message| is_warning(message));
    warnings.chain(messages.last()).map(plain).collect()
}

fn plain(message: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('\n', "\n        ");
    match message["type"].as_str().unwrap_or_default() {
        "LOG" => format!("{} {}", text(&message["log"]["level"]), text(&message["log"]["message"])),
        "CONNECTION_STATUS" => {
            let status = &message["connectionStatus"];
            format!("{} {}", text(&status["status"]), text(&status["message"]))
        }
        "TRACE" if message["trace"]["type"] == "ERROR" => {
            let error = &message["trace"]["error"];
            format!("{} {}", text(&error["failure_type"]), text(&error["message"]))
        }
        "TRACE" => {
            let status = &message["trace"]["stream_status"];
            format!("{} {}", text(&status["stream_descriptor"]["name"]), text(&status["status"]))
        }
        other => other.to_owned(),
    }
}

/// Without everything that differs between runs and systems: ports, request numbers, the host that cannot exist and the
/// system's words for that, and random numbers.
fn masked(line: &str) -> String {
    let mut text = line.replace(&no_such_host(), "HOST");
    if let (Some(at), Some(end)) = (text.find("(DNS): "), text.find(". Check the host")) {
        text.replace_range(at + "(DNS): ".len()..end, "WHY");
    }
    for (before, mask) in [("127.0.0.1:", "PORT"), ("request id ", "ID"), ("attempt would be in ", "SECONDS")] {
        let parts: Vec<&str> = text.split(before).collect();
        let rest = parts[1..].iter().map(|part| {
            let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
            format!("{before}{mask}{}", &part[end..])
        });
        text = std::iter::once(parts[0].to_owned()).chain(rest).collect();
    }
    text
}
