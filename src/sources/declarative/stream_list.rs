//! The streams of a manifest with a config, and which of them need a component that does not run here.

use std::collections::HashMap;

use super::manifest::{Node, Path, Value, classes_of};
use super::part::{Builder, Part};
use super::python_classes;
use crate::protocol::Failure;

/// Hands out the streams of a manifest in order: the name, the component, and the reason if it cannot run. Of two
/// streams with one name, it hands out the later and notes a warning. A stream without a name is an error of the
/// manifest.
///
/// # Errors
/// If the condition of a group of streams is not a template or cannot be evaluated, or a stream has no name.
pub(super) fn each_stream(
    builder: &Builder<'_>,
    manifest: &Part<'_>,
    each: &mut dyn FnMut(&str, &Part<'_>, Vec<String>),
) -> Result<(), Failure> {
    let known = builder.error_count();
    let mut count: HashMap<String, usize> = HashMap::new();
    walk(builder, manifest, &mut |stream| match name(stream) {
        Some(name) => *count.entry(name.to_owned()).or_default() += 1,
        None => builder.error(stream, "a stream needs the field `name`"),
    })?;
    let wrong = builder.errors_after(known);
    if !wrong.is_empty() {
        return Err(Failure::config(format!("The streams of the manifest cannot be listed:\n{}", wrong.join("\n"))));
    }
    walk(builder, manifest, &mut |stream| {
        let Some(name) = name(stream) else { return };
        let left = count.entry(name.to_owned()).or_default();
        *left = left.saturating_sub(1);
        if *left > 0 {
            builder.warn(stream, format!("there is another stream `{name}` below, which is the one that is read"));
            return;
        }
        let before = builder.take_refusals();
        refuse(builder, stream);
        let refusals = builder.take_refusals();
        each(name, stream, before.into_iter().chain(refusals).collect());
    })
}

/// The groups of `stream_groups` by the names of their streams.
pub(super) fn groups(manifest: &Part<'_>) -> HashMap<String, String> {
    let Some(groups) = manifest.field("stream_groups") else { return HashMap::new() };
    let mut all = HashMap::new();
    for (group, definition) in groups.entries() {
        let streams = definition.field("streams");
        let names = streams.iter().flat_map(|streams| {
            streams.items().filter_map(|stream| Some(name(&stream)?.to_owned())).collect::<Vec<_>>()
        });
        all.extend(names.map(|name| (name, group.node.key_text())));
    }
    all
}

fn name<'p>(stream: &Part<'p>) -> Option<&'p str> {
    stream.text("name")
}

/// All entries of `streams`, with those of groups whose condition holds.
fn walk(builder: &Builder<'_>, manifest: &Part<'_>, each: &mut dyn FnMut(&Part<'_>)) -> Result<(), Failure> {
    let Some(streams) = manifest.field("streams") else { return Ok(()) };
    for entry in streams.items() {
        if entry.kind() != "ConditionalStreams" {
            each(&entry);
            continue;
        }
        let Some(condition) = entry.field("condition") else { continue };
        let Some(condition) = builder.condition(&condition, &[]) else { continue };
        if condition.holds(&[])?
            && let Some(inner) = entry.field("streams")
        {
            inner.items().for_each(|stream| each(&stream));
        }
    }
    Ok(())
}

/// Notes why a stream cannot run, as far as its definition shows.
pub(super) fn refuse(builder: &Builder<'_>, stream: &Part<'_>) {
    if !["DeclarativeStream", "StateDelegatingStream"].contains(&stream.kind()) {
        builder.refuse(stream, &format!("the stream type {}", stream.kind()));
    }
    for class in classes_of(stream.node, &stream.path) {
        let node = Node::new(Value::Null, class.mark);
        builder.refuse(&Part::new(&node, Path::ROOT.name(&class.path), None), &python_classes::reason(&class));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::build;
    use super::*;

    fn listed(manifest: &str, on: bool) -> Result<Vec<(String, Vec<String>)>, String> {
        build(manifest, json!({"on": on}), |builder, part| {
            let mut all = Vec::new();
            each_stream(builder, part, &mut |name, part, refusals| {
                assert_eq!(part.text("name"), Some(name));
                all.push((name.to_owned(), refusals));
            })
            .map(|()| all)
            .map_err(|failure| failure.message)
        })?
    }

    const MANIFEST: &str = "streams:
- {type: DeclarativeStream, name: a, n: 1}
- type: ConditionalStreams
  condition: \"{{ config['on'] }}\"
  streams: [{type: DeclarativeStream, name: maybe}]
- {type: DeclarativeStream, name: b, retriever: {type: CustomRetriever, class_name: source_x.components.Mine}}
- {type: OtherStream, name: c}
";

    #[test]
    fn streams_are_listed_with_the_reasons_why_they_cannot_run() {
        let names = |on| listed(MANIFEST, on).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(true), ["a", "maybe", "b", "c"]);
        assert_eq!(names(false), ["a", "b", "c"]);
        let all = listed(MANIFEST, false).unwrap();
        assert_eq!(all[0].1, [""; 0]);
        assert_eq!(
            all[1].1,
            ["the Python class source_x.components.Mine of a CustomRetriever: streams[2].retriever (m.yaml:6:49)"]
        );
        assert_eq!(all[2].1, ["the stream type OtherStream: streams[3] (m.yaml:7:3)"]);
    }

    #[test]
    fn of_two_streams_of_one_name_the_later_is_read_and_one_needs_a_name() {
        let twice = "streams: [{type: DeclarativeStream, name: a}, {type: DeclarativeStream, name: b}, {type: DeclarativeStream, name: a}]";
        let names: Vec<String> = listed(twice, true).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a"]);
        let nameless = "streams: [{type: DeclarativeStream}]";
        assert!(
            listed(nameless, true).unwrap_err().contains("m.yaml:1:11: streams[0]: a stream needs the field `name`")
        );
        let condition = "streams: [{type: ConditionalStreams, condition: '{{ ', streams: []}]";
        assert!(listed(condition, true).unwrap_err().contains("streams[0].condition: in the template"));
    }
}
