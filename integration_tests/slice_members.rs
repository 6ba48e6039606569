//! A member that the code of a stream needs and its slice lacks: a typo, or a parent's record with an empty id. An
//! empty text instead would make another request, and a rule that ignores its 404 would hide that.

use std::sync::Arc;

use serde_json::{Value, json};
use source_http::http::{RequestBody, Response, ResponseAction, ResponseRule, RetryRules, Undecodable};
use source_http::protocol::Failure;
use source_http::streams::{HttpStream, Page, PageToken, ParentStream, Record, Records, RequestContext, Transformed};
use source_http_testkit::{InProcess, Messages, Reply, Request, Server};

use crate::support::TestSource;

/// Where the stream reads the member.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Path,
    Params,
    Headers,
    Body,
    ParseResponse,
    NextPageToken,
    Transform,
    Nowhere,
}

/// Books, and their loans, which read a member of their slice at one place.
struct Stream {
    name: &'static str,
    url: String,
    parent: Option<ParentStream>,
    place: Place,
    member: &'static str,
    rules: [ResponseRule; 1],
}

impl Stream {
    /// The member as text, at its place.
    fn ask(&self, place: Place, cx: &RequestContext<'_>) -> String {
        if self.place == place { cx.slice_text(self.member) } else { String::new() }
    }
}

impl HttpStream for Stream {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, cx: &RequestContext<'_>) -> String {
        match (&self.parent, self.place) {
            (None, _) => "books".into(),
            (_, Place::Path) => format!("books/{}/loans", cx.path_segment(self.member)),
            _ => "loans".into(),
        }
    }
    fn parents(&self) -> &[ParentStream] {
        self.parent.as_slice()
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        vec![("book".into(), self.ask(Place::Params, cx))]
    }
    fn request_headers(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        vec![("X-Book".into(), self.ask(Place::Headers, cx))]
    }
    fn request_body(&self, cx: &RequestContext<'_>) -> RequestBody {
        match self.ask(Place::Body, cx) {
            text if text.is_empty() => RequestBody::Empty,
            text => RequestBody::Json(json!({ "book": text })),
        }
    }
    fn parse_response(&self, response: &Response, cx: &RequestContext<'_>) -> Result<Records, Undecodable> {
        self.ask(Place::ParseResponse, cx);
        Records::at(response, &self.record_path())
    }
    fn next_page_token(&self, _: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        self.ask(Place::NextPageToken, cx);
        Ok(None)
    }
    fn transform<'a>(&self, mut record: Record<'a>, cx: &RequestContext<'_>) -> Result<Transformed<'a>, Failure> {
        if self.place == Place::Transform {
            record.set("book", cx.slice_value(self.member));
        }
        Ok(record.into())
    }
    fn retry_rules(&self) -> &dyn RetryRules {
        &self.rules
    }
}

fn stream(name: &'static str, url: &str, parent: Option<ParentStream>, place: Place, member: &'static str) -> Stream {
    let rules = [ResponseRule::new(ResponseAction::Ignore).status(404)];
    Stream { name, url: url.to_owned(), parent, place, member, rules }
}

/// Reads the loans of a book with this id, and returns the requests.
fn read_loans(id: &Value, place: Place, member: &'static str) -> (Messages, Vec<String>) {
    let id = id.clone();
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/books" => Reply::json(json!([{"id": id, "title": "Emma", "lender": null}])),
        "/loans" | "/books/b%2F1/loans" => Reply::json(json!([{"id": 1}])),
        _ => Reply::empty(404),
    });
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        let books = stream("books", &url, None, Place::Nowhere, "");
        let parent = ParentStream::new(Arc::new(books), ["id"]).extra_fields(["title", "lender"]);
        vec![Box::new(stream("loans", &url, Some(parent), place, member)) as Box<dyn HttpStream>]
    });
    let done = InProcess::new(source).config(&json!({})).streams(&[("loans", "full_refresh")]).run("read");
    let messages = done.messages();
    assert_eq!(done.status, u8::from(!messages.errors().is_empty()), "{place:?}");
    (messages, server.conversation())
}

#[test]
fn a_member_that_the_slice_has_is_given_at_every_place() {
    for place in [Place::Path, Place::Params, Place::ParseResponse, Place::NextPageToken, Place::Transform] {
        let (messages, _) = read_loans(&json!("b/1"), place, "id");
        assert_eq!(messages.statuses("loans"), ["STARTED", "RUNNING", "COMPLETE"], "{place:?}");
        let book = if place == Place::Transform { r#","book":"b/1""# } else { "" };
        assert_eq!(messages.records("loans"), [format!("{{\"id\":1{book}}}")], "{place:?}");
    }
}

#[test]
fn a_member_that_the_slice_lacks_fails_and_names_those_it_has() {
    for place in [
        Place::Path,
        Place::Params,
        Place::Headers,
        Place::Body,
        Place::ParseResponse,
        Place::NextPageToken,
        Place::Transform,
    ] {
        let (messages, asked) = read_loans(&json!("b/1"), place, "book_id");
        assert_eq!(
            messages.errors()[0].message,
            "A slice of \"loans\" has no member \"book_id\". Its members are \"id\", \"title\". Correct the stream's code, \
             or the code that makes its slices.",
            "{place:?}"
        );
        assert_eq!(messages.statuses("loans").last(), Some(&"INCOMPLETE"), "{place:?}");
        let was_sent = matches!(place, Place::ParseResponse | Place::NextPageToken | Place::Transform);
        assert_eq!(asked.len(), 1 + usize::from(was_sent), "{place:?}: {asked:?}");
        // A page without records is valid; one whose records could not be distinguished is not.
        assert_eq!(messages.records("loans").len(), usize::from(place == Place::NextPageToken), "{place:?}");
    }
}

#[test]
fn what_cannot_be_a_segment_of_a_path_is_never_requested() {
    for (id, said) in [("", r#""""#), (".", r#"".""#), ("..", r#""..""#)] {
        let (messages, asked) = read_loans(&json!(id), Place::Path, "id");
        let message = &messages.errors()[0].message;
        let start =
            format!("A slice of \"loans\" has {said} as its member \"id\", which cannot be a segment of a path.");
        assert!(message.starts_with(&start), "{message}");
        assert_eq!(asked, ["GET /books?book="], "{id:?}");
    }
}

#[test]
fn a_stream_of_one_slice_has_no_members_to_request() {
    let server = Server::start(|_: &Request| Reply::json(json!([])));
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        vec![Box::new(stream("books", &url, None, Place::Params, "id")) as Box<dyn HttpStream>]
    });
    let messages =
        InProcess::new(source).config(&json!({})).streams(&[("books", "full_refresh")]).run("read").messages();
    let message = &messages.errors()[0].message;
    assert!(message.contains("has no member \"id\". The slice has no members."), "{message}");
    assert!(server.conversation().is_empty());
}

/// The same holds for a parent that is read only for its children.
#[test]
fn a_parent_that_requests_a_member_that_is_not_there_fails_its_children() {
    for place in [Place::Params, Place::NextPageToken, Place::Transform] {
        let server = Server::start(|_: &Request| Reply::json(json!([{"id": 1}])));
        let url = server.url();
        let source = TestSource::new(move |_, _| {
            let parent = ParentStream::new(Arc::new(stream("books", &url, None, place, "shelf")), ["id"]);
            vec![Box::new(stream("loans", &url, Some(parent), Place::Nowhere, "")) as Box<dyn HttpStream>]
        });
        let messages =
            InProcess::new(source).config(&json!({})).streams(&[("loans", "full_refresh")]).run("read").messages();
        let message = &messages.errors()[0].message;
        assert!(message.starts_with("A slice of \"books\" has no member \"shelf\""), "{place:?}: {message}");
        assert_eq!(messages.statuses("loans").last(), Some(&"INCOMPLETE"));
        assert!(messages.records("loans").is_empty());
    }
}
