//! A page token that becomes invalid in the middle of a read: the record after which the next page begins was deleted.
//! The read goes back, and no record is lost.

use std::sync::Mutex;

use serde_json::{Value, json};
use source_http::http::{ResponseAction, ResponseRule, RetryRules};
use source_http::json::RecordPath;
use source_http::streams::pager::{LastRecord, Pager};
use source_http::streams::{HttpStream, ParentStream, RequestContext};
use source_http_testkit::{InProcess, Reply, Request, Server};

/// Users, newest first; or the posts of each.
struct Users {
    name: &'static str,
    url: String,
    parent: Option<ParentStream>,
    pager: LastRecord,
    rules: Vec<ResponseRule>,
}

impl Users {
    fn new(url: &str, ignored: Option<u16>) -> Self {
        let pager = LastRecord::new("id", "after").has_more("more");
        let rules =
            ignored.map(|status| ResponseRule::new(ResponseAction::Ignore).status(status)).into_iter().collect();
        Self { name: "users", url: url.to_owned(), parent: None, pager, rules }
    }

    fn posts(url: &str, ignored: Option<u16>) -> Self {
        let parent = ParentStream::new(std::sync::Arc::new(Self::new(url, ignored)), ["id"]);
        Self { name: "posts", parent: Some(parent), ..Self::new(url, None) }
    }
}

impl HttpStream for Users {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        if self.parent.is_some() { format!("users/{}/posts", cx.path_segment("id")) } else { "users".to_owned() }
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn use_cache(&self) -> bool {
        self.parent.is_none()
    }
    fn parents(&self) -> &[ParentStream] {
        self.parent.as_slice()
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        &self.rules
    }
}

/// Ten users, three a page, and one post of each. When a page after one of `deleted` is requested, that record is
/// deleted first, and the answer has this status.
fn api(deleted: &[u64], status: u16) -> Server {
    let (deleted, users) = (deleted.to_vec(), Mutex::new((1..=10).rev().collect::<Vec<u64>>()));
    Server::start(move |request: &Request| {
        if let Some(user) = request.path.strip_prefix("/users/") {
            let user: u64 = user.trim_end_matches("/posts").parse().unwrap();
            return Reply::json(json!({"data": [{"id": user * 100}], "more": false}));
        }
        let mut users = users.lock().unwrap();
        let after: Option<u64> = request.param("after").map(|after| after.parse().unwrap());
        users.retain(|user| Some(*user) != after || !deleted.contains(user));
        let start = match after {
            None => 0,
            Some(after) => match users.iter().position(|user| *user == after) {
                Some(at) => at + 1,
                None => return Reply::json(json!({"error": format!("no user {after}")})).status(status),
            },
        };
        let page: Vec<Value> = users[start..].iter().take(3).map(|user| json!({ "id": user })).collect();
        Reply::json(json!({"data": page, "more": users.len() > start + 3}))
    })
}

fn ids(done: &source_http_testkit::Finished, stream: &str) -> Vec<u64> {
    let messages = done.messages();
    let id = |text: &str| serde_json::from_str::<Value>(text).unwrap()["id"].as_u64().unwrap();
    let mut ids: Vec<u64> = messages.records(stream).into_iter().map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn a_read_goes_back_where_the_next_page_is_gone_and_loses_nothing() {
    for status in [400, 404, 410, 422] {
        for ignored in [None, Some(status)] {
            // At the end of the first page; of a later one; of the page that is read again; of the previous page, too.
            for deleted in [&[8][..], &[5], &[8, 7], &[5, 4], &[5, 8]] {
                for workers in ["1", "4"] {
                    let server = api(deleted, status);
                    let url = server.url();
                    let done = InProcess::of(Users::new(&url, ignored)).arg("--workers").arg(workers).run("read");
                    let place = format!("{status} {ignored:?} {deleted:?}");
                    assert_eq!((done.status, ids(&done, "users")), (0, (1..=10).collect()), "{place}");
                }
            }
        }
    }
}

#[test]
fn a_parent_whose_next_page_is_gone_has_the_children_of_all_that_are_left_read() {
    for status in [400, 404] {
        for ignored in [None, Some(status)] {
            for deleted in [&[8][..], &[5], &[8, 7]] {
                let server = api(deleted, status);
                let url = server.url();
                let streams = move |_: &_| {
                    Ok(vec![
                        std::sync::Arc::new(Users::new(&url, ignored)) as _,
                        std::sync::Arc::new(Users::posts(&url, ignored)) as _,
                    ])
                };
                let place = format!("{status} {ignored:?} {deleted:?}");
                let both = InProcess::of_streams(streams).run("read");
                let left: Vec<u64> = (1..=10).filter(|user| !deleted.contains(user)).collect();
                let posts = ids(&both, "posts");
                assert_eq!((both.status, ids(&both, "users")), (0, (1..=10).collect()), "{place}");
                assert!(left.iter().all(|user| posts.contains(&(user * 100))), "{place}: {posts:?}");

                let server = api(deleted, status);
                let url = server.url();
                let alone = InProcess::of(Users::posts(&url, ignored)).run("read");
                let all: Vec<u64> = (1..=10).map(|user| user * 100).collect();
                assert_eq!((alone.status, ids(&alone, "posts")), (0, all), "{place}");
            }
        }
    }
}

#[test]
fn a_page_that_stays_refused_fails_after_its_page_before_was_read_again() {
    let server = Server::start(|request: &Request| match request.param("after") {
        None => Reply::json(json!({"data": [{"id": 2}], "more": true})),
        Some(_) => Reply::json(json!({"error": "broken"})).status(400),
    });
    let done = InProcess::of(Users::new(&server.url(), None)).run("read");
    assert_eq!((done.status, server.requests().len()), (1, 4));
    assert!(done.messages().errors()[0].message.contains("broken"));
}
