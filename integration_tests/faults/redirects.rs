//! A redirect to nothing, in a circle, to another host, or to no URL at all.

use source_http_testkit::{Fault, Reply};

use super::matrix::{Outcome, Row, run};

#[test]
fn every_fault_of_a_redirect_is_survived_or_named() {
    run(rows());
}

fn to(location: impl Into<String>) -> Reply {
    Reply::empty(302).header("Location", location)
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::reply("a redirect to itself", |_, _| to("?"), Outcome::Final("system_error", &["REQUEST got no response from HOST: a redirect could not be followed: more than 10 in a row, the last to REQUEST?."])),
        Row::reply("redirects that grow", |_, _| to("?a"), Outcome::Final("system_error", &["REQUEST got no response from HOST: a redirect could not be followed: more than 3 in a row, the last to REQUEST?a."])).with(|options| options.max_redirects = 3),
        // The other server has a page only for clients without credentials.
        Row::reply("a redirect to another host", |_, scene| to(format!("{}/page", scene.elsewhere)), Outcome::Harmless),
        Row::reply("a redirect to nobody", |_, scene| to(scene.closed.clone()), Outcome::Passing(&["REQUEST got no response from HOST: no connection could be opened: it was redirected to GET http://CLOSED/: connection refused. Check the host and port in the URL, and that they can be reached from here."])),
        Row::reply("a redirect without Location", |_, _| Reply::empty(302), Outcome::Final("system_error", &["REQUEST answered 302 Found (no content type) with an empty body."])),
        Row::reply("status 304", |_, _| Reply::empty(304), Outcome::Final("system_error", &["REQUEST answered 304 Not Modified (no content type) with an empty body."])),
        Row::reply("status 300", |_, _| Reply::empty(300), Outcome::Final("system_error", &["REQUEST answered 300 Multiple Choices (no content type) with an empty body."])),
        Row::reply("Location is empty", |_, _| to(""), Outcome::Final("system_error", &["REQUEST got no response from HOST: a redirect could not be followed: more than 10 in a row, the last to REQUEST."])),
        Row::reply("Location is not a URL", |_, _| to("http://[::1"), Outcome::Final("system_error", &["REQUEST got no response from HOST: a redirect could not be followed: 302 Found of REQUEST has a Location that is not a URL."])),
        Row::reply("Location is not UTF-8", |_, _| {
            Reply::empty(200).fault(Fault::RawBytes(b"HTTP/1.1 302 Found\r\nLocation: /\xff\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_vec()))
        }, Outcome::Final("system_error", &["REQUEST got no response from HOST: a redirect could not be followed: 302 Found of REQUEST has a Location that is not a URL."])),
        Row::reply("Location is a mail address", |_, _| to("mailto:a@b.c"), Outcome::Final("system_error", &["REQUEST got no response from HOST: a redirect could not be followed: 302 Found of REQUEST has a Location that is not a URL."])),
        Row::reply("Location is a file", |_, _| to("file:///etc/passwd"), Outcome::Final("system_error", &["REQUEST got no response from HOST: a redirect could not be followed: 302 Found of REQUEST has a Location that is not a URL."])),
        Row::reply("a redirect with an endless body", |_, scene| {
            let start = format!("HTTP/1.1 302 Found\r\nLocation: {}/page\r\n\r\n", scene.elsewhere).into_bytes();
            Reply::empty(200).fault(Fault::Endless { start, again: vec![b'a'; 1024] })
        }, Outcome::Harmless),
    ]
}
