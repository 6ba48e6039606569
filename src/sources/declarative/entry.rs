//! Finds the manifest and resolves the source: the connector that the manifest describes; without a manifest, a source
//! that asks for one, with the generic specification of Airbyte's runtime.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::manifest::{Faults, Format, MOST_BYTES, Node, complete, load};
use super::source::ManifestSource;
use crate::protocol::{ConnectorSpecification, Failure, LogLevel};
use crate::source::{Config, Given, Source, SourceContext};
use crate::streams::HttpStream;

/// The source of low-code manifests. A manifest makes another source of it: see [`Source::resolve`].
pub(super) const INJECTED_MANIFEST: &str = "__injected_declarative_manifest";

/// The source of low-code manifests. A manifest makes another source of it: see [`Source::resolve`].
pub struct Declarative;

impl Source for Declarative {
    fn name(&self) -> &str {
        "declarative"
    }

    fn spec(&self) -> ConnectorSpecification {
        super::spec::generic_specification()
    }

    fn streams(&self, _: &Config, _: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        Err(no_manifest())
    }

    fn is_meant(&self, given: &Given<'_>) -> bool {
        given.manifest.is_some() || given.config.is_some_and(|config| config.contains_key(INJECTED_MANIFEST))
    }

    fn resolve(&self, given: &Given<'_>) -> Result<Option<Arc<dyn Source>>, Failure> {
        let (manifest, faults, folder) = match (given.manifest, given.config.and_then(|c| c.get(INJECTED_MANIFEST))) {
            (Some(file), _) => {
                let mut faults = Faults::new(file.display().to_string());
                let text = read(file)?;
                (load(&text, Format::Yaml, &mut faults), faults, file.parent())
            }
            (None, Some(injected)) => {
                let mut faults = Faults::new(format!("`{INJECTED_MANIFEST}` of the config"));
                (complete(&Node::from_json(injected), &mut faults), faults, None)
            }
            // The specification's complaint about such a config would be true and help nobody.
            (None, None) if given.config.is_some() => return Err(no_manifest()),
            (None, None) => return Ok(None),
        };
        for warning in faults.warnings() {
            given.output.log(LogLevel::Warn, &faults.line(warning)).map_err(anyhow::Error::from)?;
        }
        match manifest {
            Some(manifest) => Ok(Some(Arc::new(ManifestSource::new(manifest, faults.file(), folder)))),
            None => Err(refused(&faults)),
        }
    }
}

fn no_manifest() -> Failure {
    Failure::config(format!(
        "There is no manifest to run. Name its file with --manifest-path or AIRBYTE_MANIFEST_PATH, or put it into the \
         config as `{INJECTED_MANIFEST}`."
    ))
}

/// The text of a manifest's file.
fn read(file: &Path) -> Result<String, Failure> {
    let unreadable = |why: String| {
        let text = format!("The manifest {} cannot be read: {why}. Check --manifest-path.", file.display());
        Failure::config(text)
    };
    let mut bytes = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    let read = File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => unreadable("there is no such file".to_owned()),
        _ => unreadable(error.to_string()),
    })?;
    String::from_utf8(bytes)
        .map_err(|error| unreadable(format!("it is not UTF-8 at byte {}", error.utf8_error().valid_up_to())))
}

/// The failure for a manifest that cannot run, with all its faults.
pub(super) fn refused(faults: &Faults) -> Failure {
    let lines: Vec<String> = faults.errors().map(|fault| faults.line(fault)).collect();
    let more = match faults.left_out() {
        0 => String::new(),
        more => format!("\nAnd {more} more."),
    };
    let what = if lines.len() == 1 { "One thing is".to_owned() } else { format!("{} things are", lines.len()) };
    Failure::config(format!("The manifest cannot be run. {what} wrong with it:\n{}{more}", lines.join("\n")))
}
