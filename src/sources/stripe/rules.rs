//! The rules for Stripe's answers, for each kind of request: the subject of a refusal depends on the request.

use std::sync::Arc;

use super::api::{Api, EVENTS};
use super::api_error::{Subject, error_hint, is_vanished, response_action};
use super::row::Row;
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
    /// For requests for a stream's lists, and for events.
    pub(super) fn of_lists(row: &Row, api: Arc<Api>) -> Self {
        let (of_account, vanished) = match (row.parent, row.outer()) {
            (None, _) => (None, None),
            (Some(_), None) => (Some(vec![EVENTS]), Some(ResponseAction::Ignore)),
            (Some(_), Some(outer)) => (Some(vec![EVENTS, outer.list()]), Some(ResponseAction::Success)),
        };
        Self { api, of_account, vanished, takes_refusals: false }
    }

    /// For requests for one object, which may be refused without harm.
    pub(super) fn of_one_object(api: Arc<Api>) -> Self {
        Self { api, of_account: Some(Vec::new()), vanished: None, takes_refusals: true }
    }

    fn action(&self, response: &Response, subject: Subject) -> ResponseAction {
        if let Some(action) = self.vanished.filter(|_| is_vanished(response)) {
            return action;
        }
        let action = response_action(response, subject);
        let is_refusal = matches!(response.status.as_u16(), 400 | 403 | 404) && !action.is_retry();
        if self.takes_refusals && is_refusal { ResponseAction::Success } else { action }
    }
}

impl RetryRules for Rules {
    fn verdict(&self, response: &Response) -> Result<Verdict, Failure> {
        self.api.clock.note(response);
        let subject = self.of_account.as_ref().map_or(Subject::Account, |paths| Subject::of(response, paths));
        let action = self.action(response, subject);
        Ok(Verdict { hint: error_hint(response, action), ..Verdict::from(action) })
    }
}
