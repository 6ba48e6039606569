use serde_json::json;

use super::super::testing::build;
use super::*;

fn extractor(snippet: &str) -> Result<Extractor, String> {
    let config = json!({"root": "data", "index": 1, "two": "**"});
    build(snippet, config, Extractor::build).map(Option::unwrap)
}

fn at(path: &str, response: &str) -> Vec<String> {
    items_of(&format!("{{type: DpathExtractor, field_path: {path}}}"), response).unwrap()
}

fn items_of(snippet: &str, response: &str) -> Result<Vec<String>, String> {
    let found = extractor(snippet)?;
    let found = found.items(response).map_err(|failure| failure.to_string())?;
    assert_eq!(found.warnings, [""; 0]);
    Ok(found.items.into_iter().map(Cow::into_owned).collect())
}

#[test]
fn values_at_the_path_become_items() {
    for (path, response, items) in [
        ("[]", r#"[{"id": 1.10}, {"id":2}]"#, &[r#"{"id": 1.10}"#, r#"{"id":2}"#][..]),
        ("[]", r#"{"id":1}"#, &[r#"{"id":1}"#]),
        ("[]", "[{}, null, [1, {}], 0, 5]", &["1", "{}", "5"]),
        ("[data]", r#"{"data":[{"id":1},null,5,{}]}"#, &[r#"{"id":1}"#, "null", "5", "{}"]),
        ("[data]", r#"{"data":{"id":1}}"#, &[r#"{"id":1}"#]),
        ("[data]", r#"{"data":"x"}"#, &["\"x\""]),
        ("[data]", r#"{"data":{ }}"#, &[]),
        ("[data]", r#"{"data":0}"#, &[]),
        ("[data]", r#"{"other":[1]}"#, &[]),
        ("[data]", r#"[{"data":[1,2]},{"data":{"id":3}},{}]"#, &["1", "2", r#"{"id":3}"#]),
        ("['*', data]", r#"[{"data":[1]}]"#, &[]),
        ("[data, '*']", r#"{"data":{"a":{"id":1},"b":{"id":2}}}"#, &[r#"{"id":1}"#, r#"{"id":2}"#]),
        ("[data, '*', rows]", r#"{"data":[{"rows":[1]},{"rows":[2]}]}"#, &["[1]", "[2]"]),
        ("[data, '-1']", r#"{"data":[{"id":1},{"id":2}]}"#, &[r#"{"id":2}"#]),
        ("['2024']", r#"{"2024":[1]}"#, &[]),
        ("[\"{{ config['root'] }}\", \"{{ config['index'] }}\"]", r#"{"data":[{"id":1},{"id":2}]}"#, &[r#"{"id":2}"#]),
        ("['d*']", r#"{"data":[1],"x":[2]}"#, &["1"]),
        ("[a/b.c]", r#"{"a/b.c":[1]}"#, &["1"]),
        ("[data]", r#"{"":1,"data":[1]}"#, &["1"]),
        ("[data]", r#"{"data":[1],"data":[2]}"#, &["2"]),
        ("[data]", "null", &[]),
    ] {
        assert_eq!(at(path, response), items, "{path} of {response}");
    }
}

#[test]
fn an_ambiguous_path_is_an_error_that_names_it() {
    let error = items_of("{type: DpathExtractor, field_path: ['d*']}", r#"{"d1":["secret"],"d2":[]}"#).unwrap_err();
    assert!(error.contains("field_path (m.yaml:1:36)") && !error.contains("secret"), "{error}");
    let error = items_of("{type: DpathExtractor, field_path: ['**', \"{{ config['two'] }}\"]}", "{}").unwrap_err();
    assert!(error.contains("one `**`"), "{error}");
}

#[test]
fn a_plain_path_can_be_followed_while_the_response_is_read() {
    let path = |path: &str| extractor(&format!("{{type: DpathExtractor, field_path: {path}}}")).unwrap().record_path();
    assert_eq!(path("[\"{{ config['root'] }}\", x]"), Some(RecordPath::new(["data", "x"]).optional()));
    assert_eq!(path("[]"), Some(RecordPath::default().optional()));
    assert_eq!((path("['*']"), path("['1']"), path("[\"{{ config['index'] }}\"]")), (None, None, None));
}

#[test]
fn combined_extractors_add_up_or_the_first_with_items_counts() {
    let combined = |options: &str| {
        format!(
            "{{type: CombinedExtractor, extractors: [{{type: DpathExtractor, field_path: [a]}}, {{type: DpathExtractor, field_path: [b]}}]{options}}}"
        )
    };
    let response = r#"{"a":[null],"b":[{"id":2},{}]}"#;
    assert_eq!(items_of(&combined(""), response).unwrap(), ["null", r#"{"id":2}"#, "{}"]);
    assert_eq!(items_of(&combined(", mode: first_match"), response).unwrap(), ["null"]);
    let skipping = combined(", mode: first_match, skip_empty_records: true");
    assert_eq!(items_of(&skipping, response).unwrap(), [r#"{"id":2}"#]);
    assert_eq!(extractor(&skipping).unwrap().items(response).unwrap().count, 3, "paginators count those dropped");
    assert!(
        items_of("{type: CustomRecordExtractor, class_name: x.Y}", "{}").unwrap_err().contains("CustomRecordExtractor")
    );
}

#[test]
fn an_expander_makes_a_record_of_each_entry() {
    let expand = |options: &str, response: &str| {
        let expander = format!("{{type: RecordExpander, {options}}}");
        items_of(&format!("{{type: DpathExtractor, field_path: [], record_expander: {expander}}}"), response).unwrap()
    };
    let response = r#"[{"id":1,"s":{"items":[{"a":1.10},5],"n":2}}]"#;
    let path = "expand_records_from_field: [s, items]";
    assert_eq!(expand(path, response), [r#"{"a":1.10}"#, "5"]);
    assert_eq!(
        expand(
            "expand_records_from_field: [s, '*', items]",
            r#"{"s":[{"items":[{"a":1}]},{"items":5},{"items":[{"a":2}]}]}"#
        ),
        [r#"{"a":1}"#, r#"{"a":2}"#]
    );
    assert_eq!(
        expand(&format!("{path}, merge_parent: true"), response),
        [r#"{"id":1,"s":{"n":2},"a":1.10}"#, r#"{"id":1,"s":{"n":2},"value":5}"#]
    );
    let fields = "parent_fields: [{type: ParentFieldPath, parent_path: [id], record_path: [p, id]}, {type: ParentFieldPath, parent_path: [no], record_path: [a]}]";
    assert_eq!(
        expand(&format!("{path}, {fields}"), response),
        [r#"{"a":null,"p":{"id":1}}"#, r#"{"value":5,"p":{"id":1},"a":null}"#]
    );
    assert_eq!(
        expand(&format!("{path}, remain_original_record: true"), r#"{"s":{"items":[{}]}}"#),
        [r#"{"original_record":{"s":{"items":[{}]}}}"#]
    );
    assert_eq!(expand(path, r#"{"s":{"items":[]}}"#), [""; 0]);
    assert_eq!(expand(&format!("{path}, on_no_records: emit_parent"), r#"{"s":1}"#), [r#"{"s":1}"#]);
}

#[test]
fn a_truncated_list_is_reported_once() {
    let snippet = "{type: DpathExtractor, field_path: [], record_expander: {type: RecordExpander, expand_records_from_field: [l], truncation_indicator_path: [more]}}";
    let extractor = extractor(snippet).unwrap();
    let told = |response: &str| extractor.items(response).unwrap().warnings;
    assert_eq!(told(r#"{"l":[{}],"more":false}"#), [""; 0]);
    assert!(told(r#"{"l":[{}],"more":true}"#)[0].contains("cut short: 1 of its entries"));
    assert_eq!(told(r#"{"l":[{}],"more":true}"#), [""; 0]);
    let refused = build(
        "{type: RecordExpander, expand_records_from_field: [l], truncated_list_retriever: {type: SimpleRetriever}}",
        json!({}),
        Expander::build,
    );
    assert!(refused.unwrap_err().contains("truncated_list_retriever"));
}
