//! Files of records, such as attachments: a stream with some downloads each, and it is stored beside the record.

use super::{FetchContext, Record, RequestContext};
use crate::http::Body;

/// Downloads the files of a stream's records: see [`super::HttpStream::files`].
pub trait RecordFiles: Send + Sync {
    /// The file of a record that is about to be written. It is stored where the destination takes it from, and the
    /// record refers to it. `None` is a record without a file. Not called if the catalog does not want files.
    ///
    /// # Errors
    /// A failure to download it. The slice ends with it, and the record is not written.
    fn file(
        &self,
        record: &Record<'_>,
        cx: &RequestContext<'_>,
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Option<RecordFile>>;
}

/// The file of a record, from [`RecordFiles::file`].
#[derive(Debug)]
pub struct RecordFile {
    /// Its name, with folders before a `/`. Steps that would lead out of the stream's folder are dropped. `None`
    /// chooses a unique name.
    pub name: Option<String>,
    /// Its content: on disk, if it is long.
    pub body: Body,
}
