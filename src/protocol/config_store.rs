//! Who stores a config that a run has changed, where no platform does.

use serde_json::{Map, Value};

use super::Failure;

/// Keeps the config of a CONTROL message for the next run.
pub trait ConfigStore: Send + Sync {
    /// Keeps this config: whole, secrets included, references to the environment as they were written. It is kept when
    /// this returns.
    ///
    /// # Errors
    /// A config failure if it cannot be kept, which says what is there instead.
    fn store(&self, config: &Map<String, Value>) -> Result<(), Failure>;

    /// Where it is kept, for messages.
    fn name(&self) -> String;
}
