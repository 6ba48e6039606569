//! The cache's file: an `SQLite` database with one owner, that forgets what was used least recently when it is full.
//!
//! It need not outlive the process, so nothing waits for the disk and the rollback journal is in memory. A file in a
//! directory of its own loses its name as soon as it is open, where the system can do that: a signal that ends the
//! process leaves nothing behind. A file in a directory that the user named keeps its name, to be looked at.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use tempfile::{TempDir, TempPath};

use super::cache_key::CacheKey;

/// Bytes of a page of the file.
const PAGE: u64 = 4096;
/// Pages that an entry may take besides those of its bytes: for its key, its use, and the trees' inner nodes.
const SLACK: u64 = 3;

/// Entries and their uses are apart, so that noting a use does not rewrite an entry.
const SCHEMA: &str = "
    PRAGMA page_size = 4096;
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA temp_store = MEMORY;
    CREATE TABLE entries (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE uses (key BLOB PRIMARY KEY, used INTEGER NOT NULL, entry INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX uses_by_age ON uses (used);
";

/// The file, removed when this is dropped. The fields are dropped in their order: the connection, the file, and the
/// directory it was made in, if that is its own.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    _file: Option<TempPath>,
    _directory: Option<TempDir>,
    max_bytes: u64,
    /// Counts uses; the higher, the more recent.
    uses: i64,
}

impl Store {
    /// Makes an empty file in a directory, which is made if need be; or in a temporary directory of its own. Nobody
    /// but the owner may read either.
    pub(super) fn create(directory: Option<&Path>, max_bytes: u64) -> anyhow::Result<Self> {
        let (folder, own) = if let Some(folder) = directory {
            (named(folder)?, None)
        } else {
            let own = private()?;
            (own.path().to_owned(), Some(own))
        };
        // A temporary file is made for its owner's eyes only, and its name is nobody else's.
        let path = tempfile::Builder::new().prefix("responses-").suffix(".sqlite").tempfile_in(folder)?;
        let path = path.into_temp_path();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        // Nobody else has any business here: a lock of another process is a fault, not something to wait for.
        connection.busy_timeout(Duration::ZERO)?;
        connection.execute_batch(SCHEMA)?;
        let name = path.to_path_buf();
        let (file, own) = match own {
            Some(own) if cfg!(unix) => {
                path.close()?;
                own.close()?;
                (None, None)
            }
            own => (Some(path), own),
        };
        Ok(Self { connection, path: name, _file: file, _directory: own, max_bytes, uses: 0 })
    }

    /// Where the file is, or was when it had a name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The entry of a key, which is the most recently used one from now on.
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

    /// Keeps an entry, in place of one of the same key, and of the least recently used ones if there is no room. False
    /// if it does not fit at all.
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

/// Bytes of the file that are in use. What was deleted is used again before the file grows.
fn taken(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let pages = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pages("page_count")? - pages("freelist_count")?;
    Ok(u64::try_from(pages).unwrap_or_default() * PAGE)
}

/// A new directory, whose name nobody can guess.
fn private() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("source-http-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// The directory the user named.
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
mod tests {
    use super::super::Credential;
    use super::*;
    use crate::http::{HttpRequest, RequestOptions};

    fn key(n: usize) -> CacheKey {
        CacheKey::new(
            b"",
            &HttpRequest::get(format!("http://a.com/{n}").parse().unwrap()),
            &RequestOptions::default(),
            &Credential::Unsigned,
        )
    }

    fn entry(n: usize, length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from((at * 31 + n) % 251).unwrap()).collect()
    }

    #[test]
    fn an_entry_is_found_by_its_key_and_replaced_by_a_newer_one() {
        let mut store = Store::create(None, 1 << 20).unwrap();
        assert_eq!(store.get(&key(1)).unwrap(), None);
        assert!(store.put(&key(1), &entry(1, 10_000)).unwrap());
        assert!(store.put(&key(2), b"").unwrap());
        assert!(store.put(&key(1), &entry(3, 5)).unwrap());
        assert_eq!(store.get(&key(1)).unwrap(), Some(entry(3, 5)));
        assert_eq!(store.get(&key(2)).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn the_file_stays_below_the_cap_and_the_least_recently_used_entries_go() {
        let cap = 400 * 1024;
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::create(Some(folder.path()), cap).unwrap();
        for n in 0..200 {
            assert!(store.put(&key(n), &entry(n, 1000 * (n % 40))).unwrap());
            // The first one is used all the time.
            assert_eq!(store.get(&key(0)).unwrap(), Some(entry(0, 0)), "{n}");
            let size = store.path().metadata().unwrap().len();
            assert!(size <= cap, "{size} bytes after {n}");
        }
        let kept: Vec<usize> = (0..200).filter(|n| store.get(&key(*n)).unwrap().is_some()).collect();
        let recent = kept.iter().skip(1).copied().collect::<Vec<_>>();
        assert!(kept[0] == 0 && recent.len() > 5, "{kept:?}");
        assert_eq!(recent, (200 - recent.len()..200).collect::<Vec<_>>());
    }

    #[test]
    fn an_entry_larger_than_the_cap_is_not_kept() {
        let mut store = Store::create(None, 100 * 1024).unwrap();
        assert!(!store.put(&key(1), &entry(1, 200 * 1024)).unwrap());
        assert_eq!(store.get(&key(1)).unwrap(), None);
        assert!(store.put(&key(2), &entry(2, 1024)).unwrap());
    }

    #[test]
    fn nothing_is_left_behind() {
        let named = tempfile::tempdir().unwrap();
        let folder = named.path().join("a/b");
        let stores = [Store::create(None, 1 << 20).unwrap(), Store::create(Some(&folder), 1 << 20).unwrap()];
        let paths: Vec<PathBuf> = stores.iter().map(|store| store.path().to_owned()).collect();
        assert!(paths[1].exists() && paths[1].starts_with(&folder));
        // Gone while it is in use.
        assert_eq!(paths[0].parent().unwrap().exists(), cfg!(not(unix)));
        drop(stores);
        assert!(!paths[0].parent().unwrap().exists() && folder.read_dir().unwrap().next().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_directory_or_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let named = tempfile::tempdir().unwrap();
        let store = Store::create(Some(&named.path().join("a")), 1 << 20).unwrap();
        assert_eq!((mode(store.path().parent().unwrap()), mode(store.path())), (0o700, 0o600));
        assert_eq!(mode(private().unwrap().path()), 0o700);
    }

    #[test]
    fn a_full_disk_is_an_error_and_the_entries_before_it_are_still_there() {
        let mut store = Store::create(None, 1 << 20).unwrap();
        assert!(store.put(&key(1), b"x").unwrap());
        store.connection.pragma_update(None, "max_page_count", 10).unwrap();
        let error = store.put(&key(2), &entry(2, 100_000)).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
        assert_eq!(store.get(&key(1)).unwrap(), Some(b"x".to_vec()));
    }
}
