//! A manifest that needs Python classes is handed over, whole, to Airbyte's Python runtime if one is named: so one
//! image serves every connector. On Unix the runtime replaces this process, so input, output, exit code and signals are
//! its own.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use crate::cli::{CatalogFormat, Command, Format, Invocation};
use crate::environment::PYTHON_RUNTIME;
use crate::protocol::{Failure, LogLevel};

/// The Python runtime that a run may be handed over to.
pub(crate) struct PythonRuntime<'a> {
    program: &'a Path,
    invocation: &'a Invocation,
}

/// A run for the other runtime. It is not an error, but ends a command like one.
#[derive(Debug)]
pub(crate) struct HandOver {
    program: PathBuf,
    arguments: Vec<OsString>,
    why: String,
}

impl<'a> PythonRuntime<'a> {
    /// The program that the environment names, for a command that it also has: `check`, `read`, and `discover` in
    /// protocol form. `spec` needs no class.
    pub(crate) fn of(program: Option<&'a Path>, invocation: &'a Invocation) -> Option<Self> {
        let has_it = match &invocation.command {
            Command::Check(_) | Command::Read(_) => true,
            Command::Discover(args) => args.format == CatalogFormat::Json,
            _ => false,
        };
        program.filter(|_| has_it).map(|program| Self { program, invocation })
    }

    /// The run in the runtime's form. `reference` is the place of a reference to the environment in the config, if this
    /// program would replace it.
    ///
    /// # Errors
    /// A config failure if there is no such program, it cannot be run, or the run needs features it lacks.
    pub(crate) fn hand_over(&self, why: String, reference: Option<&str>) -> Result<HandOver, Failure> {
        let named = format!("The manifest needs Python classes, and {PYTHON_RUNTIME} names {}", self.program.display());
        let refuse = |what: String| Err(Failure::config(format!("{named}, {what}")));
        match self.program.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return refuse(format!(
                    "and there is no such file. Correct the path, or unset {PYTHON_RUNTIME} to read the streams that need \
                     no Python."
                ));
            }
            Err(error) => return refuse(format!("which cannot be accessed: {error}.")),
            Ok(file) if !is_executable(&file) => {
                return refuse(
                    "which is not an executable file. Name the program `source-declarative-manifest`.".into(),
                );
            }
            Ok(_) => {}
        }
        if let Some(place) = reference {
            return refuse(format!(
                "which takes the config as it is written: `{place}` refers to the environment. Write the value in its place, \
                 or take references as text with --config-env off."
            ));
        }
        let arguments = self.arguments().map_err(|flag| {
            Failure::config(format!(
                "{named}, which does not have {flag}. Call it without, as Airbyte's platform does."
            ))
        })?;
        Ok(HandOver { program: self.program.to_owned(), arguments, why })
    }

    /// The arguments of this run for the runtime. One that it lacks, and that would change the result, is an error: its
    /// name.
    fn arguments(&self) -> Result<Vec<OsString>, &'static str> {
        let mut files: Vec<(&str, Option<&PathBuf>)> = Vec::new();
        let (name, config, ours) = match &self.invocation.command {
            Command::Check(args) => ("check", &args.config, vec![("--exit-status", args.exit_status)]),
            Command::Discover(args) => ("discover", &args.config, vec![]),
            Command::Read(args) => {
                files.extend([("--catalog", args.catalog.as_ref()), ("--state", args.state.as_ref())]);
                let ours = vec![
                    ("a read without --catalog", args.catalog.is_none()),
                    ("--state-file", args.state_file.is_some()),
                    ("--streams", !args.streams.is_empty()),
                    ("--limit", args.limit.is_some()),
                    ("--workers", args.workers.is_some()),
                    ("--format jsonl", args.format == Format::Jsonl),
                    ("--summary", args.summary.is_some()),
                ];
                ("read", &args.config, ours)
            }
            _ => return Err("this command"),
        };
        files.push(("--config", Some(&config.config)));
        let ours = ours.into_iter().chain([
            ("--config-file-update", config.config_file_update),
            (
                "a file that is standard input",
                files.iter().any(|(_, file)| file.is_some_and(|file| file.as_os_str() == "-")),
            ),
        ]);
        if let Some((flag, _)) = ours.into_iter().find(|(_, is_there)| *is_there) {
            return Err(flag);
        }
        files.push(("--manifest-path", self.invocation.manifest_path.as_ref()));
        files.push(("--components-path", self.invocation.components_path.as_ref()));
        let mut arguments = vec![OsString::from(name)];
        arguments.extend((self.invocation.log_level == LogLevel::Debug).then(|| "--debug".into()));
        for (flag, file) in files {
            arguments.extend(file.iter().flat_map(|file| [flag.into(), file.as_os_str().to_owned()]));
        }
        Ok(arguments)
    }
}

impl HandOver {
    /// The process for the run. It has this process's environment, except for the variable that names it: a runtime
    /// that leads back here is not called again.
    pub(crate) fn process(&self) -> Process {
        // A bare name is a file here, as it was checked, and not searched in PATH.
        let mut process = Process::new(Path::new(".").join(&self.program));
        process.args(&self.arguments).env_remove(PYTHON_RUNTIME);
        process
    }
}

impl fmt::Display for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handed over to the Python runtime {}: {}.", self.program.display(), self.why)
    }
}

impl Error for HandOver {}

#[cfg(unix)]
fn is_executable(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.is_file() && file.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(file: &std::fs::Metadata) -> bool {
    file.is_file()
}

/// Replaces this process by another one. Where the system cannot do that, it waits for it and returns its exit code.
///
/// # Errors
/// If it cannot be started.
#[cfg(unix)]
pub(crate) fn replace(mut process: Process) -> io::Result<u8> {
    use std::os::unix::process::CommandExt;
    Err(process.exec())
}

#[cfg(not(unix))]
pub(crate) fn replace(mut process: Process) -> io::Result<u8> {
    let code = process.status()?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse;
    use crate::sources::Program;

    fn arguments(line: &str) -> Result<String, &'static str> {
        let args = line.split_whitespace().map(Into::into);
        let invocation = parse(args, Program::default(), &["stripe"]).unwrap();
        let runtime = PythonRuntime::of(Some(Path::new("/sdm")), &invocation).ok_or("no command of the runtime")?;
        let arguments = runtime.arguments()?;
        Ok(arguments.iter().map(|argument| argument.to_str().unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_runtime_gets_its_arguments_and_unsupported_ones_are_named() {
        for (line, expected) in [
            ("x check --config c --source declarative -q", Ok("check --config c")),
            ("x discover --config c --manifest-path m.yaml", Ok("discover --config c --manifest-path m.yaml")),
            (
                "x read --debug --config c --catalog d --state s --manifest-path m --components-path p",
                Ok("read --debug --catalog d --state s --config c --manifest-path m --components-path p"),
            ),
            ("x read --config c", Err("a read without --catalog")),
            ("x read --config c --catalog -", Err("a file that is standard input")),
            ("x read --config c --catalog d --streams a", Err("--streams")),
            ("x read --config c --catalog d --state-file s", Err("--state-file")),
            ("x check --config c --exit-status", Err("--exit-status")),
            ("x check --config c --config-file-update", Err("--config-file-update")),
            ("x spec", Err("no command of the runtime")),
            ("x discover --config c --format table", Err("no command of the runtime")),
        ] {
            assert_eq!(arguments(line).as_deref(), expected.as_ref().map(|text| *text), "{line}");
        }
    }
}
