//! Each pager with the responses it is made for, and others.
#![allow(clippy::needless_pass_by_value, reason = "a test reads better without borrows")]

use serde_json::{Value, json};

use super::*;
use crate::http::{Body, HeaderMap, Response, StatusCode};
use crate::json::RecordPath;
use crate::protocol::FailureKind;
use crate::streams::Records;

fn page_of(body: &str, link: &str) -> Page {
    let mut headers = HeaderMap::new();
    headers.insert("link", link.parse().unwrap());
    let response = Response {
        request: "GET https://a.com/v1/items?key=k".to_owned(),
        status: StatusCode::OK,
        headers,
        body: Body::Memory(body.as_bytes().to_vec().into()),
    };
    let records = Records::at(&response, &RecordPath::new(["data"])).unwrap();
    Page::new(response, records)
}

fn next(pager: &dyn Pager, body: &str, current: Option<Value>) -> Option<Value> {
    pager.next_page_token(&page_of(body, ""), current.as_ref()).unwrap()
}

fn failure(pager: &dyn Pager, body: &str) -> Failure {
    pager.next_page_token(&page_of(body, ""), None).unwrap_err().downcast().unwrap()
}

/// The URL that a pager makes of a stream's.
fn url(pager: &dyn Pager, token: Option<Value>, before: &str) -> String {
    let mut request = HttpRequest::get(before.parse().unwrap());
    pager.apply(token.as_ref(), &mut request).unwrap();
    request.url.to_string()
}

fn refused(pager: &dyn Pager, token: Value) -> Failure {
    pager.apply(Some(&token), &mut HttpRequest::get("http://a.com".parse().unwrap())).unwrap_err()
}

#[test]
fn a_single_page_has_no_next_one() {
    assert_eq!(next(&SinglePage, r#"{"data":[{}],"next":"x"}"#, None), None);
    assert_eq!(url(&SinglePage, Some(json!("x")), "http://a.com/?q=1"), "http://a.com/?q=1");
}

#[test]
fn a_cursor_is_taken_from_the_body_whatever_its_type_and_null_or_empty_ends() {
    let pager = BodyCursor::new(["m", "next"], "c");
    for (cursor, token) in [
        (r#""abc""#, Some(json!("abc"))),
        ("7", Some(json!(7))),
        ("0", Some(json!(0))),
        ("1.50", Some(json!("1.50"))),
        ("123456789012345678901234567890", Some(json!("123456789012345678901234567890"))),
        (r#"{"k":1}"#, Some(json!({"k": 1}))),
        ("null", None),
        (r#""""#, None),
        ("false", None),
    ] {
        let body = format!(r#"{{"data":[{{}}],"m":{{"next":{cursor}}}}}"#);
        assert_eq!(next(&pager, &body, None), token, "{cursor}");
    }
    assert_eq!(next(&pager, r#"{"data":[{}]}"#, None), None);
    assert_eq!(url(&pager, Some(json!("a b")), "http://a.com/?q=1"), "http://a.com/?q=1&c=a+b");
    assert_eq!(url(&pager, None, "http://a.com/?q=1"), "http://a.com/?q=1");
}

#[test]
fn has_more_wins_over_the_cursor_and_a_promise_without_one_is_a_failure() {
    let pager = BodyCursor::new("next", "c").has_more("more");
    assert_eq!(next(&pager, r#"{"data":[],"next":"x","more":false}"#, None), None);
    assert_eq!(next(&pager, r#"{"data":[],"next":"x","more":"true"}"#, None), Some(json!("x")));
    assert_eq!(next(&pager, r#"{"data":[],"next":"x"}"#, None), Some(json!("x")));
    assert!(failure(&pager, r#"{"data":[],"more":true}"#).message.contains("no cursor at `next`"));
    assert!(failure(&pager, r#"{"data":[],"next":"x","more":"maybe"}"#).message.contains("true or false"));
}

#[test]
fn a_path_without_a_name_is_a_failure_and_not_an_early_end() {
    let pager = BodyCursor::new([""; 0], "c");
    assert_eq!(failure(&pager, r#"{"data":[]}"#).kind, FailureKind::System);
}

#[test]
fn the_last_records_field_is_the_token() {
    let pager = LastRecord::at(["m", "id"], "after").has_more("more");
    let body = r#"{"data":[{"m":{"id":1}},{"m":{"id":12345678901234567890123}}],"more":true}"#;
    assert_eq!(next(&pager, body, None), Some(json!("12345678901234567890123")));
    assert_eq!(next(&pager, &body.replace("true", "false"), None), None);
    assert!(failure(&pager, r#"{"data":[],"more":true}"#).message.contains("`m.id`"));
    assert!(failure(&pager, r#"{"data":[{"id":1}],"more":true}"#).message.contains("`m.id`"));
    assert_eq!(url(&pager, Some(json!("x")), "http://a.com/"), "http://a.com/?after=x");
}

#[test]
fn without_has_more_a_short_page_ends_or_an_empty_one_or_one_that_ends_where_it_began() {
    let until_empty = LastRecord::new("id", "after");
    assert_eq!(next(&until_empty, r#"{"data":[{"id":1}]}"#, None), Some(json!(1)));
    assert_eq!(next(&until_empty, r#"{"data":[]}"#, Some(json!(1))), None);
    assert_eq!(next(&until_empty, r#"{"data":[{"id":1}]}"#, Some(json!(1))), None);
    let sized = LastRecord::new("id", "after").page_size(2).unwrap();
    assert_eq!(next(&sized, r#"{"data":[{"id":1},{"id":2}]}"#, None), Some(json!(2)));
    assert_eq!(next(&sized, r#"{"data":[{"id":1}]}"#, None), None);
}

#[test]
fn page_numbers_go_up_until_a_short_page_or_an_empty_one() {
    let sized = PageNumber::new("page").page_size_param("size", 2).unwrap();
    assert_eq!(next(&sized, r#"{"data":[{},{}]}"#, None), Some(json!(2)));
    assert_eq!(next(&sized, r#"{"data":[{},{}]}"#, Some(json!(7))), Some(json!(8)));
    assert_eq!(next(&sized, r#"{"data":[{}]}"#, Some(json!(7))), None);
    assert_eq!(url(&sized, None, "http://a.com/?page=9"), "http://a.com/?page=1&size=2");
    let until_empty = PageNumber::new("page").start_at(0);
    assert_eq!(next(&until_empty, r#"{"data":[{}]}"#, None), Some(json!(1)));
    assert_eq!(next(&until_empty, r#"{"data":[]}"#, Some(json!(1))), None);
    assert_eq!(url(&until_empty, Some(json!(3)), "http://a.com/"), "http://a.com/?page=3");
}

#[test]
fn the_total_of_pages_wins_over_short_and_empty_ones() {
    let from_0 = PageNumber::new("page").start_at(0).page_size(5).unwrap().total_pages("pages");
    assert_eq!(next(&from_0, r#"{"data":[],"pages":3}"#, Some(json!(1))), Some(json!(2)));
    assert_eq!(next(&from_0, r#"{"data":[{},{},{},{},{}],"pages":3}"#, Some(json!(2))), None);
    assert_eq!(next(&from_0, r#"{"data":[],"pages":0}"#, None), None);
    assert_eq!(next(&from_0, r#"{"data":[{},{},{},{},{}]}"#, Some(json!(2))), Some(json!(3)), "no total here");
    let from_1 = PageNumber::new("page").total_pages("pages");
    assert_eq!(next(&from_1, r#"{"data":[{}],"pages":"2"}"#, None), Some(json!(2)));
    assert_eq!(next(&from_1, r#"{"data":[{}],"pages":"2"}"#, Some(json!(2))), None);
    assert!(failure(&from_1, r#"{"data":[{}],"pages":"many"}"#).message.contains("a count"));
    let flagged = PageNumber::new("page").page_size(5).unwrap().has_more("more");
    assert_eq!(next(&flagged, r#"{"data":[],"more":true}"#, None), Some(json!(2)));
    assert_eq!(next(&flagged, r#"{"data":[{},{},{},{},{}],"more":false}"#, None), None);
}

#[test]
fn an_offset_grows_by_the_received_records() {
    let pager = Offset::new("skip", "take", 2).unwrap();
    assert_eq!(next(&pager, r#"{"data":[{},{}]}"#, None), Some(json!(2)));
    assert_eq!(next(&pager, r#"{"data":[{},{},{}]}"#, Some(json!(2))), Some(json!(5)));
    assert_eq!(next(&pager, r#"{"data":[{}]}"#, Some(json!(5))), None);
    assert_eq!(url(&pager, None, "http://a.com/"), "http://a.com/?skip=0&take=2");
    assert_eq!(url(&pager, Some(json!(5)), "http://a.com/"), "http://a.com/?skip=5&take=2");
}

#[test]
fn the_total_of_records_wins_over_short_pages() {
    let pager = Offset::new("skip", "take", 10).unwrap().total("total");
    assert_eq!(next(&pager, r#"{"data":[{},{}],"total":5}"#, None), Some(json!(2)), "the API gives fewer than asked");
    assert_eq!(next(&pager, r#"{"data":[],"total":25}"#, Some(json!(2))), Some(json!(12)), "an empty page is passed");
    assert_eq!(next(&pager, r#"{"data":[],"total":12}"#, Some(json!(2))), None);
    assert_eq!(next(&pager, r#"{"data":[{}],"total":3}"#, Some(json!(2))), None);
}

#[test]
fn a_page_size_of_0_is_refused() {
    for failure in [
        PageNumber::new("page").page_size(0).unwrap_err(),
        PageNumber::new("page").page_size_param("size", 0).unwrap_err(),
        LastRecord::new("id", "after").page_size(0).unwrap_err(),
        Offset::new("skip", "take", 0).unwrap_err(),
    ] {
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(failure.message.contains("page size of 0"));
    }
}

#[test]
fn a_next_url_is_relative_to_the_page_and_brings_no_credentials_of_its_query() {
    let pager = NextUrl::new(["links", "next"]);
    for (link, target) in [
        (r#""https://a.com/v1/items?after=x&b=%20""#, Some("https://a.com/v1/items?after=x&b=%20")),
        (r#""/v2/items?after=x""#, Some("https://a.com/v2/items?after=x")),
        (r#""?after=x""#, Some("https://a.com/v1/items?after=x")),
        (r#""more#here""#, Some("https://a.com/v1/more")),
        (r##""#here""##, Some("https://a.com/v1/items")),
        (r#""//b.com/x""#, Some("https://b.com/x")),
        ("null", None),
        (r#""""#, None),
    ] {
        let body = format!(r#"{{"data":[],"links":{{"next":{link}}}}}"#);
        assert_eq!(next(&pager, &body, None), target.map(Value::from), "{link}");
    }
    for link in [r#""ftp://a.com/x""#, r#""http://""#, "7"] {
        let body = format!(r#"{{"data":[],"links":{{"next":{link}}}}}"#);
        assert_eq!(failure(&pager, &body).kind, FailureKind::System, "{link}");
    }
}

#[test]
fn encryption_is_not_lost_to_an_api_that_does_not_know_about_it() {
    let pager = NextUrl::new("next");
    for (link, target) in [
        ("http://a.com/x?p=2", "https://a.com/x?p=2"),
        ("http://a.com:8080/x", "http://a.com:8080/x"),
        ("http://b.com/x", "http://b.com/x"),
    ] {
        let body = json!({"data": [], "next": link}).to_string();
        assert_eq!(next(&pager, &body, None), Some(json!(target)), "{link}");
    }
}

#[test]
fn a_next_url_replaces_the_streams_and_keeps_its_parameters_only_on_request() {
    let token = || Some(json!("https://a.com/v1/items?after=x&limit=5"));
    let stream = "https://a.com/v1/items?limit=9&since=1";
    assert_eq!(url(&NextUrl::new("next"), token(), stream), "https://a.com/v1/items?after=x&limit=5");
    let keeping = NextUrl::new("next").keep_params();
    assert_eq!(url(&keeping, token(), stream), "https://a.com/v1/items?after=x&limit=5&since=1");
    assert_eq!(url(&keeping, token(), "https://a.com/?limit=9"), "https://a.com/v1/items?after=x&limit=5");
    assert_eq!(
        url(&LinkHeader::new().keep_params(), token(), stream),
        "https://a.com/v1/items?after=x&limit=5&since=1"
    );
    assert_eq!(url(&keeping, None, stream), stream);
}

#[test]
fn a_link_header_leads_to_the_next_page() {
    let next = |link| LinkHeader::new().next_page_token(&page_of(r#"{"data":[]}"#, link), None).unwrap();
    let link = r#"</v1/items?p=1>; rel="first", <?p=3>; title="a, b"; rel="next""#;
    assert_eq!(next(link), Some(json!("https://a.com/v1/items?p=3")));
    assert_eq!(next(r#"</v1/items?p=1>; rel="prev""#), None);
}

#[test]
fn a_token_of_another_kind_is_a_config_failure_that_says_what_to_do() {
    let number = PageNumber::new("page");
    let offset = Offset::new("skip", "take", 1).unwrap();
    for failure in [
        refused(&number, json!("x")),
        refused(&number, json!(-1)),
        refused(&offset, json!({"after": 1})),
        refused(&NextUrl::new("next"), json!(2)),
        refused(&LinkHeader::new(), json!("items?p=2")),
    ] {
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(failure.message.contains("Remove `__resume`"), "{failure}");
    }
}
