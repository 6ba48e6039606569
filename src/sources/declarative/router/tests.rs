use serde_json::json;

use super::super::testing::build;
use super::*;

fn router(snippet: &str, config: Value) -> Result<Router<String>, String> {
    build(snippet, config, |builder, part| {
        Router::build(builder, part, true, &mut |option| option.text("field_name").map(str::to_owned))
    })
    .map(Option::unwrap)
}

fn listed(snippet: &str, config: Value) -> Vec<Value> {
    let partitions = router(snippet, config).unwrap().partitions::<Failure>(&mut |_| panic!("no parents")).unwrap();
    partitions.into_iter().map(|one| Value::Object(one.partition)).collect()
}

const PARENT: &str = "type: SubstreamPartitionRouter
parent_stream_configs:
- type: ParentStreamConfig
  stream: {type: DeclarativeStream, name: p}
  parent_key: n/k
  partition_field: \"{{ config['field'] }}\"
  request_option: {type: RequestOption, inject_into: request_parameter, field_name: pid}
  extra_fields: [[a, b], [gone]]
";

#[test]
fn a_list_is_what_the_manifest_or_the_config_has() {
    let list = |values: &str| {
        format!("{{type: ListPartitionRouter, cursor_field: \"{{{{ 'si' ~ 'te' }}}}\", values: {values}}}")
    };
    assert_eq!(listed(&list("[a, '{{ b }}']"), json!({})), [json!({"site": "a"}), json!({"site": "{{ b }}"})]);
    let config = json!({"sites": ["x", 1, null]});
    assert_eq!(
        listed(&list("\"{{ config['sites'] }}\""), config),
        [json!({"site": "x"}), json!({"site": 1}), json!({"site": null})]
    );
    assert_eq!(listed(&list("\"['a','b']\""), json!({})).len(), 2);
    assert_eq!(listed(&list("ab"), json!({})), [json!({"site": "a"}), json!({"site": "b"})]);
    let number = router(&list("'5'"), json!({})).unwrap().partitions::<Failure>(&mut |_| Ok(Vec::new())).unwrap_err();
    assert!(number.to_string().contains("values (m.yaml:1:"), "{number}");
}

#[test]
fn a_record_of_the_parent_makes_a_partition_unless_it_has_no_key() {
    let router = router(PARENT, json!({"field": "pid"})).unwrap();
    let parent = router.parents()[0];
    assert_eq!(parent.stream_path, "parent_stream_configs[0].stream");
    let slice = json!({"gid": "A", "parent_slice": {}});
    let partition_of = |record: &str| parent.partition(record, slice.as_object().unwrap()).unwrap();
    let made = partition_of(r#"{"n":{"k":1.50},"a":{"b":"x"},"k":2}"#).unwrap();
    assert_eq!(Value::Object(made.partition), json!({"pid": 1.5, "parent_slice": {"gid": "A", "parent_slice": {}}}));
    assert_eq!(Value::Object(made.extra_fields), json!({"a.b": "x", "gone": null}));
    assert_eq!((partition_of(r#"{"n":{"k":null}}"#), partition_of(r#"{"n":{}}"#)), (None, None));
    for key in ["0", "\"\"", "false", "[]"] {
        assert!(partition_of(&format!(r#"{{"n":{{"k":{key}}}}}"#)).is_some(), "{key}");
    }
}

#[test]
fn values_that_are_false_do_not_go_into_requests() {
    let router = router(PARENT, json!({"field": "pid"})).unwrap();
    let injected = |value: Value| {
        let slice = json!({"pid": value});
        router.injections(slice.as_object().unwrap()).unwrap().into_iter().map(|(to, value)| (to.clone(), value)).next()
    };
    assert_eq!(injected(json!("a")), Some(("pid".to_owned(), json!("a"))));
    assert_eq!(injected(json!([0])), Some(("pid".to_owned(), json!([0]))));
    for value in [json!(0), json!(""), json!(null), json!({}), json!(false)] {
        assert_eq!(injected(value), None);
    }
}

#[test]
fn several_routers_give_each_with_each_and_the_first_counts() {
    let routers = "- {type: ListPartitionRouter, cursor_field: a, values: [x, y]}
- {type: ListPartitionRouter, cursor_field: b, values: ['1', '2']}
- {type: ListPartitionRouter, cursor_field: a, values: [z]}";
    assert_eq!(
        listed(routers, json!({})),
        [
            json!({"a": "x", "b": "1"}),
            json!({"a": "x", "b": "2"}),
            json!({"a": "y", "b": "1"}),
            json!({"a": "y", "b": "2"})
        ]
    );
}

#[test]
fn an_empty_list_is_one_partition_without_fields() {
    assert_eq!(listed("[]", json!({})), [json!({})]);
}

#[test]
fn what_is_not_run_is_refused_by_name() {
    let refused = |snippet: &str| router(snippet, json!({"field": "f"})).unwrap_err();
    assert!(refused("{type: GroupingPartitionRouter}").contains("GroupingPartitionRouter"));
    assert!(refused(&format!("{PARENT}  incremental_dependency: true\n")).contains("incremental_dependency"));
    let full_refresh = format!("{PARENT}  incremental_dependency: true\n");
    let built = build(&full_refresh, json!({}), |builder, part| {
        Router::build(builder, part, false, &mut |_| Some(())).is_some()
    });
    assert_eq!(built, Ok(true), "of a child without a cursor it means nothing");
    assert!(refused(&format!("{PARENT}  lazy_read_pointer: [a]\n")).contains("lazy_read_pointer"));
}
