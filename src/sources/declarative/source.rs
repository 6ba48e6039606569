//! The source that a manifest describes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::Node;
use crate::protocol::{ConnectorSpecification, Failure};
use crate::source::{Config, Source, SourceContext};
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
}

impl Source for ManifestSource {
    fn name(&self) -> &str {
        "declarative"
    }

    fn spec(&self) -> ConnectorSpecification {
        super::spec::generic()
    }

    fn streams(&self, _: &Config, _: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let _ = (&self.manifest, &self.file, &self.folder);
        Ok(Vec::new())
    }
}
