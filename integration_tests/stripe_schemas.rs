//! The schemas of Stripe's streams: their form, and that they declare every field of airbyte/source-stripe, so its
//! tables lose no column. `stripe/peer_fields.tsv` is the table of its fields; its first line says how to make it
//! again.

use std::collections::{BTreeMap, BTreeSet};

use include_dir::{Dir, include_dir};
use serde_json::{Map, Value, json};
use source_http::streams::SchemaFolder;

use crate::support::binary::Binary;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas/stripe");

const PEER_FIELDS: &str = include_str!("stripe/peer_fields.tsv");

/// Nested fields of the peer that are declared nowhere here, with reasons. A final dot stands for all fields below.
const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "a list's total is sent only on request, and nobody requests it",
        &[
            "charges refunds.total_count",
            "customers subscriptions.total_count",
            "payment_intents charges.total_count",
            "subscriptions items.total_count",
            "transfers reversals.total_count",
        ],
    ),
    (
        "`updated` is added to records, not to what is nested in them",
        &[
            "authorizations card.updated",
            "cards cardholder.updated",
            "invoice_items plan.updated",
            "invoice_line_items plan.updated",
            "subscription_items plan.updated",
        ],
    ),
    (
        "metadata is the user's own",
        &[
            "application_fees_refunds metadata.fee",
            "persons metadata.id_number_provided",
            "prices metadata.nickname",
            "shipping_rates metadata.amount",
            "shipping_rates metadata.currency",
        ],
    ),
    (
        "Stripe has no such field; one of a like name is declared",
        &[
            "accounts individual.first_name_kane",
            "accounts individual.full_requirements",
            "checkout_sessions currency_conversion.fix_rate",
            "invoices from_invoice.actions",
        ],
    ),
    ("a list of sources, not one: they are declared as items of its `data`", &["customers sources."]),
];

/// Fields whose type here is not the peer's, beside those it has as numbers and Stripe as integers.
const OTHER_TYPES: &[(&str, &[&str])] = &[
    (
        "Stripe sends an object or a list where the peer has text",
        &[
            "persons address_kana",
            "persons address_kanji",
            "persons full_name_aliases",
            "persons registered_address",
            "plans transform_usage",
            "prices custom_unit_amount",
            "prices transform_quantity",
            "setup_intents last_setup_error",
            "setup_intents next_action",
            "shipping_rates delivery_estimate",
        ],
    ),
    (
        "Stripe sends an integer or a boolean where the peer has text",
        &[
            "coupons redeem_by",
            "credit_notes discount_amount",
            "persons id_number_secondary_provided",
            "reviews livemode",
            "subscription_items canceled_at",
            "subscription_items current_period_end",
            "subscription_schedule canceled_at",
            "subscription_schedule completed_at",
            "subscription_schedule released_at",
        ],
    ),
    (
        "of the two types the peer allows, Stripe sends the object",
        &[
            "customers sources",
            "disputes evidence",
            "events request",
            "invoice_items plan",
            "invoice_line_items plan",
            "subscription_items plan",
        ],
    ),
    ("Stripe sends an id, which it expands on request alone", &["cards replaced_by", "cards replacement_for"]),
];

/// Objects that are a stream and also nested in others: the file below `shared/`, and the stream's.
const NESTED_STREAMS: &[(&str, &str)] = &[
    ("application_fee_refund", "application_fees_refunds"),
    ("balance_transaction", "balance_transactions"),
    ("balance_transaction", "payout_balance_transactions"),
    ("checkout_line_item", "checkout_sessions_line_items"),
    ("coupon", "coupons"),
    ("file_link", "file_links"),
    ("issuing_card", "cards"),
    ("issuing_cardholder", "cardholders"),
    ("issuing_transaction", "transactions"),
    ("line_item", "invoice_line_items"),
    ("person", "persons"),
    ("plan", "plans"),
    ("price", "prices"),
    ("refund", "refunds"),
    ("subscription", "subscriptions"),
    ("subscription_item", "subscription_items"),
    ("transfer_reversal", "transfer_reversals"),
];

/// Stream, path and types of every field the peer declares.
fn peer_fields() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    PEER_FIELDS.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [stream, path, types] = columns[..] else { panic!("{line}") };
        (stream, path, types.split('|').collect())
    })
}

/// The files' schemas as they are written, by path without extension.
fn written() -> BTreeMap<String, Value> {
    let shared = FILES.get_dir("shared").unwrap();
    FILES
        .files()
        .chain(shared.files())
        .map(|file| {
            let path = file.path().with_extension("").to_str().unwrap().to_owned();
            (path, serde_json::from_slice(file.contents()).unwrap())
        })
        .collect()
}

/// The streams' schemas as `discover` gives them.
fn loaded() -> BTreeMap<String, Value> {
    let names = written().into_keys().filter(|path| !path.contains('/'));
    names
        .map(|name| (name.clone(), Value::Object(SchemaFolder::new(&FILES).load(&name).unwrap().into_tree())))
        .collect()
}

fn types(schema: &Value) -> Vec<&str> {
    schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Fields that a list gives as objects, because they are requested with `expand[]`, and an event as ids.
const EXPANDED: &[&str] = &["invoices.discounts[]", "shared/total_tax_amount.tax_rate"];

/// Whether the field is an id that could be expanded: the schema declares its object at its own place.
fn is_id(schema: &Value) -> bool {
    types(schema).starts_with(&["null", "string"])
}

/// The declaration at a path like `lines.data` or `fee_details[].amount`: the field and the fields around it.
fn declared<'a>(schema: &'a Value, path: &str) -> Vec<Option<&'a Value>> {
    let mut found = Vec::new();
    let mut at = Some(schema);
    for step in path.split('.') {
        let name = step.trim_end_matches("[]");
        at = at.and_then(|object| object["properties"].get(name));
        if step.ends_with("[]") {
            at = at.and_then(|list| list.get("items"));
        }
        found.push(at);
    }
    found
}

/// Asserts that the fields are exactly those of a table with reasons.
fn assert_known(fields: &[String], table: &[(&str, &[&str])]) {
    let known: Vec<&str> = table.iter().flat_map(|(_, fields)| fields.iter().copied()).collect();
    let stands_for = |known: &str, field: &str| known == field || (known.ends_with('.') && field.starts_with(known));
    let unknown: Vec<_> = fields.iter().filter(|field| !known.iter().any(|known| stands_for(known, field))).collect();
    let outdated: Vec<_> = known.iter().filter(|known| !fields.iter().any(|field| stands_for(known, field))).collect();
    assert_eq!((unknown, outdated), (vec![], vec![]));
}

#[test]
fn discover_gives_the_schemas_of_the_files() {
    let config = json!({"client_secret": "sk_test_x", "account_id": "a", "api_url": "http://127.0.0.1:1"});
    let catalog = Binary::new(&["discover", "--config", "-"]).stdin(config).run().messages().catalog().clone();
    let streams = catalog["streams"].as_array().unwrap();
    let schemas = loaded();
    assert!(!streams.is_empty());
    for stream in streams {
        let name = stream["name"].as_str().unwrap();
        assert_eq!(schemas.get(name), Some(&stream["json_schema"]), "{name}");
    }
}

#[test]
fn every_stream_of_the_peer_has_a_schema_and_so_has_invoice_payments() {
    let mut expected: BTreeSet<String> = peer_fields().map(|(stream, ..)| stream.to_owned()).collect();
    assert_eq!(expected.len(), 47);
    expected.insert("invoice_payments".to_owned());
    assert_eq!(loaded().into_keys().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn every_field_that_the_peer_declares_is_declared() {
    let schemas = loaded();
    let mut left_out = Vec::new();
    for (stream, path, _) in peer_fields() {
        let found = declared(&schemas[stream], path);
        if found.last().is_some_and(Option::is_none) && !found.into_iter().flatten().any(is_id) {
            left_out.push(format!("{stream} {path}"));
        }
    }
    assert_known(&left_out, LEFT_OUT);
}

#[test]
fn the_types_of_columns_are_the_peers_but_for_those_known() {
    let schemas = loaded();
    let mut others = Vec::new();
    for (stream, path, peers) in peer_fields().filter(|(_, path, _)| !path.contains(['.', '['])) {
        let ours = types(&schemas[stream]["properties"][path]);
        let allows = |peer: &&str| ours.contains(peer) || (*peer == "number" && ours.contains(&"integer"));
        if !peers.iter().all(allows) {
            others.push(format!("{stream} {path}"));
        }
    }
    assert_known(&others, OTHER_TYPES);
}

#[test]
fn an_object_is_declared_alike_as_a_stream_and_nested_in_others() {
    let files = written();
    for (shared, stream) in NESTED_STREAMS {
        let own = files[*stream]["properties"].as_object().unwrap();
        for (name, field) in files[&format!("shared/{shared}")]["properties"].as_object().unwrap() {
            assert_eq!(own.get(name), Some(field), "{name} in {shared} and {stream}");
        }
    }
}

#[test]
fn every_file_keeps_to_the_form_of_a_schema_and_every_shared_one_is_used() {
    let files = written();
    let mut used = BTreeSet::new();
    for (path, schema) in &files {
        let mut members = schema.as_object().unwrap().clone();
        if !path.contains('/') {
            assert_eq!(
                members.shift_remove("$schema"),
                Some(json!("http://json-schema.org/draft-07/schema#")),
                "{path}"
            );
            assert_eq!(members.insert("type".to_owned(), json!(["null", "object"])), Some(json!("object")), "{path}");
        }
        assert_form(&members, path, &mut used);
    }
    let shared: BTreeSet<String> = files.into_keys().filter(|path| path.contains('/')).collect();
    assert_eq!(used, shared);
}

/// Asserts that a schema is a reference, or a nullable type with its details: an object's members in alphabetical
/// order, a list's items.
fn assert_form(schema: &Map<String, Value>, at: &str, used: &mut BTreeSet<String>) {
    let keywords: Vec<&str> = schema.keys().map(String::as_str).collect();
    if let Some(target) = schema.get("$ref") {
        assert_eq!(keywords, ["$ref"], "{at}");
        used.insert(format!("shared/{}", target.as_str().unwrap().trim_end_matches(".json")));
        return;
    }
    let mut form = vec!["type"];
    match types(&json!(schema))[..] {
        ["null", "boolean" | "integer" | "number" | "string"] => {}
        ["null", "array"] => {
            form.push("items");
            assert_form(schema["items"].as_object().unwrap(), &format!("{at}[]"), used);
        }
        // Everything else has one type: destinations store a union as text or as JSON.
        ["null", "string", "object"] if EXPANDED.contains(&at) => form.push("additionalProperties"),
        ["null", "object"] => {
            form.push("additionalProperties");
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                form.push("properties");
                assert!(properties.keys().is_sorted(), "{at}");
                for (name, field) in properties {
                    assert_form(field.as_object().unwrap(), &format!("{at}.{name}"), used);
                }
            }
        }
        _ => panic!("{at} has another type"),
    }
    assert_eq!(keywords, form, "{at}");
    assert_eq!(schema.get("additionalProperties").unwrap_or(&json!(true)), &json!(true), "{at}");
}
