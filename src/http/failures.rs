//! The messages of a request's failures: the request, the response, and the fix.

use std::time::Duration;

use super::url::authority;
use super::{HttpRequest, Response, ResponseAction, TransportError, Undecodable, Verdict, Wait};
use crate::protocol::{ANSWERED, Failure, FailureKind};

pub(super) fn gave_up(mut failure: Failure, why: &str) -> Failure {
    failure.kind = FailureKind::Transient;
    failure.message = format!("{} Gave up {why}.", failure.message);
    failure
}

/// Why there is no time for the next attempt.
pub(super) fn too_long(wait: &Wait, max_time: Duration) -> String {
    format!(
        "because the next attempt would be in {:.0} s ({}), past the {} s limit per request",
        wait.delay.as_secs_f64(),
        wait.rule,
        max_time.as_secs()
    )
}

/// Why there is no next attempt, however soon it would be.
pub(super) fn time_used_up(max_time: Duration) -> String {
    format!("because the {} s limit per request was reached", max_time.as_secs())
}

pub(super) fn quota_used_up(failure: Failure, host: &str) -> Failure {
    gave_up(failure, &format!("because too many requests to {host} failed: the retry quota is used up"))
}

/// For credentials that were refused right after they were issued.
pub(super) fn refused_again(mut failure: Failure) -> Failure {
    failure.kind = FailureKind::Config;
    failure
        .message
        .push_str(" New credentials were refused, too: re-authenticate, or check what they are allowed to do.");
    failure
}

pub(super) fn no_response(request: &HttpRequest, error: &TransportError) -> Failure {
    let target = authority(&request.url);
    let message = format!("{} got no response from {target}: {error}.", request.describe());
    Failure::new(error.kind, message).with_internal(format!("{error:?}"))
}

pub(super) fn error_response(response: &Response, verdict: Verdict) -> Failure {
    let Verdict { action, message, hint } = verdict;
    let kind = match action {
        ResponseAction::Fail(kind) => kind,
        ResponseAction::RefreshToken | ResponseAction::SkipStream | ResponseAction::SkipSlice => FailureKind::Config,
        _ => FailureKind::Transient,
    };
    let words = message.or_else(|| response.error_message()).map(|words| format!(": {}", words.trim_end_matches('.')));
    let end = hint.as_ref().map(|hint| format!(" {hint}")).unwrap_or_default();
    let text = match words {
        Some(words) => format!("{}{ANSWERED}{}{words}.{end}", response.request, response.status),
        None => format!("{}.{end}", response.describe()),
    };
    let failure =
        Failure::new(kind, text).with_internal(response.describe()).with_http_status(response.status.as_u16());
    Failure {
        hint: hint.map(Into::into),
        skips_stream: action == ResponseAction::SkipStream,
        skips_slice: action == ResponseAction::SkipSlice,
        otherwise: if let ResponseAction::AskOtherwise(otherwise) = action { Some(otherwise) } else { None },
        ..failure
    }
}

pub(super) fn unreadable(response: &Response, undecodable: &Undecodable) -> (ResponseAction, Failure) {
    // A web page for people, sent by a login, a proxy, or the wrong host, will not become JSON.
    let start = response.snippet().to_ascii_lowercase();
    let is_page = response.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
        || ["<html", "<!doctype html"].iter().any(|tag| start.starts_with(tag));
    let (action, kind, hint) = match undecodable.retry {
        _ if is_page => {
            let hint =
                " This is a web page, not an API: check the URL in the config, and any proxy or login on the way.";
            (ResponseAction::Fail(FailureKind::Config), FailureKind::Config, hint)
        }
        // A retry would get the same encoding.
        _ if response.headers.contains_key("content-encoding") => {
            let hint = " The request says Accept-Encoding: gzip, so the API, or a proxy on the way, may send gzip or no \
                        coding at all.";
            (ResponseAction::Fail(FailureKind::System), FailureKind::System, hint)
        }
        true => (ResponseAction::Retry, FailureKind::Transient, ""),
        false => {
            let hint = " The API has changed, or the URL in the config is wrong.";
            (ResponseAction::Fail(FailureKind::System), FailureKind::System, hint)
        }
    };
    let text = format!("The response cannot be read: {}. {}.{hint}", undecodable.problem, response.describe());
    (action, Failure::new(kind, text))
}
