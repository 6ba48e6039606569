//! A whole run, from arguments to exit code, with everything it touches handed in: so tests run it in process, in
//! virtual time, and `main` has nothing left to do.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bug;
use crate::cli::{self, Invocation};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::commands;
use crate::environment::Environment;
use crate::gapless::Gapless;
use crate::http::NetworkEnvironment;
use crate::memory::MemoryLimit;
use crate::pipe;
use crate::plain_messages::PlainMessages;
use crate::platform::Platform;
use crate::protocol::{Failure, Output, Redactor};
use crate::source::{Registry, Source};
use crate::stop::{Stop, StopReason};
use crate::sync::is_closed_pipe;
#[cfg(unix)]
use crate::watch;

/// All is well.
const DONE: u8 = 0;
/// The command failed; stdout says why.
const FAILED: u8 = 1;
/// The command line makes no sense; stderr says why.
const USAGE: u8 = 2;

/// What a run is given by its surroundings.
pub struct Host {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for jitter.
    pub random: Arc<dyn Random>,
    /// Proxies and trusted authorities.
    pub network: NetworkEnvironment,
    /// What Airbyte's platform asks for.
    pub platform: Platform,
    /// What a config may refer to.
    pub environment: Environment,
    /// The memory there is.
    pub memory: MemoryLimit,
    /// Ends the run before it is done.
    pub stop: Stop,
    /// Read where a file is given as `-`.
    pub stdin: Box<dyn Read + Send>,
    /// Protocol messages, or the answer to a command for people, `--help` and `--version`.
    pub stdout: Box<dyn Write + Send>,
    /// What is wrong with the command line; what else there is to say to people whose answer is a text.
    pub stderr: Box<dyn Write + Send>,
}

impl Host {
    /// The operating system's. Signals are not looked at; [`launch`] does that.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            network: NetworkEnvironment::system(),
            platform: Platform::system(),
            environment: Environment::system(),
            memory: MemoryLimit::system(),
            stop: Stop::default(),
            stdin: Box::new(io::stdin()),
            stdout: Box::new(pipe::stdout()),
            stderr: Box::new(io::stderr()),
        }
    }
}

/// The whole of a connector's `main`: runs the process's command line with the operating system's streams and clock, and
/// ends as soon as SIGTERM or SIGINT asks for it, or nobody reads stdout any more.
#[must_use]
pub fn launch(registry: &Registry) -> ExitCode {
    bug::tell_through_the_protocol();
    let host = Host::system();
    #[cfg(unix)]
    if let Err(error) = watch::signals(&host.stop).and_then(|()| watch::stdout(&host.stop)) {
        let _ = writeln!(io::stderr(), "warning: signals may end this run without its last states: {error}");
    }
    ExitCode::from(run(std::env::args_os(), registry, host))
}

/// Runs a command line and returns the exit code: 0 done, 1 failed, 2 usage, or that of the [reason to
/// stop](crate::stop::StopReason::exit_code). `args` begins with the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>, registry: &Registry, mut host: Host) -> u8 {
    let invocation = match cli::parse(args) {
        Ok(invocation) => invocation,
        Err(error) => {
            let text = error.render().to_string();
            let to: &mut dyn Write = if error.use_stderr() { &mut host.stderr } else { &mut host.stdout };
            let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
            return if error.use_stderr() { USAGE } else { DONE };
        }
    };
    let Some(source) = registry.get(invocation.source.as_deref()) else {
        let name = invocation.source.unwrap_or_default();
        let names = registry.names().join(", ");
        let _ = writeln!(
            host.stderr,
            "error: there is no source {name:?}; --source and AIRBYTE_SOURCE take one of: {names}"
        );
        return USAGE;
    };
    run_command(&invocation, source, &registry.names(), host)
}

fn run_command(invocation: &Invocation, source: &dyn Source, sources: &[&str], host: Host) -> u8 {
    let stderr = Arc::new(Mutex::new(host.stderr));
    let stdout = Box::new(Gapless::new(host.stdout));
    let stdout_failure = stdout.failure();
    let (messages, answer): (Box<dyn Write + Send>, Box<dyn Write + Send>) = match invocation.command.is_for_people() {
        true => (Box::new(PlainMessages::new(Shared(stderr.clone()))), stdout),
        false => (stdout, Box::new(io::sink())),
    };
    let output = Output::new(messages, host.clock.clone(), Redactor::default(), invocation.log_level);
    let output = Arc::new(output);
    let mut cx = commands::Context {
        source,
        sources,
        output: &output,
        clock: host.clock,
        random: host.random,
        network: host.network,
        platform: &host.platform,
        environment: &host.environment,
        memory: &host.memory,
        stop: &host.stop,
        stdin: Some(host.stdin),
        answer,
        cache_dir: invocation.cache_dir.as_deref(),
    };
    let result = bug::caught(|| commands::run(&invocation.command, &mut cx));
    let result = result.and_then(|well| output.flush().map(|()| well).map_err(Into::into));
    if let Some(error) = stdout_failure.error().filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        // There is nobody left to tell but stderr.
        let _ = writeln!(
            Shared(stderr),
            "error: Standard output cannot be written: {error}. Make room where it leads to, or lead it elsewhere, and run \
             again: a read goes on from its last states."
        );
        return host
            .stop
            .reason()
            .filter(|reason| **reason != StopReason::ClosedStdout)
            .map_or(FAILED, StopReason::exit_code);
    }
    match result {
        Ok(true) => DONE,
        Ok(false) => FAILED,
        // Whoever read stdout has seen enough.
        Err(error) if is_closed_pipe(&error) => DONE,
        Err(error) => {
            // If nobody reads any more, nobody wants to know either.
            let _ = output.failure(&Failure::from_error(error));
            host.stop.reason().map_or(FAILED, StopReason::exit_code)
        }
    }
}

/// Stderr, for messages and for what is said when they cannot be.
struct Shared(Arc<Mutex<Box<dyn Write + Send>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}
