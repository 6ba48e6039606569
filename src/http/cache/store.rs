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
    fn leftovers_of_a_killed_run_are_removed_and_those_of_live_runs_or_other_programs_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let live = Store::create(Some(folder.path()), 1 << 20).unwrap();
        let stale = folder.path().join("responses-Ab12Cd.sqlite");
        // Similar to ours: another length, another end, a link, a directory.
        let others = ["responses-Ab12Cd3.sqlite", "responses-Ab12Cd.sqlite3", "responses-.sqlite", "x.sqlite"];
        let others: Vec<PathBuf> = others.iter().map(|name| folder.path().join(name)).collect();
        others.iter().chain([&stale]).for_each(|path| fs::write(path, "left").unwrap());
        let link = folder.path().join("responses-LiNk00.sqlite");
        std::os::unix::fs::symlink(&others[3], &link).unwrap();
        let directory = folder.path().join("responses-FoLdEr.sqlite");
        fs::create_dir(&directory).unwrap();

        let next = Store::create(Some(folder.path()), 1 << 20).unwrap();
        assert!(!stale.exists());
        let kept = others.iter().chain([&link, &directory]).all(|path| path.exists());
        assert!(kept && live.path().exists() && next.path().exists());
    }

    #[cfg(unix)]
    #[test]
    fn an_empty_directory_of_a_killed_run_goes_with_the_file_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let [stale, live, full] =
            ["Ab12Cd", "Ef34Gh", "Ij56Kl"].map(|end| folder.path().join(format!("source-http-{end}")));
        for directory in [&stale, &live, &full] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("responses-Ab12Cd.sqlite"), "").unwrap();
        }
        fs::write(full.join("notes.txt"), "mine").unwrap();
        let lock = File::open(&live).unwrap();
        lock.try_lock().unwrap();
        sweep_directories(folder.path());
        assert!(!stale.exists() && live.join("responses-Ab12Cd.sqlite").exists() && full.join("notes.txt").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_another_run_removed_is_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let made = std::cell::Cell::new(0);
        let (path, lock) = held(|| {
            made.set(made.get() + 1);
            let path = file(folder.path())?;
            if made.get() < 3 {
                fs::remove_file(&path)?;
            }
            Ok(path)
        })
        .unwrap();
        assert!(path.exists() && lock.is_some() && made.get() == 3);
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
