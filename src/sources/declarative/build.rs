//! Builds streams from their components.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::asked_properties::has_some;
use super::async_jobs::{CREATION, JobLimit, Jobs, POLLING, TARGET};
use super::file_uploader::FileUploader;
use super::incremental::{Incremental, Partitions};
use super::manifest::{Map, Node, Path, Value};
use super::options::{By, RequestOption};
use super::paginator::Paginator;
use super::parents;
use super::part::{Builder, Part, flat};
use super::query_properties::QueryProperties;
use super::repaging::Repaging;
use super::request::{Requester, tell_collisions};
use super::retriever::PageFields;
use super::router::Router;
use super::schema::{SchemaSource, primary_key};
use super::selector::Selector;
use super::stream::DeclarativeStream;
use crate::http::budget::RequestBudget;

/// Builds streams, and each parent once.
pub(super) struct Streams<'b, 'm> {
    pub(super) builder: &'b Builder<'m>,
    /// Where schema files are.
    pub(super) folder: Option<PathBuf>,
    /// By the address of the component, and whether it belongs to one child alone.
    parents: HashMap<(usize, bool), Parent>,
    /// The budget for all requests.
    budget: Option<Arc<RequestBudget>>,
    /// How many jobs may run at the same time.
    job_limit: Arc<JobLimit>,
}

/// A parent, and the notes of its first build: they hold for each stream that uses it.
struct Parent {
    stream: Option<Arc<DeclarativeStream>>,
    refusals: Vec<String>,
    errors: Vec<String>,
}

impl<'b, 'm> Streams<'b, 'm> {
    pub(super) fn new(builder: &'b Builder<'m>, folder: Option<PathBuf>) -> Self {
        Self { builder, folder, parents: HashMap::new(), budget: None, job_limit: Arc::new(JobLimit::new(1)) }
    }

    /// All streams share this budget. Default: none.
    pub(super) fn with_budget(self, budget: Option<Arc<RequestBudget>>) -> Self {
        Self { budget, ..self }
    }

    /// All streams share this limit of jobs. Default: one of one job.
    pub(super) fn with_job_limit(self, job_limit: Arc<JobLimit>) -> Self {
        Self { job_limit, ..self }
    }

    /// The stream that a part describes. `None` if it is faulty, or needs a component that does not run here; the
    /// builder notes both. Pages of a parent are cached, unless the manifest says otherwise.
    pub(super) fn build(&mut self, part: &Part<'_>, is_parent: bool) -> Option<DeclarativeStream> {
        if part.kind() == "StateDelegatingStream" {
            return self.delegating(part, is_parent);
        }
        let builder = self.builder;
        let cursor = part.field("incremental_sync");
        let retriever = part.field("retriever")?;
        let Some(fields) = PageFields::of(&retriever) else {
            builder.refuse(&retriever, &format!("the retriever `{}`", retriever.kind()));
            return None;
        };
        let selector = retriever.field("record_selector")?;
        let extractor = match fields.are_of_jobs() {
            true => retriever.field("download_extractor"),
            false => selector.field("extractor"),
        };
        let decoder = fields.decoder(builder, &retriever, extractor.as_ref());
        let router = self.router(part, &retriever, cursor.as_ref());
        let partitions = router.as_ref().and_then(Option::as_ref).map(|router| partitions(part, &retriever, router));
        let incremental = flat(cursor.as_ref().map(|cursor| Incremental::build(builder, cursor, partitions)));
        let extra: Vec<String> =
            router.iter().flatten().flat_map(Router::parents).flat_map(|parent| parent.extra_names()).collect();
        let mut extra: Vec<&str> = extra.iter().map(String::as_str).collect();
        let jobs = fields
            .are_of_jobs()
            .then(|| Jobs::build(builder, &retriever, &extra, self.budget.as_ref(), &self.job_limit));
        if jobs.is_some() {
            extra.extend([CREATION, POLLING, TARGET]);
        }
        let requester_part = retriever.field(fields.requester)?;
        let requester = Requester::build(builder, &requester_part, &extra);
        let properties = has_some(&requester_part).then(|| self.properties(&requester_part));
        let paginator = retriever.field(fields.paginator);
        let paginator = Paginator::build(builder, paginator.as_ref());
        let is_client_side =
            cursor.as_ref().is_some_and(|cursor| cursor.flag("is_client_side_incremental") == Some(true));
        let lists = extractor.as_ref().map(|extractor| self.lists(extractor));
        let extractor = fields.extractor(builder, &retriever, extractor.as_ref());
        let transformations = part.field("transformations");
        let selector = Selector::build(builder, &selector, extractor, transformations.as_ref(), is_client_side);
        let files = part.field("file_uploader");
        let files = files.map(|files| FileUploader::build(builder, &files, &extra, self.budget.as_ref()));
        let schema = self.schema(part);
        let key = primary_key(builder, part);
        let at_once = router.iter().flatten().any(Router::is_made_at_once);
        let parents = router.iter().flatten().flat_map(Router::parents);
        let parents: Vec<_> = parents
            .map(|config| {
                let stream = self.parent(&config.stream, &config.stream_path, config.is_incremental)?;
                builder.noted_failure(&retriever, parents::parent(stream, config, at_once))
            })
            .collect();
        let requester = requester?;
        // Each job has results of its own.
        let use_cache = jobs.is_none() && requester.use_cache.unwrap_or(is_parent);
        if let Some(paginator) = &paginator {
            let of_router: Vec<&RequestOption> = router.iter().flatten().flat_map(Router::options).collect();
            let of_cursor = incremental.iter().flatten().flat_map(Incremental::options);
            let options: Vec<&RequestOption> = paginator.options().chain(of_router).chain(of_cursor).collect();
            tell_collisions(builder, &retriever, &requester, &options);
        }
        let repaging = Repaging::build(
            builder,
            part,
            &retriever,
            paginator.as_ref()?,
            &requester.error_handler,
            incremental.iter().flatten().next(),
        )?;
        Some(DeclarativeStream {
            name: part.text("name").unwrap_or_default().to_owned(),
            primary_key: key?,
            schema: schema?,
            folder: self.folder.clone(),
            requester,
            paginator: paginator?,
            decoder: decoder?,
            selector: Arc::new(selector?),
            router: router?,
            incremental: incremental?,
            parents: parents.into_iter().collect::<Option<_>>()?,
            only_first_page_is_sliced: retriever.flag("ignore_stream_slicer_parameters_on_paginated_requests")
                == Some(true),
            use_cache,
            properties: flat(properties)?,
            budget: self.budget.clone(),
            lists: flat(lists)?.unwrap_or_default(),
            repaging,
            jobs: flat(jobs)?,
            delegation: None,
            group: None,
            files: flat(files)?,
            types: OnceLock::new(),
        })
    }

    /// The router of a stream, or none.
    #[allow(clippy::option_option, reason = "a wrong router differs from a missing one")]
    fn router(
        &self,
        part: &Part<'_>,
        retriever: &Part<'_>,
        cursor: Option<&Part<'_>>,
    ) -> Option<Option<Router<RequestOption>>> {
        let builder = self.builder;
        // An empty list means no router.
        let router = retriever.present("partition_router");
        let router = router.map(|router| {
            Router::build(builder, &router, cursor.is_some(), &mut |option| {
                RequestOption::build(builder, option, By::Router)
            })
        });
        let router = flat(router);
        let is_lazy = router.iter().flatten().flat_map(Router::parents).any(|parent| parent.is_lazy());
        if is_lazy && cursor.is_some_and(|cursor| cursor.present("step").is_some()) {
            let text = "a parent has `lazy_read_pointer`, whose page is the first of one slice only. Remove `step` and \
                        `cursor_granularity`, or the pointer";
            builder.error(part, text);
        }
        router
    }

    /// The properties that a requester requests by name.
    fn properties(&mut self, requester: &Part<'_>) -> Option<QueryProperties> {
        let builder = self.builder;
        QueryProperties::build(builder, requester, &mut |part| {
            let mut list = self.build(part, true)?;
            list.name = format!("properties of {}", builder.place(part));
            Some(Box::new(list))
        })
    }

    /// Where the schema of a stream comes from.
    fn schema(&mut self, part: &Part<'_>) -> Option<SchemaSource> {
        let builder = self.builder;
        SchemaSource::build(builder, part, &mut |loader| {
            let mut list = self.of_retriever(loader, "retriever")?;
            list.name = format!("the fields for {}", builder.place(loader));
            // Several streams may request the same fields.
            list.use_cache = true;
            Some(Box::new(list))
        })
    }

    /// Reads the complete lists for an extractor's expanders, by the place of the expander.
    fn lists(&mut self, extractor: &Part<'_>) -> Option<HashMap<String, DeclarativeStream>> {
        let mut lists = HashMap::new();
        for inner in extractor.field("extractors").iter().flat_map(Part::items) {
            lists.extend(self.lists(&inner)?);
        }
        if let Some(expander) = extractor.field("record_expander")
            && expander.field("truncated_list_retriever").is_some()
        {
            let mut list = self.of_retriever(&expander, "truncated_list_retriever")?;
            let place = self.builder.place(&expander);
            list.name = format!("whole lists of {place}");
            lists.insert(place, list);
        }
        Some(lists)
    }

    /// A stream with only the retriever in this field of a component.
    pub(super) fn of_retriever(&mut self, component: &Part<'_>, field: &str) -> Option<DeclarativeStream> {
        let retriever = component.field(field)?;
        let key = Node::text("retriever", retriever.node.mark());
        let node = Node::new(Value::Map(Map::new(vec![(key, retriever.node.clone())])), retriever.node.mark());
        self.build(&component.of_node(&node), false)
    }

    /// The names of the streams that are parents of others.
    pub(super) fn parent_names(&self) -> HashSet<&str> {
        self.parents.values().filter_map(|parent| parent.stream.as_deref()).map(|stream| stream.name.as_str()).collect()
    }

    /// The parent that a component describes. `is_own`: it belongs to one child alone, because it keeps its position.
    fn parent(&mut self, node: &super::manifest::Node, path: &str, is_own: bool) -> Option<Arc<DeclarativeStream>> {
        let part = Part::new(node, Path::ROOT.name(path), None);
        if let Some(known) = self.parents.get(&(node.address(), false)).filter(|_| !is_own) {
            known.refusals.iter().for_each(|refusal| self.builder.refuse_again(refusal.clone()));
            if !known.errors.is_empty() {
                self.builder.error(&part, format!("this parent stream cannot be read: {}", known.errors.join("; ")));
            }
            return known.stream.clone();
        }
        if !["DeclarativeStream", "StateDelegatingStream"].contains(&part.kind()) {
            self.builder.refuse(&part, &format!("the stream type {} as a parent", part.kind()));
            return None;
        }
        let (refusals, errors) = (self.builder.refusals_after(0).len(), self.builder.error_count());
        let stream = self.build(&part, true).map(Arc::new);
        let (refusals, errors) = (self.builder.refusals_after(refusals), self.builder.errors_after(errors));
        self.parents.insert((node.address(), is_own), Parent { stream: stream.clone(), refusals, errors });
        stream
    }
}

/// A router's properties, for a cursor.
fn partitions(part: &Part<'_>, retriever: &Part<'_>, router: &Router<RequestOption>) -> Partitions {
    let parents = router.parents();
    let migrations = part.field("state_migrations");
    let is_migrated = migrations.is_some_and(|migrations| {
        migrations.items().any(|migration| migration.kind() == "LegacyToPerPartitionStateMigration")
    });
    // One whose field cannot be evaluated is reported when the stream is read.
    let legacy = parents.first().filter(|_| is_migrated && parents.len() == 1).and_then(|parent| parent.field().ok());
    // A list is a product, even of one.
    let is_product = retriever.field("partition_router").is_some_and(|part| part.node.as_list().is_some());
    Partitions {
        of_parents: !is_product && tells_parents(router),
        are_groups: matches!(router, Router::Group(_)),
        legacy,
        at_once: router.is_made_at_once(),
    }
}

/// Whether states of a router have a member for its parents. In the reference, a product of routers has none.
fn tells_parents(router: &Router<RequestOption>) -> bool {
    match router {
        Router::Substream(_) | Router::Union(_) => true,
        Router::Group(group) => tells_parents(&group.router),
        Router::List(_) | Router::Product(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::built;
    use super::*;

    const MANIFEST: &str = "definitions:
  retriever: &retriever
    type: SimpleRetriever
    requester: {type: HttpRequester, url_base: https://a.example, path: items}
    record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
  child: &child
    type: DeclarativeStream
    retriever:
      <<: *retriever
      partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
        - {type: ParentStreamConfig, parent_key: id, partition_field: p, stream: {$ref: '#/streams/0'}}
streams:
- type: DeclarativeStream
  name: parent
  retriever: *retriever
  EXTRA
- {<<: *child, name: a}
- {<<: *child, name: b}
";

    /// The notes for each of two children, and whether it was built.
    fn children(extra: &str) -> Vec<(bool, Vec<String>, Vec<String>)> {
        let manifest = MANIFEST.replace("EXTRA", extra);
        let built = built(&manifest, json!({}), |builder, manifest| {
            let list = manifest.field("streams")?;
            let mut streams = Streams::new(builder, None);
            let mut noted = Vec::new();
            for child in list.items().skip(1) {
                let known = builder.error_count();
                let is_built = streams.build(&child, false).is_some();
                noted.push((is_built, builder.take_refusals(), builder.errors_after(known)));
            }
            Some(noted)
        });
        built.part.unwrap()
    }

    #[test]
    fn the_notes_of_a_parent_hold_for_each_of_its_streams() {
        assert_eq!(children(""), [(true, vec![], vec![]), (true, vec![], vec![])]);
        let refused = children("incremental_sync: {type: CustomIncrementalSync}");
        assert!(refused[0].1[0].contains("the incremental sync `CustomIncrementalSync`"), "{refused:?}");
        assert_eq!(refused[0].1, refused[1].1);
        let faulty = children("transformations: [{type: RemoveFields, condition: '{{ x', field_pointers: [[a]]}]");
        assert_eq!(faulty[0].2.len(), 1, "{faulty:?}");
        assert!(faulty[1].2[0].contains(&faulty[0].2[0]), "{faulty:?}");
    }
}
