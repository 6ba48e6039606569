//! The schemas of the streams, as files within the binary.

use include_dir::{Dir, include_dir};

use crate::streams::SchemaFolder;

pub(super) static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas/stripe");

/// One schema a stream.
pub(super) const SCHEMAS: SchemaFolder = SchemaFolder::new(&FILES);
