use serde_json::json;

use super::super::testing::build;
use super::*;

const SEEN: Seen<'static> =
    Seen { slice: Variable::Json(Json::Text(r#"{"site":"u"}"#)), next_page_token: Variable::None };

fn selector(options: &str, transformations: &str, is_client_side: bool) -> Result<Selector, String> {
    let snippet = format!(
        "selector: {{type: RecordSelector, extractor: {{type: DpathExtractor, field_path: []}}{options}}}\n\
         transformations: {transformations}"
    );
    build(&snippet, json!({"limit": 2}), |builder, part| {
        let transformations = part.field("transformations");
        let selector = part.field("selector").unwrap();
        let extractor = Extractor::build(builder, &selector.field("extractor").unwrap());
        Selector::build(builder, &selector, extractor, transformations.as_ref(), is_client_side)
    })
    .map(Option::unwrap)
}

fn kept(selector: &Selector, record: &str) -> Result<Option<String>, String> {
    let selected = selector.select(Record::from_text(record.to_owned()), SEEN, None);
    selected.map(|record| record.map(|record| record.text().into_owned())).map_err(|failure| failure.to_string())
}

fn filtered(condition: &str, record: &str) -> Result<bool, String> {
    let filter = format!(", record_filter: {{type: RecordFilter, condition: \"{condition}\"}}");
    kept(&selector(&filter, "[]", false)?, record).map(|kept| kept.is_some())
}

#[test]
fn a_filter_keeps_records_unless_the_result_is_a_word_for_false() {
    for (condition, keeps) in [
        ("{{ record.a }}", true),
        ("{{ record['a'] >= config['limit'] }}", true),
        ("{{ record.a < 5 and stream_slice.site == 'u' }}", true),
        ("{{ next_page_token is none }}", true),
        ("False", false),
        ("FALSE", true),
        ("no", true),
        ("{{ '0' }}", false),
        ("{{ 0.0 }}", false),
        ("{{ '[ ]' }}", false),
        ("{{ record.missing }}", false),
        ("{{ record.missing.deeper }}", false),
        ("{{ none }}x", true),
        (" ", true),
    ] {
        assert_eq!(filtered(condition, r#"{"a":3}"#), Ok(keeps), "{condition}");
    }
}

#[test]
fn a_filter_that_fails_is_an_error_and_one_with_a_type_error_keeps_the_record_with_a_warning() {
    let selector_of = |condition: &str| {
        let filter = format!(", record_filter: {{type: RecordFilter, condition: \"{condition}\"}}");
        selector(&filter, "[]", false).unwrap()
    };
    let comparing = selector_of("{{ record.a > 1 }}");
    assert!(kept(&comparing, r#"{"a":"secret"}"#).unwrap().is_some());
    let told = comparing.take_warnings().concat();
    assert!(told.contains("record_filter.condition (m.yaml:1:"), "{told}");
    assert!(told.contains("record.a > 1") && !told.contains("secret"), "{told}");
    assert!(filtered("{{ recrod.a }}", "{}").unwrap_err().contains("recrod"));
    assert!(filtered("{{ stream_state.a }}", "{}").unwrap_err().contains("stream_state"));
    for empty in [", record_filter: {type: RecordFilter}", ", record_filter: {type: RecordFilter, condition: ''}"] {
        assert_eq!(kept(&selector(empty, "[]", false).unwrap(), r#"{"a":1}"#), Ok(None));
    }
}

#[test]
fn filters_come_before_transformations_unless_the_selector_or_the_cursor_says_otherwise() {
    let transformations = "[{type: AddFields, fields: [{path: [x], value: '1'}]}]";
    let filter = ", record_filter: {type: RecordFilter, condition: \"{{ record.x }}\"}";
    let keeps = |options: &str, is_client_side| {
        let selector = selector(&format!("{filter}{options}"), transformations, is_client_side).unwrap();
        kept(&selector, "{}").unwrap().is_some()
    };
    assert!(!keeps("", false) && keeps("", true));
    assert!(keeps(", transform_before_filtering: true", false));
    assert!(!keeps(", transform_before_filtering: false", true));
    let selector = selector("", transformations, true).unwrap();
    let judged = std::cell::RefCell::new(String::new());
    let judge = |record: &Record<'_>| {
        judged.replace(record.text().into_owned());
        Ok(false)
    };
    assert_eq!(selector.select(Record::from_text("{}"), SEEN, Some(&judge)).unwrap(), None);
    assert_eq!(judged.into_inner(), r#"{"x":1}"#, "the cursor sees the changed record");
}

#[test]
fn an_unchanged_record_keeps_its_text() {
    let selector = selector(", schema_normalization: Default", "[]", false).unwrap();
    assert!(selector.normalizes);
    assert_eq!(kept(&selector, r#"{"a" : 1.10, "b":1e400}"#).unwrap().unwrap(), r#"{"a" : 1.10, "b":1e400}"#);
}

#[test]
fn items_other_than_objects_are_left_out_and_reported_once() {
    let selector = selector("", "[]", false).unwrap();
    for item in ["null", "null", "5"] {
        assert_eq!(selector.record(item.into()).unwrap(), None);
    }
    assert_eq!(selector.record("{}".into()).unwrap().unwrap().text(), "{}");
    let list = selector.record("[1]".into()).unwrap_err().to_string();
    assert!(list.contains("selector (m.yaml:1:11)") && list.contains("`*`"), "{list}");
    let told = selector.take_warnings();
    assert!(told.len() == 2 && told[0].contains("null where a record should be"), "{told:?}");
    assert_eq!(selector.take_warnings(), [""; 0]);
}

#[test]
fn nulls_at_the_top_are_not_written() {
    let written = |text: &'static str| {
        let mut record = Record::from_text(text);
        record.remove_nulls();
        record.text().into_owned()
    };
    assert_eq!(written(r#"{"a":null,"b":{"c":null},"d":1.10}"#), r#"{"b":{"c":null},"d":1.10}"#);
    assert_eq!(written(r#"{"a": 1}"#), r#"{"a": 1}"#);
    assert_eq!(written(r#"{"a":null}"#), "{}");
}

#[test]
fn custom_classes_are_refused() {
    for options in [
        ", record_filter: {type: CustomRecordFilter, class_name: x.Y}",
        ", schema_normalization: {type: CustomSchemaNormalization, class_name: x.Y}",
    ] {
        assert!(selector(options, "[]", false).unwrap_err().contains("m.yaml:1:"), "{options}");
    }
}
