//! A file that keeps states between reads, so a repeated job is one command. It is read once, locked for one run at a
//! time, and replaced as a whole: readers see the states of one moment.
//!
//! A state enters the file only after it and the records it covers were written, so the file never runs ahead of
//! stdout. It is written at most once a second, and at the end of the run.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::locks;
use crate::protocol::{Failure, InputState, StreamDescriptor, StreamState};
use crate::replacement::{replacement, sync_folder};

/// Least time between two writes. Each takes milliseconds of disk time.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often other programs may replace the file while it is opened.
const TRIES: usize = 16;

/// A state file, held by this run.
#[derive(Debug)]
pub struct StateFile {
    /// Its name, for messages.
    name: PathBuf,
    /// Its path after following all links.
    path: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// The lock, held for the whole run.
    file: File,
    states: InputState,
    /// Whether states are waiting to be written.
    is_changed: bool,
    /// When a write was last attempted, in time of the run's clock.
    tried_at: Option<Duration>,
}

impl StateFile {
    /// Opens a file, or creates an empty one, and locks it until this is dropped.
    ///
    /// # Errors
    /// A config failure if it cannot be read, understood, or replaced; a transient one if another run holds it.
    pub fn open(name: &Path) -> Result<Self, Failure> {
        let (mut file, path) = lock(name)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| cannot(name, "read", &error))?;
        let states = InputState::parse(&text, &name.display().to_string())?;
        // Try the write now, before reading anything whose state could not be saved.
        replacement(&path).map_err(|error| cannot(name, "replaced", &error))?;
        let kept = Kept { file, states, is_changed: false, tried_at: None };
        Ok(Self { name: name.to_owned(), path, kept: Mutex::new(kept) })
    }

    /// The states, including those added in this run.
    #[must_use]
    pub fn states(&self) -> InputState {
        self.lock().states.clone()
    }

    /// Adds a written state, at a moment of the run's clock. If the file cannot be written now, [`StateFile::finish`]
    /// reports it, unless a later write succeeds.
    pub(in crate::sync) fn take(&self, stream: &StreamDescriptor, state: StreamState, now: Duration) {
        let mut kept = self.lock();
        kept.states.set(stream, state);
        kept.is_changed = true;
        if kept.tried_at.is_none_or(|tried| now.saturating_sub(tried) >= INTERVAL) {
            kept.tried_at = Some(now);
            let _ = kept.save(&self.path);
        }
    }

    /// Writes states that are not in the file yet.
    ///
    /// # Errors
    /// A config failure if the file cannot be written.
    pub fn finish(&self) -> Result<(), Failure> {
        self.lock().save(&self.path).map_err(|error| {
            Failure::config(format!(
                "The state file {} cannot be written: {error}. It is as it was before. Records since then have been \
                 written; the next run reads them again. Free space, or give --state-file another \
                 path.",
                self.name.display()
            ))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        locks::lock(&self.kept)
    }
}

impl Kept {
    /// Replaces the file, if there are new states.
    fn save(&mut self, path: &Path) -> io::Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        let mut new = replacement(path)?;
        new.write_all(self.states.to_text().as_bytes())?;
        new.as_file().sync_all()?;
        // Lock it before it becomes visible, so no other run comes in between.
        new.as_file().try_lock()?;
        self.file = new.persist(path).map_err(|error| error.error)?;
        self.is_changed = false;
        sync_folder(path);
        Ok(())
    }
}

/// Opens the file and locks it. Returns it and its path.
fn lock(path: &Path) -> Result<(File, PathBuf), Failure> {
    for _ in 0..TRIES {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| cannot(path, "opened", &error))?;
        let found = fs::canonicalize(path).map_err(|error| cannot(path, "opened", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::transient(format!(
                    "The state file {} is in use by another run. Wait until that run ends, or give each run a state \
                     file of \
                     its own.",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(cannot(path, "locked", &error)),
        }
        let metadata = file.metadata().map_err(|error| cannot(path, "read", &error))?;
        if !metadata.is_file() {
            return Err(Failure::config(format!(
                "The state file {} is not a regular file. Check --state-file.",
                path.display()
            )));
        }
        // Another run may have replaced it after it was opened here.
        if fs::metadata(&found).is_ok_and(|now| is_same(&metadata, &now)) {
            return Ok((file, found));
        }
    }
    Err(Failure::transient(format!(
        "The state file {} is replaced repeatedly by another program. Give each run a state file of its own.",
        path.display()
    )))
}

#[cfg(unix)]
fn is_same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

fn cannot(path: &Path, what: &str, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "its directory does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "this user cannot write the file, or cannot create files beside it".to_owned()
        }
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    };
    let path = path.display();
    Failure::config(format!(
        "The state file {path} cannot be {what}: {why}. Check --state-file and the permissions there."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::protocol::FailureKind;

    fn state(n: i64) -> StreamState {
        Map::from_iter([("n".to_owned(), json!(n))])
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn states_are_written_at_intervals_and_at_the_end_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let (a, b) = (StreamDescriptor::named("a"), StreamDescriptor::named("b"));
        let read = || InputState::parse(&fs::read(&path).unwrap(), "f").unwrap();

        let file = StateFile::open(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"", "there is a file to hold");
        file.take(&a, state(1), seconds(10));
        assert_eq!(read().of(&a), state(1));
        file.take(&a, state(2), seconds(10));
        assert_eq!(read().of(&a), state(1));
        file.take(&b, state(3), seconds(11));
        assert_eq!((read().of(&a), read().of(&b)), (state(2), state(3)));
        file.take(&b, state(4), seconds(11));
        file.finish().unwrap();
        assert_eq!((file.states(), names(folder.path())), (read(), vec!["state.json".to_owned()]));
        assert_eq!(read().of(&b), state(4));
    }

    #[test]
    fn a_file_is_held_by_one_run_at_a_time_also_after_it_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let first = StateFile::open(&path).unwrap();
        for n in 0..3 {
            let refused = StateFile::open(&path).unwrap_err();
            assert_eq!(refused.kind, FailureKind::Transient);
            assert!(refused.message.contains("in use by another run"), "{refused}");
            first.take(&StreamDescriptor::named("a"), state(n), seconds(10 * n.unsigned_abs()));
        }
        drop(first);
        assert_eq!(StateFile::open(&path).unwrap().states().of(&StreamDescriptor::named("a")), state(2));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_permissions_stay_what_they_are() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("state.json"), folder.path().join("link"));
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let file = StateFile::open(&link).unwrap();
        file.take(&StreamDescriptor::named("a"), state(1), seconds(1));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::read_to_string(&path).unwrap().contains("\"n\":1"));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_a_config_failure_that_names_it_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("damaged.json");
        fs::write(&damaged, "[{").unwrap();
        for (path, why) in [
            (folder.path().join("none/state.json"), "its directory does not exist"),
            (folder.path().to_owned(), "it is a directory"),
            (damaged.clone(), "is not valid JSON"),
        ] {
            let failure = StateFile::open(&path).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Config);
            assert!(failure.message.contains(why) && failure.message.contains(path.to_str().unwrap()), "{failure}");
        }
        assert_eq!(fs::read(&damaged).unwrap(), b"[{");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_reported_at_the_end_and_written_if_it_can_be_again() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let path = inner.join("state.json");
        let file = StateFile::open(&path).unwrap();
        fs::rename(&inner, folder.path().join("away")).unwrap();
        file.take(&StreamDescriptor::named("a"), state(1), seconds(1));
        let failure = file.finish().unwrap_err();
        assert!(failure.message.contains("cannot be written") && failure.kind == FailureKind::Config, "{failure}");
        fs::rename(folder.path().join("away"), &inner).unwrap();
        file.finish().unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("\"n\":1"));
    }
}
