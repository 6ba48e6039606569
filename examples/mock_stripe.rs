//! A mock Stripe API to try a connector against: writes a config for it, tells on stderr where it listens, and serves until
//! it is killed, or told to quit. Everything it serves follows from its arguments, so two connectors can be compared:
//!
//! ```sh
//! mock_stripe 20000   # that many charges, and some objects of every other kind
//! mock_stripe 5000 --config mock.json &   # until mock.json is there, it does not listen
//! mock_stripe 20 --others 3 --children 2 --now 1767225600 --port 8099 --log requests.txt --calls-per-second 25
//! ```
//!
//! - `--config FILE`: the config goes into this file, which is there when it is whole. Default: it is the first line of
//!   stdout.
//! - `--others N`: objects of every other kind that has a list of its own. Default: 250.
//! - `--count KIND=N`: objects of this kind, whatever `--others` says. May be repeated.
//! - `--children N`: children of each parent, of every kind that is listed by parent. Default: 2.
//! - `--now SECONDS`: the mock's clock, in unix seconds; it stands still. Default: the time of the start, and then that of each
//!   change.
//! - `--port PORT`: default is any free one.
//! - `--log FILE`: one line a request, as it comes in: method, target, `Stripe-Version`.
//! - `--calls-per-second N`: further requests are answered with 429.
//! - `--compact`: answers without the white space that Stripe's have.
//!
//! Lines on stdin change it while it runs, unless stdin is a terminal that another job has; each is answered with one line on
//! stdout that begins with `ok` or `error`. They are those of `StripeMock::command`, and `quit`; `--help` lists them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the config and the answers are its output")]
#![allow(clippy::disallowed_methods, reason = "it is no connector: it reads stdin, and waits in real time")]

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use serde_json::json;
use source_http::clock::SystemClock;
use stripe_mock::StripeMock;

/// What `--help` says of the lines on stdin.
const COMMANDS: &str = "\
Lines on stdin change it while it runs; each is answered with a line on stdout:
  create KIND [MEMBERS]     a new object, such as: create charges {\"amount\": 4200}
  update KIND ID MEMBERS    sets members of an object
  delete KIND ID            deletes one
  ids KIND                  lists the ids, newest first
  forbid PATH, allow PATH   answers requests for it with 403, such as: forbid /v1/charges
  fail PATH STATUS HITS     answers the next HITS requests for it with STATUS
  limit PATH SECONDS        answers the next request for it with 429
  event TYPE KIND ID        an event about an object as it is
  now SECONDS               sets the clock, in unix seconds; from then on it stands still
  quit                      ends it
MEMBERS is a JSON object.";

/// The account that the config is for.
const ACCOUNT: &str = "acct_mock";

/// Serves a mock Stripe API.
#[derive(Parser)]
#[command(after_help = COMMANDS)]
struct Args {
    /// Number of charges.
    #[arg(default_value_t = 1_000)]
    charges: u64,
    /// The file that the config is written to. Default: the first line of stdout.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Number of objects of every other kind that has a list of its own.
    #[arg(long, default_value_t = 250)]
    others: u64,
    /// Number of objects of one kind, as `customers=20000`. May be repeated.
    #[arg(long, value_parser = count)]
    count: Vec<(String, u64)>,
    /// Number of children that each parent has, of each kind that is listed by parent.
    #[arg(long, default_value_t = 2)]
    children: u64,
    /// The mock's clock, in unix seconds; it stands still. Default: the time of the start, and then that of each change.
    #[arg(long)]
    now: Option<i64>,
    /// The port. Default: any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Appends a line to this file for each request: method, target, `Stripe-Version`.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Answers further requests with 429.
    #[arg(long)]
    calls_per_second: Option<usize>,
    /// The API version of the objects in events.
    #[arg(long, default_value = "2022-11-15")]
    account_version: String,
    /// Shows what happens late, by this many seconds at most.
    #[arg(long, default_value_t = 0)]
    late_by: u32,
    /// Answers without white space.
    #[arg(long)]
    compact: bool,
}

/// `KIND=N`.
fn count(text: &str) -> Result<(String, u64), String> {
    let (kind, count) = text.split_once('=').ok_or("KIND=N is wanted")?;
    Ok((kind.to_owned(), count.parse().map_err(|error| format!("{error}: {count}"))?))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mock = start(&args)?;
    let config = json!({
        "client_secret": mock.key(),
        "account_id": ACCOUNT,
        "api_url": format!("{}/v1", mock.url()),
        "call_rate_limit": 1_000_000,
    });
    match &args.config {
        Some(path) => write_whole(path, &format!("{config}\n"))?,
        None => println!("{config}"),
    }
    eprintln!("Listening on {}", mock.url());
    let mut has_own_time = args.now.is_some();
    while let Some(line) = next_line()? {
        let command = line.trim();
        if command == "quit" {
            return Ok(());
        }
        has_own_time |= command.starts_with("now ");
        let changes = ["create ", "update ", "delete ", "event "];
        if !has_own_time && changes.iter().any(|verb| command.starts_with(verb)) {
            mock.set_now(jiff::Timestamp::now().as_second());
        }
        if !command.is_empty() {
            match mock.command(command) {
                Ok(answer) => println!("ok {answer}"),
                Err(problem) => println!("error {}", problem.replace('\n', " ")),
            }
        }
    }
    loop {
        std::thread::park();
    }
}

/// The next line of stdin, if there is one.
fn next_line() -> io::Result<Option<String>> {
    // To read a terminal from the background stops the process, and what it serves.
    while is_in_background() {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    io::stdin().lock().lines().next().transpose()
}

/// Whether stdin is a terminal that another job has.
#[cfg(unix)]
fn is_in_background() -> bool {
    use rustix::process::getpgrp;
    use rustix::termios::tcgetpgrp;

    io::stdin().is_terminal() && tcgetpgrp(io::stdin()).is_ok_and(|foreground| foreground != getpgrp())
}

#[cfg(not(unix))]
fn is_in_background() -> bool {
    false
}

/// Writes a file that is there when it is whole.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn start(args: &Args) -> io::Result<StripeMock> {
    let now = args.now.unwrap_or_else(|| jiff::Timestamp::now().as_second());
    let mock = StripeMock::builder().now(now).port(args.port).recording(false).pretty(!args.compact);
    let mock = mock.account_version(&args.account_version).late_by(args.late_by);
    let mock = mock.everything(args.others, args.children).count("charges", args.charges);
    let mock = args.count.iter().fold(mock, |mock, (kind, count)| mock.count(kind, *count));
    let mut mock = mock.children_of("external_accounts", ACCOUNT, args.children);
    if let Some(path) = &args.log {
        let log = Mutex::new(File::options().create(true).append(true).open(path)?);
        mock = mock.on_request(move |request| {
            let version = request.header("Stripe-Version").unwrap_or("-");
            let line = format!("{} {} {version}\n", request.method, request.target);
            // A full disk ends the log, not the mock.
            let _ = log.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        });
    }
    if let Some(calls) = args.calls_per_second {
        mock = mock.rate_limit_per_second(calls, Arc::new(SystemClock::new()));
    }
    Ok(mock.start())
}
