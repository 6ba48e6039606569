//! The streams that are interrupted: one of each kind, with some hundred lines per sync, on many short pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Messages};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::{StripeMock, StripeMockBuilder};

use crate::support::binary::{Binary, config};

const DAY: i64 = 86_400;

/// What a stream promises once an interrupted read was resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Promise {
    /// Every object that was there when the first read began.
    AllOfTheFirst,
    /// Every object, later ones included.
    All,
    /// The same, each in its newest version.
    Newest,
}

struct Member {
    stream: &'static str,
    mode: &'static str,
    promise: Promise,
}

const fn member(stream: &'static str, mode: &'static str, promise: Promise) -> Member {
    Member { stream, mode, promise }
}

/// By creation time; a list first and events later; a full refresh; a parent and its children, by a global cursor and
/// by one for each parent; children with events; lists in objects; children of children, always whole.
const MEMBERS: [Member; 9] = [
    member("balance_transactions", "incremental", Promise::All),
    member("charges", "incremental", Promise::Newest),
    member("refunds", "full_refresh", Promise::AllOfTheFirst),
    member("customers", "incremental", Promise::Newest),
    member("customer_balance_transactions", "incremental", Promise::All),
    member("payment_methods", "incremental", Promise::Newest),
    member("invoice_line_items", "incremental", Promise::AllOfTheFirst),
    member("setup_attempts", "incremental", Promise::AllOfTheFirst),
    member("usage_records", "full_refresh", Promise::AllOfTheFirst),
];

/// A mock of these streams, and when it is there.
pub(super) struct Corpus {
    pub(super) mock: StripeMock,
    now: i64,
    first: BTreeMap<&'static str, Vec<String>>,
}

impl Corpus {
    /// The objects of the 50 days before `now`, in seconds since the epoch.
    pub(super) fn new(now: i64) -> Self {
        Self::with(now, |mock| mock)
    }

    /// The same with other settings of the mock.
    pub(super) fn with(now: i64, change: impl FnOnce(StripeMockBuilder) -> StripeMockBuilder) -> Self {
        let mock = StripeMock::builder()
            .now(now)
            .spread(now - 50 * DAY, now - 5 * DAY)
            .page_size(3)
            .count("balance_transactions", 5)
            .count("charges", 7)
            .count("refunds", 5)
            .count("customers", 4)
            .children("customer_balance_transactions", 2)
            .children("payment_methods", 2)
            .count("invoices", 2)
            .children("invoice_line_items", 11)
            .count("setup_intents", 4)
            .children("setup_attempts", 1)
            .count("subscriptions", 2)
            .children("subscription_items", 1)
            .children("usage_records", 2);
        let mock = change(mock).start();
        let first = MEMBERS.iter().map(|member| (member.stream, ids(&mock, member.stream))).collect();
        Self { mock, now, first }
    }

    fn config(&self) -> Value {
        let mut config = config(&self.mock);
        let start = jiff::Timestamp::from_second(self.now - 60 * DAY).unwrap();
        config["start_date"] = format!("{start:.0}").into();
        config["slice_range"] = 30.into();
        config
    }

    fn catalog() -> Value {
        let streams = MEMBERS.iter().map(|member| {
            json!({"stream": {"name": member.stream, "json_schema": {}}, "sync_mode": member.mode,
                   "destination_sync_mode": "append"})
        });
        json!({ "streams": streams.collect::<Vec<_>>() })
    }

    /// A read in virtual time that resumes from a state.
    pub(super) fn in_process(&self, workers: usize, state: &Value) -> InProcess {
        InProcess::with_registry(Registry::built_in())
            .now(self.mock.now())
            .config(&self.config())
            .catalog(&Self::catalog())
            .state(state)
            .arg("--workers")
            .arg(workers.to_string())
    }

    /// The same by the built binary.
    pub(super) fn binary(&self, workers: usize, state: &Value) -> Binary {
        let args = ["read", "--config", "config", "--catalog", "catalog", "--state", "state", "--workers"];
        Binary::new(&[&args[..], &[&workers.to_string()]].concat())
            .file("config", self.config())
            .file("catalog", Self::catalog())
            .file("state", state)
    }

    /// The names of the streams.
    pub(super) fn streams() -> impl Iterator<Item = &'static str> {
        MEMBERS.iter().map(|member| member.stream)
    }

    /// Changes objects half a day later.
    pub(super) fn change(&self) {
        let mock = &self.mock;
        mock.set_now(mock.now() + DAY / 2);
        for resource in ["charges", "customers", "payment_methods", "invoices", "setup_intents"] {
            let ids = mock.ids(resource);
            for id in [&ids[0], &ids[ids.len() - 1]] {
                mock.update(resource, id, |object| {
                    object.insert("metadata".to_owned(), json!({"changed_at": mock.now().to_string()}));
                });
            }
        }
        for resource in ["balance_transactions", "charges", "customers", "customer_balance_transactions"] {
            mock.create(resource);
        }
        mock.set_now(mock.now() + DAY / 2);
    }

    /// Whether a run has written every object of a stream.
    pub(super) fn read_whole(&self, stream: &str, messages: &Messages) -> bool {
        let mut written = Union::default();
        written.add(messages);
        ids(&self.mock, stream).into_iter().all(|id| written.0.contains_key(&(stream.to_owned(), id)))
    }

    /// The objects, up to `at_most`, that the streams promise and these records lack.
    pub(super) fn missing(&self, written: &Union, at_most: Promise) -> Vec<String> {
        let mut missing = Vec::new();
        for Member { stream, promise, .. } in &MEMBERS {
            let promise = (*promise).min(at_most);
            let objects = match promise {
                Promise::AllOfTheFirst => self.first[stream].clone(),
                Promise::All | Promise::Newest => ids(&self.mock, stream),
            };
            let lost = objects.into_iter().filter(|id| !written.0.contains_key(&((*stream).to_owned(), id.clone())));
            missing.extend(lost.map(|id| format!("{stream} {id}")));
            if promise != Promise::Newest {
                continue;
            }
            for object in self.mock.objects(stream) {
                let object: Value = serde_json::from_str(&object).unwrap();
                let id = object["id"].as_str().unwrap();
                let record = written.0.get(&((*stream).to_owned(), id.to_owned()));
                if record.is_some_and(|(_, metadata)| *metadata != object["metadata"]) {
                    missing.push(format!("{stream} {id} in its newest version"));
                }
            }
        }
        missing
    }
}

fn ids(mock: &StripeMock, stream: &str) -> Vec<String> {
    mock.ids(stream).iter().map(ToString::to_string).collect()
}

/// A destination that keeps the record with the newest cursor of each primary key, the last of equal ones: for each
/// key, the cursor and the rest of its version.
#[derive(Debug, Clone, Default)]
pub(super) struct Union(BTreeMap<(String, String), (i64, Value)>);

impl Union {
    /// Adds the records of one more run.
    pub(super) fn add(&mut self, messages: &Messages) {
        for stream in Corpus::streams() {
            for record in messages.records(stream) {
                let record: Value = serde_json::from_str(record).unwrap();
                let key = (stream.to_owned(), record["id"].as_str().unwrap().to_owned());
                let cursor = record["updated"].as_i64().unwrap_or_default();
                if self.0.get(&key).is_none_or(|(newest, _)| *newest <= cursor) {
                    self.0.insert(key, (cursor, record["metadata"].clone()));
                }
            }
        }
    }
}

/// The state that the platform gives to the next run: the last of each stream, or the previous one.
pub(super) fn states(known: &Value, messages: &Messages) -> Value {
    let name = |state: &Value| state["stream"]["stream_descriptor"]["name"].clone();
    let newer: Vec<Value> = serde_json::from_str(&messages.state_file()).unwrap();
    let known = known.as_array().unwrap().iter();
    let kept = known.filter(|known| newer.iter().all(|newer| name(newer) != name(known))).cloned();
    Value::Array(kept.chain(newer.iter().cloned()).collect())
}

/// These checks notice losses.
#[test]
fn a_record_that_is_lost_and_a_version_that_is_old_are_noticed() {
    let corpus = Corpus::new(DEFAULT_NOW);
    let mut written = Union::default();
    written.add(&corpus.in_process(1, &json!([])).run("read").messages());
    assert_eq!(corpus.missing(&written, Promise::Newest), Vec::<String>::new());
    for stream in Corpus::streams() {
        let mut less = written.clone();
        let lost = less.0.keys().find(|(name, _)| name == stream).unwrap().clone();
        less.0.remove(&lost);
        assert_eq!(corpus.missing(&less, Promise::AllOfTheFirst), [format!("{stream} {}", lost.1)]);
    }
    corpus.change();
    let missing = corpus.missing(&written, Promise::Newest);
    let count = |stream: &str| missing.iter().filter(|text| text.split(' ').next() == Some(stream)).count();
    let counts = Corpus::streams().map(|stream| (stream, count(stream))).filter(|(_, count)| *count > 0);
    // Two objects of each have changed; with an odd number, one is new.
    let expected = [
        ("balance_transactions", 1),
        ("charges", 3),
        ("customers", 3),
        ("customer_balance_transactions", 1),
        ("payment_methods", 2),
    ];
    assert_eq!(counts.collect::<Vec<_>>(), expected);
}
