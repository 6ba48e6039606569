//! The file that belongs to a record, such as an attachment: what a stream hands over for it to be kept beside the record.

use crate::http::Body;

/// The file of a record, as [`super::HttpStream::fetch_file`] gives it.
#[derive(Debug)]
pub struct RecordFile {
    /// What it is called, with folders before a `/`. Steps that would lead out of the stream's folder are left out. `None`
    /// is a name that no other file has.
    pub name: Option<String>,
    /// What is in it: on disk, if it is long.
    pub body: Body,
}
