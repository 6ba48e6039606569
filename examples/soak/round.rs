//! One sync from nothing to its end, however often it is interrupted.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Messages};
use stripe_mock::StripeMock;

use crate::chance::Chance;
use crate::faults::Faults;

const DAY: i64 = 86_400;
/// Runs that a round may need. With one reply of four spoiled it is some dozens.
const MOST_RUNS: u64 = 500;

/// One stream of each kind, with its sync mode.
const STREAMS: [(&str, &str); 10] = [
    ("balance_transactions", "incremental"),
    ("charges", "incremental"),
    ("refunds", "full_refresh"),
    ("accounts", "incremental"),
    ("customers", "incremental"),
    ("customer_balance_transactions", "incremental"),
    ("payment_methods", "incremental"),
    ("invoice_line_items", "incremental"),
    ("setup_attempts", "incremental"),
    ("usage_records", "full_refresh"),
];

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rounds: u64,
    runs: u64,
    /// Runs that went on from another one's states.
    resumed: u64,
    failed: u64,
    left: u64,
    killed: u64,
    records: u64,
    /// What retries waited, in virtual time, over all workers.
    waited: Duration,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, runs, resumed, failed, left, killed, records, waited } = self;
        let hours = waited.as_secs_f64() / 3_600.0;
        write!(
            f,
            "{rounds} rounds, {runs} runs: {resumed} resumed, after {failed} that failed, {left} whose reader left and \
             {killed} that were killed; {records} records, none lost; {hours:.1} hours of virtual time waited"
        )
    }
}

/// The API, and what it has.
pub(crate) struct Account {
    mock: StripeMock,
    faults: Arc<Faults>,
    workers: usize,
    objects: HashMap<&'static str, HashSet<String>>,
}

impl Account {
    pub(crate) fn new(now: i64, faults: &Arc<Faults>, workers: usize) -> Self {
        let spoiler = faults.clone();
        let mock = StripeMock::builder()
            .now(now)
            .spread(now - 200 * DAY, now - DAY)
            .page_size(25)
            .gzip(true)
            .recording(false)
            .count("balance_transactions", 200)
            .count("charges", 200)
            .count("refunds", 100)
            .count("accounts", 60)
            .count("customers", 50)
            .children("customer_balance_transactions", 3)
            .children("payment_methods", 2)
            .count("invoices", 40)
            .children("invoice_line_items", 12)
            .count("setup_intents", 40)
            .children("setup_attempts", 1)
            .count("subscriptions", 10)
            .children("subscription_items", 2)
            .children("usage_records", 2)
            .on_reply(move |_, reply| spoiler.spoil(reply))
            .start();
        let ids = |stream: &str| mock.ids(stream).iter().map(ToString::to_string).collect();
        let objects = STREAMS.iter().map(|(stream, _)| (*stream, ids(stream))).collect();
        Self { mock, faults: faults.clone(), workers, objects }
    }

    fn config(&self) -> Value {
        let start = jiff::Timestamp::from_second(self.mock.now() - 210 * DAY).unwrap();
        json!({
            "client_secret": self.mock.key(),
            "account_id": "acct_test",
            "api_url": format!("{}/v1", self.mock.url()),
            "call_rate_limit": 1_000_000,
            "start_date": format!("{start:.0}"),
            "slice_range": 30,
        })
    }

    /// A round in virtual time.
    pub(crate) fn in_process(&self, chance: &Chance, tally: &mut Tally) {
        self.faults.set_percent(chance.below(25));
        self.until_it_is_complete(tally, |state, tally| {
            let connector = InProcess::with_registry(Registry::built_in())
                .now(self.mock.now())
                .fraction(chance.below(1000) as f64 / 1000.0)
                .config(&self.config())
                .streams(&STREAMS)
                .state(state)
                .arg("--workers")
                .arg(self.workers.to_string());
            let leaves = chance.percent(40).then(|| chance.below(2_000) as usize);
            let connector = leaves.into_iter().fold(connector, InProcess::reader_leaves_after);
            let done = connector.run("read");
            let has_left = leaves.is_some_and(|lines| done.stdout.lines().count() == lines);
            tally.left += u64::from(has_left);
            tally.failed += u64::from(done.status != 0);
            tally.waited += done.sleeps.iter().sum::<Duration>();
            done.messages()
        });
    }

    /// A round of processes that are killed, in real time: with few faults, for each costs a wait.
    pub(crate) fn by_processes(&self, binary: &Path, chance: &Chance, tally: &mut Tally) {
        self.faults.set_percent(1);
        let files = tempfile::tempdir().expect("a temporary directory");
        let file = |name: &str| files.path().join(name);
        std::fs::write(file("config"), self.config().to_string()).expect("a file");
        let mut kills = 5;
        self.until_it_is_complete(tally, |state, tally| {
            std::fs::write(file("state"), state.to_string()).expect("a file");
            let streams = STREAMS.map(|(stream, _)| stream).join(",");
            let mut child = Command::new(binary)
                .args(["read", "--config", "config", "--state", "state", "--workers", &self.workers.to_string()])
                .args(["--streams", &streams])
                .current_dir(files.path())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the connector");
            let lines = if kills > 0 { chance.below(1_000) } else { u64::MAX };
            kills -= i32::from(kills > 0);
            let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
            let mut text = String::new();
            let mut read = 0;
            while read < lines && stdout.read_line(&mut text).expect("text") > 0 {
                read += 1;
            }
            // It is killed, or done.
            if read == lines {
                tally.killed += 1;
                child.kill().expect("a process to kill");
            }
            let status = child.wait().expect("an end");
            tally.failed += u64::from(status.code() == Some(1));
            Messages::parse_cut(&text)
        });
    }

    /// Runs, each from the last states of those before it, until one has read every stream to its end.
    fn until_it_is_complete(&self, tally: &mut Tally, mut run: impl FnMut(&Value, &mut Tally) -> Messages) {
        let mut states: HashMap<String, Value> = HashMap::new();
        let mut written: HashMap<&str, HashSet<String>> = HashMap::new();
        for attempt in 0.. {
            assert!(attempt < MOST_RUNS, "a round does not end");
            tally.runs += 1;
            tally.resumed += u64::from(!states.is_empty());
            let messages = run(&states.values().cloned().collect(), tally);
            tally.records += messages.record_count() as u64;
            for (stream, _) in STREAMS {
                let ids = messages.records(stream).into_iter().map(id);
                written.entry(stream).or_default().extend(ids);
            }
            let newer: Vec<Value> = serde_json::from_str(&messages.state_file()).expect("states");
            for state in newer {
                states.insert(state["stream"]["stream_descriptor"]["name"].to_string(), state);
            }
            if STREAMS.iter().all(|(stream, _)| messages.statuses(stream).last() == Some(&"COMPLETE")) {
                break;
            }
        }
        for (stream, objects) in &self.objects {
            let lost: Vec<&String> = objects.difference(&written[stream]).collect();
            assert!(lost.is_empty(), "{stream} has lost {lost:?}");
        }
    }
}

fn id(record: &str) -> String {
    let record: Value = serde_json::from_str(record).expect("a record");
    record["id"].as_str().expect("an id").to_owned()
}
