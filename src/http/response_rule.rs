//! Rules about responses as data: most APIs differ from the defaults in a status or two, which a table shows more
//! plainly than a method.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{Response, ResponseAction};

/// The action for matching responses.
///
/// A rule is an action and conditions, all of which must hold; a rule without conditions matches every response. The
/// first of [`super::RetryRules::response_rules`] that matches decides; without one,
/// [`super::RetryRules::should_retry`] and the status do.
///
/// ```
/// use source_http::http::{ResponseAction, ResponseRule};
/// use source_http::protocol::FailureKind;
///
/// let rules = [
///     // Not a fault: this account has no such objects.
///     ResponseRule::new(ResponseAction::Ignore).status(404),
///     // These credentials cannot read this stream: it is left out, with a warning.
///     ResponseRule::new(ResponseAction::SkipStream)
///         .status(403)
///         .body_contains("insufficient_scope")
///         .hint("Give the token the scope orders:read."),
///     // This user has hidden the orders: the other users' orders are read.
///     ResponseRule::new(ResponseAction::SkipSlice).status(403).body_contains("private_profile"),
///     // This API says "slow down" with the wrong status.
///     ResponseRule::new(ResponseAction::RateLimited).status(403).body_contains("quota exceeded"),
///     ResponseRule::new(ResponseAction::Fail(FailureKind::Config))
///         .status(402)
///         .message("The plan of this account has no API access")
///         .hint("Upgrade the plan, or deselect the stream."),
///     ResponseRule::new(ResponseAction::Retry).statuses(520..=530),
///     // A fault in the guise of a success.
///     ResponseRule::new(ResponseAction::Retry)
///         .status(200)
///         .when(|response| response.header("x-partial") == Some("true")),
/// ];
/// # let _ = rules;
/// ```
#[derive(Clone)]
pub struct ResponseRule {
    action: ResponseAction,
    conditions: Vec<Condition>,
    message: Option<String>,
    hint: Option<String>,
}

#[derive(Clone)]
enum Condition {
    Statuses(RangeInclusive<u16>),
    BodyContains(String),
    Predicate(Arc<dyn Fn(&Response) -> bool + Send + Sync>),
}

impl Condition {
    fn holds(&self, response: &Response) -> bool {
        match self {
            Self::Statuses(statuses) => statuses.contains(&response.status.as_u16()),
            // A body that cannot be read back from disk does not match; reading its records will report it.
            Self::BodyContains(text) => response.body.contains(text.as_bytes()).unwrap_or(false),
            Self::Predicate(holds) => holds(response),
        }
    }
}

impl ResponseRule {
    /// A rule without conditions, which matches every response.
    #[must_use]
    pub fn new(action: ResponseAction) -> Self {
        Self { action, conditions: Vec::new(), message: None, hint: None }
    }

    /// Only responses with this status.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        self.statuses(status..=status)
    }

    /// Only responses with a status in this range, both ends included.
    #[must_use]
    pub fn statuses(self, statuses: RangeInclusive<u16>) -> Self {
        self.condition(Condition::Statuses(statuses))
    }

    /// Only responses with this text somewhere in their body, in the same case.
    #[must_use]
    pub fn body_contains(self, text: impl Into<String>) -> Self {
        self.condition(Condition::BodyContains(text.into()))
    }

    /// Only responses for which this is true.
    #[must_use]
    pub fn when(self, predicate: impl Fn(&Response) -> bool + Send + Sync + 'static) -> Self {
        self.condition(Condition::Predicate(Arc::new(predicate)))
    }

    /// The user's message if the stream or a slice fails or is skipped because of such a response, instead of the API's
    /// own. A sentence without its full stop.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The fix for the user, as a sentence. Default: the hint for the status.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the rule matches the response. Conditions are tried in the order they were given.
    #[must_use]
    pub fn fits(&self, response: &Response) -> bool {
        self.conditions.iter().all(|condition| condition.holds(response))
    }

    /// The first rule that matches this response.
    #[must_use]
    pub fn find<'r>(rules: &'r [Self], response: &Response) -> Option<&'r Self> {
        rules.iter().find(|rule| rule.fits(response))
    }

    /// The action.
    #[must_use]
    pub fn action(&self) -> ResponseAction {
        self.action
    }

    /// See [`ResponseRule::message`].
    #[must_use]
    pub fn user_message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// See [`ResponseRule::hint`].
    #[must_use]
    pub fn user_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn condition(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

impl fmt::Debug for ResponseRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseRule")
            .field("action", &self.action)
            .field("conditions", &self.conditions)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statuses(statuses) => write!(f, "status {statuses:?}"),
            Self::BodyContains(text) => write!(f, "body contains {text:?}"),
            Self::Predicate(_) => f.write_str("predicate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::response::tests::response;
    use super::*;

    #[test]
    fn all_conditions_of_a_rule_must_hold() {
        let rule = ResponseRule::new(ResponseAction::Retry)
            .statuses(400..=403)
            .body_contains("busy")
            .when(|response| response.header("x-a") == Some("1"));
        for (status, header, body, fits) in [
            (400, "1", "so busy", true),
            (403, "1", "busy", true),
            (399, "1", "busy", false),
            (404, "1", "busy", false),
            (400, "1", "Busy", false),
            (400, "2", "busy", false),
        ] {
            assert_eq!(rule.fits(&response(status, &[("x-a", header)], body)), fits, "{status} {header} {body}");
        }
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let rules = [
            ResponseRule::new(ResponseAction::Ignore).status(404),
            ResponseRule::new(ResponseAction::Retry).statuses(400..=499),
            ResponseRule::new(ResponseAction::Success),
        ];
        let action = |status| ResponseRule::find(&rules, &response(status, &[], "")).map(ResponseRule::action);
        assert_eq!(action(404), Some(ResponseAction::Ignore));
        assert_eq!(action(405), Some(ResponseAction::Retry));
        assert_eq!(action(500), Some(ResponseAction::Success));
        assert!(ResponseRule::find(&rules[..2], &response(500, &[], "")).is_none());
    }
}
