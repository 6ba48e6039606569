//! Templates and the streams made of them, without an API.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::testing::{Built, built};
use super::*;
use crate::clock::{SystemRandom, VirtualClock};
use crate::http::HttpClient;
use crate::protocol::{LogLevel, Output, Redactor};
use crate::source::SourceContext;
use crate::stop::Stop;

/// The names and definitions of the streams that a snippet makes, or the failure.
fn made(resolver: &str, template: &str, more: &str, config: Value) -> Built<Result<Vec<(String, Value)>, String>> {
    let manifest = format!(
        "streams: []
dynamic_streams:
- type: DynamicDeclarativeStream
  {more}
  stream_template:
    type: DeclarativeStream
    name: ''
    {template}
  components_resolver:
{resolver}"
    );
    built(&manifest, config, |builder, root| {
        let clock = Arc::new(VirtualClock::at(0));
        let (stop, redactor) = (Stop::default(), Redactor::default());
        let output = Output::new(Box::new(std::io::sink()), clock.clone(), redactor.clone(), LogLevel::Info);
        let output = Arc::new(output);
        let client = Arc::new(HttpClient::new(clock.clone(), Arc::new(SystemRandom), output.clone()));
        let cx = SourceContext { clock, stop, output, redactor, client };
        let mut streams = Streams::new(builder, None);
        let taken = HashSet::from(["taken".to_owned()]);
        let dynamic = resolve(&mut streams, root, &taken, &cx.fetcher());
        let of = |made: Made| (made.name, made.node.to_json());
        Some(dynamic.map(|dynamic| dynamic.made.into_iter().map(of).collect()).map_err(|error| error.to_string()))
    })
}

const PARAMETERS: &str = "    type: ParametrizedComponentsResolver
    stream_parameters: {list_of_parameters_for_stream: LIST}
    components_mapping: MAPPINGS
";

/// The streams of parameters, without warnings.
fn of_parameters(list: &str, mappings: &str, template: &str) -> Result<Vec<(String, Value)>, String> {
    let resolver = PARAMETERS.replace("LIST", list).replace("MAPPINGS", mappings);
    let built = made(&resolver, template, "", json!({}));
    assert_eq!(built.warnings, [""; 0]);
    built.good()
}

const NAME: &str = "{type: ComponentMappingDefinition, field_path: [name], value: \"{{ components_values['n'] }}\"}";

#[test]
fn a_text_of_parameters_is_yaml_and_any_other_stays_text() {
    let mappings = format!(
        "[{NAME}, {{type: ComponentMappingDefinition, field_path: [x], value: \"{{{{ components_values['v'] }}}}\"}}]"
    );
    for (value, expected) in [
        ("'[1, {a: b}]'", json!([1, {"a": "b"}])),
        ("'a: b'", json!({"a": "b"})),
        ("'yes'", json!("True")),
        ("'a: b: c'", json!("a: b: c")),
        ("'@x'", json!("@x")),
        ("'*a'", json!("*a")),
        ("'%Y-%m-%d'", json!("%Y-%m-%d")),
        ("'2024-01-02'", json!("2024-01-02")),
    ] {
        let streams = of_parameters(&format!("[{{n: s, v: {value}}}]"), &mappings, "x: before").unwrap();
        assert_eq!(streams[0].1["x"], expected, "{value}");
    }
}

#[test]
fn a_name_is_a_text_of_its_own() {
    let mappings = format!("[{NAME}]");
    let names = |list: &str| of_parameters(list, &mappings, "x: 1");
    assert_eq!(names("[{n: a}, {n: b}]").unwrap().into_iter().map(|made| made.0).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(names("[]").unwrap(), []);
    for (list, why) in [
        ("[{n: 7}]", "the name of the stream of item 1 of the manifest's list is a whole number, and has to be text"),
        ("[{n: a}, {n: 'yes'}]", "item 2 of the manifest's list is true or false"),
        ("[{n: a}, {n: a}]", "two streams would be called \"a\""),
        ("[{n: taken}]", "the manifest has a stream of that name below `streams`"),
        ("[{n: ' '}]", "is null, and has to be text"),
    ] {
        let error = names(list).unwrap_err();
        assert!(error.contains(why), "{list}: {error}");
        assert!(error.starts_with("The streams of dynamic_streams[0] (m.yaml:3:3) cannot be listed: "), "{error}");
    }
}

#[test]
fn a_mapping_to_nowhere_warns_once_and_one_that_creates_works() {
    let nowhere = format!("[{NAME}, {{type: ComponentMappingDefinition, field_path: [a, b], value: v}}]");
    let resolver = PARAMETERS.replace("LIST", "[{n: a}, {n: b}]");
    let built = made(&resolver.replace("MAPPINGS", &nowhere), "x: 1", "", json!({}));
    assert_eq!(built.warnings.len(), 1, "{:?}", built.warnings);
    assert!(built.warnings[0].contains("the template has nothing at `a.b`, so nothing is set there"));
    assert!(built.warnings[0].contains("components_mapping[1]"), "{:?}", built.warnings);
    let creates = nowhere.replace("value: v", "value: v, create_or_update: true");
    let streams = of_parameters("[{n: a}]", &creates, "x: 1").unwrap();
    assert_eq!(streams[0].1["a"], json!({"b": "v"}));
    let falsy = nowhere.replace("value: v", "value: 'False', create_or_update: true");
    assert_eq!(of_parameters("[{n: a}]", &falsy, "x: 1").unwrap()[0].1.get("a"), None);
    let through = nowhere.replace("[a, b]", "[x, b]").replace("value: v", "value: v, create_or_update: true");
    assert!(of_parameters("[{n: a}]", &through, "x: 1").unwrap_err().contains("cannot hold such a field"));
}

#[test]
fn lists_of_the_config_are_multiplied_and_conditions_decide() {
    let resolver = "    type: ConfigComponentsResolver
    stream_config:
    - {configs_pointer: [x], default_values: [{a: d}]}
    - {configs_pointer: ['{{ config.which }}']}
    components_mapping:
    - type: ComponentMappingDefinition
      field_path: [name]
      value: \"{{ components_values['a'] }}{{ components_values['source_config_1'][1] }}\"
      value_type: string
    - type: ComponentMappingDefinition
      field_path: [x]
      value: mapped
      condition: \"{{ components_values['a'] == 'd' }}\"
";
    let of = |config: Value| {
        let streams = made(resolver, "x: before", "", config).good().unwrap();
        streams.into_iter().map(|(name, node)| format!("{name} {}", node["x"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(
        of(json!({"which": "y", "x": [{"a": "1"}], "y": [7, 8]})),
        ["17 before", "18 before", "d7 mapped", "d8 mapped"]
    );
    assert_eq!(of(json!({"which": "y", "x": {"a": "o"}, "y": 9})), ["o9 before", "d9 mapped"]);
    assert_eq!(of(json!({"which": "y", "x": null})), [""; 0]);
    let condition = PARAMETERS
        .replace("LIST", "[{n: a}]")
        .replace("MAPPINGS", &format!("[{}]", NAME.replace("value:", "condition: 'x', value:")));
    let refused = made(&condition, "x: 1", "", json!({}));
    assert!(refused.errors[0].contains("only a mapping of a ConfigComponentsResolver can have a condition"));
}

#[test]
fn parameters_of_an_outer_component_win_unless_it_says_otherwise() {
    let template = "$parameters: {p: outer}
    inner: {type: HttpRequester, $parameters: {p: inner}}";
    let resolver = PARAMETERS.replace("LIST", "[{n: a}]").replace("MAPPINGS", &format!("[{NAME}]"));
    let inner = |more: &str| {
        let streams = made(&resolver, template, more, json!({})).good().unwrap();
        streams[0].1["inner"]["$parameters"]["p"].clone()
    };
    assert_eq!(inner(""), "outer");
    assert_eq!(inner("use_parent_parameters: false"), "inner");
}

#[test]
fn a_fault_of_a_template_is_a_fault_of_each_stream_made_of_it() {
    let template = "retriever: {type: SimpleRetriever, record_selector: 5}";
    let resolver = PARAMETERS.replace("LIST", "[{n: a}, {n: b}]").replace("MAPPINGS", &format!("[{NAME}]"));
    let streams = made(&resolver, template, "", json!({})).good().unwrap();
    let told = built("{}", json!({}), |builder, _| {
        let count = |node: &Value| {
            let (node, known) = (Node::from_json(node), builder.error_count());
            check(builder, &Part::new(&node, super::super::manifest::Path::ROOT, None));
            builder.errors_after(known)
        };
        Some(streams.iter().map(|(_, node)| count(node)).collect::<Vec<_>>())
    });
    let told = told.part.unwrap();
    assert!(told[0].iter().any(|error| error.contains("retriever.record_selector: has to be")), "{told:?}");
    assert_eq!(told[0].len(), told[1].len());
}

#[test]
fn values_that_grow_without_bounds_are_an_error() {
    let mapping = |path: &str, value: &str| {
        let value = format!("{{{{ components_values['{value}'] }}}}");
        format!("{{type: ComponentMappingDefinition, field_path: [{path}], value: \"{value}\"}}")
    };
    // Aliases multiply a few lines to a hundred million values.
    let level = |n: u32| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    let aliases = "a0: &a0 [1]\n".to_owned() + &(1..=8).map(level).collect::<String>();
    let item = json!([{"n": "a", "v": aliases}]).to_string();
    let error = of_parameters(&item, &format!("[{NAME}, {}]", mapping("x", "v")), "x: ''").unwrap_err();
    assert!(error.contains("YAML of more than 1000000 values"), "{error}");

    // Each mapping fills the value that the one before it created, deeper each time.
    let deep = |leaf: &str| format!("{}{{{leaf}: ''}}{}", "{a: ".repeat(90), "}".repeat(90));
    let item = json!([{"n": "a", "u": deep("u"), "v": deep("v"), "w": deep("w")}]).to_string();
    let mappings = [mapping("x", "u"), mapping("'**', u", "v"), mapping("'**', v", "w")].join(", ");
    let error = of_parameters(&item, &format!("[{NAME}, {mappings}]"), "x: ''").unwrap_err();
    assert!(error.contains("too large, or too deeply nested"), "{error}");
}

#[test]
fn lists_of_a_config_are_multiplied_one_stream_at_a_time() {
    let resolver = "    type: ConfigComponentsResolver
    stream_config: [{type: StreamConfig, configs_pointer: [a]}, {type: StreamConfig, configs_pointer: [b]}]
    components_mapping: [{type: ComponentMappingDefinition, field_path: [name], value: \"x{{ components_values['source_config_0'][0] }}\"}]
";
    let many = vec![1; 100_000];
    let error = made(resolver, "x: ''", "", json!({"a": many, "b": [1]})).good().unwrap_err();
    assert!(error.contains("there are more than 10000 of them"), "{error}");
    let none = made(resolver, "x: ''", "", json!({"a": many, "b": []})).good();
    assert_eq!(none, Ok(Vec::new()), "an empty list makes no streams");
}
