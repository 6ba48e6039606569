//! The config's place, and whether it may refer to the environment.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// The config's place.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ConfigArgs {
    /// The config; ${NAME} in its texts stands for an environment variable
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Write new credentials from the API into the config file, such as the next single-use refresh token
    #[arg(long)]
    pub config_file_update: bool,

    /// Whether the config may refer to the environment.
    #[command(flatten)]
    pub env: ConfigEnvArgs,
}

/// Whether the config may refer to the environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct ConfigEnvArgs {
    /// Whether ${NAME} in the config stands for an environment variable [default: on, but off on Airbyte's platform]
    #[arg(long, value_name = "WHEN", env = "SOURCE_HTTP_CONFIG_ENV", hide_env_values = true, value_parser = config_env())]
    #[arg(default_value = "", hide_default_value = true, ignore_case = true)]
    pub config_env: ConfigEnv,
}

/// When references to environment variables are replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConfigEnv {
    /// Unless the environment looks like Airbyte's platform, where it does not belong to the author of the config.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Images use an empty variable for the default.
fn config_env() -> impl TypedValueParser<Value = ConfigEnv> {
    let words = ["on", "off"].map(PossibleValue::new).into_iter().chain([PossibleValue::new("").hide(true)]);
    PossibleValuesParser::new(words).map(|word| match word.to_ascii_lowercase().as_str() {
        "on" => ConfigEnv::On,
        "off" => ConfigEnv::Off,
        _ => ConfigEnv::Auto,
    })
}
