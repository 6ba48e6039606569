//! The cache's file: an `SQLite` database with one owner, which drops the least recently used entries when it is full.
//!
//! It does not outlive the process, so nothing waits for the disk and the rollback journal is in memory. A file in its
//! own directory loses its name once it is open, where the system allows it: a signal that ends the process leaves
//! nothing behind. A file in a directory that the user named keeps its name, so that the user can look at it. Named
//! files are locked while their run lives, so the next run recognises and removes those of killed runs.

use std::fs::{self, DirBuilder, File, FileType, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use tempfile::{TempDir, TempPath};

use super::cache_key::CacheKey;

/// Bytes of a page of the file.
const PAGE: u64 = 4096;
/// Pages of an entry beside those of its bytes: for its key, its use, and the trees' inner nodes.
const SLACK: u64 = 3;

/// Entries and their uses are in separate tables, so that recording a use does not rewrite an entry.
const SCHEMA: &str = "
    PRAGMA page_size = 4096;
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA temp_store = MEMORY;
    CREATE TABLE entries (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE uses (key BLOB PRIMARY KEY, used INTEGER NOT NULL, entry INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX uses_by_age ON uses (used);
";

/// The form of file names: this, some letters and digits, and [`SUFFIX`].
const PREFIX: &str = "responses-";
const SUFFIX: &str = ".sqlite";
/// The form of directory names: this, and some letters and digits.
const DIRECTORY_PREFIX: &str = "source-http-";
/// Letters and digits that make a name unguessable.
const RANDOM: usize = 6;
/// How often to create again what another run removed as a leftover.
const TRIES: u32 = 10;

/// The file, removed when this is dropped. The fields are dropped in order: the connection, the file, its own
/// directory, if it has one, and the lock.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    _file: Option<TempPath>,
    _directory: Option<TempDir>,
    _lock: Option<File>,
    max_bytes: u64,
    /// Counts uses; the higher, the more recent.
    uses: i64,
}

impl Store {
    /// Creates an empty file in a directory, which is created if missing; or in a temporary directory of its own. Only
    /// the owner can read either.
    pub(super) fn create(directory: Option<&Path>, max_bytes: u64) -> anyhow::Result<Self> {
        let (folder, own) = if let Some(folder) = directory {
            let folder = named(folder)?;
            sweep_files(&folder);
            (folder, None)
        } else {
            sweep_directories(&std::env::temp_dir());
            let own = held(private)?;
            (own.0.path().to_owned(), Some(own))
        };
        let (path, lock) = held(|| file(&folder))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        // Nobody else uses the file: a lock of another process is a fault, not something to wait for.
        connection.busy_timeout(Duration::ZERO)?;
        let name = path.to_path_buf();
        let (file, own, lock) = match own {
            Some((own, _)) if cfg!(unix) => {
                path.close()?;
                own.close()?;
                (None, None, None)
            }
            own => (Some(path), own.map(|(own, _)| own), lock),
        };
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, path: name, _file: file, _directory: own, _lock: lock, max_bytes, uses: 0 })
    }

    /// The path of the file, even after it lost its name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The entry of a key, which becomes the most recently used one.
    pub(super) fn get(&mut self, key: &CacheKey) -> rusqlite::Result<Option<Vec<u8>>> {
        let bytes = self
            .connection
            .prepare_cached("SELECT bytes FROM uses JOIN entries ON id = entry WHERE key = ?1")?
            .query_row(params![key.as_bytes()], |row| row.get(0))
            .optional()?;
        if bytes.is_some() {
            self.uses += 1;
            let mut note = self.connection.prepare_cached("UPDATE uses SET used = ?2 WHERE key = ?1")?;
            note.execute(params![key.as_bytes(), self.uses])?;
        }
        Ok(bytes)
    }

    /// Stores an entry, replacing one of the same key, and the least recently used ones if there is no room. False if
    /// it does not fit at all.
    pub(super) fn put(&mut self, key: &CacheKey, bytes: &[u8]) -> rusqlite::Result<bool> {
        let needed = (bytes.len() as u64 / PAGE + 1 + SLACK) * PAGE;
        let transaction = self.connection.transaction()?;
        let known = transaction
            .query_row("SELECT entry FROM uses WHERE key = ?1", params![key.as_bytes()], |row| row.get(0))
            .optional()?;
        if let Some(entry) = known {
            remove(&transaction, entry)?;
        }
        while taken(&transaction)? + needed > self.max_bytes {
            let oldest = "SELECT entry FROM uses ORDER BY used LIMIT 1";
            let Some(entry) = transaction.query_row(oldest, (), |row| row.get(0)).optional()? else {
                transaction.commit()?;
                return Ok(false);
            };
            remove(&transaction, entry)?;
        }
        self.uses += 1;
        transaction.execute("INSERT INTO entries (bytes) VALUES (?1)", params![bytes])?;
        let entry = transaction.last_insert_rowid();
        transaction.execute(
            "INSERT INTO uses (key, used, entry) VALUES (?1, ?2, ?3)",
            params![key.as_bytes(), self.uses, entry],
        )?;
        transaction.commit()?;
        Ok(true)
    }
}

fn remove(transaction: &Transaction<'_>, entry: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM uses WHERE entry = ?1", params![entry])?;
    transaction.execute("DELETE FROM entries WHERE id = ?1", params![entry])?;
    Ok(())
}

/// Used bytes of the file. Deleted space is reused before the file grows.
fn taken(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let pages = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pages("page_count")? - pages("freelist_count")?;
    Ok(u64::try_from(pages).unwrap_or_default() * PAGE)
}

/// Creates something and locks it, so that other runs do not take it for a leftover. Where the system cannot lock,
/// nothing is ever taken for one.
fn held<T: AsRef<Path>>(make: impl Fn() -> io::Result<T>) -> io::Result<(T, Option<File>)> {
    for _ in 1..TRIES {
        let new = make()?;
        if !cfg!(unix) {
            return Ok((new, None));
        }
        // Another run may be faster: it holds this one, or has removed it.
        let lock = match File::open(&new) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            lock => lock?,
        };
        match lock.try_lock() {
            Err(TryLockError::Error(_)) => return Ok((new, None)),
            Ok(()) if new.as_ref().exists() => return Ok((new, Some(lock))),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
        }
    }
    Ok((make()?, None))
}

/// Removes the files that killed runs left in a folder. Files that cannot be removed stay: they belong to another
/// program.
fn sweep_files(folder: &Path) {
    for (path, _lock) in stale(folder, PREFIX, SUFFIX, FileType::is_file) {
        let _ = fs::remove_file(path);
    }
}

/// Removes the directories that killed runs left in a folder, unless they contain other files.
fn sweep_directories(folder: &Path) {
    for (path, _lock) in stale(folder, DIRECTORY_PREFIX, "", FileType::is_dir) {
        sweep_files(&path);
        let _ = fs::remove_dir(path);
    }
}

/// An entry with such a name and kind that nobody holds; locked.
fn stale<'n>(
    folder: &Path,
    prefix: &'n str,
    suffix: &'n str,
    is_kind: fn(&FileType) -> bool,
) -> impl Iterator<Item = (PathBuf, File)> + use<'n> {
    let is_ours = move |name: &str| {
        let random = name.strip_prefix(prefix).and_then(|name| name.strip_suffix(suffix));
        random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().filter(|_| cfg!(unix));
    let ours = entries.filter(move |entry| entry.file_name().to_str().is_some_and(is_ours));
    let of_kind = ours.filter(move |entry| entry.file_type().is_ok_and(|kind| is_kind(&kind)));
    of_kind.filter_map(|entry| {
        let lock = File::open(entry.path()).ok()?;
        lock.try_lock().ok()?;
        Some((entry.path(), lock))
    })
}

/// A new file that only its owner can read.
fn file(folder: &Path) -> io::Result<TempPath> {
    let made = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM).tempfile_in(folder)?;
    Ok(made.into_temp_path())
}

/// A new directory with an unguessable name.
fn private() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(DIRECTORY_PREFIX).rand_bytes(RANDOM);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// The directory that the user named.
fn named(folder: &Path) -> io::Result<PathBuf> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(folder);
    made.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests;
