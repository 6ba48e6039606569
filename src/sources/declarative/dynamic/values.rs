//! What the copies of a template are filled in with: one object for each stream.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::super::build::Streams;
use super::super::field_path::FieldPath;
use super::super::part::{Builder, Part};
use super::super::request::Slice;
use super::super::stream::DeclarativeStream;
use super::resolver::Resolver;
use crate::protocol::Failure;
use crate::streams::{Fetcher, for_each_record};

/// What one stream is made of.
pub(super) struct Item<'i> {
    pub(super) values: &'i Value,
    /// The slice in which the API has given it. `None` for what it has not given.
    pub(super) slice: Option<&'i Slice>,
    /// As messages name it, such as `item 3 of the list`.
    pub(super) place: String,
}

/// Where the values come from.
pub(super) enum Values {
    /// The records of a list that the API has.
    Http(Box<DeclarativeStream>),
    /// Lists of the config: each entry of one with each of the others.
    Config(Vec<ConfigList>),
    /// Those of the manifest.
    Known(Vec<Value>),
}

/// `StreamConfig`.
pub(super) struct ConfigList {
    path: FieldPath,
    /// The config as JSON.
    config: String,
    defaults: Vec<Value>,
}

impl Values {
    /// The values of a resolver. None if something is wrong with it, or it needs what this program does not run: both are
    /// noted in the builder.
    pub(super) fn build(streams: &mut Streams<'_, '_>, part: &Part<'_>, resolver: Resolver) -> Option<Self> {
        let builder = streams.builder;
        match resolver {
            Resolver::Http => {
                let mut list = streams.of_retriever(part, "retriever")?;
                list.name = format!("the list for {}", builder.place(part));
                // Whatever the manifest says: discover, check and read ask for it more than once.
                list.use_cache = true;
                Some(Self::Http(Box::new(list)))
            }
            Resolver::Config => {
                let lists = part.field("stream_config")?;
                let lists: Vec<_> = match lists.node.as_list() {
                    Some(_) => lists.items().map(|list| ConfigList::build(builder, &list)).collect(),
                    None => vec![ConfigList::build(builder, &lists)],
                };
                Some(Self::Config(lists.into_iter().collect::<Option<_>>()?))
            }
            Resolver::Parametrized => {
                let parameters = part.field("stream_parameters")?;
                let list = parameters.field("list_of_parameters_for_stream")?;
                let values = list.items().map(|item| item.node.to_json()).collect();
                Some(Self::Known(values))
            }
        }
    }

    /// Hands out the values, one stream's after the other's.
    ///
    /// # Errors
    /// If a list cannot be had, and the errors of `each`.
    pub(super) fn for_each(
        &self,
        fetcher: &Fetcher<'_>,
        each: &mut dyn FnMut(&Item<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut count = 0;
        let mut place = |of: &str| {
            count += 1;
            format!("item {count} of {of}")
        };
        match self {
            Self::Http(list) => for_each_record(&**list, fetcher, &mut |slice, record| {
                let values: Value = serde_json::from_str(&record.text())?;
                let slice = Slice::of(slice);
                each(&Item { values: &values, slice: Some(&slice), place: place("the API's list") })?;
                Ok(ControlFlow::Continue(()))
            }),
            Self::Config(lists) => {
                let lists = lists.iter().map(ConfigList::entries).collect::<Result<Vec<_>, Failure>>()?;
                // Of nothing with anything, nothing comes.
                if lists.iter().any(Vec::is_empty) {
                    return Ok(());
                }
                for_each_combination(&lists, &Map::new(), 0, &mut |values| {
                    each(&Item { values, slice: None, place: place("the config's list") })
                })
            }
            Self::Known(list) => list
                .iter()
                .try_for_each(|values| each(&Item { values, slice: None, place: place("the manifest's list") })),
        }
    }
}

impl ConfigList {
    fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let path = FieldPath::build(builder, &part.field("configs_pointer")?, &[])?;
        let defaults = part.field("default_values");
        let defaults = defaults.iter().flat_map(Part::items).map(|value| value.node.to_json()).collect();
        Some(Self { path, config: builder.env.config.to_string(), defaults })
    }

    /// Its entries: those of a list, or one value. What is not there or null is none.
    fn entries(&self) -> Result<Vec<Value>, Failure> {
        let unreadable = |error: serde_json::Error| Failure::system(format!("{}: {error}", self.path.place()));
        let found = self.path.one(&self.config)?.map(serde_json::from_str).transpose().map_err(unreadable)?;
        let mut entries = match found {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(one) => vec![one],
        };
        entries.extend(self.defaults.iter().cloned());
        Ok(entries)
    }
}

/// Each entry of a list with each of the others; the last list goes round first. Members of objects are put together. What
/// is no object is under `source_config_N`, N being the number of its list, with its index before it. `known` is what the
/// lists before the list `number` give.
fn for_each_combination(
    lists: &[Vec<Value>],
    known: &Map<String, Value>,
    number: usize,
    each: &mut dyn FnMut(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(entries) = lists.get(number) else { return each(&Value::Object(known.clone())) };
    for (index, entry) in entries.iter().enumerate() {
        let mut values = known.clone();
        match entry {
            Value::Object(members) => values.extend(members.clone()),
            other => {
                let name = format!("source_config_{number}");
                values.entry(name).or_insert_with(|| Value::Array(vec![index.into(), other.clone()]));
            }
        }
        for_each_combination(lists, &values, number + 1, each)?;
    }
    Ok(())
}
