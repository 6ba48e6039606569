//! The source that a manifest describes.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::api_budget::budget;
use super::build::Streams;
use super::check::{Check, workers};
use super::manifest::{self, Faults, Node};
use super::part::{Builder, Part};
use super::placed::Env;
use super::python_classes;
use super::refused::RefusedStream;
use super::schema::{SchemaSource, primary_key};
use super::spec;
use super::stream_list::{each_stream, refused_as_a_whole};
use crate::clock::{Clock, SystemClock};
use crate::protocol::{ConnectorSpecification, Failure, LogLevel, Redactor};
use crate::source::{CheckContext, Config, Source, SourceContext};
use crate::streams::HttpStream;

/// A connector that is a manifest.
pub(super) struct ManifestSource {
    manifest: Node,
    /// What people know the manifest by.
    file: String,
    /// Where files that belong to it are.
    folder: Option<PathBuf>,
}

impl ManifestSource {
    /// The source of a manifest that was resolved and checked.
    pub(super) fn new(manifest: Node, file: &str, folder: Option<&Path>) -> Self {
        Self { manifest, file: file.to_owned(), folder: folder.map(Path::to_owned) }
    }

    fn root(&self) -> Part<'_> {
        Part::new(&self.manifest, manifest::Path::ROOT, None)
    }
}

/// Builds something of a manifest, with a config. What is wrong comes out as `faults`.
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
            // The runtime's own specification asks for a manifest, and there is one.
            _ => ConnectorSpecification::new(json!({"type": "object"})),
        }
    }

    fn needs_python(&self) -> Option<String> {
        python_classes::need(&self.manifest, &self.file)
    }

    /// Airbyte's runtime does not look at them, and configs that work there have dates without a time.
    fn checks_formats(&self) -> bool {
        false
    }

    fn streams(&self, config: &Config, cx: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        cx.redactor.name_settings();
        let (streams, warnings) = self.streams_of(config, cx.clock.clone(), &cx.redactor)?;
        for warning in warnings {
            cx.output.log(LogLevel::Warn, &warning).map_err(anyhow::Error::from)?;
        }
        Ok(streams)
    }

    fn has_fixed_streams(&self) -> bool {
        let kind = |stream: &Node| stream.get("type").and_then(Node::as_text).map(str::to_owned);
        let streams = self.manifest.get("streams").and_then(Node::as_list).unwrap_or_default();
        let conditional = streams.iter().any(|stream| kind(stream).as_deref() == Some("ConditionalStreams"));
        !conditional && !self.manifest.get("dynamic_streams").is_some_and(Node::is_truthy)
    }

    fn num_workers(&self, config: &Config) -> usize {
        let mut faults = Faults::new(self.file.clone());
        // What is wrong with it was told when the streams were built.
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
            let text = format!("The check needs what this program does not run yet: {}.", refusals.join("; "));
            return Err(Failure::config(text).into());
        }
        let check = check?;
        let mut streams = Cow::Borrowed(streams);
        if !check.config_overrides.is_empty() {
            let mut config = cx.config.clone();
            config.extend(check.config_overrides.clone());
            // What there is to warn of was said about the config itself.
            let (others, _) = self.streams_of(&config, Arc::new(SystemClock::new()), cx.output.redactor())?;
            streams = Cow::Owned(others);
        }
        let names: Vec<&str> = streams.iter().map(|stream| stream.name()).collect();
        for name in check.of(&names)? {
            let Some(stream) = streams.iter().find(|stream| stream.name() == name) else { continue };
            if !cx.probe(&**stream)? {
                let text = format!(
                    "The stream {name:?} has no slices to ask for: its parent streams have no records, or the list of its \
                     partitions is empty. Check a stream that does not depend on others."
                );
                return Err(Failure::config(text).into());
            }
        }
        Ok(None)
    }
}

impl ManifestSource {
    /// The streams with a config, and what there is to warn of.
    fn streams_of(
        &self,
        config: &Config,
        clock: Arc<dyn Clock>,
        redactor: &Redactor,
    ) -> Result<(AllStreams, Vec<String>), Failure> {
        let mut faults = Faults::new(self.file.clone());
        let streams = built(config, clock, &mut faults, |builder| {
            let settings = self.manifest.get("spec").and_then(spec::settings);
            self.build(&builder.with_redactor(redactor.clone()).with_settings(settings))
        })?;
        Ok((streams, faults.warnings().map(|warning| faults.line(warning)).collect()))
    }

    fn build(&self, builder: &Builder<'_>) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let root = self.root();
        let budget = budget(builder, &root);
        let unkept = builder.take_refusals();
        if !unkept.is_empty() {
            builder
                .warn(&root, format!("requests are not spread out; this program does not run {}", unkept.join("; ")));
        }
        let mut streams = Streams::new(builder, self.folder.clone()).with_budget(budget);
        let mut all: Vec<Built> = Vec::new();
        // Which errors are a stream's, to be told when it is read.
        let mut of_streams: Vec<std::ops::Range<usize>> = Vec::new();
        each_stream(builder, &root, &mut |name, part, mut refusals| {
            let known = builder.errors_after(0).len();
            let built = if refusals.is_empty() { streams.build(part, false) } else { None };
            refusals.extend(builder.take_refusals());
            let errors = builder.errors_after(known);
            of_streams.push(known..known + errors.len());
            all.push(match built {
                _ if !refusals.is_empty() => Built::Refused(Arc::new(RefusedStream::not_run(name, &refusals))),
                Some(stream) if errors.is_empty() => Built::Stream(Box::new(stream)),
                _ => {
                    let key = primary_key(builder, part).unwrap_or_default();
                    let schema = SchemaSource::build(builder, part);
                    let schema = schema.and_then(|schema| schema.load(self.folder.as_deref()).ok());
                    Built::Refused(Arc::new(RefusedStream::faulty(name, key, schema, &errors)))
                }
            });
        })?;
        let is_other = |(at, error)| (!of_streams.iter().any(|errors| errors.contains(&at))).then_some(error);
        let others: Vec<String> = builder.errors_after(0).into_iter().enumerate().filter_map(is_other).collect();
        if !others.is_empty() {
            return Err(Failure::config(format!("The manifest cannot be run:\n{}", others.join("\n"))));
        }
        let whole = refused_as_a_whole(builder, &root);
        if !whole.is_empty() {
            all.push(Built::Refused(Arc::new(RefusedStream::not_run("dynamic_streams", &whole))));
        }
        if all.is_empty() && self.has_fixed_streams() {
            let text = format!("{}: the manifest has no streams. Add one below `streams`.", self.file);
            return Err(Failure::config(text));
        }
        let parents = streams.parent_names();
        Ok(all
            .into_iter()
            .map(|built| -> Arc<dyn HttpStream> {
                match built {
                    // Others read it, too.
                    Built::Stream(mut stream) => {
                        let is_parent = parents.contains(stream.name());
                        stream.use_cache |= is_parent && stream.requester.use_cache.is_none();
                        Arc::new(*stream)
                    }
                    Built::Refused(stream) => stream,
                }
            })
            .collect())
    }
}

/// The streams of a manifest, in its order.
type AllStreams = Vec<Arc<dyn HttpStream>>;

/// What became of an entry of `streams`.
enum Built {
    Stream(Box<super::stream::DeclarativeStream>),
    Refused(Arc<RefusedStream>),
}
