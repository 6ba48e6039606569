//! How a wait of the budget is reported.

use std::fmt;
use std::time::Duration;

/// Shorter waits are not worth a line.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// A wait that the request budget imposes before an attempt. It keeps this program below a limit: nothing has failed,
/// and the platform is not notified of a rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetWait {
    /// The waiting request, as it may be shown.
    pub request: String,
    /// How long.
    pub delay: Duration,
    /// The limit, and who set it.
    pub rule: String,
    /// The same attempt has waited before, and that was reported.
    pub again: bool,
}

impl BudgetWait {
    /// Whether to tell people: it is longer than a second, and was not reported yet.
    #[must_use]
    pub fn is_worth_telling(&self) -> bool {
        self.is_long() && !self.again
    }

    /// Whether it is longer than a second: long enough to be seen.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.delay > WORTH_TELLING
    }
}

impl fmt::Display for BudgetWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waiting {:.1} s before {}: {}.", self.delay.as_secs_f64(), self.request, self.rule)
    }
}
