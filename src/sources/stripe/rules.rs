//! The rules for Stripe's answers, for each kind of request: the subject of a refusal depends on the request.

use std::sync::Arc;

use super::api::Api;
use super::api_error::{Subject, error_hint, is_vanished, response_action};
use crate::http::{Response, ResponseAction, RetryRules, Verdict};
use crate::protocol::Failure;

/// The rules for the responses to one stream's requests.
pub(super) struct Rules {
    api: Arc<Api>,
    /// The paths of lists of the account; all others are lists of one object. `None`: all are of the account.
    of_account: Option<Vec<&'static str>>,
    /// The action if the object is gone whose list was requested. `None`: the usual one.
    vanished: Option<ResponseAction>,
    /// Whether the refusal of one object is an ordinary answer.
    takes_refusals: bool,
}

impl Rules {
    /// For requests for lists of the account.
    pub(super) fn of_account(api: Arc<Api>) -> Self {
        Self { api, of_account: None, vanished: None, takes_refusals: false }
    }

    /// For requests for lists of one object, except at these paths. `vanished` is the action if the object is gone.
    pub(super) fn of_objects(api: Arc<Api>, of_account: Vec<&'static str>, vanished: ResponseAction) -> Self {
        Self { api, of_account: Some(of_account), vanished: Some(vanished), takes_refusals: false }
    }

    /// For requests for one object, which may be refused without harm.
    pub(super) fn of_one_object(api: Arc<Api>) -> Self {
        Self { api, of_account: Some(Vec::new()), vanished: None, takes_refusals: true }
    }

    fn action(&self, response: &Response, subject: Subject) -> ResponseAction {
        if let Some(action) = self.vanished.filter(|_| is_vanished(response)) {
            return action;
        }
        match response_action(response, subject) {
            ResponseAction::SkipStream | ResponseAction::SkipSlice if self.takes_refusals => ResponseAction::Success,
            ResponseAction::Fail(_) if self.takes_refusals && matches!(response.status.as_u16(), 400 | 403 | 404) => {
                ResponseAction::Success
            }
            action => action,
        }
    }
}

impl RetryRules for Rules {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        self.api.clock.note(response);
        let subject = self.of_account.as_ref().map_or(Subject::Account, |paths| Subject::of(response, paths));
        let action = self.action(response, subject);
        let mut verdict = Verdict::from(action);
        if action != ResponseAction::Success {
            verdict.hint = error_hint(response, subject);
        }
        Ok(verdict)
    }
}
