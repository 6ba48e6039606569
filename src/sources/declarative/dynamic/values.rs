//! The values that fill the copies of a template: one object for each stream.

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

/// The values of one stream.
pub(super) struct Item<'i> {
    pub(super) values: &'i Value,
    /// The slice in which the API returned it. `None` for values from elsewhere.
    pub(super) slice: Option<&'i Slice>,
    /// Its name in messages, such as `item 3 of the list`.
    pub(super) place: String,
}

/// The source of the values.
pub(super) enum Values {
    /// The records of a list of the API.
    Http(Box<DeclarativeStream>),
    /// Lists of the config: each entry combined with each of the other lists.
    Config(Vec<ConfigList>),
    /// A list of the manifest.
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
    /// The values of a resolver. `None` if it is faulty, or needs a component that does not run here; the builder notes
    /// both.
    pub(super) fn build(streams: &mut Streams<'_, '_>, part: &Part<'_>, resolver: Resolver) -> Option<Self> {
        let builder = streams.builder;
        match resolver {
            Resolver::Http => {
                let mut list = streams.of_retriever(part, "retriever")?;
                list.name = format!("the list for {}", builder.place(part));
                // Whatever the manifest says: discover, check and read request it more than once.
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

    /// Hands out the values, one stream at a time.
    ///
    /// # Errors
    /// If a list cannot be read, and the errors of `each`.
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
                // An empty list makes no streams.
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

    /// Its entries: those of a list, or one value. A missing or null value has none.
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

/// Combines the entries of all lists; the last list varies fastest. Objects are merged. Any other value is stored as
/// `source_config_N`, N being the number of its list, with its index before it. `known` is the combination of the lists
/// before the list `number`.
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
