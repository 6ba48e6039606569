//! A config that changes in a run, such as by a refresh token that is good for one use: who keeps the new one, and the message
//! where nobody does.

use std::io;
use std::sync::atomic::Ordering;

use super::super::{ConfigStore, Control, ControlConnectorConfig, ControlKind, LogLevel, Message};
use super::Output;

/// Why a changed config is lost with bare records.
const CONTROL_IS_LEFT_OUT: &str = "The API has replaced a credential of the config, and the new one is lost: --format \
     jsonl cannot carry it. Put a new one into the config, and read with --format protocol, whose CONTROL message has \
                                   it.";

/// Why a coming change of the config is lost at a shell.
const CONTROL_IS_NOT_KEPT: &str = "A new access token is requested. If the API also replaces the refresh token, the \
     one in the config is void and the new one is not stored: the next run will be \
                                   refused. \
                                   --config-file-update stores it in the config file.";

impl Output {
    /// Sets the store of a changed config; `None` if there is none, as at a shell. The first call counts. Default: the
    /// platform, which reads CONTROL messages.
    pub fn keep_config(&self, store: Option<Box<dyn ConfigStore>>) {
        let _ = self.config_store.set(store);
    }

    /// Call it before using a credential that may be replaced: it warns, once a run, if nobody would keep the new one.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn config_may_change(&self) -> io::Result<()> {
        if !matches!(self.config_store.get(), Some(None)) || self.told_loss.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.log(LogLevel::Warn, CONTROL_IS_NOT_KEPT)
    }

    /// Keeps a changed config: in its [store](Output::keep_config), if there is one, and then in a CONTROL message,
    /// which asks the platform to. The config is written unmasked: the platform needs its secrets.
    ///
    /// # Errors
    /// As [`Output::records`]; a config failure if the store cannot keep it.
    pub fn control(&self, config: serde_json::Map<String, serde_json::Value>) -> anyhow::Result<()> {
        let store = self.config_store.get().and_then(Option::as_ref);
        // First of all: however the run ends, the next one has it.
        let stored = store.map(|store| store.store(&config));
        match (&stored, self.bare) {
            (None, true) => self.log(LogLevel::Error, CONTROL_IS_LEFT_OUT)?,
            (_, true) => {}
            (_, false) => self.write_control(config)?,
        }
        match stored {
            None => Ok(()),
            Some(Ok(())) => {
                let name = store.map(|store| store.name()).unwrap_or_default();
                Ok(self.log(LogLevel::Info, &format!("New credentials of the API were written to {name}."))?)
            }
            Some(Err(mut failure)) => {
                failure.message.push_str(match self.bare {
                    true => " Put a new one into it.",
                    false => " Put the new one into it: the CONTROL message on stdout has it.",
                });
                Err(failure.into())
            }
        }
    }

    /// Keeps a migrated config, as [`Output::control`] keeps one with new credentials. If it cannot be kept, nothing is
    /// lost: the next run migrates it again. The platform's own members of the config stay out of the message.
    ///
    /// # Errors
    /// As [`Output::records`].
    pub fn migrated(&self, mut config: serde_json::Map<String, serde_json::Value>) -> io::Result<()> {
        if let Some(store) = self.config_store.get().and_then(Option::as_ref) {
            let name = store.name();
            let (level, text) = match store.store(&config) {
                Ok(()) => (LogLevel::Info, format!("The config was brought up to date in {name}.")),
                Err(_) => (
                    LogLevel::Warn,
                    format!(
                        "The config is of an older version, and {name} cannot be updated. Each run brings it up to date \
                         again. Check who may write there."
                    ),
                ),
            };
            self.log(level, &text)?;
        }
        config.retain(|name, _| !name.starts_with("__injected"));
        self.write_control(config)
    }

    fn write_control(&self, config: serde_json::Map<String, serde_json::Value>) -> io::Result<()> {
        let control = Control {
            kind: ControlKind::ConnectorConfig,
            emitted_at: self.now_ms(),
            connector_config: ControlConnectorConfig { config },
        };
        self.message(&Message::Control { control })
    }
}
