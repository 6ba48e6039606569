//! Replaces a file as a whole: a new one is written beside it and takes its name. A crash leaves the old file or the
//! new one, never half of either.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// An empty file beside another one, with its permissions and, where the system allows it, its owner.
///
/// # Errors
/// If the directory cannot be written, or the file is not there.
pub(crate) fn replacement(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder)?;
    let old = fs::metadata(path)?;
    // Before the permissions: a change of the owner takes some of them away.
    let _ = give(file.as_file(), &old);
    file.as_file().set_permissions(old.permissions())?;
    Ok(file)
}

/// Gives a file to the owner and the group of another one.
#[cfg(unix)]
fn give(file: &File, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    if is_of_same_owner(&file.metadata()?, old) {
        return Ok(());
    }
    fchown(file, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn give(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Whether two files belong to the same user and group.
#[cfg(unix)]
pub(crate) fn is_of_same_owner(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (a.uid(), a.gid()) == (b.uid(), b.gid())
}

/// Whether two files belong to the same user and group.
#[cfg(not(unix))]
pub(crate) fn is_of_same_owner(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// Makes the replacement survive a crash of the system. Not every system can, and an older file is valid, too.
pub(crate) fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|_| cfg!(unix)) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
