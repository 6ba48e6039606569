//! The file of a record, such as an attachment: a stream returns it to be stored beside the record.

use crate::http::Body;

/// The file of a record, from [`super::HttpStream::fetch_file`].
#[derive(Debug)]
pub struct RecordFile {
    /// Its name, with folders before a `/`. Steps that would lead out of the stream's folder are dropped. `None`
    /// chooses a unique name.
    pub name: Option<String>,
    /// Its content: on disk, if it is long.
    pub body: Body,
}
