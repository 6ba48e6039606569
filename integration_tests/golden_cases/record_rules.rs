//! Where records, streams and schemas differ on purpose. Each rule is a row of `docs/compatibility.md`, by its name; it
//! decides by the contents of a case, and names the parts that may differ.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::records::{Seen, list};
use super::shown::each;

struct Rule {
    name: &'static str,
    /// The parts that may differ. All others have to be equal.
    may_differ: &'static [&'static str],
    holds: fn(&Seen<'_>) -> bool,
}

const RECORDS: &[&str] = &["records"];
const REQUESTS: &[&str] = &["requests"];
const ERROR: &[&str] = &["error"];

const RULES: &[Rule] = &[
    Rule { name: "an_empty_record_is_a_record", may_differ: &["records", "requests"], holds: empty_record },
    Rule { name: "items_that_are_no_objects_are_left_out", may_differ: &["records", "error"], holds: odd_items },
    Rule { name: "a_list_is_no_record", may_differ: &["records", "error"], holds: list_as_record },
    Rule { name: "type_error_is_an_error", may_differ: &["records", "error"], holds: type_error },
    Rule { name: "told_before_any_request", may_differ: REQUESTS, holds: told_before },
    Rule { name: "nan_is_left_out", may_differ: RECORDS, holds: nan },
    Rule { name: "pointers_and_condition_both_fit", may_differ: RECORDS, holds: pointers },
    Rule { name: "members_keep_their_order", may_differ: RECORDS, holds: order },
    Rule { name: "numbers_keep_their_digits", may_differ: RECORDS, holds: digits },
    Rule { name: "a_body_that_is_no_json_fails", may_differ: ERROR, holds: no_json },
    Rule { name: "marks_and_charsets_are_read", may_differ: RECORDS, holds: other_text },
    Rule { name: "a_missing_schema_is_empty", may_differ: ERROR, holds: missing_schema },
    Rule { name: "one_stream_fails_alone", may_differ: ERROR, holds: fails_alone },
    Rule { name: "a_name_is_there_once", may_differ: &["catalog", "records", "requests"], holds: name_once },
    Rule {
        name: "two_streams_of_one_name_are_an_error",
        may_differ: &["catalog", "records", "requests", "error"],
        holds: made_twice,
    },
    Rule { name: "texts_that_are_no_yaml_stay_texts", may_differ: &["error"], holds: no_yaml },
    Rule { name: "streams_have_to_be_there", may_differ: &["catalog", "error"], holds: no_streams },
    Rule { name: "names_are_no_templates", may_differ: &["records", "error"], holds: template_name },
    Rule { name: "a_child_may_be_in_the_group_of_its_parent", may_differ: ERROR, holds: groups },
    Rule { name: "names_of_files_are_texts", may_differ: &["records", "error"], holds: numeric_file_name },
    Rule { name: "a_parent_is_read_once", may_differ: REQUESTS, holds: parent_once },
    Rule { name: "a_job_that_comes_to_a_result_is_no_failure", may_differ: ERROR, holds: job_with_result },
    Rule { name: "a_refused_result_is_looked_for_once_more", may_differ: REQUESTS, holds: refused_result },
];

/// The rule by which these parts differ on purpose.
pub(super) fn rule(seen: &Seen<'_>, wrong: &[&str]) -> Option<&'static str> {
    let may = |rule: &&Rule| wrong.iter().all(|part| rule.may_differ.contains(part));
    RULES.iter().filter(may).find(|rule| (rule.holds)(seen)).map(|rule| rule.name)
}

fn has(seen: &Seen<'_>, fits: impl Fn(&Value) -> bool) -> bool {
    let mut found = false;
    each(&seen.case["manifest"], &mut |value| found |= fits(value));
    found
}

/// The bodies of the server's replies, as texts.
fn bodies(seen: &Seen<'_>) -> Vec<String> {
    let rules = seen.case["server"].as_object().into_iter().flatten();
    let replies = rules.flat_map(|(_, value)| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]));
    let text =
        |reply: &Value| reply.get("text").or_else(|| reply.get("body")).and_then(Value::as_str).map(str::to_owned);
    replies.filter_map(|reply| text(&reply).or_else(|| Some(reply.get("json")?.to_string()))).collect()
}

fn fails_with(seen: &Seen<'_>, words: &str) -> bool {
    seen.ran.error().is_some_and(|error| error.contains(words))
}

/// Whether the program has blamed a place in the manifest, as a config error.
fn fails_at_a_place(seen: &Seen<'_>) -> bool {
    seen.ran.error().is_some_and(|error| error.starts_with("config_error: ") && error.contains("streams["))
}

fn golden_error(seen: &Seen<'_>) -> String {
    seen.case["error"].to_string()
}

/// Whether the records equal the reference's when each is changed by the closure.
fn same_if(seen: &Seen<'_>, change: impl Fn(Value) -> Value) -> bool {
    let changed = |all: &std::collections::BTreeMap<String, Vec<String>>| {
        let of = |records: &Vec<String>| -> BTreeSet<String> {
            records.iter().map(|text| change(serde_json::from_str(text).expect("a record")).to_string()).collect()
        };
        all.iter().map(|(name, records)| (name.clone(), records.len(), of(records))).collect::<Vec<_>>()
    };
    changed(&seen.golden) == changed(&seen.mine)
}

/// Whether one list contains all records of the other.
fn within(
    few: &std::collections::BTreeMap<String, Vec<String>>,
    all: &std::collections::BTreeMap<String, Vec<String>>,
) -> bool {
    few.iter().all(|(name, records)| all.get(name).is_some_and(|all| records.iter().all(|record| all.contains(record))))
}

/// A record is `{}`, at which the reference ends.
fn empty_record(seen: &Seen<'_>) -> bool {
    seen.mine.values().flatten().any(|record| record == "{}")
        && seen.ran.errors.is_empty()
        && within(&seen.golden, &seen.mine)
        && seen.golden_requests.iter().all(|request| seen.requests.contains(request))
}

/// Null, numbers and texts where records should be. The reference fails.
fn odd_items(seen: &Seen<'_>) -> bool {
    let words = ["dictionary update sequence", "is not iterable", "has no len()", "does not support item assignment"];
    let golden = golden_error(seen);
    words.iter().any(|word| golden.contains(word)) && seen.ran.errors.is_empty() && within(&seen.golden, &seen.mine)
}

/// A list where a record should be, which the reference takes for pairs.
fn list_as_record(seen: &Seen<'_>) -> bool {
    bodies(seen).iter().any(|body| body.contains("[["))
        && fails_with(seen, "there is a list where a record should be")
        && within(&seen.mine, &seen.golden)
}

/// A template fails, and the reference takes its text for the result.
fn type_error(seen: &Seen<'_>) -> bool {
    let words =
        ["unsupported operand type(s)", "not supported between instances of", "must be", "can only concatenate"];
    !seen.golden_fails()
        && fails_at_a_place(seen)
        && fails_with(seen, "in the template")
        && words.iter().any(|words| fails_with(seen, words))
        && within(&seen.mine, &seen.golden)
}

/// Both refuse the manifest; the program does so before any request.
fn told_before(seen: &Seen<'_>) -> bool {
    seen.golden_fails()
        && fails_at_a_place(seen)
        && seen.requests.is_empty()
        && !golden_error(seen).contains("HTTP Status")
}

/// A value is not a number or infinite, which is null in the reference.
fn nan(seen: &Seen<'_>) -> bool {
    let words = ["nan", "inf", "999"];
    let text = format!("{}{}", seen.case["manifest"], bodies(seen).concat()).to_ascii_lowercase();
    words.iter().any(|word| text.contains(word)) && same_if(seen, |record| members(record, |value| !value.is_null()))
}

fn members(record: Value, keeps: impl Fn(&Value) -> bool) -> Value {
    let Value::Object(members) = record else { return record };
    members.into_iter().filter(|(_, value)| keeps(value)).collect()
}

/// `RemoveFields` has a condition.
fn pointers(seen: &Seen<'_>) -> bool {
    let removes = |value: &Value| value["type"] == "RemoveFields" && value.get("condition").is_some();
    let names =
        |records: &std::collections::BTreeMap<String, Vec<String>>| records.values().map(Vec::len).collect::<Vec<_>>();
    has(seen, removes) && names(&seen.golden) == names(&seen.mine)
}

/// Keys are renamed in no order.
fn order(seen: &Seen<'_>) -> bool {
    has(seen, |value| value["type"] == "KeysToLower")
        && same_if(seen, |record| match record {
            Value::Object(members) => {
                let sorted: std::collections::BTreeMap<String, Value> = members.into_iter().collect();
                Value::Object(Map::from_iter(sorted))
            }
            other => other,
        })
}

/// A number is too large or too long for a float.
fn digits(seen: &Seen<'_>) -> bool {
    let long = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').any(|word| {
            word.starts_with(|c: char| c.is_ascii_digit())
                && (word.len() > 16 || word.parse::<f64>().is_ok_and(f64::is_infinite))
        })
    };
    let number = |value: Value| match &value {
        Value::String(text) if text == "{Infinity}" => Value::Null,
        Value::String(text) => text.parse::<f64>().ok().filter(|n| n.is_finite()).map_or(value, Value::from),
        _ => value,
    };
    let numbers = |record: Value| match record {
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, number(value))).collect(),
        other => other,
    };
    bodies(seen).iter().any(|body| long(body)) && same_if(seen, numbers)
}

/// A valid response is not JSON, which means no records to the reference.
fn no_json(seen: &Seen<'_>) -> bool {
    let is_json = |body: &String| body.trim().is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
    bodies(seen).iter().any(|body| !is_json(body)) && fails_with(seen, "The response cannot be read")
}

/// A body is in the charset that its header says.
fn other_text(seen: &Seen<'_>) -> bool {
    let server = seen.case["server"].to_string().to_ascii_lowercase();
    server.contains("charset=") && seen.golden.is_empty() && !seen.mine.is_empty() && seen.ran.errors.is_empty()
}

/// A schema file is missing.
fn missing_schema(seen: &Seen<'_>) -> bool {
    let reads = seen.read.as_ref().is_none_or(|read| read.errors.is_empty());
    golden_error(seen).contains("Cannot find file") && seen.ran.errors.is_empty() && reads && lists_all(seen)
}

/// Something is wrong with a stream: it is listed, and fails when it is read.
fn fails_alone(seen: &Seen<'_>) -> bool {
    let fails =
        seen.read.as_ref().and_then(super::whole::Ran::error).is_some_and(|error| error.starts_with("config_error: "));
    seen.case["stage"] == "discover" && golden_error(seen).contains("raised") && fails && lists_all(seen)
}

fn names(seen: &Seen<'_>) -> Vec<String> {
    list(&seen.case["manifest"]["streams"])
        .iter()
        .filter_map(|stream| stream["name"].as_str().map(str::to_owned))
        .collect()
}

fn lists_all(seen: &Seen<'_>) -> bool {
    let listed = list(&seen.catalog["streams"]);
    names(seen).iter().all(|name| listed.iter().any(|stream| stream["name"] == *name))
}

/// Two streams have one name: the catalog has it once, and the later stream is read.
fn name_once(seen: &Seen<'_>) -> bool {
    let names = names(seen);
    let distinct: BTreeSet<&String> = names.iter().collect();
    let golden: BTreeSet<&String> = seen.golden.values().flatten().collect();
    let mine: BTreeSet<&String> = seen.mine.values().flatten().collect();
    distinct.len() < names.len() && golden == mine && list(&seen.catalog["streams"]).len() == distinct.len()
}

/// A stream from a template would have the same name as a stream of the manifest.
fn made_twice(seen: &Seen<'_>) -> bool {
    let listed: Vec<&Value> = list(&seen.case["catalog"]["streams"]).iter().map(|stream| &stream["name"]).collect();
    let is_twice = names(seen).iter().any(|name| listed.iter().filter(|listed| **listed == name).count() > 1);
    is_twice && fails_with(seen, "and the manifest has a stream of that name below `streams`")
}

/// The reference fails with a text that a mapping takes for YAML.
fn no_yaml(seen: &Seen<'_>) -> bool {
    let (golden, words) = (golden_error(seen), ["ScannerError", "ComposerError", "ConstructorError"]);
    let reads = seen.read.as_ref().is_none_or(|read| read.errors.is_empty());
    has(seen, |value| value["type"] == "ComponentMappingDefinition")
        && words.iter().any(|word| golden.contains(word))
        && seen.ran.errors.is_empty()
        && reads
}

/// The manifest has no streams, and the program says so.
fn no_streams(seen: &Seen<'_>) -> bool {
    list(&seen.case["manifest"]["streams"]).is_empty() && fails_with(seen, "the manifest has no streams")
}

/// The name of a stream is a template, and the reference does not find it.
fn template_name(seen: &Seen<'_>) -> bool {
    names(seen).iter().any(|name| name.contains("{{"))
        && golden_error(seen).contains("KeyError")
        && seen.ran.errors.is_empty()
}

/// A parent is also a stream of the catalog.
fn parent_once(seen: &Seen<'_>) -> bool {
    let golden: BTreeSet<&String> = seen.golden_requests.iter().collect();
    let mine: BTreeSet<&String> = seen.requests.iter().collect();
    has(seen, |value| value["type"] == "ParentStreamConfig") && golden == mine && seen.requests.len() == mine.len()
}

/// A job's status was unknown at first. Its result is read, and the reference fails anyway.
fn job_with_result(seen: &Seen<'_>) -> bool {
    has(seen, |value| value["type"] == "AsyncRetriever")
        && golden_error(seen).contains("One or more async jobs failed")
        && seen.ran.errors.is_empty()
        && !seen.mine.is_empty()
}

/// The download of a job's result is refused. Its status is requested once more: the result may have a new address.
fn refused_result(seen: &Seen<'_>) -> bool {
    let mut more = seen.requests.clone();
    for request in &seen.golden_requests {
        let Some(place) = more.iter().position(|mine| mine == request) else { return false };
        more.remove(place);
    }
    has(seen, |value| value["type"] == "AsyncRetriever")
        && seen.golden_fails()
        && matches!(&more[..], [poll] if seen.golden_requests.contains(poll))
}

/// In the reference, a child that is in the group of its parent would wait for it forever.
fn groups(seen: &Seen<'_>) -> bool {
    golden_error(seen).contains("must not share a group")
}

/// The name of a file is a number, and the reference wants a text.
fn numeric_file_name(seen: &Seen<'_>) -> bool {
    has(seen, |value| value["type"] == "FileUploader")
        && golden_error(seen).contains("'int' object has no attribute 'lstrip'")
        && seen.ran.errors.is_empty()
}
