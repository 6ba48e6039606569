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
    let router = router(snippet, config).unwrap();
    let partitions = router.partitions(&mut |_| panic!("no parents")).unwrap();
    partitions.map(|one| Value::Object(one.unwrap().partition)).collect()
}

/// The partitions and extra fields of a router, given the records of each parent.
fn given(snippet: &str, parents: &[Value]) -> Result<Vec<(Value, Value)>, String> {
    let router = router(snippet, json!({"field": "pid"}))?;
    let partition = |one: &Value| {
        let partition = json!({"pid": one, "parent_slice": {"n": one}});
        let extra_fields = json!({"x": one});
        Ok(Partition {
            partition: partition.as_object().unwrap().clone(),
            extra_fields: extra_fields.as_object().unwrap().clone(),
        })
    };
    let partitions = router
        .partitions(&mut |configs| Ok(Box::new(configs.iter().flat_map(|_| parents.iter().map(partition)))))
        .map_err(|error| error.to_string())?;
    let all = partitions.collect::<anyhow::Result<Vec<_>>>().map_err(|error| error.to_string())?;
    Ok(all.into_iter().map(|one| (Value::Object(one.partition), Value::Object(one.extra_fields))).collect())
}

/// [`PARENT`] without its `request_option`, further in.
fn parent_within(indent: &str) -> String {
    let lines = PARENT.lines().filter(|line| !line.contains("request_option"));
    lines.collect::<Vec<_>>().join(&format!("\n{indent}"))
}

#[test]
fn a_union_gives_each_value_once_and_the_rest_as_extra_fields() {
    let union = |field: &str| {
        let own = parent_within("  ");
        format!(
            "type: UnionPartitionRouter\npartition_field: {field}\npartition_routers:\n- {{type: ListPartitionRouter, \
             cursor_field: pid, values: [1, a]}}\n- {own}\n"
        )
    };
    let all = given(&union("pid"), &[json!("b"), json!(1.0), json!(true), json!(2)]).unwrap();
    assert_eq!(
        all,
        [
            (json!({"pid": 1}), json!({})),
            (json!({"pid": "a"}), json!({})),
            (json!({"pid": "b"}), json!({"x": "b", "parent_slice": {"n": "b"}})),
            (json!({"pid": 2}), json!({"x": 2, "parent_slice": {"n": 2}})),
        ]
    );
    assert!(given(&union("pid"), &[json!([1])]).unwrap_err().contains("an object or a list"));
    assert!(given(&union("other"), &[]).unwrap_err().contains("have the field `pid`"));
    let one = "{type: UnionPartitionRouter, partition_field: p, partition_routers: []}";
    assert!(given(one, &[]).unwrap_err().contains("at least two"));
}

#[test]
fn a_group_has_lists_and_takes_equal_values_once() {
    let group = |more: &str| {
        format!(
            "type: GroupingPartitionRouter\ngroup_size: 2\n{more}underlying_partition_router:\n  {}",
            parent_within("  ")
        )
    };
    let values = [json!(1), json!(1), json!(2), json!("a")];
    let first = (json!({"pid": [1, 2], "parent_slice": [{"n": 1}, {"n": 2}]}), json!({"x": [1, 2]}));
    let last = (json!({"pid": ["a"], "parent_slice": [{"n": "a"}]}), json!({"x": ["a"]}));
    assert_eq!(given(&group(""), &values).unwrap(), [first, last]);
    assert_eq!(given(&group("deduplicate: false\n"), &values).unwrap()[0].0["pid"], json!([1, 1]));
    let with_option = PARENT.lines().collect::<Vec<_>>().join("\n  ");
    let with_option =
        format!("type: GroupingPartitionRouter\ngroup_size: 2\nunderlying_partition_router:\n  {with_option}");
    assert!(given(&with_option, &[]).unwrap_err().contains("cannot have a `request_option`"));
    assert!(given(&group("").replace("group_size: 2", "group_size: 0"), &[]).unwrap_err().contains("1 or more"));
}

#[test]
fn the_first_page_of_the_children_is_passed_on_as_sent() {
    let lazy = format!("{PARENT}  lazy_read_pointer: [kids]\n");
    let lazy = build(&lazy, json!({"field": "pid"}), |builder, part| {
        Router::build(builder, part, false, &mut |_| Some(())).unwrap()
    });
    let lazy = lazy.unwrap();
    let made = lazy.parents()[0].partition(r#"{"n":{"k":1},"kids":{"d":[1.10]}}"#, &Map::new()).unwrap().unwrap();
    assert_eq!(made.extra_fields[FIRST_PAGE], json!(r#"{"d":[1.10]}"#));
    assert!(router(&format!("{PARENT}  lazy_read_pointer: ['*']\n"), json!({})).unwrap_err().contains("without globs"));
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
fn a_list_comes_from_the_manifest_or_the_config() {
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
    let number = router(&list("'5'"), json!({})).unwrap();
    let number = number.partitions(&mut |_| panic!("no parents")).err().unwrap();
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
fn false_values_do_not_go_into_requests() {
    let router = router(PARENT, json!({"field": "pid"})).unwrap();
    let injected = |value: Value| {
        let slice = json!({"pid": value});
        let injections = router.injections(slice.as_object().unwrap()).unwrap();
        injections.into_iter().flatten().map(|(to, value)| (to.clone(), value)).next()
    };
    assert_eq!(injected(json!("a")), Some(("pid".to_owned(), json!("a"))));
    assert_eq!(injected(json!([0])), Some(("pid".to_owned(), json!([0]))));
    for value in [json!(0), json!(""), json!(null), json!({}), json!(false)] {
        assert_eq!(injected(value), None);
    }
}

#[test]
fn several_routers_are_combined_and_the_first_counts() {
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
fn unsupported_routers_are_refused_by_name() {
    let refused = |snippet: &str| router(snippet, json!({"field": "f"})).unwrap_err();
    assert!(refused("{type: CustomPartitionRouter}").contains("CustomPartitionRouter"));
    let full_refresh = format!("{PARENT}  incremental_dependency: true\n");
    let built = build(&full_refresh, json!({}), |builder, part| {
        Router::build(builder, part, false, &mut |_| Some(())).is_some()
    });
    assert_eq!(built, Ok(true), "it has no effect on a child without a cursor");
}
