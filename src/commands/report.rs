//! The report of a read: its counters, and the file that `--summary` names.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::protocol::{Failure, FailureKind};
use crate::sync::{Numbers, StreamSummary, Tally};

/// The report of a read.
#[derive(Debug)]
pub(crate) struct Report {
    /// The counters, stream by stream.
    pub(crate) tally: Tally,
    file: Option<File>,
}

/// The file's JSON object.
#[derive(Serialize)]
struct Content<'a> {
    exit_code: u8,
    error: Option<ErrorContent<'a>>,
    streams: Vec<StreamSummary>,
    total: Numbers,
}

#[derive(Serialize)]
struct ErrorContent<'a> {
    kind: FailureKind,
    message: &'a str,
}

impl Report {
    /// The report of a read that begins. The file is created at once: a failure should show before hours of reading.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let create = |path: &Path| {
            File::create(path).map_err(|error| {
                let text = format!("The summary file {} cannot be written: {error}. Check --summary.", path.display());
                Failure::config(text)
            })
        };
        Ok(Self { tally: Tally::default(), file: path.map(create).transpose()? })
    }

    /// Writes the file, if one is wanted. `failure` contains no secret; `now` is a reading of the clock.
    pub(crate) fn write(&mut self, exit_code: u8, failure: Option<&Failure>, now: Duration) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let (streams, total) = self.tally.summary(now);
        let error = failure.map(|failure| ErrorContent { kind: failure.kind, message: &failure.message });
        let mut text = serde_json::to_vec_pretty(&Content { exit_code, error, streams, total })?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.flush()
    }
}
