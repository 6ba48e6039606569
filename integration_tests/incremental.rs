//! Cursors: who chooses them, when a state is written, and how it is used.

use serde_json::{Value, json};
use source_http::http::{ResponseAction, ResponseRule, RetryRules};
use source_http::streams::{
    Cursor, CursorField, HttpStream, Page, PageToken, RequestContext, Slice, SliceContext, Slices,
};
use source_http_testkit::{InProcess, Items, Messages, Reply, Request, Server};

use crate::support::{TestSource, assert_page, connector, page};

const N: CursorField = CursorField::new("n");

/// Events `1..=12` in ascending order, three a page, from the state's cursor.
#[derive(Clone, Default)]
struct Events {
    url: String,
    cursor: CursorField,
    resumable: bool,
    slices: Vec<&'static str>,
}

impl HttpStream for Events {
    fn name(&self) -> &str {
        "events"
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "events".into()
    }
    fn cursor(&self) -> &dyn Cursor {
        &self.cursor
    }
    fn is_resumable(&self) -> bool {
        self.resumable
    }
    fn stream_slices<'a>(&'a self, _: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        if self.slices.is_empty() {
            return Ok(Box::new(std::iter::once(Ok(Slice::whole()))));
        }
        let slice = |name: &&'static str| Ok(Slice::of_partition([("region", *name)]));
        Ok(Box::new(self.slices.iter().map(slice)))
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        let from = cx.state.get("n").map(|n| ("from".to_owned(), n.to_string()));
        let region = cx.slice.get("region").map(|_| ("region".to_owned(), cx.slice_text("region")));
        let page = cx.page_token.map(|token| ("after".to_owned(), token.to_string()));
        region.into_iter().chain(from).chain(page).collect()
    }
    fn next_page_token(&self, page: &Page, _: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
        let last = page.last().and_then(|last| last.get::<i64>("n"));
        Ok(last.filter(|last| *last < 12).map(Value::from))
    }
}

fn api(request: &Request) -> Reply {
    let number = |name: &str, default: i64| request.param(name).map_or(default, |n| n.parse().unwrap());
    let first = number("from", 1).max(number("after", 0) + 1);
    Reply::json((first..=12).take(3).map(|n| json!({"n": n, "m": 100 + n})).collect::<Vec<Value>>())
}

fn events(server: &Server, change: impl Fn(&mut Events)) -> InProcess {
    let mut stream = Events { url: server.url(), resumable: true, cursor: N, ..Events::default() };
    change(&mut stream);
    connector(move || Box::new(stream.clone()))
}

fn numbers(messages: &Messages) -> Vec<i64> {
    let n = |record: &str| serde_json::from_str::<Value>(record).unwrap()["n"].as_i64().unwrap();
    messages.records("events").into_iter().map(n).collect()
}

#[test]
fn a_state_is_written_every_n_records_where_the_stream_declares_ascending_order() {
    let server = Server::start(api);
    let read = |stream: InProcess| stream.streams(&[("events", "incremental")]).run("read").messages();
    let messages =
        read(events(&server, |stream| (stream.cursor, stream.resumable) = (N.state_checkpoint_interval(5), false)));
    let states: Vec<Value> = messages.states("events").into_iter().cloned().collect();
    assert_eq!(states, [json!({"n": 5}), json!({"n": 10}), json!({"n": 12})]);

    let state = json!({"events": {"n": 10}});
    let rest = events(&server, |_| {}).streams(&[("events", "incremental")]).state(&state).run("read").messages();
    assert_eq!(numbers(&rest), [10, 11, 12]);
}

#[test]
fn no_state_is_written_within_a_slice_whose_records_are_not_in_order_after_all() {
    let server = Server::start(|_: &Request| Reply::json(json!([{"n": 1}, {"n": 9}, {"n": 3}, {"n": 4}, {"n": 12}])));
    let stream = events(&server, |stream| stream.cursor = N.state_checkpoint_interval(2));
    let messages = stream.streams(&[("events", "incremental")]).run("read").messages();
    let states: Vec<Value> = messages.states("events").into_iter().cloned().collect();
    assert_eq!(states, [json!({"n": 9}), json!({}), json!({"n": 12})], "the state that was ahead is taken back");
    assert!(messages.logs().iter().any(|(level, text)| *level == "WARN" && text.contains("ascending order")));
}

#[test]
fn a_page_is_resumed_and_the_cursor_moves_only_at_the_end() {
    let server = Server::start(api);
    let messages = events(&server, |_| {}).streams(&[("events", "incremental")]).run("read").messages();
    let states: Vec<Value> = messages.states("events").into_iter().cloned().collect();
    // The last member is a fingerprint of the state without a place, which is empty.
    let of = states[0]["__resume_of"].clone();
    let at = |n: i64| json!({"__resume": [{"slice": {}, "next_page_token": n, "newest": n}], "__resume_of": of});
    assert_eq!(states, [at(3), at(6), at(9), json!({"n": 12})]);
    let state = json!({"events": at(6)});
    let rest = events(&server, |_| {}).streams(&[("events", "incremental")]).state(&state).run("read").messages();
    assert_eq!(numbers(&rest), [7, 8, 9, 10, 11, 12]);
}

/// Another connector that reads the stream in turn keeps members that it does not know as they are, for a year if it has
/// to, and moves the cursor. A place is resumed only in the state that it was written with.
#[test]
fn a_place_that_another_connector_has_carried_along_while_it_moved_the_cursor_is_dropped() {
    // Three a page, the newest first, as in most lists.
    let list = |first: i64| {
        Server::start(move |request: &Request| {
            let number = |name: &str, default: i64| request.param(name).map_or(default, |n| n.parse().unwrap());
            let (after, from) = (number("after", first + 1), number("from", 0));
            let page = (from..after).rev().take(3).map(|n| json!({"n": n}));
            Reply::json(page.collect::<Vec<Value>>())
        })
    };
    let read = |server: &Server, state: &Value| {
        let stream = events(server, |_| {}).streams(&[("events", "incremental")]).state(&json!({ "events": state }));
        stream.run("read").messages()
    };
    let this_year = list(8);
    let begun = read(&this_year, &json!({"n": 2})).states("events")[1].clone();
    assert_eq!((&begun["n"], &begun["__resume"][0]["next_page_token"]), (&json!(2), &json!(3)));
    assert_eq!(numbers(&read(&this_year, &begun)), [2], "without another connector it is resumed");
    let mut carried = begun;
    carried["n"] = json!(8);
    let back = read(&list(11), &carried);
    assert_eq!(numbers(&back), [11, 10, 9, 8]);
    assert!(back.logs().iter().any(|(_, text)| text.contains("the state has moved since a page was begun")));
    assert_eq!(back.states("events").last(), Some(&&json!({"n": 11})));
}

#[test]
fn a_cursor_can_be_chosen_in_the_catalog() {
    let server = Server::start(api);
    let catalog = |cursor: Value| json!({"streams": [{"stream": {"name": "events"}, "sync_mode": "incremental", "cursor_field": cursor}]});
    let stream = || events(&server, |stream| stream.cursor = CursorField::chosen_by_user());
    let messages = stream().catalog(&catalog(json!(["m"]))).run("read").messages();
    assert_eq!(**messages.states("events").last().unwrap(), json!({"m": 112}));
    let messages = stream().catalog(&catalog(json!([]))).run("read").messages();
    assert!(messages.errors()[0].message.contains("Set `cursor_field`"), "{:?}", messages.errors());
    let discovered = stream().run("discover").messages().catalog()["streams"][0].clone();
    assert_eq!(discovered["supported_sync_modes"], json!(["full_refresh", "incremental"]));
}

#[test]
fn slices_reach_the_request_and_each_is_followed_by_a_state() {
    let server = Server::start(api);
    let stream = || events(&server, |stream| (stream.slices, stream.resumable) = (vec!["eu", "us"], false));
    let messages = stream().streams(&[("events", "incremental")]).run("read").messages();
    let state = |region: &str| json!({"partition": {"region": region}, "cursor": {"n": 12}});
    let states: Vec<&Value> = messages.states("events");
    assert_eq!(states[0], &json!({"states": [state("eu")]}));
    assert_eq!(*states.last().unwrap(), &json!({"states": [state("eu"), state("us")]}));
    assert_eq!(server.conversation()[..2], ["GET /events?region=eu", "GET /events?region=eu&after=3"]);
    assert_eq!(server.conversation()[4], "GET /events?region=us");
}

#[test]
fn a_page_is_not_resumed_by_a_stream_that_resumes_none() {
    let server = Server::start(api);
    let state = json!({"events": {"n": 2, "__resume": {"slice": {}, "next_page_token": 9, "newest": 9}}});
    let stream = events(&server, |stream| stream.resumable = false).streams(&[("events", "incremental")]);
    let messages = stream.state(&state).run("read").messages();
    assert_eq!(numbers(&messages), (2..=12).collect::<Vec<_>>());
}

#[test]
fn a_full_refresh_without_cursor_resumes_at_the_slice_and_page_where_it_stopped() {
    let server = Server::start(api);
    let stream = || {
        events(&server, |stream| (stream.slices, stream.cursor) = (vec!["eu", "us"], CursorField::chosen_by_user()))
            .streams(&[("events", "full_refresh")])
    };
    let first = stream().arg("--limit").arg("15").run("read").messages();
    let place = json!({
        "states": [{"partition": {"region": "eu"}, "cursor": {"__ab_full_refresh_sync_complete": true}}],
        "__resume": [{"slice": {"region": "us"}, "next_page_token": 3}]
    });
    assert_eq!(**first.states("events").last().unwrap(), place);
    server.take_requests();
    let rest = stream().state(&json!({ "events": place })).run("read").messages();
    assert_eq!(numbers(&rest), [4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(server.conversation()[0], "GET /events?region=us&after=3");
    assert_eq!(**rest.states("events").last().unwrap(), json!({"__ab_full_refresh_sync_complete": true}));

    server.take_requests();
    let state = json!({"events": {"__ab_full_refresh_sync_complete": true}});
    let none = stream().state(&state).run("read").messages();
    assert_eq!((none.records("events").len(), server.requests().len()), (0, 0));
    assert_eq!(none.states("events").len(), 1);
}

#[test]
fn a_slice_that_is_gone_is_not_resumed() {
    let server = Server::start(api);
    let state = json!({"events": {"states": [], "__resume": {"slice": {"region": "gone"}, "next_page_token": 3}}});
    let stream =
        events(&server, |stream| (stream.slices, stream.cursor) = (vec!["eu", "us"], CursorField::chosen_by_user()));
    let messages = stream.streams(&[("events", "full_refresh")]).state(&state).run("read").messages();
    assert_eq!(messages.records("events").len(), 24);
    assert!(server.requests().iter().all(|request| request.param("region") != Some("gone")));
}

#[test]
fn a_slice_is_not_taken_for_read_because_another_one_is() {
    let server = Server::start(api);
    let stream = || events(&server, |stream| stream.slices = vec!["eu", "us"]).streams(&[("events", "incremental")]);
    for limit in 1..24 {
        let first = stream().arg("--limit").arg(limit.to_string()).run("read").messages();
        let state = serde_json::from_str(&first.state_file()).unwrap();
        server.take_requests();
        let rest = stream().state(&state).run("read").messages();
        let mut all = [numbers(&first), numbers(&rest)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all, (1..=12).collect::<Vec<_>>());
        let us = server.requests().into_iter().find(|request| request.param("region") == Some("us")).unwrap();
        let begun = (limit > 12).then(|| ((limit - 12) / 3 * 3).to_string()).filter(|after| after != "0");
        assert_eq!((us.param("from"), us.param("after")), (None, begun.as_deref()), "limit {limit}");
    }
}

#[test]
fn a_full_refresh_resumes_from_its_own_states_and_not_from_those_of_incremental_reads() {
    let server = Server::start(api);
    let read = |mode: &str, state: Value| {
        let stream = events(&server, |_| {}).streams(&[("events", mode)]).state(&json!({ "events": state }));
        stream.run("read").messages()
    };
    let whole = read("full_refresh", json!({"n": 10}));
    assert_eq!(numbers(&whole).len(), 12, "a full refresh reads everything");
    let last = (*whole.states("events").last().unwrap()).clone();
    assert_eq!(last, json!({"n": 12, "__ab_full_refresh_sync_complete": true}));
    assert_eq!(numbers(&read("full_refresh", last.clone())).len(), 0, "it is done");
    assert_eq!(numbers(&read("incremental", last)), [12], "and its state is good for incremental reads");
    let begun = whole.states("events")[0].clone();
    assert_eq!(numbers(&read("full_refresh", begun)), [4, 5, 6, 7, 8, 9, 10, 11, 12]);
}

#[test]
fn a_resumed_page_whose_answer_is_ignored_has_its_slice_read_again() {
    struct Ignoring(Events, [ResponseRule; 1]);
    impl HttpStream for Ignoring {
        fn name(&self) -> &str {
            self.0.name()
        }
        fn url_base(&self) -> &str {
            self.0.url_base()
        }
        fn path(&self, cx: &RequestContext<'_>) -> String {
            self.0.path(cx)
        }
        fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
            self.0.request_params(cx)
        }
        fn next_page_token(&self, page: &Page, cx: &RequestContext<'_>) -> anyhow::Result<Option<PageToken>> {
            self.0.next_page_token(page, cx)
        }
        fn retry_rules(&self) -> &dyn RetryRules {
            &self.1
        }
    }
    let server = Server::start(|request: &Request| match request.param("after") {
        Some("99") => Reply::empty(404),
        _ => api(request),
    });
    let url = server.url();
    let stream = connector(move || {
        Box::new(Ignoring(
            Events { url: url.clone(), ..Events::default() },
            [ResponseRule::new(ResponseAction::Ignore).status(404)],
        ))
    });
    let state = json!({"events": {"__resume": {"slice": {}, "next_page_token": 99}}});
    let messages = stream.streams(&[("events", "full_refresh")]).state(&state).run("read").messages();
    assert_eq!(numbers(&messages).len(), 12);
}

#[test]
fn a_stream_that_panics_is_incomplete_and_the_others_are_read() {
    struct Broken;
    impl HttpStream for Broken {
        fn name(&self) -> &str {
            "broken"
        }
        fn url_base(&self) -> &str {
            "http://127.0.0.1:1"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            panic!("a bug of the stream")
        }
    }
    let server = Server::start(api);
    let url = server.url();
    let source = TestSource::new(move |_, _| {
        let events = Events { url: url.clone(), resumable: true, ..Events::default() };
        vec![Box::new(Broken) as Box<dyn HttpStream>, Box::new(events)]
    });
    let done = InProcess::new(source).config(&json!({})).run("read");
    let messages = done.messages();
    assert_eq!((done.status, messages.statuses("broken")), (1, vec!["STARTED", "INCOMPLETE"]));
    assert_eq!(numbers(&messages).len(), 12);
    assert!(messages.errors()[0].internal_message.as_deref().unwrap().contains("a bug of the stream"));

    let source = TestSource::new(|_, _| vec![Box::new(Broken) as Box<dyn HttpStream>]);
    let check = InProcess::new(source).config(&json!({})).run("check");
    assert_eq!((check.status, check.messages().connection_status().0), (0, "FAILED"));
}

#[test]
fn a_first_state_is_written_even_when_nothing_was_read() {
    let server = Server::start(|_: &Request| Reply::json(json!([])));
    let messages = events(&server, |_| {}).streams(&[("events", "incremental")]).run("read").messages();
    assert_eq!(messages.states("events"), [&json!({})]);
}

#[test]
fn a_stream_without_slices_keeps_its_state_and_one_whose_slices_cannot_be_made_says_why() {
    static CURSOR: CursorField = N;
    struct Sliced(bool);
    impl HttpStream for Sliced {
        fn name(&self) -> &str {
            "events"
        }
        fn url_base(&self) -> &str {
            "http://127.0.0.1:1"
        }
        fn path(&self, _: &RequestContext<'_>) -> String {
            "events".into()
        }
        fn cursor(&self) -> &dyn Cursor {
            &CURSOR
        }
        fn stream_slices<'a>(&'a self, _: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
            match self.0 {
                true => Ok(Box::new(std::iter::empty())),
                false => Ok(Box::new(std::iter::once_with(|| anyhow::bail!("no regions today")))),
            }
        }
    }
    let read = |works: bool| {
        let stream = connector(move || Box::new(Sliced(works))).streams(&[("events", "incremental")]);
        stream.state(&json!({"events": {"n": 5}})).run("read").messages()
    };
    let nothing = read(true);
    assert_eq!(
        (nothing.states("events"), nothing.statuses("events").pop()),
        (vec![&json!({"n": 5})], Some("COMPLETE"))
    );
    let broken = read(false);
    assert_eq!((broken.states("events").len(), broken.errors()[0].message.as_str()), (0, "no regions today"));
}

/// Some clients, such as `PyAirbyte`, ask for every stream in this mode.
#[test]
fn a_stream_without_a_cursor_that_is_requested_incrementally_is_read_whole_each_time() {
    let server = Server::start(|_: &Request| page());
    let read = |state: &Value| {
        let connector = Items::new(server.url()).connector().streams(&[("items", "incremental")]);
        let done = connector.state(state).run("read");
        assert_page(&done);
        let messages = done.messages();
        let warnings: Vec<_> = messages.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
        let text = "items: the catalog asks for incremental mode, which the stream does not support; the whole stream \
             is read.";
        assert_eq!(warnings, [("WARN", text)]);
        serde_json::from_str::<Value>(&messages.state_file()).unwrap()
    };
    let state = read(&json!([]));
    assert_eq!(state[0]["stream"]["stream_state"], json!({"__ab_full_refresh_sync_complete": true}));
    // For a full refresh, this state would say that there is nothing left to read.
    assert_eq!(read(&state), state);
}
