//! Files of records, such as attachments. Each is put into the staging directory, where the destination takes it,
//! before its record is written.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::Builder;

use crate::protocol::Failure;
use crate::streams::RecordFile;
use crate::uuid::uuid;

/// The folder of a stream's files.
#[derive(Debug)]
pub(in crate::sync) struct StagedFiles {
    directory: PathBuf,
    stream: PathBuf,
}

impl StagedFiles {
    /// The folder of a stream, below the staging directory. It is created with the first file.
    pub(in crate::sync) fn of(directory: &Path, stream: &str) -> Self {
        Self { directory: directory.to_owned(), stream: inside(stream).unwrap_or_else(|| "stream".into()) }
    }

    /// Stores a file, and returns the `file_reference` of its record, as JSON. Until it is complete, it has another
    /// name.
    ///
    /// # Errors
    /// A system failure if it cannot be written, or its received copy cannot be read.
    pub(in crate::sync) fn keep(&self, file: &RecordFile) -> Result<String, Failure> {
        let name = file.name.as_deref().and_then(inside).unwrap_or_else(|| uuid(rand::random(), rand::random()).into());
        let relative = self.stream.join(name);
        let path = self.directory.join(&relative);
        let kept = file.body.reader().and_then(|mut body| write(&path, &mut body));
        kept.map_err(|error| {
            Failure::system(format!(
                "The file {} cannot be written: {error}. AIRBYTE_STAGING_DIRECTORY names a directory with room for the files \
                 of records.",
                path.display()
            ))
        })?;
        let reference = json!({
            "staging_file_url": path.to_string_lossy(),
            "source_file_relative_path": relative.to_string_lossy(),
            "file_size_bytes": file.body.len(),
        });
        Ok(reference.to_string())
    }
}

/// Writes a file as a whole: it is complete, or not there at all.
fn write(path: &Path, body: &mut dyn Read) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = Builder::new();
    builder.prefix(".partial-");
    // The destination may be another user.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut partial = builder.tempfile_in(folder)?;
    io::copy(body, partial.as_file_mut())?;
    partial.as_file().sync_data()?;
    partial.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A name as a path that only leads down. `None` if nothing is left of it.
fn inside(name: &str) -> Option<PathBuf> {
    let is_odd = |letter: char| letter == '\0' || cfg!(windows) && ":\\".contains(letter);
    let steps = name.split('/').filter(|step| !["", ".", ".."].contains(step));
    let path: PathBuf = steps.map(|step| step.replace(is_odd, "_")).collect();
    (!path.as_os_str().is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;

    fn file(name: Option<&str>, text: &str) -> RecordFile {
        RecordFile { name: name.map(str::to_owned), body: Body::Memory(text.as_bytes().to_vec().into()) }
    }

    #[test]
    fn no_name_leads_out_of_the_folder_of_the_stream() {
        let directory = tempfile::tempdir().unwrap();
        let files = StagedFiles::of(directory.path(), "../orders");
        for (name, expected) in [
            ("a/b.txt", "orders/a/b.txt"),
            ("/x y.txt", "orders/x y.txt"),
            ("../../etc/passwd", "orders/etc/passwd"),
            ("a/./../b", "orders/a/b"),
            ("a\0b", "orders/a_b"),
        ] {
            let reference: serde_json::Value =
                serde_json::from_str(&files.keep(&file(Some(name), "hi")).unwrap()).unwrap();
            assert_eq!(reference["source_file_relative_path"], expected, "{name:?}");
            assert_eq!(reference["file_size_bytes"], 2);
            assert_eq!(fs::read_to_string(directory.path().join(expected)).unwrap(), "hi");
        }
        for name in [None, Some(".."), Some("/")] {
            let reference: serde_json::Value = serde_json::from_str(&files.keep(&file(name, "")).unwrap()).unwrap();
            let path = reference["source_file_relative_path"].as_str().unwrap();
            assert_eq!((path.len(), &path[..7], &path[21..22]), (43, "orders/", "4"), "{path}");
        }
    }

    #[test]
    fn a_file_that_breaks_off_is_removed() {
        struct Broken(usize);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 1 { Err(io::Error::other("it broke off")) } else { Ok(buffer.len()) }
            }
        }
        let directory = tempfile::tempdir().unwrap();
        assert!(write(&directory.path().join("a/b"), &mut Broken(0)).is_err());
        assert_eq!(fs::read_dir(directory.path().join("a")).unwrap().count(), 0);
    }
}
