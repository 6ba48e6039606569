//! The flags of the commands for people at a shell.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{ConfigArgs, ConfigEnvArgs, stream_name};

/// The flags of `discover`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DiscoverArgs {
    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Output format: a CATALOG message with schemas, or a table for people
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: CatalogFormat,
}

/// The output format of streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum CatalogFormat {
    /// The protocol's message.
    #[default]
    Json,
    /// A table.
    Table,
}

/// The flags of `catalog`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CatalogArgs {
    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Only these streams, in this order: their names, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = stream_name, value_hint = ValueHint::Other)]
    pub streams: Vec<String>,

    /// Use incremental mode where supported [default: full refresh]
    #[arg(long)]
    pub incremental: bool,
}

/// The flags of `about`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct AboutArgs {
    /// A config, for a source whose streams depend on it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Whether the config may refer to the environment.
    #[command(flatten)]
    pub env: ConfigEnvArgs,
}

/// The arguments of `completions`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// The arguments of `man`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ManArgs {
    /// The page of one command [default: one page for all]
    #[arg(value_name = "COMMAND", value_hint = ValueHint::Other)]
    pub command: Option<String>,
}
