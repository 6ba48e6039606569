//! What is done about a response, and what that is by its status alone.

use crate::http::{ResponseAction, StatusCode};
use crate::protocol::FailureKind;

/// The action for a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources::declarative) struct Verdict {
    /// The action.
    pub(in crate::sources::declarative) action: ResponseAction,
    /// Who can fix it, if it becomes a failure.
    pub(in crate::sources::declarative) kind: FailureKind,
    /// The manifest's message, if it has one. With [`ResponseAction::Success`] and [`ResponseAction::Ignore`] it is
    /// logged.
    pub(in crate::sources::declarative) message: Option<String>,
    /// What the user can do, as a sentence. Manifests have none.
    pub(in crate::sources::declarative) hint: Option<String>,
}

/// The verdict by the status alone: below 400 is good, a fault that the user can fix is reported at once, and only a
/// fault that may pass is retried.
pub(super) fn by_status(status: u16) -> Verdict {
    let action = match (status, StatusCode::from_u16(status)) {
        // This redirect was not followed, because it names no target: it is not a page of a list, least of all its
        // last. A 300 is not a redirect, and may have records.
        (301..=304 | 307 | 308, _) => {
            let (kind, hint) =
                (FailureKind::System, "It is a redirect without a target: check the URL of the request.");
            let action = ResponseAction::Fail(kind);
            return Verdict { action, kind, message: None, hint: Some(hint.to_owned()) };
        }
        (..400, _) => ResponseAction::Success,
        (423, _) => ResponseAction::Retry,
        (_, Ok(status)) => ResponseAction::for_status(status),
        (_, Err(_)) => ResponseAction::Fail(FailureKind::System),
    };
    Verdict { action, kind: kind_of(status, action), message: None, hint: None }
}

/// The kind of failure of an action, for a status.
pub(super) fn kind_of(status: u16, action: ResponseAction) -> FailureKind {
    match action {
        ResponseAction::Fail(kind) => kind,
        ResponseAction::Retry | ResponseAction::RateLimited | ResponseAction::AskOtherwise(_) => FailureKind::Transient,
        ResponseAction::RefreshToken | ResponseAction::SkipStream | ResponseAction::SkipSlice => FailureKind::Config,
        ResponseAction::Success | ResponseAction::Ignore if matches!(status, 401 | 403 | 407) => FailureKind::Config,
        ResponseAction::Success | ResponseAction::Ignore => FailureKind::System,
    }
}
