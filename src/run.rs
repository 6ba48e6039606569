//! A whole run, from arguments to exit code, with everything it touches passed in: so tests run it in process, in
//! virtual time, and `main` has nothing left to do.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{Command as Process, ExitCode};
use std::sync::{Arc, OnceLock};

use crate::cli::{self, Command, Format, Invocation};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::commands::{self, HandOver, PythonRuntime};
use crate::environment::Environment;
use crate::fused_writer::FusedWriter;
use crate::http::NetworkEnvironment;
use crate::memory::MemoryLimit;
use crate::panics;
use crate::pipe;
use crate::protocol::{Failure, LogLevel, Output, Redactor};
use crate::source::Source;
use crate::sources::Registry;
use crate::stop::{RESUMES, Stop, StopReason};
use crate::sync::is_closed_pipe;
use crate::terminal::{self, FromLevel, ReadEnd, Screen, StdoutTo, Terminal};
#[cfg(unix)]
use crate::watch;
use crate::whole_lines;

/// Success.
const DONE: u8 = 0;
/// The command failed; stdout has the reason.
const FAILED: u8 = 1;
/// The command line is invalid; stderr has the reason.
const USAGE: u8 = 2;

/// The surroundings of a run.
pub struct Host {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for jitter.
    pub random: Arc<dyn Random>,
    /// Proxies and trusted authorities.
    pub network: NetworkEnvironment,
    /// Variables for the config, and settings of Airbyte's platform.
    pub environment: Environment,
    /// The memory limit.
    pub memory: MemoryLimit,
    /// Ends the run before it is done.
    pub stop: Stop,
    /// The input for a file given as `-`.
    pub stdin: Box<dyn Read + Send>,
    /// Protocol messages, or the answer to a command for people, `--help` and `--version`.
    pub stdout: Box<dyn Write + Send>,
    /// Errors of the command line; output for people, if it is a terminal or stdout cannot carry it.
    pub stderr: Box<dyn Write + Send>,
    /// The terminal that stderr is, if it is one.
    pub terminal: Terminal,
}

impl Host {
    /// The operating system's. Signals are not handled; [`launch`] does that.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            network: NetworkEnvironment::system(),
            environment: Environment::system(),
            memory: MemoryLimit::system(),
            stop: Stop::default(),
            stdin: pipe::stdin(),
            stdout: match whole_lines::stdout() {
                Some(file) => Box::new(file),
                None => pipe::stdout(),
            },
            stderr: Box::new(io::stderr()),
            terminal: Terminal::system(),
        }
    }
}

/// The whole of a connector's `main`: runs the process's command line with the operating system's streams and clock, and
/// ends as soon as SIGTERM, SIGINT or SIGHUP asks for it, or the reader of stdout closed the pipe.
#[must_use]
pub fn launch(registry: &Registry) -> ExitCode {
    panics::report_through_the_protocol();
    let host = Host::system();
    #[cfg(unix)]
    if let Err(error) =
        watch::signals(&host.stop).and_then(|()| watch::stdout(&host.stop)).and_then(|()| watch::file_size())
    {
        let _ = writeln!(io::stderr(), "warning: signals may end this run without its last states: {error}");
    }
    ExitCode::from(run_or_hand_over(std::env::args_os(), registry, host, &commands::replace))
}

/// Replaces the process by another one.
type Replace = dyn Fn(Process) -> io::Result<u8>;

/// Runs a command line and returns the exit code: 0 done, 1 failed, 2 usage, or that of the [reason to
/// stop](crate::stop::StopReason::exit_code). `args` begins with the program's name. A manifest that would have to be
/// handed over to a Python runtime is refused: only [`launch`] may replace the process.
pub fn run(args: impl IntoIterator<Item = OsString>, registry: &Registry, host: Host) -> u8 {
    run_or_hand_over(args, registry, host, &|_| Err(io::Error::other("this run is only a part of its process")))
}

fn run_or_hand_over(
    args: impl IntoIterator<Item = OsString>,
    registry: &Registry,
    mut host: Host,
    replace: &Replace,
) -> u8 {
    let invocation = match cli::parse(args, registry.program(), &registry.names()) {
        Ok(invocation) => invocation,
        Err(error) => {
            let text = error.render().to_string();
            let to: &mut dyn Write = if error.use_stderr() { &mut host.stderr } else { &mut host.stdout };
            let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
            return if error.use_stderr() { USAGE } else { DONE };
        }
    };
    let Some(source) = registry.get(invocation.source.as_deref()).cloned() else {
        let name = invocation.source.unwrap_or_default();
        let names = registry.names().join(", ");
        let _ = writeln!(
            host.stderr,
            "error: there is no source {name:?}; --source and AIRBYTE_SOURCE take one of: {names}"
        );
        return USAGE;
    };
    run_command(&invocation, registry, source, host, replace)
}

/// The format of a command's stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Protocol messages.
    Messages,
    /// Bare records, and states only if there is no other place for them.
    Records { has_state_file: bool },
    /// A text for people.
    Text,
}

impl Answer {
    fn of(command: &Command) -> Self {
        match command {
            Command::Read(args) if args.format == Format::Jsonl => {
                Self::Records { has_state_file: args.state_file.is_some() }
            }
            command if command.is_for_people() => Self::Text,
            _ => Self::Messages,
        }
    }
}

/// How a command ended.
enum End {
    /// It is done, and the answer is yes: exit code 0.
    Done,
    /// It is done, and the answer on stdout is no: exit code 1.
    Refused,
    /// The reader of stdout closed the pipe, and has what it wanted: exit code 0.
    ClosedPipe,
    /// Stdout cannot be written.
    StdoutFailed(Failure),
    /// Anything else.
    Failed(Failure),
}

impl End {
    fn of(result: anyhow::Result<bool>, stdout_error: Option<io::Error>) -> Self {
        match (result, stdout_error) {
            (_, Some(error)) => Self::StdoutFailed(Failure::system(format!(
                "Standard output cannot be written: {error}. Free space there or redirect it, then run again {RESUMES}"
            ))),
            (Ok(true), None) => Self::Done,
            (Ok(false), None) => Self::Refused,
            (Err(error), None) if is_closed_pipe(&error) => Self::ClosedPipe,
            (Err(error), None) => Self::Failed(Failure::from_error(&error)),
        }
    }

    /// The failure, with its secrets masked.
    fn failure(&self, output: &Output) -> Option<Failure> {
        match self {
            Self::Done | Self::Refused | Self::ClosedPipe => None,
            Self::StdoutFailed(failure) | Self::Failed(failure) => {
                Some(Failure { message: output.told(failure), ..failure.clone() })
            }
        }
    }

    fn exit_code(&self, stop: &Stop) -> u8 {
        match self {
            Self::Done | Self::ClosedPipe => DONE,
            Self::Refused => FAILED,
            // A reader that closed the pipe also requests a stop, but a full disk must not count as that.
            Self::StdoutFailed(_) => stop
                .reason()
                .filter(|reason| **reason != StopReason::ClosedStdout)
                .map_or(FAILED, StopReason::exit_code),
            Self::Failed(_) => stop.reason().map_or(FAILED, StopReason::exit_code),
        }
    }
}

/// The lowest level of log lines that stderr shows. `None` if it shows none of the output's messages, because stdout is
/// visible.
fn shown_from(invocation: &Invocation, screen: &Screen, environment: &Environment) -> Option<LogLevel> {
    let answer = Answer::of(&invocation.command);
    let is_watched = screen.is_watched();
    let is_shown = match answer {
        // Bare records leave no place for messages.
        Answer::Records { .. } | Answer::Text => true,
        // A user who sees stdout sees the messages there.
        Answer::Messages if is_watched => !screen.terminal().has_stdout(),
        // Without an observer, failures go to stderr, because stdout may lead to an unread file. On the platform, the
        // reader of the pipe shows them.
        Answer::Messages => match screen.terminal().stdout_to() {
            StdoutTo::Seen => false,
            StdoutTo::Pipe => !environment.is_of_the_platform(),
            StdoutTo::Elsewhere => true,
        },
    };
    is_shown.then_some(match answer {
        // A check prints its own list at the end.
        _ if is_watched && matches!(invocation.command, Command::Check(_)) => LogLevel::Error,
        _ if is_watched => LogLevel::Trace,
        Answer::Text => LogLevel::Trace,
        Answer::Records { .. } if invocation.log_level == LogLevel::Debug => LogLevel::Trace,
        // A successful run without an observer is silent: cron would mail its output.
        Answer::Records { .. } => LogLevel::Warn,
        Answer::Messages => LogLevel::Error,
    })
}

/// Hands a run over. Returns the exit code, if the other process was waited for.
fn hand_over(handed: &HandOver, output: &Output, stop: &Stop, replace: &Replace) -> anyhow::Result<u8> {
    stop.check()?;
    output.log(LogLevel::Info, &handed.to_string())?;
    output.flush()?;
    replace(handed.process()).map_err(|error| {
        Failure::system(format!(
            "The Python runtime cannot be started: {error}. {handed} Check that it runs by itself."
        ))
        .into()
    })
}

fn run_command(
    invocation: &Invocation,
    registry: &Registry,
    source: Arc<dyn Source>,
    mut host: Host,
    replace: &Replace,
) -> u8 {
    let answer = Answer::of(&invocation.command);
    let has_summary = matches!(invocation.command, Command::Read(_));
    let screen = Screen::new(host.stderr, host.terminal, invocation.quiet, has_summary);
    // A check can answer with its exit code. All else is useless without stdout.
    if let Err(error) = host.stdout.flush()
        && !matches!(invocation.command, Command::Check(_))
    {
        screen.error(&format!(
            "Standard output cannot be written: {error}. Nothing was read, because it would be lost. Redirect it to a \
             file, a pipe or > /dev/null; a program that starts this one must open /dev/null \
             write-only."
        ));
        return FAILED;
    }
    let stdout = Box::new(FusedWriter::new(host.stdout));
    let stdout_failure = stdout.failure();
    let (messages, text): (Box<dyn Write + Send>, Box<dyn Write + Send>) = match answer {
        Answer::Text => (Box::new(io::sink()), stdout),
        Answer::Messages | Answer::Records { .. } => (stdout, Box::new(io::sink())),
    };
    let least = shown_from(invocation, &screen, &host.environment);
    let mut output = Output::new(messages, host.clock.clone(), Redactor::default(), invocation.log_level);
    if let Some(least) = least {
        output = output.with_human_output(Arc::new(FromLevel { screen: screen.clone(), least }));
    }
    if let Answer::Records { has_state_file } = answer {
        output = output.bare_records();
        if !has_state_file {
            output = output.without_states();
        }
    }
    let output = Arc::new(output);
    let mut cx = commands::Context {
        program: registry.program(),
        source,
        registry,
        wanted: invocation.source.as_deref(),
        manifest: host.environment.manifest_of_the_image().or(invocation.manifest_path.as_deref()),
        runtime: PythonRuntime::of(host.environment.python_runtime(), invocation),
        output: &output,
        clock: host.clock,
        random: host.random,
        network: host.network,
        environment: &host.environment,
        memory: &host.memory,
        stop: &host.stop,
        stdin: Some(host.stdin),
        answer: text,
        cache_dir: invocation.cache_dir.as_deref(),
        screen: &screen,
        migrated: None,
        client: OnceLock::new(),
        report: None,
    };
    let result = panics::caught(|| commands::run(&invocation.command, &mut cx));
    let result = match result.map_err(anyhow::Error::downcast) {
        Err(Ok(handed)) => match hand_over(&handed, &output, &host.stop, replace) {
            Ok(exit_code) => return exit_code,
            Err(error) => Err(error),
        },
        Err(Err(error)) => Err(error),
        Ok(well) => Ok(well),
    };
    let result = result.and_then(|well| output.flush().map(|()| well).map_err(Into::into));
    let stdout_error = stdout_failure.error().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    let end = End::of(result, stdout_error);
    let (exit_code, failure) = (end.exit_code(&host.stop), end.failure(&output));
    if let Some(report) = &mut cx.report
        && let Err(error) = report.write(exit_code, failure.as_ref(), output.elapsed())
    {
        let _ = output.log(LogLevel::Warn, &format!("The summary file cannot be written: {error}."));
    }
    if let Some(failure) = &failure {
        let stdout_works = !matches!(end, End::StdoutFailed(_));
        let is_written = stdout_works && output.failure(failure).is_ok();
        let is_shown = match least {
            Some(_) => stdout_works,
            None => is_written && !screen.is_watched(),
        };
        // The summary of a read shows it, if there is one.
        if !(is_shown || has_summary && screen.is_watched()) {
            screen.error(&failure.message);
        }
    }
    if let Some(report) = cx.report
        && screen.is_watched()
        && !matches!(end, End::ClosedPipe)
    {
        let (streams, total) = report.tally.summary(output.elapsed());
        let end = match &failure {
            None => ReadEnd::Done,
            Some(failure) if host.stop.is_requested() => ReadEnd::Stopped(failure),
            Some(failure) => ReadEnd::Failed(failure),
        };
        screen.write(&terminal::summary(&screen, &streams, &total, end));
    }
    exit_code
}
