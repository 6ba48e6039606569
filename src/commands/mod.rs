//! Airbyte's four commands and those for people at a shell, one short file each, over their common part: the source,
//! its config, and the output. `configured` makes catalogs, `table` shows streams.

mod about;
mod catalog;
mod check;
mod configured;
mod discover;
mod hand_over;
mod pages;
mod read;
mod report;
mod spec;
mod table;

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::cli::{Command, ConfigArgs, ConfigEnv};
use crate::clock::{Clock, Random};
use crate::config::{self, ConfigFile, References};
use crate::environment::Environment;
use crate::http::budget::BudgetWait;
use crate::http::cache::ResponseCache;
use crate::http::{Activity, HttpClient, NetworkEnvironment, RetryObserver, Telling, Wait};
use crate::json;
use crate::memory::MemoryLimit;
use crate::protocol::{Failure, LogLevel, Output};
use crate::source::{Config, Given, Source, SourceContext};
use crate::sources::{Program, Registry};
use crate::stop::Stop;
use crate::streams::HttpStream;
use crate::sync::StreamTally;
use crate::terminal::Screen;

pub(crate) use hand_over::{HandOver, PythonRuntime, replace};
pub(crate) use report::Report;

/// The context of every command.
pub(crate) struct Context<'a> {
    /// The program.
    pub(crate) program: Program,
    /// The source, as far as it is known: see [`Context::choose`].
    pub(crate) source: Arc<dyn Source>,
    /// All sources, and the names of the requested one.
    pub(crate) registry: &'a Registry,
    pub(crate) wanted: Option<&'a str>,
    /// The manifest of the source, if a file is named.
    pub(crate) manifest: Option<&'a Path>,
    /// The runtime for manifests that need Python.
    pub(crate) runtime: Option<PythonRuntime<'a>>,
    /// The messages of the protocol.
    pub(crate) output: &'a Arc<Output>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) network: NetworkEnvironment,
    /// Variables for the config, and settings of the platform.
    pub(crate) environment: &'a Environment,
    pub(crate) memory: &'a MemoryLimit,
    pub(crate) stop: &'a Stop,
    /// `None` once it was read.
    pub(crate) stdin: Option<Box<dyn Read + Send>>,
    /// Stdout, for a command [for people](Command::is_for_people).
    pub(crate) answer: Box<dyn Write + Send>,
    /// The directory of the response cache's file; `None` is a private temporary directory.
    pub(crate) cache_dir: Option<&'a Path>,
    pub(crate) screen: &'a Screen,
    /// The config for the next runs, if it differs.
    pub(crate) migrated: Option<Config>,
    /// The client, once there are requests.
    pub(crate) client: OnceLock<Arc<HttpClient>>,
    /// The counters of a read. `None` for other commands.
    pub(crate) report: Option<Report>,
}

/// Runs a command. True on success.
pub(crate) fn run(command: &Command, cx: &mut Context<'_>) -> anyhow::Result<bool> {
    match command {
        Command::Spec => spec::run(cx).map(|()| true),
        Command::Check(args) => check::run(args, cx),
        Command::Discover(args) => discover::run(args, cx).map(|()| true),
        Command::Read(args) => read::run(args, cx).map(|()| true),
        Command::Catalog(args) => catalog::run(args, cx).map(|()| true),
        Command::About(args) => about::run(args, cx).map(|()| true),
        Command::Completions(args) => pages::completions(args, cx).map(|()| true),
        Command::Man(args) => pages::man(args, cx).map(|()| true),
    }
}

impl Context<'_> {
    /// Chooses the source of the run.
    fn choose(&mut self, config: Option<&Config>) -> Result<(), Failure> {
        let given = Given { config, manifest: self.manifest, output: self.output };
        if let Some(source) = self.registry.choose(self.wanted, &given)? {
            self.source = source;
        }
        Ok(())
    }

    /// The config, checked by the source that it is for.
    ///
    /// # Errors
    /// Also [`HandOver`], if another runtime must do the run.
    fn config(&mut self, args: &ConfigArgs) -> anyhow::Result<Config> {
        let text = self.read_file(&args.config, "config", "--config")?;
        // One that is not a JSON object is reported below.
        let written: Option<Config> = serde_json::from_slice(&text).ok();
        self.choose(written.as_ref())?;
        let sign = self.environment.sign_of_the_platform();
        let references = match (args.env.config_env, sign) {
            (ConfigEnv::On, _) | (ConfigEnv::Auto, None) => References::From(self.environment),
            (ConfigEnv::Auto, Some(sign)) => References::AsWrittenFor(sign),
            (ConfigEnv::Off, _) => References::AsWritten,
        };
        if let Some(runtime) = &self.runtime
            && let Some(why) = self.source.needs_python()
        {
            let reference = written.as_ref().and_then(|config| config::replaced_reference(config, references));
            return Err(runtime.hand_over(why, reference.as_deref())?.into());
        }
        let specification = self.source.spec().connection_specification;
        let from = name(&args.config);
        let (formats, redactor) = (self.source.checks_formats(), self.output.redactor());
        let changes = config::Changes {
            migrate: &|config| self.source.migrate_config(config, &self.clock, redactor),
            transform: &|config| self.source.transform_config(config, &self.clock, redactor),
        };
        let loaded = config::load(&text, &from, &specification, formats, references, redactor, changes)?;
        let config = loaded.config;
        if args.config_file_update {
            self.output.keep_config(Some(Box::new(ConfigFile::open(&args.config, &text)?)));
        } else if !self.environment.is_of_the_platform() {
            self.output.keep_config(None);
        }
        self.migrated = loaded.kept;
        if let Some(warning) = config::unknown_settings(&config, &from, &specification) {
            self.output.notice(&warning)?;
        }
        // With `off`, the written text is intended.
        if args.env.config_env == ConfigEnv::Auto
            && let Some(warning) = config::unused_reference(&config, references)
        {
            self.output.notice(&warning)?;
        }
        Ok(config)
    }

    /// Stores a migrated config for the next runs.
    fn keep_migrated(&mut self) -> anyhow::Result<()> {
        self.migrated.take().map_or(Ok(()), |config| Ok(self.output.migrated(config)?))
    }

    /// Writes the answer to a command for people.
    fn answer(&mut self, text: &[u8]) -> anyhow::Result<()> {
        self.answer.write_all(text).and_then(|()| self.answer.flush()).map_err(Into::into)
    }

    fn streams(&self, config: &Config) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        self.source.streams(config, &self.source_context())
    }

    fn source_context(&self) -> SourceContext {
        let redactor = self.output.redactor().clone();
        let (clock, stop, output) = (self.clock.clone(), self.stop.clone(), self.output.clone());
        SourceContext { clock, stop, output, redactor, client: Arc::clone(self.client()) }
    }

    /// The client for all requests of the run.
    fn client(&self) -> &Arc<HttpClient> {
        self.client.get_or_init(|| {
            let cache =
                self.cache_dir.map_or_else(ResponseCache::new, |directory| ResponseCache::new().directory(directory));
            let client = HttpClient::new(self.clock.clone(), self.random.clone(), self.output.clone())
                .with_stop(self.stop)
                .with_network(self.network.clone())
                .with_cache(cache);
            Arc::new(client)
        })
    }

    /// Reads a file, or standard input. A stop ends the wait for a silent pipe.
    fn read_file(&mut self, file: &Path, what: &str, flag: &str) -> anyhow::Result<Vec<u8>> {
        let stdin = self.stdin.take_if(|_| file.as_os_str() == "-");
        let path = file.to_owned();
        let read = move || match stdin {
            Some(mut stdin) => {
                let mut text = Vec::new();
                stdin.read_to_end(&mut text).map(|_| text)
            }
            None => std::fs::read(path),
        };
        // Some editors put a byte order mark at the start of every file.
        let read = self.stop.unless_requested(read)?.map(|text| json::without_mark(&text).to_vec());
        read.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                io::ErrorKind::PermissionDenied => "this user cannot read it".to_owned(),
                _ => error.to_string(),
            };
            let text = format!("The {what} file {} cannot be read: {why}. Check {flag}.", file.display());
            Failure::config(text).into()
        })
    }
}

/// The name of a file in messages.
fn name(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() }
}

/// The log reports waits outside of any stream.
struct LoggedWaits<'a> {
    output: &'a Output,
    tally: &'a StreamTally,
}

impl LoggedWaits<'_> {
    /// Shows observers the current wait.
    fn note_wait(&self, reason: &str, delay: Duration) {
        self.tally.wait(self.output.redactor().redact(reason), self.output.elapsed() + delay);
    }
}

impl RetryObserver for LoggedWaits<'_> {
    fn waiting(&self, wait: &Wait) -> anyhow::Result<()> {
        if !wait.too_long {
            self.note_wait(&wait.why(), wait.delay);
            if wait.telling != Telling::Silent {
                self.output.log(LogLevel::Info, &wait.to_string())?;
            }
        }
        Ok(self.output.flush()?)
    }

    fn throttled(&self, wait: &BudgetWait) -> anyhow::Result<()> {
        // Shorter waits come and go with every few requests.
        if wait.is_long() {
            self.note_wait(&wait.rule, wait.delay);
        }
        if wait.is_worth_telling() {
            self.output.log(LogLevel::Info, &wait.to_string())?;
        }
        Ok(self.output.flush()?)
    }

    fn asking(&self, host: Option<&str>) {
        self.tally.ask(host, self.output.elapsed());
    }

    fn active(&self, activity: Activity) {
        self.tally.note(activity);
    }
}
