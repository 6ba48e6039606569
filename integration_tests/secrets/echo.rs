//! A server that repeats a text in every place of an answer.

use std::sync::{Arc, Mutex};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use source_http_testkit::{Fault, Reply, Request, Server};

/// The place of the text in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    ErrorWords,
    ErrorText,
    ErrorTextThatIsCut(usize),
    LongErrorWords,
    WebPage,
    BrokenJson,
    MemberName,
    RetriedError,
    CutBody,
    Headers,
    Cookie,
    RedirectQuery,
    RedirectPath,
    RedirectUser,
    RedirectThatIsNoUrl,
    EndlessPaging,
    NextPageOfNoUrl,
    NextPageThatFails,
}

pub(super) const PLACES: [Place; 21] = [
    Place::ErrorWords,
    Place::ErrorText,
    Place::ErrorTextThatIsCut(3),
    Place::ErrorTextThatIsCut(9),
    Place::ErrorTextThatIsCut(20),
    Place::LongErrorWords,
    Place::WebPage,
    Place::BrokenJson,
    Place::MemberName,
    Place::RetriedError,
    Place::CutBody,
    Place::Headers,
    Place::Cookie,
    Place::RedirectQuery,
    Place::RedirectPath,
    Place::RedirectUser,
    Place::RedirectThatIsNoUrl,
    Place::EndlessPaging,
    Place::NextPageOfNoUrl,
    Place::NextPageThatFails,
    Place::ErrorTextThatIsCut(12),
];

/// The server's answer to requests for `/items`.
pub(super) type Saying = Arc<Mutex<(Place, String)>>;

/// An invalid token, so another one is requested.
pub(super) const VOID: &str = "acc3ss/t0ken+0";

/// A server with this answer. `token` is the answer to requests for `/token`.
pub(super) fn server(saying: &Saying, token: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    let saying = saying.clone();
    Server::start(move |request: &Request| {
        if request.path == "/token" {
            return token(request);
        }
        if request.header("Authorization").is_some_and(|value| value.ends_with(VOID)) {
            return Reply::empty(401);
        }
        let (place, text) = saying.lock().unwrap().clone();
        answer(request, place, &text)
    })
}

pub(super) fn answer(request: &Request, place: Place, text: &str) -> Reply {
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let failed = |reply: Reply| reply.status(400);
    let in_header = if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) { text } else { &encoded };
    let is_first = request.path == "/items" && request.param("page").is_none();
    let page = |next: &str| Reply::json(json!({"data": [{"n": "1"}], "next": next}));
    match place {
        _ if !is_first && request.path != "/items" => failed(Reply::text(format!("gone: {text}"))),
        Place::ErrorWords => failed(Reply::json(json!({"error": {"message": format!("no such key: {text}!")}}))),
        // An error shows the first 200 characters.
        Place::ErrorTextThatIsCut(before) => {
            failed(Reply::text(format!("{}:{text}{}", "x".repeat(199 - before), "y".repeat(300))))
        }
        // The first 1,000 of an error's words.
        Place::LongErrorWords => {
            let words = format!("{}:{text}{}", "x".repeat(980), "y".repeat(300));
            failed(Reply::json(json!({"error": {"message": words}})))
        }
        Place::WebPage => Reply::text(format!("<html>{text}</html>")),
        Place::BrokenJson => Reply::json_text(format!("{{\"data\": [{{\"n\": \"{text}\"")),
        Place::MemberName => failed(Reply::json(json!({text: {text: text}}))),
        Place::RetriedError => Reply::text(format!("try later: {text}")).status(503).header("Retry-After", "1"),
        Place::CutBody => Reply::json_text(format!("{{\"data\": \"{text}\"}}")).fault(Fault::TruncateBody(9)),
        Place::Headers => failed(
            Reply::empty(200)
                .header("Content-Type", in_header)
                .header("X-Request-Id", in_header)
                .header("X-Other", in_header),
        ),
        Place::Cookie => page("/items?page=2")
            .header("Set-Cookie", format!("session={in_header}"))
            .status(if is_first { 200 } else { 400 }),
        Place::RedirectQuery => Reply::empty(302).header("Location", format!("/moved?to={encoded}&key={in_header}")),
        Place::RedirectPath => Reply::empty(307).header("Location", format!("/moved/{encoded}")),
        Place::RedirectUser => {
            let host = request.header("Host").unwrap();
            Reply::empty(302).header("Location", format!("http://{encoded}:{encoded}@{host}/moved"))
        }
        Place::RedirectThatIsNoUrl => Reply::empty(302).header("Location", format!("http://{encoded}:{encoded}")),
        Place::EndlessPaging => page(&format!("/items?page=2&key={text}")),
        Place::NextPageOfNoUrl => page(&format!("http://:{text}")),
        Place::NextPageThatFails if is_first => page(&format!("/items?page=2&key={encoded}")),
        Place::ErrorText | Place::NextPageThatFails => failed(Reply::text(format!("no such key: {text}!"))),
    }
}
