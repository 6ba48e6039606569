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
fn what_a_killed_run_left_is_removed_and_what_a_live_one_holds_or_another_program_made_is_not() {
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
fn what_another_run_has_taken_away_is_made_again() {
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
