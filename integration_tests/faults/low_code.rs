//! Every row again, for the streams of a manifest: the same result, except for differences that components of a
//! manifest have on purpose. Such a stream keeps no place between its pages, so a failed read leaves no state, and the
//! next one begins with the first page.

use std::io::Write as _;
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};
use source_http::Registry;
use source_http::http::RequestOptions;
use source_http_testkit::{Finished, InProcess};

use super::matrix::{Fault, Outcome, PAGES, PLACES, Row, all, same};
use super::stage::Stage;
use super::tables;
use crate::support::linked_stream;

/// The result of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// All pages are read, with this many records of the page.
    Read(usize),
    /// The page has these records and is the last one.
    Last(usize),
    /// A failure of this kind.
    Failed(&'static str),
}

/// Content that a manifest accepts and a list of Rust refuses: Airbyte's runtime accepts it, and some manifests need
/// it.
const OTHERWISE: [(&str, End); 23] = [
    // A body without a letter has no records.
    ("an empty body", End::Last(0)),
    ("white space", End::Last(0)),
    ("Content-Length zero", End::Last(0)),
    // Each status below 400 is accepted, except a redirect.
    ("101 switching", End::Last(0)),
    ("status 300", End::Last(0)),
    // No objects, no records.
    ("no list of records", End::Last(0)),
    ("a text for records", End::Last(0)),
    ("numbers for records", End::Last(0)),
    // Templates have their own rules for empty values.
    ("a list for a URL", End::Last(0)),
    // Invalid numbers become null, and of duplicate members the last counts.
    ("NaN", End::Last(1)),
    ("infinity", End::Last(1)),
    ("the records twice", End::Last(1)),
    // A body whose encoding is unknown is not requested again.
    ("gzip without its header", End::Failed("system_error")),
    ("gzip of gzip", End::Failed("system_error")),
    ("a picture", End::Failed("system_error")),
    ("UTF-16", End::Failed("system_error")),
    ("invalid UTF-8 in a record", End::Failed("system_error")),
    ("invalid UTF-8 beside the records", End::Failed("system_error")),
    ("UTF-8 that is too long", End::Failed("system_error")),
    // The template of the next page reads a member of a value that is not an object.
    ("null", End::Failed("config_error")),
    ("a word", End::Failed("config_error")),
    // Text that is not a URL is a path at the same host, where there is nothing.
    ("a number for a URL", End::Failed("transient_error")),
    ("a URL of a file", End::Failed("transient_error")),
];

fn stream(name: &str, url: &str) -> Value {
    let authenticator = json!({"type": "BearerAuthenticator", "api_token": "{{ config['token'] }}"});
    linked_stream(name, &json!({"type": "HttpRequester", "url": url, "authenticator": authenticator}))
}

fn read(scene: &Stage<'_>, once: bool, state: Option<&Value>) -> Finished {
    let [faulty, other] = scene.first_pages();
    let manifest = json!({
        "version": "7.39.1", "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["other"]},
        "streams": [stream("faulty", &faulty), stream("other", &other)],
    });
    let mut authority = tempfile::NamedTempFile::new().unwrap();
    let mut connector = InProcess::with_registry(Registry::built_in())
        .config(&json!({"token": "hunter2", "__injected_declarative_manifest": manifest}))
        .streams(&[("faulty", "full_refresh"), ("other", "full_refresh")]);
    if let Some(pem) = scene.authority() {
        authority.write_all(pem.as_bytes()).unwrap();
        connector = connector.env("SSL_CERT_FILE", authority.path());
    }
    scene.run(once, connector, state)
}

fn expected(row: &Row) -> End {
    if let Some((_, end)) = OTHERWISE.iter().find(|(name, _)| *name == row.name) {
        return end.clone();
    }
    match &row.outcome {
        Outcome::Harmless => End::Read(3),
        Outcome::Taken(records) => End::Read(records.len()),
        Outcome::Ends => End::Last(0),
        Outcome::Passing(_) => End::Failed("transient_error"),
        Outcome::Final(kind, _) => End::Failed(kind),
    }
}

/// The result of a read, in terms of the streams and not of the exit code.
fn end(done: &Finished, place: usize) -> Result<End, String> {
    let messages = done.messages();
    let secret = [&done.stdout, &done.stderr].into_iter().any(|text| text.contains("hunter2"));
    same("a secret in the output", secret, false)?;
    same("records of the other", messages.records("other").len(), 3)?;
    same("last status of the other", messages.statuses("other").last(), Some(&"COMPLETE"))?;
    let (all, records) = (all(), messages.records("faulty"));
    let before = 3 * (place - 1);
    let known = all[..before].iter().map(String::as_str).collect();
    same("records before", records[..before.min(records.len())].to_vec(), known)?;
    let errors = messages.errors();
    let errors: Vec<_> = errors.iter().filter(|error| error.stream.as_deref() == Some("faulty")).collect();
    let is_failed = !errors.is_empty();
    same("exit", done.status, u8::from(is_failed))?;
    let status = if is_failed { "INCOMPLETE" } else { "COMPLETE" };
    same("last status", messages.statuses("faulty").last(), Some(&status))?;
    if !is_failed {
        let after = 3 * (PAGES - place);
        let last = after > 0 && records.last().is_none_or(|last| *last != all[3 * PAGES - 1]);
        return Ok(if last { End::Last(records.len() - before) } else { End::Read(records.len() - before - after) });
    }
    same("errors", errors.len(), 1)?;
    same("records", records.len(), before)?;
    // A state without content.
    let nothing = json!({"__ab_no_cursor_state_message": true});
    same("a state that is another", messages.states("faulty").into_iter().find(|state| **state != nothing), None)?;
    match errors[0].failure_type.as_deref() {
        Some("transient_error") => Ok(End::Failed("transient_error")),
        Some("system_error") => Ok(End::Failed("system_error")),
        Some("config_error") => Ok(End::Failed("config_error")),
        other => Err(format!("kind: {other:?}")),
    }
}

fn at(row: &Row, place: usize) -> Result<(), String> {
    let expected = match expected(row) {
        End::Last(count) if place == PAGES => End::Read(count),
        other => other,
    };
    let stage = Stage::new(row, place);
    let done = read(&stage, false, None);
    let is = end(&done, place)?;
    if is != expected {
        let errors = done.messages().errors().into_iter().map(|error| error.message).collect::<Vec<_>>();
        return Err(format!("{is:?} instead of {expected:?}: {errors:?}"));
    }
    if !matches!(expected, End::Failed(_)) {
        return Ok(());
    }
    // Once the fault is over, the next read is complete.
    stage.mend();
    let left: Value = serde_json::from_str(&done.messages().state_file()).unwrap();
    same("the rest", end(&read(&stage, false, Some(&left)), place)?, End::Read(3))?;
    // A passing fault costs one retry.
    if expected == End::Failed("transient_error")
        && matches!(row.outcome, Outcome::Passing(_))
        && matches!(row.fault, Fault::Reply(_))
    {
        let once = read(&Stage::new(row, place), true, None);
        same("once", (end(&once, place)?, once.sleeps.len()), (End::Read(3), 1))?;
    }
    Ok(())
}

#[test]
fn every_fault_is_survived_or_named_by_the_streams_of_a_manifest() {
    let standard = |row: &Row| {
        let mut options = RequestOptions::default();
        (row.options)(&mut options);
        // A manifest has no place for timeouts and limits.
        options == RequestOptions::default()
    };
    let rows: Vec<Row> = tables().into_iter().flat_map(|(_, rows, _)| rows).filter(standard).collect();
    assert!(rows.len() > 130, "{} rows only", rows.len());
    let wrong = Mutex::new(Vec::new());
    for row in &rows {
        thread::scope(|scope| {
            for place in PLACES {
                let wrong = &wrong;
                scope.spawn(move || {
                    if let Err(problem) = at(row, place) {
                        let problem: String = problem.chars().take(600).collect();
                        wrong.lock().unwrap().push(format!("{} at page {place}: {problem}", row.name));
                    }
                });
            }
        });
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
