//! Runs a row: reads two streams of one server, the first with the fault at one of its pages; if it failed, the next
//! read completes it from its state, without the fault.

use std::fmt::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use source_http::http::RequestOptions;
use source_http_testkit::{Finished, Reply};

use super::stage::{Scene, Stage};
use crate::support::Misbehaviour;

/// The timeout for a fault. The sockets wait in real time.
pub(super) const SHORT: Duration = Duration::from_millis(200);
/// Longer than any test may take.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// Pages of the stream, of three records each.
pub(super) const PAGES: usize = 5;
/// The first page, one in the middle, the last.
pub(super) const PLACES: [usize; 3] = [1, 3, PAGES];

/// One fault and its expected result.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) fault: Fault,
    pub(super) options: fn(&mut RequestOptions),
    pub(super) outcome: Outcome,
    /// The fault depends on time, so on a busy machine a valid attempt may have it as well.
    timed: bool,
}

/// Changes a valid reply.
type Spoil = dyn Fn(Reply, &Scene) -> Reply + Send + Sync;

/// The place of a fault.
pub(super) enum Fault {
    /// The page's reply is changed.
    Reply(Arc<Spoil>),
    /// The page is behind a gate.
    Gate(Misbehaviour),
    /// The page is behind a gate and, if that lets the client through, TLS.
    Tls(Misbehaviour),
}

/// The expected result of a fault. Messages are whole, except for the additions of [`in_full`], with `REQUEST`, `URL`
/// and `HOST` for those of the page with the fault; of several, any.
#[derive(Clone)]
pub(super) enum Outcome {
    /// Not a fault: the output is that of a clean run, without a retry.
    Harmless,
    /// These are exactly the records of the page.
    Taken(Vec<String>),
    /// It is the end of the list.
    Ends,
    /// Once, it costs a retry, and the output is that of a clean run. If it stays, the stream fails as transient after
    /// all its attempts.
    Passing(&'static [&'static str]),
    /// The stream fails at once, with a failure of this kind.
    Final(&'static str, &'static [&'static str]),
}

/// The result for records that look odd and are valid.
pub(super) fn taken(records: &[&str]) -> Outcome {
    Outcome::Taken(records.iter().map(|&record| record.to_owned()).collect())
}

/// A message, with the phrases that many have in common.
fn in_full(message: &str) -> String {
    if let Some(why) = message.strip_prefix("NO HEAD: ") {
        return format!("REQUEST got no response from HOST: no complete response head came back: {why}.");
    }
    if let Some(why) = message.strip_prefix("NO BODY: ") {
        return format!("REQUEST got no response from HOST: the response body broke off: {why}.");
    }
    if let Some(why) = message.strip_prefix("NOT HTTP: ") {
        return in_full(&format!(
            "NO HEAD: what came back is not HTTP (protocol: {why}). If the port speaks TLS, the URL has to begin with \
             https://"
        ));
    }
    let answer = |kind_and_body: &str| {
        let (kind, body) = kind_and_body.split_once(": ").unwrap();
        let body = match body {
            "EMPTY" => "an empty body".to_owned(),
            "BLANK" => "a body of white space".to_owned(),
            start => format!("body starting with: {start}"),
        };
        format!("REQUEST answered 200 OK ({kind}) with {body}.")
    };
    let parts = |start: &str, between: &str| message.strip_prefix(start).and_then(|rest| rest.split_once(between));
    if let Some((why, what)) = parts("NOT JSON (", ") AS ") {
        return format!("The response cannot be read: it is not valid JSON ({why}). {}", answer(what));
    }
    if let Some((why, what)) = parts("WRONG SHAPE: ", " AS ") {
        let end = "The API has changed, or the URL in the config is wrong.";
        return format!("The response cannot be read: {why}. {} {end}", answer(what));
    }
    message.to_owned()
}

impl Row {
    /// The page's reply is changed.
    pub(super) fn reply(
        name: &'static str,
        spoil: impl Fn(Reply, &Scene) -> Reply + Send + Sync + 'static,
        outcome: Outcome,
    ) -> Self {
        Self { name, fault: Fault::Reply(Arc::new(spoil)), options: |_| (), outcome, timed: false }
    }

    /// The connection for the page has the fault.
    pub(super) fn connection(name: &'static str, misbehaviour: Misbehaviour, outcome: Outcome) -> Self {
        Self { name, fault: Fault::Gate(misbehaviour), options: |_| (), outcome, timed: false }
    }

    /// The TLS connection for the page has the fault.
    pub(super) fn tls(name: &'static str, misbehaviour: Misbehaviour, outcome: Outcome) -> Self {
        Self { name, fault: Fault::Tls(misbehaviour), options: |_| (), outcome, timed: false }
    }

    /// With other options.
    pub(super) fn with(self, options: fn(&mut RequestOptions)) -> Self {
        Self { options, ..self }
    }

    /// With a short timeout, which a valid attempt may exceed as well.
    pub(super) fn timed(self, options: fn(&mut RequestOptions)) -> Self {
        Self { options, timed: true, ..self }
    }
}

/// Runs every row of a table, and reports all differences.
#[track_caller]
pub(super) fn run(rows: Vec<Row>) {
    let mut wrong = String::new();
    for row in &rows {
        thread::scope(|scope| {
            let places = PLACES.map(|place| scope.spawn(move || at(row, place)));
            for (place, done) in PLACES.iter().zip(places) {
                let problem = match done.join() {
                    Ok(Ok(())) => continue,
                    Ok(Err(problem)) => problem,
                    Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned()),
                };
                let _ = writeln!(wrong, "\n{} at page {place}: {problem}", row.name);
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn at(row: &Row, place: usize) -> Result<(), String> {
    match &row.outcome {
        Outcome::Harmless => {
            let done = Stage::new(row, place).read(false, None);
            let retries = done.sleeps.len();
            if retries > usize::from(row.timed) {
                return Err(format!("{retries} retries: {}", done.stdout));
            }
            complete(&done, &all())
        }
        Outcome::Taken(records) => {
            let done = Stage::new(row, place).read(false, None);
            let mut expected = all();
            expected.splice(3 * (place - 1)..3 * place, records.iter().cloned());
            same("exit", done.status, 0)?;
            // The kit's check needs records that any parser accepts.
            same("records", texts(&done.stdout), expected)
        }
        Outcome::Ends => {
            let done = Stage::new(row, place).read(false, None);
            same("retries", done.sleeps.len(), 0)?;
            complete(&done, &all()[..3 * (place - 1)])
        }
        Outcome::Passing(messages) => {
            let stage = Stage::new(row, place);
            let done = stage.read(true, None);
            let retries = done.sleeps.len();
            if !(retries == 1 || row.timed && (1..=5).contains(&retries)) {
                return Err(format!("{retries} retries instead of one: {}", done.stdout));
            }
            complete(&done, &all())?;
            // A body that cannot be read is requested at most twice more.
            let left = if messages.iter().any(|message| message.starts_with("NOT JSON")) { 2 } else { 5 };
            let end = format!(" Gave up after {} attempts.", left + 1);
            let messages: Vec<_> = messages.iter().map(|message| in_full(message) + &end).collect();
            failed(row, place, "transient_error", left, &messages)
        }
        Outcome::Final(kind, messages) => {
            let messages: Vec<_> = messages.iter().map(|message| in_full(message)).collect();
            failed(row, place, kind, 0, &messages)
        }
    }
}

/// The texts of the stream's records.
fn texts(stdout: &str) -> Vec<String> {
    let texts = stdout.lines().filter_map(|line| {
        let rest = line.strip_prefix(r#"{"type":"RECORD","record":{"stream":"faulty","data":"#)?;
        Some(rest.rsplit_once(r#","emitted_at":"#)?.0.to_owned())
    });
    texts.collect()
}

/// Both streams are complete, and their last states say so.
pub(super) fn complete(done: &Finished, expected: &[String]) -> Result<(), String> {
    if done.status != 0 {
        return Err(format!("exit {}: {}", done.status, done.stdout));
    }
    let messages = done.messages();
    same("records", messages.records("faulty"), expected.iter().map(String::as_str).collect())?;
    other_is_complete(done)?;
    same("last status", messages.statuses("faulty").last().copied(), Some("COMPLETE"))?;
    same("last state", messages.states("faulty").last().map(|state| (*state).clone()), Some(final_state()))?;
    same("errors", messages.errors().len(), 0)
}

fn other_is_complete(done: &Finished) -> Result<(), String> {
    let messages = done.messages();
    same("records of the other", messages.records("other"), vec![r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#])?;
    same("last status of the other", messages.statuses("other").last().copied(), Some("COMPLETE"))?;
    same("last state of the other", messages.states("other").last().map(|state| (*state).clone()), Some(final_state()))
}

/// A fault that stays fails its stream with one of these messages and no false statement; the next read without the
/// fault is complete.
fn failed(row: &Row, place: usize, kind: &str, retries: usize, messages: &[String]) -> Result<(), String> {
    let stage = Stage::new(row, place);
    let done = stage.read(false, None);
    if done.status != 1 {
        return Err(format!("exit {}: {}", done.status, done.stdout));
    }
    let said = done.messages();
    let errors: Vec<_> = said.errors().into_iter().filter(|error| error.stream.as_deref() == Some("faulty")).collect();
    same("errors", errors.len(), 1)?;
    let shown = stage.anonymous(&errors[0].message);
    // Bytes that are not text are not compared.
    let bytes = shown.split_once("starting with: ").and_then(|(_, rest)| rest.split_once('…'));
    let shown = bytes.map_or(shown.clone(), |(bytes, _)| shown.replace(&format!("{bytes}…"), "BYTES"));
    if !messages.contains(&shown) {
        return Err(format!("says: {shown}"));
    }
    same("kind", errors[0].failure_type.as_deref(), Some(kind))?;
    same("retries", done.sleeps.len(), retries)?;
    let all = all();
    let (before, after) = all.split_at(3 * (place - 1));
    same("records", said.records("faulty"), before.iter().map(String::as_str).collect())?;
    same("last status", said.statuses("faulty").last().copied(), Some("INCOMPLETE"))?;
    let left = said.states("faulty").last().map(|state| (*state).clone());
    same("last state", left, (place > 1).then(|| stage.state_before(place)))?;
    other_is_complete(&done)?;

    stage.mend();
    let left: Value = serde_json::from_str(&said.state_file()).unwrap();
    let rest = stage.read(false, Some(&left));
    if rest.status != 0 {
        return Err(format!("the rest, exit {}: {}", rest.status, rest.stdout));
    }
    let rest = rest.messages();
    same("the rest", rest.records("faulty"), after.iter().map(String::as_str).collect())?;
    same("last state of the rest", rest.states("faulty").last().map(|state| (*state).clone()), Some(final_state()))
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, expected: T) -> Result<(), String> {
    if is == expected { Ok(()) } else { Err(format!("{what}: {is:?} instead of {expected:?}")) }
}

/// The records of all pages.
pub(super) fn all() -> Vec<String> {
    (1..=3 * PAGES).map(|id| format!(r#"{{"id":{id}}}"#)).collect()
}

fn final_state() -> Value {
    json!({"__ab_full_refresh_sync_complete": true})
}
