//! The settings of Airbyte's platform in environment variables, besides the network.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::protocol::Failure;

/// Fails if records and states are requested in an unsupported way. On stdout, nobody would read them.
///
/// | variable | values |
/// | --- | --- |
/// | `DATA_CHANNEL_MEDIUM` | `STDIO`, which is stdout; `SOCKET` is refused |
/// | `DATA_CHANNEL_FORMAT` | `JSONL`, which is a JSON object a line; `PROTOBUF` is refused |
///
/// The default for unset or empty ones is the first value of each, as in Airbyte's documentation of the Docker
/// interface.
pub(crate) fn check_data_channel(environment: &Environment) -> Result<(), Failure> {
    for (variable, spoken) in [("DATA_CHANNEL_MEDIUM", "STDIO"), ("DATA_CHANNEL_FORMAT", "JSONL")] {
        let value = environment.get(variable).map(|value| value.to_string_lossy());
        if let Some(value) = value.filter(|value| !value.eq_ignore_ascii_case(spoken)) {
            return Err(Failure::config(format!(
                "{variable} is {value}, and this connector speaks {spoken} only. Set it to {spoken}, or unset it; \
                 in Airbyte, the definition of the connector must not offer another one in \
                 connectorIPCOptions."
            )));
        }
    }
    Ok(())
}

/// The folder where the destination takes the files of records: the value of `AIRBYTE_STAGING_DIRECTORY`, or
/// `/staging/files`, if it exists; otherwise a folder of our own below `/tmp`.
pub(crate) fn staging_directory(environment: &Environment) -> PathBuf {
    let wanted = environment.get("AIRBYTE_STAGING_DIRECTORY").map_or(Path::new("/staging/files"), Path::new);
    if wanted.is_dir() { wanted.to_owned() } else { PathBuf::from("/tmp/airbyte-file-transfer") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_accepted_set_or_not() {
        for vars in [vec![], vec![("DATA_CHANNEL_MEDIUM", "")], vec![("DATA_CHANNEL_MEDIUM", "STDIO")]] {
            assert!(check_data_channel(&Environment::from_vars(vars)).is_ok());
        }
        let both = [("DATA_CHANNEL_MEDIUM", "stdio"), ("DATA_CHANNEL_FORMAT", "jsonl")];
        assert!(check_data_channel(&Environment::from_vars(both)).is_ok());
    }

    #[test]
    fn unsupported_values_are_named() {
        for (variable, value) in [("DATA_CHANNEL_MEDIUM", "SOCKET"), ("DATA_CHANNEL_FORMAT", "PROTOBUF")] {
            let failure = check_data_channel(&Environment::from_vars([(variable, value)])).unwrap_err();
            assert!(failure.message.starts_with(&format!("{variable} is {value}, and")), "{failure}");
        }
    }
}
