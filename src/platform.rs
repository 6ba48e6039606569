//! What Airbyte's platform asks of a connector through environment variables, besides the network.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::protocol::Failure;

/// Fails if records and states are wanted in a way that is not spoken. Written to stdout anyway, they would be read
/// by nobody.
///
/// | variable | what it says |
/// | --- | --- |
/// | `DATA_CHANNEL_MEDIUM` | `STDIO`, which is stdout; `SOCKET` is refused |
/// | `DATA_CHANNEL_FORMAT` | `JSONL`, which is a JSON object a line; `PROTOBUF` is refused |
///
/// Where they are not set, or set to nothing, the first value of each is meant, as Airbyte's documentation of the Docker
/// interface has it.
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

/// Where the files of records are kept for the destination: what `AIRBYTE_STAGING_DIRECTORY` names, or `/staging/files`,
/// if it is there; or else a folder of our own below `/tmp`.
pub(crate) fn staging_directory(environment: &Environment) -> PathBuf {
    let wanted = environment.get("AIRBYTE_STAGING_DIRECTORY").map_or(Path::new("/staging/files"), Path::new);
    if wanted.is_dir() { wanted.to_owned() } else { PathBuf::from("/tmp/airbyte-file-transfer") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_or_set_to_the_default_is_spoken() {
        for vars in [vec![], vec![("DATA_CHANNEL_MEDIUM", "")], vec![("DATA_CHANNEL_MEDIUM", "STDIO")]] {
            assert!(check_data_channel(&Environment::from_vars(vars)).is_ok());
        }
        let both = [("DATA_CHANNEL_MEDIUM", "stdio"), ("DATA_CHANNEL_FORMAT", "jsonl")];
        assert!(check_data_channel(&Environment::from_vars(both)).is_ok());
    }

    #[test]
    fn what_is_not_spoken_is_named() {
        for (variable, value) in [("DATA_CHANNEL_MEDIUM", "SOCKET"), ("DATA_CHANNEL_FORMAT", "PROTOBUF")] {
            let failure = check_data_channel(&Environment::from_vars([(variable, value)])).unwrap_err();
            assert!(failure.message.starts_with(&format!("{variable} is {value}, and")), "{failure}");
        }
    }
}
