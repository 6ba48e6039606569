//! The memory limit of the process, from Linux control groups: a container that exceeds its limit is killed, without a
//! state or a message. A run that checks now and then can end before.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use crate::locks;
use crate::stop::RESUMES;

/// Part of the limit, in percent, at which memory is short.
const SHORT_AT: u64 = 95;
/// Least time between two checks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Version 1 reports this many bytes or more for no limit: the largest multiple of a page.
const NO_LIMIT: u64 = 1 << 60;
const MIB: u64 = 1024 * 1024;

/// The memory limits of the process: those of its control group and of all its parents, of versions 2 and 1. On other
/// systems than Linux there are none.
#[derive(Debug)]
pub struct MemoryLimit {
    root: Option<PathBuf>,
    groups: OnceLock<Vec<Group>>,
    read_at: Mutex<Option<Duration>>,
}

/// A control group that may have a limit.
#[derive(Debug)]
struct Group {
    folder: PathBuf,
    names: &'static Names,
}

/// The file names of a version of control groups, and the name of the page cache in `memory.stat`, which the kernel
/// frees before it kills.
#[derive(Debug)]
struct Names {
    limit: &'static str,
    used: &'static str,
    cache: [&'static str; 2],
}

const V2: Names = Names { limit: "memory.max", used: "memory.current", cache: ["inactive_file", "active_file"] };
const V1: Names = Names {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cache: ["total_inactive_file", "total_active_file"],
};

impl MemoryLimit {
    /// Reads the system's files.
    #[must_use]
    pub fn system() -> Self {
        Self::at("/")
    }

    /// Reads a directory in place of the root of the file system: its `proc/self/cgroup` and the files in
    /// `sys/fs/cgroup`.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: Some(root.into()), ..Self::none() }
    }

    /// No limit.
    #[must_use]
    pub fn none() -> Self {
        Self { root: None, groups: OnceLock::new(), read_at: Mutex::new(None) }
    }

    /// The message for the user, if 95 % of a limit are used up, without the page cache. `now` is a reading of
    /// [`crate::clock::Clock::elapsed`]: within a second after it looked, it does not look again.
    #[must_use]
    pub fn shortage(&self, now: Duration) -> Option<String> {
        let mut read_at = locks::lock(&self.read_at);
        if read_at.is_some_and(|at| now.saturating_sub(at) < INTERVAL) {
            return None;
        }
        *read_at = Some(now);
        let root = self.root.as_deref()?;
        self.groups.get_or_init(|| groups(root)).iter().find_map(Group::shortage)
    }
}

impl Group {
    fn shortage(&self) -> Option<String> {
        let limit = self.number(self.names.limit).filter(|limit| *limit < NO_LIMIT)?;
        let used = self.number(self.names.used)?;
        if !is_short(used, limit) {
            return None;
        }
        let used = used.saturating_sub(self.page_cache());
        is_short(used, limit).then(|| {
            format!(
                "Memory is nearly used up: {} of the {} MiB that this process may have ({}). The sync ends before the \
                 system would kill it. Run it again {RESUMES} Raise the limit, or read with fewer workers.",
                used / MIB,
                limit / MIB,
                self.folder.join(self.names.limit).display()
            )
        })
    }

    /// Bytes that are only cached: temporary files are among them.
    fn page_cache(&self) -> u64 {
        let stat = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let fields = stat.lines().filter_map(|line| line.split_once(' '));
        let cached = fields.filter(|(name, _)| self.names.cache.contains(name));
        cached.filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok()).sum()
    }

    /// The number in a file; `None` for `max`, too.
    fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok()
    }
}

fn is_short(used: u64, limit: u64) -> bool {
    u128::from(used) * 100 >= u128::from(limit) * u128::from(SHORT_AT)
}

/// The groups of this process, the innermost first. In a container the file system may show its own group as the
/// outermost one, whatever its path is outside.
fn groups(root: &Path) -> Vec<Group> {
    let memberships = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut groups = Vec::new();
    for membership in memberships.lines() {
        let mut fields = membership.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (mount, names) = match controllers {
            "" => ("sys/fs/cgroup", &V2),
            controllers if controllers.split(',').any(|controller| controller == "memory") => {
                ("sys/fs/cgroup/memory", &V1)
            }
            _ => continue,
        };
        let path: PathBuf = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let folders = path.ancestors().map(|path| root.join(mount).join(path));
        let limited = folders.filter(|folder| folder.join(names.limit).exists());
        groups.extend(limited.map(|folder| Group { folder, names }));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Files below a root, each with its text.
    fn files(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn shortage(root: &tempfile::TempDir) -> Option<String> {
        MemoryLimit::at(root.path()).shortage(Duration::ZERO)
    }

    /// A container of version 2 with a limit of 100 MiB, with this many used, and this many of those page cache.
    fn container(used: u64, cache: u64) -> tempfile::TempDir {
        let (used, cache) = ((used * MIB).to_string(), cache * MIB / 2);
        let stat = format!("anon 7\nfile 9\ninactive_file {cache}\nactive_file {cache}\nunevictable 0\n");
        files(&[
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "104857600\n"),
            ("sys/fs/cgroup/memory.current", &used),
            ("sys/fs/cgroup/memory.stat", &stat),
        ])
    }

    #[test]
    fn memory_is_short_at_95_percent_of_the_limit() {
        assert_eq!(shortage(&container(94, 0)), None);
        let root = container(95, 0);
        let limit = root.path().join("sys/fs/cgroup/memory.max");
        assert_eq!(
            shortage(&root).unwrap(),
            format!(
                "Memory is nearly used up: 95 of the 100 MiB that this process may have ({}). The sync ends before the \
                 system would kill it. Run it again to resume from the last states. Raise the limit, or read \
                 with fewer workers.",
                limit.display()
            )
        );
    }

    #[test]
    fn page_cache_is_not_counted() {
        assert_eq!(shortage(&container(100, 6)), None);
        assert!(shortage(&container(100, 4)).unwrap().contains("96 of the 100 MiB"));
    }

    #[test]
    fn the_limit_of_an_outer_group_counts_too() {
        let root = files(&[
            ("proc/self/cgroup", "0::/pod/container\n"),
            ("sys/fs/cgroup/pod/container/memory.max", "max\n"),
            ("sys/fs/cgroup/pod/container/memory.current", "99\n"),
            ("sys/fs/cgroup/pod/memory.max", "100\n"),
            ("sys/fs/cgroup/pod/memory.current", "99\n"),
        ]);
        assert!(shortage(&root).unwrap().contains("/pod/memory.max"));
    }

    #[test]
    fn version_1_has_other_names_and_a_number_for_no_limit() {
        let version_1 = |limit: &str, cache: &str| {
            files(&[
                ("proc/self/cgroup", "12:cpu,cpuacct:/docker/7\n5:memory:/docker/7\n1:name=systemd:/docker/7\n0::/x\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", limit),
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n"),
                ("sys/fs/cgroup/memory/memory.stat", &format!("inactive_file 0\ntotal_inactive_file {cache}\n")),
            ])
        };
        assert!(shortage(&version_1("1000", "0")).is_some());
        assert_eq!(shortage(&version_1("1000", "60")), None);
        assert_eq!(shortage(&version_1("9223372036854771712", "0")), None);
    }

    #[test]
    fn without_files_there_is_no_limit() {
        assert_eq!(shortage(&files(&[])), None);
        assert_eq!(shortage(&files(&[("proc/self/cgroup", "garbage\n0::/../..\n::\n")])), None);
        assert_eq!(MemoryLimit::none().shortage(Duration::ZERO), None);
    }

    #[test]
    fn it_checks_once_a_second_and_sees_changes() {
        let root = container(10, 0);
        let limit = MemoryLimit::at(root.path());
        assert_eq!(limit.shortage(SECOND), None);
        fs::write(root.path().join("sys/fs/cgroup/memory.current"), "104857600").unwrap();
        assert_eq!(limit.shortage(SECOND + SECOND / 2), None);
        assert!(limit.shortage(2 * SECOND).is_some());
        assert_eq!(limit.shortage(2 * SECOND), None);
    }
}
