//! Parses the command line into one validated [`Invocation`]. Nothing after this reads flags again. `people` has the
//! flags for people alone; `pages` makes completions and manual pages.

mod config_args;
mod examples;
mod pages;
mod people;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

use crate::protocol::LogLevel;
use crate::sources::Program;
pub use config_args::{ConfigArgs, ConfigEnv, ConfigEnvArgs};
pub(crate) use pages::{completions, man};
pub use people::{AboutArgs, CatalogArgs, CatalogFormat, CompletionsArgs, DiscoverArgs, ManArgs};

/// Reads an HTTP API as an Airbyte source and writes Airbyte protocol messages to stdout, one JSON object a line.
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// The built-in source to run
    #[arg(long, global = true, value_name = "NAME", env = "AIRBYTE_SOURCE", hide_env_values = true)]
    source: Option<String>,

    /// The manifest of a low-code connector to run instead of a built-in source, as Airbyte's connector builder exports
    /// it: YAML or JSON
    #[arg(long, global = true, value_name = "FILE", env = "AIRBYTE_MANIFEST_PATH", hide_env_values = true)]
    manifest_path: Option<PathBuf>,

    /// Python code of a manifest, passed on if the manifest is handed over to a Python runtime; this program does not
    /// run it
    #[arg(long, hide = true, global = true, value_name = "FILE")]
    components_path: Option<PathBuf>,

    /// Keep responses that are read more than once in a file in this directory, for the length of the run [default: a
    /// private temporary directory]
    #[arg(long, global = true, value_name = "DIR", env = "SOURCE_HTTP_CACHE_DIR", hide_env_values = true)]
    cache_dir: Option<PathBuf>,

    /// Log every request
    #[arg(long, global = true)]
    debug: bool,

    /// Write only errors to stderr, and only those that stdout does not show: no progress, no summary
    #[arg(short, long, global = true)]
    quiet: bool,

    /// Log lines below this level are left out [default: info]
    #[arg(long, hide = true, global = true, value_name = "LEVEL", env = "LOG_LEVEL")]
    log_level: Option<String>,
}

/// The command.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Print the settings that a config may have
    Spec,
    /// Check a config
    Check(CheckArgs),
    /// Print the available streams, with their schemas
    Discover(DiscoverArgs),
    /// Print records and states
    Read(ReadArgs),
    /// Print a configured catalog to edit and pass to read
    Catalog(CatalogArgs),
    /// Describe this program and its streams
    About(AboutArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print a manual page
    Man(ManArgs),
}

/// The flags of `check`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CheckArgs {
    /// The config to check.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Exit with 1 if the config does not work, for use in scripts
    #[arg(long)]
    pub exit_status: bool,
}

/// The flags of `read`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ReadArgs {
    /// The config to read with.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// The configured catalog: which streams to read, and how [default: every stream, incrementally where possible]
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,

    /// Resume from this state: one that Airbyte keeps, or the STATE lines of an earlier read
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Load the state from this file and save it there as the read progresses; created if it does not exist
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    pub state_file: Option<PathBuf>,

    /// Read only these streams, in this order: their names, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = stream_name, value_hint = ValueHint::Other)]
    pub streams: Vec<String>,

    /// Stop each stream after this many records, with a state to resume from
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), value_hint = ValueHint::Other)]
    pub limit: Option<u64>,

    /// Read up to N slices of streams concurrently [default: chosen by the source, often a setting of its config]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), value_hint = ValueHint::Other)]
    pub workers: Option<u16>,

    /// Format of stdout [default: protocol]
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_default_value = true)]
    pub format: Format,

    /// At the end, write the counters of each stream to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

/// The format of `read` on stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Airbyte protocol messages
    #[default]
    Protocol,
    /// The records of one stream, one JSON object a line; all else goes to stderr as text
    Jsonl,
}

/// A valid command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The command.
    pub command: Command,
    /// The requested source; `None` is the default one.
    pub source: Option<String>,
    /// The manifest of the source.
    pub manifest_path: Option<PathBuf>,
    /// The Python code of the manifest, which this program does not run.
    pub components_path: Option<PathBuf>,
    /// The directory of the response cache's file; `None` is a private temporary directory.
    pub cache_dir: Option<PathBuf>,
    /// Log lines below this level are dropped.
    pub log_level: LogLevel,
    /// Whether output for people is suppressed.
    pub quiet: bool,
}

/// Parses the command line of a program with these sources, the default one first. `args` begins with the program's
/// name.
///
/// # Errors
/// Also for `--help` and `--version`, which are answers rather than errors; [`clap::Error::use_stderr`] distinguishes
/// them.
pub fn parse(
    args: impl IntoIterator<Item = std::ffi::OsString>,
    program: Program,
    sources: &[&str],
) -> Result<Invocation, clap::Error> {
    let args: Vec<std::ffi::OsString> = args.into_iter().collect();
    let matches = command(program, sources).try_get_matches_from(&args).map_err(|error| {
        if error.kind() == clap::error::ErrorKind::UnknownArgument && ends_in_comma(&args) {
            return clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("--streams: {MISSING_NAME}\n"));
        }
        error
    })?;
    let cli = Cli::from_arg_matches(&matches)?;
    if cli.command.files_from_stdin() > 1 {
        let text = "only one FILE can be -: standard input can be read once\n";
        return Err(clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, text));
    }
    let is_stdin = |file: &Option<PathBuf>| file.as_ref().is_some_and(|file| file.as_os_str() == "-");
    if matches!(&cli.command, Command::Read(args) if is_stdin(&args.summary)) {
        let text = "--summary cannot be -: stdout is for the records\n";
        return Err(clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, text));
    }
    if matches!(&cli.command, Command::Read(args) if is_stdin(&args.state_file)) {
        let text = "--state-file cannot be -: states are written to it; use --state\n";
        return Err(clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, text));
    }
    let updates_stdin = |config: &ConfigArgs| config.config_file_update && config.config.as_os_str() == "-";
    if cli.command.config().is_some_and(updates_stdin) {
        let text = "--config-file-update needs a file: --config cannot be -\n";
        return Err(clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, text));
    }
    let log_level = match cli.log_level.as_deref().map(str::to_ascii_lowercase).as_deref() {
        _ if cli.debug => LogLevel::Debug,
        Some("debug" | "trace") => LogLevel::Debug,
        Some("warn" | "warning") => LogLevel::Warn,
        Some("error" | "fatal" | "critical") => LogLevel::Error,
        _ => LogLevel::Info,
    };
    // Images use an empty variable for the default.
    let source = cli.source.filter(|name| !name.is_empty());
    let manifest_path = cli.manifest_path.filter(|file| !file.as_os_str().is_empty());
    let cache_dir = cli.cache_dir.filter(|directory| !directory.as_os_str().is_empty());
    let (command, components_path, quiet) = (cli.command, cli.components_path, cli.quiet);
    Ok(Invocation { command, source, manifest_path, components_path, cache_dir, log_level, quiet })
}

/// The shell turns `--streams a, b` into a list with an empty name, and an argument without a flag.
const MISSING_NAME: &str =
    "a name is missing. Write the names without a blank after the comma, a,b, or in quotes, \"a, b\"";

/// Whether the value of `--streams` ends in a comma.
fn ends_in_comma(args: &[std::ffi::OsString]) -> bool {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let follows = args.windows(2).any(|pair| pair[0] == "--streams" && pair[1].ends_with(','));
    follows || args.iter().any(|arg| arg.starts_with("--streams=") && arg.ends_with(','))
}

/// A name of `--streams`, without the blanks around it.
fn stream_name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err(MISSING_NAME),
        name => Ok(name.to_owned()),
    }
}

/// The flags of a program with these sources, the default one first.
fn command(program: Program, sources: &[&str]) -> clap::Command {
    let default = sources.first().map(|name| format!(" [default: {name}]")).unwrap_or_default();
    Cli::command()
        .name(program.name)
        .bin_name(program.name)
        .version(program.version)
        .after_help(examples::help(program))
        .mut_arg(SOURCE, |arg| arg.help(format!("The built-in source to run{default}")))
}

/// The flag that selects a source.
const SOURCE: &str = "source";

impl Command {
    /// Whether the answer is a text for people, not protocol messages.
    pub(crate) fn is_for_people(&self) -> bool {
        match self {
            Self::Spec | Self::Check(_) | Self::Read(_) => false,
            Self::Discover(args) => args.format == CatalogFormat::Table,
            Self::Catalog(_) | Self::About(_) | Self::Completions(_) | Self::Man(_) => true,
        }
    }

    /// The config's place, for a command that may receive new credentials.
    fn config(&self) -> Option<&ConfigArgs> {
        match self {
            Self::Check(args) => Some(&args.config),
            Self::Discover(args) => Some(&args.config),
            Self::Catalog(args) => Some(&args.config),
            Self::Read(args) => Some(&args.config),
            Self::Spec | Self::About(_) | Self::Completions(_) | Self::Man(_) => None,
        }
    }

    fn files_from_stdin(&self) -> usize {
        let files: [Option<&PathBuf>; 3] = match self {
            Self::Spec | Self::Completions(_) | Self::Man(_) => [None; 3],
            Self::Check(args) => [Some(&args.config.config), None, None],
            Self::Discover(args) => [Some(&args.config.config), None, None],
            Self::Catalog(args) => [Some(&args.config.config), None, None],
            Self::About(args) => [args.config.as_ref(), None, None],
            Self::Read(args) => [Some(&args.config.config), args.catalog.as_ref(), args.state.as_ref()],
        };
        files.into_iter().flatten().filter(|file| file.as_os_str() == "-").count()
    }
}

#[cfg(test)]
mod tests;
