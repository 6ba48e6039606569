//! For each rule, something that breaks it, with its report by name and place.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::Messages;

/// A specification that keeps every rule.
fn spec() -> Value {
    json!({
        "connectionSpecification": {
            "type": "object",
            "required": ["start", "auth"],
            "properties": {
                "start": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
                "region": {"type": "string", "enum": ["eu", "us"], "default": "eu"},
                "pages": {"type": "integer", "minimum": 1, "maximum": 9, "examples": [3]},
                "names": {"type": "array", "items": {"type": "string"}},
                "auth": {"type": "object", "oneOf": [
                    {"type": "object", "required": ["kind", "token"], "properties": {
                        "kind": {"type": "string", "const": "token"},
                        "token": {"type": "string", "airbyte_secret": true},
                    }},
                    {"type": "object", "required": ["kind", "password"], "properties": {
                        "kind": {"type": "string", "const": "basic"},
                        "password": {"type": "string", "airbyte_secret": true},
                    }},
                ]},
            },
        },
        "advanced_auth": {
            "auth_flow_type": "oauth2.0",
            "predicate_key": ["auth", "kind"],
            "oauth_config_specification": {"complete_oauth_output_specification": {"properties": {
                "access_token": {"type": "string", "path_in_connector_config": ["auth", "token"]},
            }}},
        },
    })
}

/// The document with the value at a JSON pointer replaced.
fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut changed = document.clone();
    match (changed.pointer_mut(parent).unwrap(), name.parse::<usize>()) {
        (Value::Array(items), Ok(n)) => items[n] = value,
        (parent, _) => parent[name] = value,
    }
    changed
}

#[track_caller]
fn assert_broken<T>(rules: &[Rule<T>], name: &str, of: &T, text: &str) {
    let broken = Rule::named(rules, name).broken(of);
    assert!(broken.iter().any(|found| found.contains(text)), "{name}: {broken:?}");
}

const SETTINGS: &str = "/connectionSpecification/properties";

#[test]
fn a_good_specification_breaks_no_rule_and_each_rule_is_broken_by_a_bad_one() {
    assert_eq!(Rule::all_broken(SPEC_RULES, &spec()), [""; 0]);
    let setting = |name: &str, value: Value| with(&spec(), &format!("{SETTINGS}/{name}"), value);
    let token = |value: Value| with(&spec(), &format!("{SETTINGS}/auth/oneOf/0/properties/token"), value);
    let kind = |value: Value| with(&spec(), &format!("{SETTINGS}/auth/oneOf/1/properties/kind"), value);
    let mut broken = Vec::new();
    for (rule, spec, text) in [
        (
            "the_specification_is_a_json_schema_of_an_object",
            with(&spec(), "/connectionSpecification/type", json!("string")),
            "not of type object",
        ),
        ("the_specification_is_a_json_schema_of_an_object", setting("x", json!({"type": 3})), "is not valid"),
        ("enum_values_are_distinct", setting("x", json!({"enum": ["a", "a"]})), "x names a value twice"),
        ("alternatives_are_distinguished_by_one_constant", kind(json!({"const": "token"})), "the same `kind`"),
        ("alternatives_are_distinguished_by_one_constant", kind(json!({"type": "string"})), "auth has 0 constants"),
        ("alternatives_are_distinguished_by_one_constant", kind(json!({"const": "b", "default": "b"})), "a default"),
        (
            "alternatives_are_distinguished_by_one_constant",
            setting("auth/oneOf/0", json!({"type": "string"})),
            "not an object",
        ),
        ("alternatives_are_distinguished_by_one_constant", setting("auth/type", json!("string")), "not of type object"),
        ("secrets_are_marked", token(json!({"type": "string"})), "auth|0.token sounds like a secret"),
        (
            "a_secret_is_a_single_value",
            token(json!({"type": "object", "airbyte_secret": true})),
            "not a text or number",
        ),
        ("a_secret_is_a_single_value", token(json!({"type": "string", "airbyte_secret": 1})), "neither true nor"),
        ("a_setting_has_one_type", setting("x", json!({"type": ["string", "integer"]})), "string, integer"),
        ("objects_have_settings", setting("x", json!({"type": "object", "properties": {}})), "x is an object without"),
        ("lists_have_items_of_one_type", setting("x", json!({"type": "array"})), "x does not say"),
        ("lists_have_items_of_one_type", setting("x", json!({"type": "array", "items": [{}, {}]})), "several kinds"),
        ("forms_can_show_every_keyword", setting("x", json!({"anyOf": [], "not": {}})), "x has anyOf, not"),
        ("dates_have_a_pattern_and_a_format", setting("start", json!({"format": "date"})), "no pattern"),
        ("dates_have_a_pattern_and_a_format", setting("start/pattern", json!("^[0-9]{4}$")), "refuses one"),
        ("dates_have_a_pattern_and_a_format", setting("start/format", json!(null)), "no format date"),
        ("nothing_is_a_reference", setting("x", json!({"$ref": "#/definitions/y"})), "x refers to"),
        ("unknown_settings_are_accepted", setting("auth/additionalProperties", json!(false)), "auth has"),
        ("defaults_and_examples_fit", setting("pages/examples", json!([3, 10])), "would refuse: 10"),
        ("defaults_and_examples_fit", setting("region/default", json!("asia")), "would refuse: \"asia\""),
        ("the_paths_of_oauth_are_there", setting("auth/oneOf/0/properties", json!({"kind": {}})), "auth.token"),
        ("the_paths_of_oauth_are_there", with(&spec(), "/advanced_auth/predicate_key", json!(["x"])), "predicate_key"),
    ] {
        assert_broken(SPEC_RULES, rule, &spec, text);
        broken.push(rule);
    }
    let never: Vec<&str> = SPEC_RULES.iter().map(Rule::name).filter(|rule| !broken.contains(rule)).collect();
    assert_eq!(never, [""; 0], "nothing here breaks these");
}

#[test]
fn a_setting_is_a_secret_by_the_end_of_its_name() {
    let named = |name: &str| with(&spec(), &format!("{SETTINGS}/{name}"), json!({"type": "string"}));
    for (name, is_secret) in [
        ("api_key", true),
        ("Github-Token", true),
        ("db_password", true),
        ("token_url", false),
        ("secretary", false),
        ("primary_key", false),
    ] {
        let broken = Rule::named(SPEC_RULES, "secrets_are_marked").broken(&named(name));
        assert_eq!(!broken.is_empty(), is_secret, "{name}: {broken:?}");
    }
}

/// A catalog that keeps every rule.
fn catalog() -> Value {
    json!({"streams": [{
        "name": "orders",
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_primary_key": [["id"]],
        "default_cursor_field": ["meta", "at"],
        "json_schema": {"type": "object", "properties": {
            "id": {"type": ["null", "integer"]},
            "lines": {"type": ["null", "array"], "items": {"type": "object", "properties": {"n": {"type": "number"}}}},
            "meta": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
        }},
    }]})
}

const FIELDS: &str = "/streams/0/json_schema/properties";

#[test]
fn a_good_catalog_breaks_no_rule_and_each_rule_is_broken_by_a_bad_one() {
    assert_eq!(Rule::all_broken(CATALOG_RULES, &catalog()), [""; 0]);
    let stream = |name: &str, value: Value| with(&catalog(), &format!("/streams/0/{name}"), value);
    let field = |name: &str, value: Value| with(&catalog(), &format!("{FIELDS}/{name}"), value);
    let mut broken = Vec::new();
    for (rule, catalog, text) in [
        ("there_are_streams", json!({"streams": []}), "empty"),
        ("schemas_are_json_schemas_of_objects", stream("json_schema", json!({})), "orders: the schema is not of type"),
        ("schemas_are_json_schemas_of_objects", field("id", json!({"type": "text"})), "is not valid"),
        ("cursors_are_in_the_schema", field("meta", json!({"type": "object"})), "meta.at is not in"),
        ("primary_keys_are_in_the_schema", stream("source_defined_primary_key", json!([["uid"]])), "uid is not in"),
        ("destinations_know_every_keyword", field("id", json!({"$ref": "x.json", "not": {}})), "id has $ref, not"),
        ("unknown_fields_are_accepted", field("lines/items/additionalProperties", json!(false)), "lines[] has"),
        ("types_and_formats_are_airbytes", field("id", json!({"type": "text"})), "id has the type text"),
        ("types_and_formats_are_airbytes", field("id", json!({"format": "datetime"})), "the format datetime"),
        ("types_and_formats_are_airbytes", field("id", json!({"airbyte_type": "int"})), "the airbyte_type int"),
    ] {
        assert_broken(CATALOG_RULES, rule, &catalog, text);
        broken.push(rule);
    }
    let never: Vec<&str> = CATALOG_RULES.iter().map(Rule::name).filter(|rule| !broken.contains(rule)).collect();
    assert_eq!(never, [""; 0], "nothing here breaks these");
}

/// The output of a read of these records.
fn read(records: &[Value]) -> Messages {
    let at = 1_793_491_200_000_i64;
    let id = json!({"name": "orders"});
    let status = |status: &str| {
        json!({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": at,
            "stream_status": {"stream_descriptor": id, "status": status}}})
    };
    let record =
        |data: &Value| json!({"type": "RECORD", "record": {"stream": "orders", "data": data, "emitted_at": at}});
    let count = records.len() as f64;
    let state = json!({"type": "STATE", "state": {"type": "STREAM", "sourceStats": {"recordCount": count},
        "stream": {"stream_descriptor": id, "stream_state": {}}}});
    let lines = [status("STARTED"), status("RUNNING")].into_iter().chain(records.iter().map(record));
    let lines = lines.chain([state, status("COMPLETE")]);
    Messages::parse(&lines.map(|line| format!("{line}\n")).collect::<String>())
}

fn order(id: u64) -> Value {
    json!({"id": id, "lines": [{"n": 1.5}], "meta": {"at": "2026-01-01T00:00:00Z"}})
}

#[test]
fn good_records_break_no_rule_and_each_rule_is_broken_by_bad_ones() {
    let records = |records: &[Value]| Records::new(&catalog(), &read(records));
    assert_eq!(Rule::all_broken(RECORD_RULES, &records(&[order(1), order(2)])), [""; 0]);
    let mut broken = Vec::new();
    for (rule, given, text) in [
        ("every_stream_gives_records", vec![], "orders: has no record"),
        ("records_fit_their_schemas", vec![with(&order(1), "/lines/0/n", json!("many"))], "/lines/0/n: "),
        ("records_fit_their_schemas", vec![with(&order(1), "/meta/at", json!("soon"))], "/meta/at: "),
        ("records_share_fields_with_their_schemas", vec![json!({"other": 1})], "nothing is declared"),
        ("fields_of_records_are_declared", vec![with(&order(1), "/other", json!(1))], "`other` is not declared"),
        ("primary_keys_are_not_null", vec![with(&order(1), "/id", json!(null))], "a key is null"),
        ("primary_keys_are_distinct", vec![order(1), order(2), order(1)], "two records have the key"),
        ("cursors_are_not_null", vec![with(&order(1), "/meta", json!({}))], "the cursor is null"),
    ] {
        assert_broken(RECORD_RULES, rule, &records(&given), text);
        broken.push(rule);
    }
    let never: Vec<&str> = RECORD_RULES.iter().map(Rule::name).filter(|rule| !broken.contains(rule)).collect();
    assert_eq!(never, [""; 0], "nothing here breaks these");
}

#[test]
fn fields_that_no_record_has_are_reported() {
    let seen = with(&order(1), "/lines", json!([]));
    let fields = Records::new(&catalog(), &read(&[seen])).fields();
    let unseen: Vec<&str> = fields.iter().filter(|(_, is_seen)| !**is_seen).map(|(field, _)| field.as_str()).collect();
    assert_eq!((fields.len(), unseen), (6, vec!["orders lines[]", "orders lines[].n"]));
}

#[test]
fn exactly_the_changes_that_break_configs_are_reported() {
    let change = |pointer: &str, value: Value| spec_changes(&spec(), &with(&spec(), pointer, value));
    let setting = |name: &str, value: Value| change(&format!("{SETTINGS}/{name}"), value);
    assert_eq!(spec_changes(&spec(), &spec()), [""; 0]);
    // Changes that accept more.
    for widened in [
        setting("more", json!({"type": "string"})),
        setting("region/enum", json!(["eu", "us", "asia"])),
        setting("pages", json!({"type": "number", "minimum": 0})),
        setting("names/title", json!("Names")),
        change("/connectionSpecification/required", json!(["auth"])),
    ] {
        assert_eq!(widened, [""; 0]);
    }
    for (changes, text) in [
        (
            change("/connectionSpecification/required", json!(["start", "auth", "x"])),
            "the config: \"x\" is required now",
        ),
        (change("/connectionSpecification/additionalProperties", json!(false)), "the config: settings that are not"),
        (setting("region/enum", json!(["eu"])), "the config.region: \"us\" is refused now"),
        (setting("pages", json!({"type": "string"})), "the config.pages: integer is refused now"),
        (setting("pages/maximum", json!(5)), "the config.pages: its maximum is 5 now"),
        (setting("names/items/pattern", json!("^a")), "the config.names[]: its pattern is \"^a\" now"),
        (setting("auth/oneOf/0/properties/token/airbyte_secret", json!(false)), "is no longer secret"),
        (setting("auth/oneOf/1/properties/kind/const", json!("b")), "the alternative {\"kind\":\"basic\"} is gone"),
    ] {
        assert!(changes.len() == 1 && changes[0].contains(text), "{changes:?}");
    }
    let gone = spec_changes(&with(&spec(), &format!("{SETTINGS}/old"), json!({})), &spec());
    assert_eq!(gone, ["the config.old: it no longer has an effect"]);
}

#[test]
fn exactly_the_changes_that_break_tables_are_reported() {
    let old = outline(&catalog());
    assert_eq!(
        old,
        "orders = key id; cursor meta.at; full_refresh, incremental\n id = integer\n lines = array\n lines[] = object\n \
         lines[].n = number\n meta = object\n meta.at = string date-time\n"
    );
    let change = |pointer: &str, value: Value| catalog_changes(&old, &outline(&with(&catalog(), pointer, value)));
    assert_eq!(change(&format!("{FIELDS}/more"), json!({"type": "string"})), [""; 0]);
    assert_eq!(change(&format!("{FIELDS}/id"), json!({"type": "string"})), ["orders id was integer, and is string"]);
    assert_eq!(change(&format!("{FIELDS}/lines/items/properties"), json!({})), ["orders lines[].n is gone"]);
    let modes = change("/streams/0/supported_sync_modes", json!(["incremental"]));
    assert!(modes[0].starts_with("orders was key id;"), "{modes:?}");
    let fewer = outline(&with(&catalog(), "/streams/0/supported_sync_modes", json!(["incremental"])));
    assert_eq!(catalog_changes(&fewer, &old), [""; 0], "more modes break nothing");
    assert_eq!(catalog_changes(&old, "").len(), 7);
}

#[test]
fn sample_configs_fit_differ_and_are_the_same_each_time() {
    let configs = sample_configs(&spec(), 100);
    assert_eq!(configs, sample_configs(&spec(), 100));
    let count = |name: &str| configs.iter().filter(|config| config.get(name).is_some()).count();
    assert_eq!((count("start"), count("auth")), (100, 100));
    assert!((20..80).contains(&count("region")) && (20..80).contains(&count("names")), "{configs:?}");
    let kinds = |kind: &str| configs.iter().filter(|config| config["auth"]["kind"] == kind).count();
    assert!(kinds("token") > 20 && kinds("basic") > 20);
}

/// A connector of three orders, which keeps every rule except through its fault. It writes a state after each order.
fn shop(fault: &str, call: &Call<'_>, reads: &AtomicUsize) -> Answer {
    let at = 1_793_491_200_000_i64;
    let trace = |mut trace: Value| {
        trace["emitted_at"] = json!(at);
        json!({"type": "TRACE", "trace": trace})
    };
    let error = trace(json!({"type": "ERROR", "error": {"message": "No.", "failure_type": "config_error"}}));
    let has_config = call.config.is_some_and(|config| config["start"].is_string() && config["auth"].is_object());
    let is_let_in = has_config || fault == "lets every config in";
    let descriptor = json!({"name": "orders"});
    let status = |status: &str| {
        trace(json!({"type": "STREAM_STATUS", "stream_status": {"stream_descriptor": descriptor, "status": status}}))
    };
    let asked = call.catalog.map(|catalog| &catalog["streams"][0]);
    let is_known = asked.is_none_or(|asked| asked["stream"]["name"] == "orders" && asked["sync_mode"] != "INVALID");
    let mut ok = true;
    let lines = match call.command {
        "spec" => {
            let mut spec = spec();
            spec["advanced_auth"] = json!({"auth_flow_type": "oauth2.0"});
            vec![json!({"type": "SPEC", "spec": spec})]
        }
        "check" => {
            let status = if is_let_in && fault != "fails the check" { "SUCCEEDED" } else { "FAILED" };
            vec![json!({"type": "CONNECTION_STATUS", "connectionStatus": {"status": status}})]
        }
        _ if !is_let_in || (!is_known && fault != "reads any stream in any mode") => {
            ok = false;
            vec![error]
        }
        "discover" => {
            let fields = json!({"id": {"type": "integer"}, "at": {"type": "integer"}, "read": {"type": "integer"}});
            vec![json!({"type": "CATALOG", "catalog": {"streams": [{
                "name": "orders",
                "supported_sync_modes": ["full_refresh", "incremental"],
                "source_defined_primary_key": [["id"]],
                "default_cursor_field": ["at"],
                "json_schema": {"type": "object", "properties": fields},
            }]}})]
        }
        _ if fault == "says nothing of its streams" => vec![],
        _ => {
            let read = if fault == "counts its reads" { reads.fetch_add(1, Ordering::Relaxed) } else { 0 };
            let known = call.state.and_then(|state| state[0]["stream"]["stream_state"]["at"].as_i64());
            let from = match (known, fault) {
                (Some(_), "forgets its state") | (None, _) => 0,
                (Some(_), "loses what is new") => 9,
                (Some(known), _) => known,
            };
            let mut lines = vec![status("STARTED"), status("RUNNING")];
            for id in from.max(1)..=3 {
                let data = json!({"id": id, "at": id, "read": read});
                lines.push(json!({"type": "RECORD", "record": {"stream": "orders", "data": data, "emitted_at": at}}));
                lines.push(json!({"type": "STATE", "state": {"type": "STREAM", "sourceStats": {"recordCount": 1.0},
                    "stream": {"stream_descriptor": descriptor, "stream_state": {"at": id}}}}));
            }
            if from > 3 {
                lines.push(json!({"type": "STATE", "state": {"type": "STREAM", "sourceStats": {"recordCount": 0.0},
                    "stream": {"stream_descriptor": descriptor, "stream_state": {"at": 3}}}}));
            }
            lines.push(status("COMPLETE"));
            lines
        }
    };
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Answer { status: i32::from(!ok), messages: Messages::parse_answer(&text, call.command, i32::from(!ok)) }
}

fn faulty(fault: &'static str) -> Connector {
    let config = json!({"start": "2026-01-01", "auth": {"kind": "token", "token": "t"}});
    let reads = AtomicUsize::new(0);
    Connector::over(move |call| shop(fault, call, &reads), &config)
}

#[test]
fn a_good_connector_conforms_and_each_rule_for_runs_is_broken_by_a_fault() {
    let report = faulty("").assert_conforms();
    assert_eq!(report, Report { records: 3, fields: 3, unseen: Vec::new() });
    let mut broken = Vec::new();
    for (rule, fault, text) in [
        ("a_config_that_works_succeeds", "fails the check", "FAILED: no message"),
        ("a_config_without_a_required_setting_is_refused", "lets every config in", "a check without `start`"),
        ("every_stream_completes", "says nothing of its streams", "orders: its statuses are"),
        ("two_full_refreshes_give_the_same", "counts its reads", "orders: 3 records, then 3"),
        ("a_second_incremental_read_resumes_from_the_first", "forgets its state", "orders: the state says 3"),
        ("every_state_can_be_resumed_from", "forgets its state", "orders: the state says 2"),
        ("every_state_can_be_resumed_from", "loses what is new", "resumed from {\"at\":1}, 2 is lost"),
        ("a_stream_that_is_not_there_gives_an_error_trace", "reads any stream in any mode", "exit status 0"),
        ("a_mode_that_is_not_there_gives_an_error_trace", "reads any stream in any mode", "exit status 0"),
    ] {
        assert_broken(READ_RULES, rule, &faulty(fault), text);
        broken.push(rule);
    }
    let reads = AtomicUsize::new(0);
    let without_config = Connector::over(move |call| shop("", call, &reads), &json!({}));
    assert_broken(READ_RULES, "the_config_fits_the_specification", &without_config, "required");
    broken.push("the_config_fits_the_specification");
    let never: Vec<&str> = READ_RULES.iter().map(Rule::name).filter(|rule| !broken.contains(rule)).collect();
    assert_eq!(never, [""; 0], "nothing here breaks these");
}

#[test]
fn allowed_differences_and_empty_streams_are_accepted() {
    let connector = faulty("counts its reads").may_differ("orders", "read", "it counts");
    assert_eq!(Rule::named(READ_RULES, "two_full_refreshes_give_the_same").broken(&connector), [""; 0]);
    let mut records = Records::new(&catalog(), &read(&[]));
    records.may_be_empty("orders");
    assert_eq!(Rule::all_broken(RECORD_RULES, &records), [""; 0]);
}

#[test]
#[should_panic(expected = "a_config_that_works_succeeds: FAILED")]
fn broken_rules_are_reported_by_name() {
    faulty("fails the check").assert_conforms();
}
