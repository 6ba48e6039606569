//! The current credentials of an OAuth client.

use jiff::Timestamp;

use super::expiry;
use super::stored_tokens::StoredTokens;
use crate::http::auth::secret::Secret;
use crate::protocol::Failure;

/// The current tokens.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// `None` before the first request, and after a refusal.
    pub(super) access_token: Option<AccessToken>,
    pub(super) refresh_token: Option<Secret>,
    /// The config that holds them, if the platform has to store it.
    pub(super) stored: Option<StoredTokens>,
    /// The last access token that the API refused.
    pub(super) rejected: Option<Secret>,
    /// Why the endpoint gives no token. It is not asked again in this run.
    pub(super) refused: Option<Failure>,
}

/// An access token and its times. They use the wall clock, like the config's expiry date; if that clock jumps, the API
/// refuses the token and it is replaced.
#[derive(Debug)]
pub(super) struct AccessToken {
    pub(super) value: Secret,
    pub(super) renew_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl AccessToken {
    /// A token that was just issued.
    pub(super) fn new(value: Secret, now: Timestamp, expires_at: Timestamp) -> Self {
        Self { value, renew_at: expiry::renew_at(now, expires_at), expires_at }
    }

    /// A token from the config, issued at an unknown time.
    pub(super) fn stored(value: Secret, expires_at: Timestamp) -> Self {
        let renew_at = expires_at.checked_sub(expiry::MARGIN).unwrap_or(expires_at);
        Self { value, renew_at, expires_at }
    }

    /// Postpones the renewal to half of the token's remaining time.
    pub(super) fn postpone(&mut self, now: Timestamp) {
        let left = self.expires_at.duration_since(now);
        self.renew_at = now.checked_add(left / 2).unwrap_or(self.expires_at);
    }
}
