//! Whether stdout ends at a terminal. In `read | jq` it is a pipe, and yet the output of `jq` would mix with the
//! drawing; in `read | jq > file` there is no conflict. Linux lists the readers of a pipe in `/proc`.

use std::fs;
use std::path::{Path, PathBuf};

/// The most commands of a pipeline that are followed.
const LONGEST: usize = 16;

/// Whether the output of stdout may end at a terminal. `proc` is the system's directory of processes. True if it cannot
/// be determined.
pub(super) fn ends_at_terminal(proc: &Path) -> bool {
    stdout(&proc.join("self")).is_none_or(|target| may_end_at_terminal(proc, &target, LONGEST))
}

/// Whether the output to this target may end at a terminal, some commands further on.
fn may_end_at_terminal(proc: &Path, target: &str, commands_left: usize) -> bool {
    if ["/dev/pts/", "/dev/tty", "/dev/console"].iter().any(|terminal| target.starts_with(terminal)) {
        return true;
    }
    if !target.starts_with("pipe:") {
        return false;
    }
    let readers = readers(proc, target);
    // An invisible process may write anywhere.
    commands_left == 0
        || readers.is_empty()
        || readers.iter().any(|reader| {
            stdout(reader).is_none_or(|next| next == target || may_end_at_terminal(proc, &next, commands_left - 1))
        })
}

/// The processes whose standard input is this pipe.
fn readers(proc: &Path, pipe: &str) -> Vec<PathBuf> {
    let processes = fs::read_dir(proc).into_iter().flatten().flatten();
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let processes = processes.filter(|entry| entry.file_name().to_str().is_some_and(is_process));
    processes
        .map(|entry| entry.path())
        .filter(|process| fs::read_link(process.join("fd/0")).is_ok_and(|stdin| stdin == Path::new(pipe)))
        .collect()
}

fn stdout(process: &Path) -> Option<String> {
    Some(fs::read_link(process.join("fd/1")).ok()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Processes with their standard input and output.
    fn ends(processes: &[(&str, &str, &str)]) -> bool {
        let proc = tempfile::tempdir().unwrap();
        for (name, stdin, stdout) in processes {
            let fd = proc.path().join(name).join("fd");
            fs::create_dir_all(&fd).unwrap();
            symlink(stdin, fd.join("0")).unwrap();
            symlink(stdout, fd.join("1")).unwrap();
        }
        ends_at_terminal(proc.path())
    }

    #[test]
    fn a_pipeline_ends_where_its_last_command_writes() {
        let tty = "/dev/pts/3";
        assert!(ends(&[("self", tty, tty)]));
        assert!(!ends(&[("self", tty, "/home/ada/out.jsonl")]));
        assert!(!ends(&[("self", tty, "/dev/null")]));
        assert!(ends(&[("self", tty, "pipe:[1]"), ("17", "pipe:[1]", tty)]));
        assert!(!ends(&[("self", tty, "pipe:[1]"), ("17", "pipe:[1]", "/out"), ("18", "pipe:[9]", tty)]));
        let three = |last| [("self", tty, "pipe:[1]"), ("18", "pipe:[2]", last), ("17", "pipe:[1]", "pipe:[2]")];
        assert!(ends(&three(tty)) && !ends(&three("/out")));
    }

    #[test]
    fn an_unknown_end_may_be_a_terminal() {
        assert!(ends(&[]));
        assert!(ends(&[("self", "/dev/null", "pipe:[1]")]), "nobody is seen to read it");
        assert!(ends(&[("self", "/dev/null", "pipe:[1]"), ("5", "pipe:[1]", "pipe:[1]")]), "a circle");
        let circle = [("self", "x", "pipe:[1]"), ("5", "pipe:[1]", "pipe:[2]"), ("6", "pipe:[2]", "pipe:[1]")];
        assert!(ends(&circle));
    }
}
