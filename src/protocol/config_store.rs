//! Stores a config that a run has changed, where no platform does.

use serde_json::{Map, Value};

use super::Failure;

/// Keeps the config of a CONTROL message for the next run.
pub trait ConfigStore: Send + Sync {
    /// Stores this config: whole, secrets included, references to the environment as written. It is stored when this
    /// returns.
    ///
    /// # Errors
    /// A config failure if it cannot be stored, which describes the current content.
    fn store(&self, config: &Map<String, Value>) -> Result<(), Failure>;

    /// Its place, for messages.
    fn name(&self) -> String;
}
