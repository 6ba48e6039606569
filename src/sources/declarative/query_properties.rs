//! `QueryProperties`: the properties of a record that a request lists by name. Some APIs limit their number, so that a
//! page is requested several times, each time with another chunk of properties, and its records are merged.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Mutex;

use serde_json::{Map, Value};

use super::asked_properties::{VARIABLE, is_query_properties};
use super::field_path::FieldPath;
use super::literals::literal_of;
use super::part::{BuildRetriever, Builder, Part, flat, literal};
use super::template::{Json, Variable};
use super::transform::Transform;
use super::warnings::Warnings;
use crate::locks;
use crate::protocol::Failure;
use crate::streams::{FetchContext, HttpStream, Record, Slice, for_each_record_of};

/// The properties to request, and their chunks.
pub(super) struct QueryProperties {
    list: List,
    always: Vec<String>,
    chunking: Option<Chunking>,
    /// Only the columns of the configured catalog are requested, under the names that this makes of them.
    selector: Option<Vec<Transform>>,
    warnings: Warnings,
}

enum List {
    /// Those of the manifest.
    Known(Vec<String>),
    /// Those of the API: `PropertiesFromEndpoint`.
    Endpoint(Box<Endpoint>),
}

/// The source of the property names.
struct Endpoint {
    stream: Box<dyn HttpStream>,
    path: FieldPath,
    /// They are requested once a read.
    known: Mutex<Option<Vec<String>>>,
}

/// `PropertyChunking`.
#[derive(Debug)]
struct Chunking {
    /// Without one, all are in one chunk.
    limit: Option<usize>,
    by_characters: bool,
    /// The fields that identify the parts of one record.
    key: Vec<String>,
}

impl QueryProperties {
    /// The properties that a retriever's requester requests. `None` if it requests none by name, or it is faulty; the
    /// faults are noted.
    pub(super) fn build(
        builder: &Builder<'_>,
        requester: &Part<'_>,
        retriever: &mut BuildRetriever<'_>,
    ) -> Option<Self> {
        let parameters = requester.field("request_parameters");
        let entries = parameters.iter().flat_map(|list| list.entries().map(|(_, value)| value).collect::<Vec<_>>());
        let mut parts: Vec<Part<'_>> = entries.filter(is_query_properties).collect();
        let own = requester.field(VARIABLE);
        let endpoint = requester.field("fetch_properties_from_endpoint");
        parts.extend(own);
        if parts.len() + usize::from(endpoint.is_some()) > 1 {
            builder.error(requester, "it requests properties in several places. Keep one `QueryProperties`");
            return None;
        }
        if let Some(part) = parts.first() {
            return Self::of(builder, part, retriever);
        }
        let list = List::Endpoint(Box::new(Endpoint::build(builder, &endpoint?, retriever)?));
        Some(Self { list, always: Vec::new(), chunking: None, selector: None, warnings: Warnings::default() })
    }

    fn of(builder: &Builder<'_>, part: &Part<'_>, retriever: &mut BuildRetriever<'_>) -> Option<Self> {
        let list = part.field("property_list")?;
        let list = match list.node.as_list() {
            Some(_) => List::Known(part.texts("property_list")),
            None => List::Endpoint(Box::new(Endpoint::build(builder, &list, retriever)?)),
        };
        let selector = part.field("property_selector");
        let selector = selector.map(|selector| Transform::list(builder, selector.field("transformations").as_ref()));
        let selector = flat(selector)?;
        let chunking = part.field("property_chunking");
        let always = part.texts("always_include_properties");
        Some(Self {
            list,
            always,
            chunking: chunking.as_ref().map(Chunking::of),
            selector,
            warnings: Warnings::default(),
        })
    }

    /// The properties, each chunk for one request. There is always at least one.
    ///
    /// # Errors
    /// If the API does not list its properties, or a transformation of the selector fails.
    pub(super) fn chunks(&self, fetch: &FetchContext<'_>) -> anyhow::Result<Vec<Vec<String>>> {
        let listed = match &self.list {
            List::Known(listed) => listed.clone(),
            List::Endpoint(endpoint) => endpoint.names(fetch, &self.warnings)?,
        };
        let chosen = self.chosen(fetch.configured)?;
        let is_chosen = |name: &String| chosen.as_ref().is_none_or(|chosen| chosen.contains(name));
        let all = |names: &[String], more: &[String]| vec![[names, more].concat()];
        let Some(chunking) = &self.chunking else {
            let listed: Vec<String> = listed.into_iter().filter(is_chosen).collect();
            return Ok(all(&self.always, &listed));
        };
        let Some(limit) = chunking.limit else { return Ok(all(&listed, &self.always)) };
        let (mut chunks, mut used) = (vec![self.always.clone()], 0);
        for name in listed.into_iter().filter(is_chosen) {
            // A comma separates two; it takes three characters in a URL.
            let size = if chunking.by_characters { name.chars().count() + 3 } else { 1 };
            // A property that is too long on its own is requested alone.
            if used > 0 && used + size > limit {
                chunks.push(self.always.clone());
                used = 0;
            }
            used += size;
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(name);
            }
        }
        Ok(chunks)
    }

    /// The fields that identify the parts of one record in several chunks. `None` if there are no chunks.
    pub(super) fn key(&self) -> Option<&[String]> {
        self.chunking.as_ref().map(|chunking| &chunking.key[..])
    }

    /// The warnings since the last call.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// Adds a warning, once.
    pub(super) fn warn(&self, warning: &str) {
        self.warnings.add(warning);
    }

    fn chosen(&self, configured: Option<&Map<String, Value>>) -> Result<Option<HashSet<String>>, Failure> {
        let (Some(transforms), Some(schema)) = (&self.selector, configured) else { return Ok(None) };
        let Some(Value::Object(columns)) = schema.get("properties") else { return Ok(Some(HashSet::new())) };
        let mut record = Record::from_text(Value::Object(columns.clone()).to_string());
        let nothing = Value::Object(Map::new());
        let slice = || Variable::Json(Json::Tree(&nothing));
        transforms.iter().try_for_each(|transform| transform.apply(&mut record, slice(), &self.warnings))?;
        let names = super::steps::members(&record.text()).into_keys().map(std::borrow::Cow::into_owned).collect();
        Ok(Some(names))
    }
}

impl Chunking {
    fn of(part: &Part<'_>) -> Self {
        let strategy = part.field("record_merge_strategy");
        let key = strategy.as_ref().and_then(|strategy| {
            let key = strategy.field("key")?;
            Some(match key.node.as_list() {
                Some(_) => strategy.texts("key"),
                None => vec![literal(key.node).to_text()],
            })
        });
        let limit = part.field("property_limit").and_then(|limit| literal(limit.node).to_text().parse().ok());
        Self {
            limit: limit.filter(|limit| *limit > 0),
            by_characters: part.text("property_limit_type") == Some("characters"),
            key: key.unwrap_or_else(|| vec!["id".to_owned()]),
        }
    }
}

impl Endpoint {
    fn build(builder: &Builder<'_>, part: &Part<'_>, retriever: &mut BuildRetriever<'_>) -> Option<Self> {
        let path = FieldPath::build(builder, &part.field("property_field_path")?, &[])?;
        Some(Self { stream: retriever(part)?, path, known: Mutex::new(None) })
    }

    fn names(&self, fetch: &FetchContext<'_>, warnings: &Warnings) -> anyhow::Result<Vec<String>> {
        // Other threads wait for the answer.
        let mut known = locks::lock(&self.known);
        if let Some(names) = &*known {
            return Ok(names.clone());
        }
        let mut names = Vec::new();
        let _ = for_each_record_of(&*self.stream, &Slice::whole(), fetch, &mut |_, record| {
            let text = record.text();
            match self.path.one(&text)? {
                Some(name) => names.push(literal_of(&serde_json::from_str(name)?).to_text()),
                None => warnings.add(format!(
                    "{}: an entry of the list of properties has no name at this path, and is left out.",
                    self.path.place()
                )),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        *known = Some(names.clone());
        Ok(names)
    }
}
