//! What Airbyte's platform asks of a connector through environment variables, besides the network. Read once, when a
//! run begins, and handed on as a value.

use std::ffi::OsString;

use crate::protocol::Failure;

/// How the platform wants to be given records and states.
///
/// | variable | what it says |
/// | --- | --- |
/// | `DATA_CHANNEL_MEDIUM` | `STDIO`, which is stdout; `SOCKET` is refused by `read` |
/// | `DATA_CHANNEL_FORMAT` | `JSONL`, which is a JSON object a line; `PROTOBUF` is refused by `read` |
///
/// Where they are not set, or set to nothing, the first value of each is meant, as Airbyte's documentation of the Docker
/// interface has it.
///
/// ```
/// use source_http::Platform;
///
/// let platform = Platform::from_vars([("DATA_CHANNEL_MEDIUM", "STDIO")]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    medium: Option<String>,
    format: Option<String>,
}

impl Platform {
    /// The process's environment.
    #[must_use]
    pub fn system() -> Self {
        Self::from_vars(std::env::vars_os())
    }

    /// An environment of these variables; those that say nothing about the platform are passed over.
    #[must_use]
    pub fn from_vars<N: Into<OsString>, V: Into<OsString>>(vars: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut platform = Self::default();
        for (name, value) in vars {
            let value = value.into().to_string_lossy().into_owned();
            match name.into().to_str() {
                Some("DATA_CHANNEL_MEDIUM") => platform.medium = Some(value),
                Some("DATA_CHANNEL_FORMAT") => platform.format = Some(value),
                _ => {}
            }
        }
        platform
    }

    /// Fails if records are wanted in a way that is not spoken. Written to stdout all the same, they would be read by
    /// nobody.
    pub(crate) fn check_data_channel(&self) -> Result<(), Failure> {
        let is_spoken = |value: &str, spoken: &str| value.is_empty() || value.eq_ignore_ascii_case(spoken);
        for (variable, value, spoken) in
            [("DATA_CHANNEL_MEDIUM", &self.medium, "STDIO"), ("DATA_CHANNEL_FORMAT", &self.format, "JSONL")]
        {
            if let Some(value) = value.as_deref().filter(|value| !is_spoken(value, spoken)) {
                return Err(Failure::config(format!(
                    "{variable} is {value}, and this connector speaks {spoken} only. Set it to {spoken}, or leave it \
                     away; in Airbyte, the definition of the connector must not offer another one in \
                     connectorIPCOptions."
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_or_set_to_the_default_is_spoken() {
        for vars in [vec![], vec![("DATA_CHANNEL_MEDIUM", "")], vec![("DATA_CHANNEL_MEDIUM", "STDIO")]] {
            assert!(Platform::from_vars(vars).check_data_channel().is_ok());
        }
        let both = [("DATA_CHANNEL_MEDIUM", "stdio"), ("DATA_CHANNEL_FORMAT", "jsonl")];
        assert!(Platform::from_vars(both).check_data_channel().is_ok());
    }

    #[test]
    fn what_is_not_spoken_is_named() {
        for (variable, value) in [("DATA_CHANNEL_MEDIUM", "SOCKET"), ("DATA_CHANNEL_FORMAT", "PROTOBUF")] {
            let failure = Platform::from_vars([(variable, value)]).check_data_channel().unwrap_err();
            assert!(failure.message.starts_with(&format!("{variable} is {value}, and")), "{failure}");
        }
    }
}
