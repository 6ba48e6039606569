//! Runs a connector inside the test: from arguments to exit code, over real sockets, with the test's clock. For waits,
//! and for your own sources. Run the built binary for everything else.
//!
//! Every output passes the protocol check, even if the test ignores it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::Messages;
use super::streams_source::StreamsSource;
use source_http::clock::{Clock, Random};
use source_http::clock::{FixedRandom, VirtualClock};
use source_http::http::NetworkEnvironment;
use source_http::memory::MemoryLimit;
use source_http::protocol::Failure;
use source_http::source::SourceContext;
use source_http::stop::Stop;
use source_http::streams::HttpStream;
use source_http::terminal::Terminal;
use source_http::{Environment, Host, Registry, Source, run};

/// A connector under test, and its input.
pub struct InProcess {
    registry: Registry,
    clock: Arc<VirtualClock>,
    random: Arc<dyn Random>,
    files: tempfile::TempDir,
    args: Vec<OsString>,
    /// The source needs a config and accepts any: the default is an empty one.
    takes_any_config: bool,
    env: Vec<(String, OsString)>,
    memory: MemoryLimit,
    stop: Stop,
    terminal: Terminal,
    stdout: Shared,
}

/// The result of a run.
#[derive(Debug)]
pub struct Finished {
    /// The exit code.
    pub status: u8,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
    /// Every wait, in virtual time.
    pub sleeps: Vec<Duration>,
    /// `None` if the command line was invalid, the answer is a text, or the format was bare records.
    messages: Option<Messages>,
}

impl Finished {
    /// Stdout as messages, after the protocol check.
    ///
    /// # Panics
    /// If the command line was invalid, or with `--format jsonl`.
    pub fn messages(&self) -> Messages {
        self.messages.clone().expect("arguments that make sense")
    }
}

impl InProcess {
    /// A connector of one source. The clock begins at 2026-11-01T00:00:00Z and jitter draws one half.
    pub fn new(source: impl Source + 'static) -> Self {
        Self::with_registry(Registry::of(source))
    }

    /// A connector of one stream, without a source or a config of its own.
    ///
    /// ```
    /// use serde_json::json;
    /// use source_http::streams::{HttpStream, RequestContext};
    /// use source_http_testkit::{InProcess, Reply, Routes, Server};
    ///
    /// struct Rooms {
    ///     url: String,
    /// }
    ///
    /// impl HttpStream for Rooms {
    ///     fn name(&self) -> &str {
    ///         "rooms"
    ///     }
    ///     fn url_base(&self) -> &str {
    ///         &self.url
    ///     }
    ///     fn path(&self, _: &RequestContext<'_>) -> String {
    ///         "rooms".into()
    ///     }
    /// }
    ///
    /// let server = Server::start(Routes::new().on("GET", "/rooms", [json!([{"id": 1}])]));
    /// let done = InProcess::of(Rooms { url: server.url() }).run("read");
    /// assert_eq!(done.messages().records("rooms"), [r#"{"id":1}"#]);
    /// ```
    pub fn of(stream: impl HttpStream + 'static) -> Self {
        let stream: Arc<dyn HttpStream> = Arc::new(stream);
        Self::of_streams(move |_| Ok(vec![stream.clone()]))
    }

    /// A connector of streams that are made as by [`Source::streams`], with the run's clock and its redactor. Any
    /// object is a valid config; the default is an empty one.
    pub fn of_streams(
        streams: impl Fn(&SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { takes_any_config: true, ..Self::new(StreamsSource::new(streams)) }
    }

    /// A connector of any sources.
    pub fn with_registry(registry: Registry) -> Self {
        Self {
            registry,
            clock: Arc::new(VirtualClock::at(1_793_491_200)),
            random: Arc::new(FixedRandom(0.5)),
            files: tempfile::tempdir().expect("a temporary directory"),
            args: Vec::new(),
            takes_any_config: false,
            env: Vec::new(),
            memory: MemoryLimit::none(),
            stop: Stop::default(),
            terminal: Terminal::none(),
            stdout: Shared::default(),
        }
    }

    /// The reader closes stdout after this many lines.
    pub fn reader_leaves_after(mut self, lines: usize) -> Self {
        self.stdout.lines_left = Some(lines);
        self
    }

    /// The clock begins at this many seconds since the epoch.
    pub fn now(mut self, seconds: i64) -> Self {
        self.clock = Arc::new(VirtualClock::at(seconds));
        self
    }

    /// The clock, for handlers of a server.
    pub fn clock(&self) -> Arc<VirtualClock> {
        self.clock.clone()
    }

    /// The run's stop, for handlers of a server.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Stderr is this terminal. Default: none.
    pub fn terminal(mut self, terminal: Terminal) -> Self {
        self.terminal = terminal;
        self
    }

    /// The memory limits below this directory. Default: none.
    pub fn memory(mut self, root: impl Into<PathBuf>) -> Self {
        self.memory = MemoryLimit::at(root);
        self
    }

    /// Jitter draws this fraction every time.
    pub fn fraction(mut self, fraction: f64) -> Self {
        self.random = Arc::new(FixedRandom(fraction));
        self
    }

    /// The config, as a file behind `--config`.
    pub fn config(self, config: &Value) -> Self {
        self.file("config", config)
    }

    /// The configured catalog, as a file behind `--catalog`.
    pub fn catalog(self, catalog: &Value) -> Self {
        self.file("catalog", catalog)
    }

    /// A catalog of these streams, each with its sync mode.
    pub fn streams(self, streams: &[(&str, &str)]) -> Self {
        let streams: Vec<Value> = streams
            .iter()
            .map(|(name, mode)| {
                json!({
                    "stream": {"name": name, "json_schema": {}, "supported_sync_modes": [mode]},
                    "sync_mode": mode,
                    "destination_sync_mode": "append"
                })
            })
            .collect();
        self.catalog(&json!({ "streams": streams }))
    }

    /// The state, as a file behind `--state`.
    pub fn state(self, state: &Value) -> Self {
        self.file("state", state)
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// An environment variable. The process's own are ignored.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Runs a command with the given input.
    ///
    /// # Panics
    /// If the output breaks a rule of the protocol.
    #[track_caller]
    pub fn run(self, command: &str) -> Finished {
        self.finish(command, true)
    }

    /// Runs a command that answers with a text for people.
    pub fn run_text(self, command: &str) -> Finished {
        self.finish(command, false)
    }

    #[track_caller]
    fn finish(mut self, command: &str, is_protocol: bool) -> Finished {
        if self.takes_any_config && command != "spec" && !self.args.contains(&"--config".into()) {
            self = self.config(&json!({}));
        }
        let (stdout, stderr) = (self.stdout, Shared::default());
        let host = Host {
            clock: self.clock.clone() as Arc<dyn Clock>,
            random: self.random,
            network: NetworkEnvironment::from_vars(self.env.iter().cloned()),
            environment: Environment::from_vars(self.env),
            memory: self.memory,
            stop: self.stop,
            stdin: Box::new(io::empty()),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            terminal: self.terminal,
        };
        // Bare records are not messages.
        let is_bare = self.args.iter().any(|arg| arg == "jsonl");
        let args = ["connector".into(), command.into()].into_iter().chain(self.args);
        let status = run(args, &self.registry, host);
        let text = stdout.text();
        // Errors of the command line are on stderr.
        let is_usage = status == 2 && text.is_empty();
        let messages = (is_protocol && !is_usage && !is_bare).then(|| match stdout.lines_left {
            Some(_) => Messages::parse_cut(&text),
            None => Messages::parse_answer(&text, command, status.into()),
        });
        Finished { status, stdout: text, stderr: stderr.text(), sleeps: self.clock.sleeps(), messages }
    }

    fn file(mut self, flag: &str, content: &Value) -> Self {
        let path = self.files.path().join(format!("{flag}.json"));
        std::fs::write(&path, content.to_string()).expect("a file in a temporary directory");
        self.args.extend([format!("--{flag}").into(), path.into()]);
        self
    }
}

/// A writer whose text can be read during the run.
#[derive(Debug, Clone, Default)]
struct Shared {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Lines after which the reader is gone.
    lines_left: Option<usize>,
}

impl Shared {
    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(bytes.clone()).expect("output in UTF-8")
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = match &mut self.lines_left {
            None => bytes.len(),
            Some(0) => return Err(io::ErrorKind::BrokenPipe.into()),
            Some(left) => {
                let end = memchr::memchr(b'\n', bytes);
                *left -= usize::from(end.is_some());
                end.map_or(bytes.len(), |end| end + 1)
            }
        };
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
