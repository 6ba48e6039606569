//! A stream's table of rules over real sockets: the effect of each action, and the user's messages.

use std::time::Duration;

use serde_json::{Value, json};
use source_http::http::{ResponseAction, ResponseRule};
use source_http::protocol::FailureKind;
use source_http::streams::pager::PageNumber;
use source_http::streams::{FetchContext, HttpStream, Page, RequestContext};
use source_http_testkit::{Finished, InProcess, Items, Reply, Routes, Server};

/// Reads a server's replies, each once, with these rules.
fn read(replies: Vec<Reply>, rules: Vec<ResponseRule>) -> (Finished, Server) {
    let server = Server::start(Routes::new().once("GET", "/items", replies));
    let done = Items::new(server.url()).pager(PageNumber::new("page")).retry_rules(rules).read();
    (done, server)
}

fn page(ids: &str) -> Reply {
    Reply::json_text(format!(r#"{{"data":[{ids}]}}"#))
}

const A: &str = r#"{"id":1}"#;
const B: &str = r#"{"id":2}"#;

/// Rules that would change the outcome if a later one could win.
fn rules(first: ResponseRule) -> Vec<ResponseRule> {
    vec![first, ResponseRule::new(ResponseAction::Fail(FailureKind::System)).statuses(400..=599).message("too late")]
}

#[test]
fn an_ignored_response_has_no_records_and_ends_the_paging() {
    let gone = Reply::json_text(r#"{"data":[{"id":3}],"error":"no such page"}"#).status(404);
    let (done, server) =
        read(vec![page(A), gone, page(B)], rules(ResponseRule::new(ResponseAction::Ignore).status(404)));
    let messages = done.messages();
    assert_eq!((done.status, messages.records("items")), (0, vec![A]));
    assert_eq!(messages.statuses("items"), ["STARTED", "RUNNING", "COMPLETE"]);
    assert_eq!(server.conversation(), ["GET /items?page=1", "GET /items?page=2"]);
}

#[test]
fn without_its_rule_the_same_response_fails_the_stream() {
    let (done, server) = read(vec![page(A), Reply::empty(404)], Vec::new());
    assert_eq!((done.status, done.messages().records("items")), (1, vec![A]));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_status_that_is_usually_final_is_retried_if_a_rule_says_so() {
    let rule = ResponseRule::new(ResponseAction::Retry).status(409);
    let (done, server) = read(vec![Reply::empty(409), page(A), page("")], rules(rule));
    assert_eq!((done.status, done.messages().records("items")), (0, vec![A]));
    assert_eq!(done.sleeps, [Duration::from_millis(250)]);
    assert_eq!(server.conversation(), ["GET /items?page=1", "GET /items?page=1", "GET /items?page=2"]);
}

#[test]
fn a_success_that_is_none_is_known_by_its_body_or_a_predicate() {
    let in_body = ResponseRule::new(ResponseAction::Retry).status(200).body_contains(r#""status":"busy""#);
    let in_header =
        ResponseRule::new(ResponseAction::Retry).when(|response| response.header("x-partial") == Some("true"));
    let busy = Reply::json_text(r#"{"data":[{"id":8}],"status":"busy"}"#);
    let partial = page(r#"{"id":9}"#).header("X-Partial", "true");
    let (done, server) = read(vec![busy, partial, page(A), page("")], vec![in_body, in_header]);
    assert_eq!((done.status, done.messages().records("items")), (0, vec![A]));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_rate_limit_with_an_unusual_status_is_reported_to_the_platform() {
    let rule = ResponseRule::new(ResponseAction::RateLimited).status(403).body_contains("quota");
    let (done, _server) =
        read(vec![Reply::text("over quota").status(403).header("Retry-After", "7"), page(A), page("")], rules(rule));
    let messages = done.messages();
    assert_eq!((done.status, messages.records("items"), messages.rate_limited("items")), (0, vec![A], 1));
    assert!(done.sleeps[0] >= Duration::from_secs(7), "{:?}", done.sleeps);
}

#[test]
fn an_error_status_can_be_a_success() {
    let rule = ResponseRule::new(ResponseAction::Success).status(500);
    let (done, server) = read(vec![page(A).status(500), page("")], rules(rule));
    assert_eq!((done.status, done.messages().records("items")), (0, vec![A]));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_failure_is_of_the_rules_kind_and_says_the_rules_words() {
    let rule = ResponseRule::new(ResponseAction::Fail(FailureKind::Config))
        .status(503)
        .message("The plan of this account has no API access")
        .hint("Upgrade the plan.");
    let (done, server) = read(vec![Reply::json_text(r#"{"error":"nope"}"#).status(503)], rules(rule));
    assert_eq!((done.status, server.requests().len()), (1, 1));
    let error = &done.messages().errors()[0];
    assert_eq!(error.failure_type.as_deref(), Some("config_error"));
    assert_eq!(
        error.message,
        format!(
            "GET {}/items?page=1 answered 503 Service Unavailable: The plan of this account has no API access. Upgrade \
             the plan.",
            server.url()
        )
    );
    assert!(error.internal_message.as_deref().unwrap().contains("nope"), "the API's own words are not lost: {error:?}");
}

#[test]
fn a_rule_without_words_leaves_the_apis_own_and_the_usual_hint() {
    let rule = ResponseRule::new(ResponseAction::Fail(FailureKind::Transient)).status(401);
    let (done, _server) = read(vec![Reply::json_text(r#"{"error":"nope"}"#).status(401)], rules(rule));
    let error = &done.messages().errors()[0];
    assert_eq!(error.failure_type.as_deref(), Some("transient_error"));
    assert!(error.message.ends_with(": nope. Check the credentials in the config."), "{error:?}");
}

/// A list whose owner is requested beside each page, and may be gone.
struct Owned {
    url: String,
    may_be_gone: [ResponseRule; 1],
}

impl HttpStream for Owned {
    fn name(&self) -> &str {
        "items"
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "items".into()
    }
    fn fetch_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        let fetcher = fetch.fetcher.with_rules(&self.may_be_gone);
        let owner: Option<Value> = fetcher.get_json(self, "owner", &[])?;
        Ok(fetch.fetcher.page(self, cx)?.filter(|_| owner.is_none()))
    }
}

#[test]
fn a_request_beside_a_page_has_rules_of_its_own_and_the_page_those_of_the_stream() {
    let gone = || Reply::empty(404);
    for (items, status, records) in [(Reply::json(json!([{"id": 1}])), 0, vec![A]), (gone(), 1, vec![])] {
        let server = Server::start(Routes::new().once("GET", "/owner", [gone()]).once("GET", "/items", [items]));
        let may_be_gone = [ResponseRule::new(ResponseAction::Ignore).status(404)];
        let done = InProcess::of(Owned { url: server.url(), may_be_gone }).run("read");
        assert_eq!((done.status, done.messages().records("items")), (status, records));
        assert_eq!(server.conversation(), ["GET /owner", "GET /items"]);
    }
}
