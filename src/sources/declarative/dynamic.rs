//! `dynamic_streams`: a template of a stream, and a resolver that lists its values: records of the API, entries of the
//! config, or parameters of the manifest. Each item fills a copy of the template, from which a stream is built like any
//! other.

mod mapping;
mod node_edits;
mod resolver;
mod values;

use std::collections::HashSet;

use self::mapping::Mapping;
pub(super) use self::mapping::valid_types;
use self::resolver::Resolver;
use self::values::{Item, Values};
use super::build::Streams;
use super::manifest::{Faults, MOST_LEVELS, MOST_NODES, Node, propagate, validate_component};
use super::part::{Builder, Part};
use super::stream_list::refuse;
use crate::protocol::{Failure, FailureKind};
use crate::streams::Fetcher;

/// The most streams that one manifest can make.
const MOST_STREAMS: usize = 10_000;

/// A stream made of a template.
pub(super) struct Made {
    pub(super) name: String,
    /// Its definition. It is kept until all streams are built: its parts are identified by their addresses.
    pub(super) node: Node,
    /// Its place among `dynamic_streams`.
    pub(super) of: usize,
}

/// The result of `dynamic_streams`.
#[derive(Default)]
pub(super) struct Dynamic {
    pub(super) made: Vec<Made>,
    /// Entries that need a component which does not run here: their names, and the reason.
    pub(super) refused: Vec<(String, Vec<String>)>,
}

/// The name of an entry of `dynamic_streams`, as checks call it.
pub(super) fn name_of(entry: &Part<'_>, index: usize) -> String {
    entry.text("name").map_or_else(|| format!("dynamic_stream_{index}"), str::to_owned)
}

/// Lists the streams of all entries, in order. `taken` are the names of the other streams. If an entry is faulty, the
/// builder notes it and nothing is requested.
///
/// # Errors
/// If a list cannot be read, a mapping cannot be evaluated, a name is not text, or two streams have one name.
pub(super) fn resolve(
    streams: &mut Streams<'_, '_>,
    manifest: &Part<'_>,
    taken: &HashSet<String>,
    fetcher: &Fetcher<'_>,
) -> anyhow::Result<Dynamic> {
    let (builder, mut dynamic) = (streams.builder, Dynamic::default());
    let Some(list) = manifest.present("dynamic_streams") else { return Ok(dynamic) };
    let known = builder.error_count();
    let mut ready = Vec::new();
    for (index, entry) in list.items().enumerate() {
        let built = Entry::build(streams, &entry, index);
        let refusals = builder.take_refusals();
        if refusals.is_empty() {
            ready.extend(built);
        } else {
            dynamic.refused.push((name_of(&entry, index), refusals));
        }
    }
    let mut names = HashSet::new();
    if builder.error_count() == known {
        for entry in &ready {
            let Some(part) = list.items().nth(entry.index) else { continue };
            entry.fill_in(builder, &part, taken, fetcher, &mut dynamic.made, &mut names).map_err(|error| {
                let Some(failure) = error.downcast_ref::<Failure>() else { return error };
                let text = format!("The streams of {} cannot be listed: {}", entry.place, failure.message);
                Failure { message: text, ..failure.clone() }.into()
            })?;
        }
    }
    Ok(dynamic)
}

/// An entry of `dynamic_streams`.
struct Entry {
    index: usize,
    resolver: Resolver,
    values: Values,
    mappings: Vec<Mapping>,
    /// Whether parameters of an outer component win over those of an inner one.
    parent_wins: bool,
    place: String,
}

impl Entry {
    fn build(streams: &mut Streams<'_, '_>, part: &Part<'_>, index: usize) -> Option<Self> {
        let builder = streams.builder;
        let resolver_part = part.field("components_resolver")?;
        let resolver = match resolver_part.kind() {
            "HttpComponentsResolver" => Resolver::Http,
            "ConfigComponentsResolver" => Resolver::Config,
            "ParametrizedComponentsResolver" => Resolver::Parametrized,
            kind => {
                builder.refuse(&resolver_part, &format!("the components resolver {kind}"));
                return None;
            }
        };
        let list = resolver_part.field("components_mapping");
        let list = list.iter().flat_map(Part::items);
        let mappings: Vec<_> = list.map(|mapping| Mapping::build(builder, &mapping, resolver)).collect();
        let values = Values::build(streams, &resolver_part, resolver);
        Some(Self {
            index,
            resolver,
            values: values?,
            mappings: mappings.into_iter().collect::<Option<_>>()?,
            parent_wins: part.flag("use_parent_parameters").unwrap_or(true),
            place: builder.place(part),
        })
    }

    /// Adds a stream for each item of the resolver.
    fn fill_in(
        &self,
        builder: &Builder<'_>,
        part: &Part<'_>,
        taken: &HashSet<String>,
        fetcher: &Fetcher<'_>,
        made: &mut Vec<Made>,
        names: &mut HashSet<String>,
    ) -> anyhow::Result<()> {
        let Some(template) = part.field("stream_template") else { return Ok(()) };
        let known = template.node.to_json();
        self.values.for_each(fetcher, &mut |item| {
            if made.len() >= MOST_STREAMS {
                let text = format!("there are more than {MOST_STREAMS} of them. Filter the list.");
                return Err(Failure::config(text).into());
            }
            let node = self.filled_in(builder, &template, &known, item)?;
            let name = self.checked_name(&node, item, taken, names)?;
            names.insert(name.clone());
            made.push(Made { name, node, of: self.index });
            Ok(())
        })
    }

    fn filled_in(
        &self,
        builder: &Builder<'_>,
        template: &Part<'_>,
        known: &serde_json::Value,
        item: &Item<'_>,
    ) -> Result<Node, Failure> {
        let mut node = template.node.clone();
        for mapping in &self.mappings {
            mapping.apply(builder, &mut node, known, item, self.resolver)?;
            // Before another mapping traverses it.
            if node.depth() as usize > MOST_LEVELS || node.size() > MOST_NODES {
                let text =
                    format!("the stream of {} is too large, or too deeply nested. Map smaller values.", item.place);
                return Err(Failure::config(text));
            }
        }
        let node = builder.with_faults(|faults| propagate(&node, self.parent_wins, faults));
        Ok(node)
    }

    fn checked_name(
        &self,
        node: &Node,
        item: &Item<'_>,
        taken: &HashSet<String>,
        made: &HashSet<String>,
    ) -> Result<String, Failure> {
        let Some(name) = node.get("name").and_then(Node::as_text) else {
            let what = node.get("name").map_or("missing", Node::kind);
            return Err(Failure::config(format!(
                "the name of the stream of {} is {what}, and has to be text. Set `value_type: string` in the mapping to \
                 `name`; without it, a value such as 7 or true is not text.",
                item.place
            )));
        };
        if name.trim().is_empty() {
            return Err(Failure::config(format!(
                "the stream of {} has an empty name. Correct the mapping to `name`, or the values it takes.",
                item.place
            )));
        }
        if taken.contains(name) {
            return Err(Failure::config(format!(
                "the stream of {} would be called {name:?}, and the manifest has a stream of that name below `streams`. Make \
                 the names differ, such as by a prefix in the mapping to `name`.",
                item.place
            )));
        }
        if made.contains(name) {
            let (kind, how) = match self.resolver {
                Resolver::Config => (FailureKind::Config, "Make them differ in the config."),
                Resolver::Http | Resolver::Parametrized => {
                    (FailureKind::System, "Map `name` to a value that differs from item to item.")
                }
            };
            return Err(Failure::new(kind, format!("two streams would be called {name:?}. {how}")));
        }
        Ok(name.to_owned())
    }
}

/// Checks a stream made of a template like the manifest itself, and whether it can run. The builder notes faults; the
/// template's warnings were reported.
pub(super) fn check(builder: &Builder<'_>, stream: &Part<'_>) {
    let mut own = Faults::new("");
    validate_component(stream.kind(), stream.node, &stream.path, &mut own);
    builder.with_faults(|faults| own.errors().for_each(|fault| faults.add(fault.clone())));
    refuse(builder, stream);
}

#[cfg(test)]
mod tests;
