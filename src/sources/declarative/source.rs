//! The source that a manifest describes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::api_budget::budget;
use super::async_jobs;
use super::build::Streams;
use super::check::{Check, MadeStreams, config_overrides, workers};
use super::config_rules::with_rules;
use super::dynamic::{self, Dynamic};
use super::manifest::{self, Faults, Node};
use super::part::{Builder, Part};
use super::placed::Env;
use super::python_classes;
use super::refused::RefusedStream;
use super::schema::{SchemaSource, primary_key};
use super::spec;
use super::stream_list::{each_stream, groups};
use crate::clock::{Clock, SystemClock};
use crate::locks;
use crate::protocol::{ConnectorSpecification, Failure, LogLevel, Redactor};
use crate::source::{CheckContext, Config, Source, SourceContext};
use crate::streams::{Fetcher, HttpStream};

/// A connector defined by a manifest.
pub(super) struct ManifestSource {
    manifest: Node,
    /// The manifest's name for people.
    file: String,
    /// The folder of its files.
    folder: Option<PathBuf>,
    /// The streams made of each of `dynamic_streams`.
    made: Mutex<MadeStreams>,
}

/// The purpose of building streams.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    Everything,
    /// A check skips lists that it does not need.
    Check,
}

/// The context for building streams.
#[derive(Clone, Copy)]
struct Asking<'a> {
    fetcher: &'a Fetcher<'a>,
    purpose: Purpose,
}

impl ManifestSource {
    /// The source of a manifest that was resolved and checked.
    pub(super) fn new(manifest: Node, file: &str, folder: Option<&Path>) -> Self {
        Self { manifest, file: file.to_owned(), folder: folder.map(Path::to_owned), made: Mutex::default() }
    }

    fn root(&self) -> Part<'_> {
        Part::new(&self.manifest, manifest::Path::ROOT, None)
    }
}

/// Builds something from a manifest, with a config. `faults` gets the faults.
fn built<T>(config: &Config, clock: Arc<dyn Clock>, faults: &mut Faults, build: impl FnOnce(Builder<'_>) -> T) -> T {
    let env = Env { config: Value::Object(config.clone()), clock };
    build(Builder::new(Arc::new(env), faults))
}

impl Source for ManifestSource {
    fn name(&self) -> &str {
        "declarative"
    }

    fn spec(&self) -> ConnectorSpecification {
        match self.manifest.get("spec") {
            Some(own) if own.as_map().is_some() => spec::specification(own),
            // The runtime's own specification asks for a manifest, which exists here.
            _ => ConnectorSpecification::new(json!({"type": "object"})),
        }
    }

    fn needs_python(&self) -> Option<String> {
        python_classes::need(&self.manifest, &self.file)
    }

    /// Airbyte's runtime ignores them, and configs that work there have dates without a time.
    fn checks_formats(&self) -> bool {
        false
    }

    fn migrate_config(&self, config: Config, clock: &Arc<dyn Clock>, redactor: &Redactor) -> Result<Config, Failure> {
        // An empty config stays unchanged, as in the reference.
        let ruled = (!config.is_empty())
            .then(|| with_rules(&self.manifest, &self.file, clock, redactor, |rules| rules.migrated(config.clone())));
        ruled.flatten().unwrap_or(Ok(config))
    }

    fn transform_config(&self, config: Config, clock: &Arc<dyn Clock>, redactor: &Redactor) -> Result<Config, Failure> {
        // An empty config stays unchanged, as in the reference.
        let ruled = (!config.is_empty()).then(|| {
            with_rules(&self.manifest, &self.file, clock, redactor, |rules| rules.transformed(config.clone()))
        });
        ruled.flatten().unwrap_or(Ok(config))
    }

    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<AllStreams, Failure> {
        self.streams_for(config, cx, Purpose::Everything)
    }

    fn streams_to_check(&self, config: &Config, cx: &SourceContext) -> Result<AllStreams, Failure> {
        self.streams_for(config, cx, Purpose::Check)
    }

    fn has_fixed_streams(&self) -> bool {
        let kind = |stream: &Node| stream.get("type").and_then(Node::as_text).map(str::to_owned);
        let streams = self.manifest.get("streams").and_then(Node::as_list).unwrap_or_default();
        let conditional = streams.iter().any(|stream| kind(stream).as_deref() == Some("ConditionalStreams"));
        !conditional && !self.manifest.get("dynamic_streams").is_some_and(Node::is_truthy)
    }

    fn num_workers(&self, config: &Config) -> usize {
        let mut faults = Faults::new(self.file.clone());
        // Its faults were reported when the streams were built.
        let workers =
            built(config, Arc::new(SystemClock::new()), &mut faults, |builder| workers(&builder, &self.root()));
        workers.unwrap_or(1)
    }

    fn check(&self, streams: &[Arc<dyn HttpStream>], cx: &CheckContext<'_>) -> anyhow::Result<Option<String>> {
        let mut faults = Faults::new(self.file.clone());
        let (check, refusals) = built(cx.config, Arc::new(SystemClock::new()), &mut faults, |builder| {
            (Check::build(&builder, &self.root()), builder.take_refusals())
        });
        if !refusals.is_empty() {
            let text = format!("The check needs a component that does not run here yet: {}.", refusals.join("; "));
            return Err(Failure::config(text).into());
        }
        let check = check?;
        let names: Vec<&str> = streams.iter().map(|stream| stream.name()).collect();
        let made = locks::lock(&self.made).clone();
        for name in check.of(&names, &made)? {
            let Some(stream) = streams.iter().find(|stream| stream.name() == name) else { continue };
            if !cx.probe(&**stream)? {
                let text = format!(
                    "The stream {name:?} has no slices to read: its parent streams have no records, or the list of its \
                     partitions is empty. Check a stream that does not depend on others."
                );
                return Err(Failure::config(text).into());
            }
        }
        Ok(None)
    }
}

impl ManifestSource {
    fn streams_for(&self, config: &Config, cx: &SourceContext, purpose: Purpose) -> Result<AllStreams, Failure> {
        cx.redactor.name_settings();
        let validated =
            with_rules(&self.manifest, &self.file, &cx.clock, &cx.redactor, |rules| rules.validated(config));
        validated.transpose()?;
        let mut config = Cow::Borrowed(config);
        if purpose == Purpose::Check
            && let Some(overrides) = config_overrides(&self.root())
        {
            config.to_mut().extend(overrides);
        }
        let fetcher = cx.fetcher();
        let mut faults = Faults::new(self.file.clone());
        let streams = built(&config, cx.clock.clone(), &mut faults, |builder| {
            let settings = self.manifest.get("spec").and_then(spec::settings);
            let builder = builder.with_redactor(cx.redactor.clone()).with_settings(settings);
            self.build(&builder, Asking { fetcher: &fetcher, purpose })
        })?;
        for warning in faults.warnings() {
            cx.output.log(LogLevel::Warn, &faults.line(warning)).map_err(anyhow::Error::from)?;
        }
        Ok(streams)
    }

    fn build(&self, builder: &Builder<'_>, asking: Asking<'_>) -> Result<AllStreams, Failure> {
        let root = self.root();
        let budget = budget(builder, &root);
        let unkept = builder.take_refusals();
        if !unkept.is_empty() {
            builder
                .warn(&root, format!("requests are not spread out; this program does not run {}", unkept.join("; ")));
        }
        let job_limit = async_jobs::limit(builder, &root)?;
        let mut streams = Streams::new(builder, self.folder.clone()).with_budget(budget).with_job_limit(job_limit);
        let mut all: Vec<Built> = Vec::new();
        // Errors of a stream, reported when it is read.
        let mut of_streams: Vec<std::ops::Range<usize>> = Vec::new();
        each_stream(builder, &root, &mut |name, part, refusals| {
            let known = builder.error_count();
            all.push(self.built(&mut streams, name, part, refusals, known));
            of_streams.push(known..builder.error_count());
        })?;
        let dynamic = self.dynamic(builder, &mut streams, &all, asking)?;
        let entries = root.field("dynamic_streams");
        let entries: Vec<Part<'_>> = entries.iter().flat_map(Part::items).collect();
        for stream in &dynamic.made {
            let Some(template) = entries.get(stream.of).and_then(|entry| entry.field("stream_template")) else {
                continue;
            };
            let part = Part::new(&stream.node, template.path, None);
            let known = builder.error_count();
            dynamic::check(builder, &part);
            let refusals = builder.take_refusals();
            all.push(self.built(&mut streams, &stream.name, &part, refusals, known));
            of_streams.push(known..builder.error_count());
        }
        let is_other = |(at, error)| (!of_streams.iter().any(|errors| errors.contains(&at))).then_some(error);
        let mut others: Vec<String> = builder.errors_after(0).into_iter().enumerate().filter_map(is_other).collect();
        others.dedup();
        if !others.is_empty() {
            return Err(Failure::config(format!("The manifest cannot be run:\n{}", others.join("\n"))));
        }
        for (name, refusals) in &dynamic.refused {
            all.push(Built::Refused(Arc::new(RefusedStream::not_run(name, refusals))));
        }
        let names = entries.iter().enumerate().map(|(index, entry)| {
            let made = dynamic.made.iter().filter(|made| made.of == index).map(|made| made.name.clone());
            (dynamic::name_of(entry, index), made.collect())
        });
        *locks::lock(&self.made) = names.collect();
        if all.is_empty() && self.has_fixed_streams() {
            let text = format!("{}: the manifest has no streams. Add one below `streams`.", self.file);
            return Err(Failure::config(text));
        }
        let (parents, groups) = (streams.parent_names(), groups(&root));
        Ok(all
            .into_iter()
            .map(|built| -> Arc<dyn HttpStream> {
                match built {
                    // Others read it, too.
                    Built::Stream(mut stream) => {
                        let is_parent = parents.contains(stream.name());
                        stream.use_cache |= is_parent && stream.requester.use_cache.is_none();
                        stream.group = groups.get(stream.name()).cloned();
                        Arc::new(*stream)
                    }
                    Built::Refused(stream) => stream,
                }
            })
            .collect())
    }
}

impl ManifestSource {
    /// Adds a stream of the manifest, when this many errors of others were known before.
    fn built(
        &self,
        streams: &mut Streams<'_, '_>,
        name: &str,
        part: &Part<'_>,
        mut refusals: Vec<String>,
        known: usize,
    ) -> Built {
        let builder = streams.builder;
        let is_wrong = builder.error_count() > known;
        let built = if refusals.is_empty() && !is_wrong { streams.build(part, false) } else { None };
        refusals.extend(builder.take_refusals());
        let errors = builder.errors_after(known);
        match built {
            _ if !refusals.is_empty() => Built::Refused(Arc::new(RefusedStream::not_run(name, &refusals))),
            Some(stream) if errors.is_empty() => Built::Stream(Box::new(stream)),
            _ => {
                let key = primary_key(builder, part).unwrap_or_default();
                let schema = SchemaSource::build(builder, part, &mut |_| None);
                // Its unsupported components do not concern the next stream.
                drop(builder.take_refusals());
                let schema = schema.and_then(|schema| schema.load(self.folder.as_deref(), None).ok());
                Built::Refused(Arc::new(RefusedStream::faulty(name, key, schema, &errors)))
            }
        }
    }

    /// The streams of `dynamic_streams`, unless they are known not to be needed.
    fn dynamic(
        &self,
        builder: &Builder<'_>,
        streams: &mut Streams<'_, '_>,
        others: &[Built],
        asking: Asking<'_>,
    ) -> Result<Dynamic, Failure> {
        let root = self.root();
        let taken: HashSet<String> = others.iter().map(|built| built.name().to_owned()).collect();
        let needs_no_more = || Check::build(builder, &root).is_ok_and(|check| check.needs_only(&taken));
        if asking.purpose == Purpose::Check && needs_no_more() {
            return Ok(Dynamic::default());
        }
        Ok(dynamic::resolve(streams, &root, &taken, asking.fetcher)?)
    }
}

/// The streams of a manifest, in its order.
type AllStreams = Vec<Arc<dyn HttpStream>>;

/// The result of an entry of `streams`.
enum Built {
    Stream(Box<super::stream::DeclarativeStream>),
    Refused(Arc<RefusedStream>),
}

impl Built {
    fn name(&self) -> &str {
        match self {
            Self::Stream(stream) => stream.name(),
            Self::Refused(stream) => stream.name(),
        }
    }
}
