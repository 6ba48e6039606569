use serde_json::{Value, json};

use super::super::options::Place;
use super::super::request::Slice;
use super::super::template::Json;
use super::super::testing::{Built, built};
use super::*;
use crate::http::{HeaderMap, StatusCode};

fn paginator(strategy: &str, rest: &str, config: Value) -> Built<Paginator> {
    let token = "page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: tok}";
    let rest = if rest.contains("page_token_option") { rest.to_owned() } else { format!("{token}\n{rest}") };
    let snippet = format!("type: DefaultPaginator\npagination_strategy: {{{strategy}}}\n{rest}");
    built(&snippet, config, |builder, part| Paginator::build(builder, Some(part)))
}

fn cursor(fields: &str) -> Paginator {
    paginator(&format!("type: CursorPagination, {fields}"), "", json!({})).good()
}

/// A response and its records.
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
    last_record: Option<&'static str>,
    kept: u64,
    found: u64,
    token: Option<Value>,
    slice: Slice,
}

impl Seen {
    fn page(found: u64) -> Self {
        let (headers, slice) = (HeaderMap::new(), Slice::default());
        Self { status: 200, headers, body: "{}".into(), last_record: None, kept: found, found, token: None, slice }
    }

    fn of(body: &Value) -> Self {
        Self { body: body.to_string(), ..Self::page(1) }
    }

    fn next(&self, paginator: &Paginator) -> Result<Next, Failure> {
        paginator.next(&Page {
            status: StatusCode::from_u16(self.status).unwrap(),
            headers: &self.headers,
            body: Some(&self.body).filter(|body| !body.is_empty()).map(|body| Json::Text(body)),
            last_record: self.last_record,
            kept: self.kept,
            found: self.found,
            token: self.token.as_ref(),
            size: None,
            slice: &self.slice,
        })
    }

    /// The token of the next page, null for none.
    fn token(&self, paginator: &Paginator) -> Value {
        match self.next(paginator).unwrap() {
            Next::Page(token) => token,
            Next::End(_) => Value::Null,
        }
    }
}

/// The tokens of all requested pages, given the number of records in each.
fn tokens(paginator: &Paginator, pages: &[u64]) -> Vec<Value> {
    let mut token = paginator.initial();
    let mut tokens = Vec::new();
    for found in pages {
        tokens.push(token.clone().unwrap_or_default());
        match (Seen { token, ..Seen::page(*found) }).next(paginator).unwrap() {
            Next::Page(next) => token = Some(next),
            Next::End(_) => break,
        }
    }
    tokens
}

#[test]
fn pages_are_numbered_until_one_is_not_full() {
    let all = |strategy: &str, pages: &[u64]| tokens(&paginator(strategy, "", json!({"n": 2})).good(), pages);
    assert_eq!(all("type: PageIncrement, page_size: 2", &[2, 2, 1, 9]), [json!(null), json!(1), json!(2)]);
    let first = "type: PageIncrement, page_size: '2', start_from_page: 1, inject_on_first_request: true";
    assert_eq!(all(first, &[2, 2, 0]), [json!(1), json!(2), json!(3)]);
    assert_eq!(all("type: PageIncrement, page_size: 2, start_from_page: 1", &[2, 1]), [json!(null), json!(2)]);
    assert_eq!(all("type: PageIncrement", &[2, 1, 0]), [json!(null), json!(1), json!(2)]);
    assert_eq!(all("type: PageIncrement, page_size: \"{{ config['n'] }}\"", &[2, 1]), [json!(null), json!(1)]);
}

#[test]
fn offsets_grow_by_the_records_of_a_page() {
    let all = |strategy: &str, pages: &[u64]| tokens(&paginator(strategy, "", json!({})).good(), pages);
    assert_eq!(all("type: OffsetIncrement, page_size: 2", &[2, 5, 1]), [json!(null), json!(2), json!(7)]);
    assert_eq!(
        all("type: OffsetIncrement, page_size: 2, inject_on_first_request: true", &[2, 0]),
        [json!(0), json!(2)]
    );
    assert_eq!(all("type: OffsetIncrement", &[3, 1, 0]), [json!(null), json!(3), json!(4)]);
    let said = paginator("type: OffsetIncrement, page_size: \"{{ response['limit'] }}\"", "", json!({})).good();
    assert_eq!(Seen { found: 3, ..Seen::of(&json!({"limit": 3})) }.token(&said), json!(3));
    assert_eq!(Seen { found: 3, ..Seen::of(&json!({"limit": 4})) }.token(&said), json!(null));
    assert!(Seen::of(&json!({"limit": [1]})).next(&said).unwrap_err().message.contains("page_size"));
}

#[test]
fn an_ignored_error_ends_the_pages() {
    let pages = paginator("type: PageIncrement", "", json!({})).good();
    let seen = Seen { status: 404, ..Seen::page(5) };
    assert_eq!(seen.next(&pages).unwrap(), Next::End("the response is an error that is ignored"));
}

#[test]
fn a_token_stays_as_the_api_gave_it_and_a_false_one_ends_the_pages() {
    let paginator = cursor("cursor_value: \"{{ response['next'] }}\"");
    for (next, token) in [
        (json!("10"), json!("10")),
        (json!("2.50"), json!("2.50")),
        (json!(10), json!(10)),
        (json!({"k": [1]}), json!({"k": [1]})),
        (json!(true), json!(true)),
        (json!("0"), json!(null)),
        (json!("None"), json!(null)),
        (json!(""), json!(null)),
        (json!([]), json!(null)),
        (json!(false), json!(null)),
        (json!(null), json!(null)),
    ] {
        assert_eq!(Seen::of(&json!({"next": next})).token(&paginator), token, "{next}");
    }
    for body in ["", "[]", "{}"] {
        assert_eq!(Seen { body: body.to_owned(), ..Seen::page(1) }.token(&paginator), json!(null), "{body}");
    }
    assert_eq!(Seen::of(&json!([{"next": "a"}, {"next": "b"}])).token(&paginator), json!("a"));
    // The variables of a GraphQL query, put together as a text.
    let variables = cursor(r#"cursor_value: "{{ '{\"after\": \"' + response['next'] + '\"}' }}""#);
    assert_eq!(Seen::of(&json!({"next": "10"})).token(&variables), json!({"after": "10"}));
    // Two expressions are a text that is read again.
    let both = cursor("cursor_value: \"{{ response['a'] }}{{ response['b'] }}\"");
    assert_eq!(Seen::of(&json!({"a": 1, "b": 2})).token(&both), json!(12));
    let tuple = cursor("cursor_value: \"({{ response['a'] }},2)\"");
    assert_eq!(Seen::of(&json!({"a": 1})).token(&tuple), json!([1, 2]));
}

#[test]
fn headers_are_found_in_any_case_and_links_by_their_relation() {
    let mut headers = HeaderMap::new();
    headers.insert("X-Next", "n1".parse().unwrap());
    headers.insert("Link", "<http://a.com/x?p=2>; rel=\"next\", </last>; rel=\"last\"".parse().unwrap());
    let seen = Seen { headers, ..Seen::page(1) };
    assert_eq!(seen.token(&cursor("cursor_value: \"{{ headers['x-NEXT'] }}\"")), json!("n1"));
    let next = cursor("cursor_value: \"{{ headers['link']['next']['url'] }}\"");
    assert_eq!(seen.token(&next), json!("http://a.com/x?p=2"));
    let text = cursor("cursor_value: \"{{ headers['Link'][:5] }}\"");
    assert_eq!(seen.token(&text), json!("<http"));
    let stop = cursor("cursor_value: x, stop_condition: \"{{ not headers['link']['next'] }}\"");
    assert_eq!((seen.token(&stop), Seen::page(1).token(&stop)), (json!("x"), json!(null)));
}

#[test]
fn the_stop_condition_is_checked_first_and_sees_the_records() {
    let fields =
        "page_size: 2, cursor_value: \"{{ last_record['id'] }}\", stop_condition: \"{{ last_page_size < page_size }}\"";
    let last = cursor(fields);
    let seen = |kept| Seen { kept, last_record: Some(r#"{"id":"007"}"#), ..Seen::page(9) };
    assert_eq!((seen(2).token(&last), seen(1).token(&last)), (json!("007"), json!(null)));
    let nothing = cursor("cursor_value: \"{{ last_record['id'] }}\"");
    assert_eq!(Seen::page(0).token(&nothing), json!(null));
    let slice = cursor("cursor_value: \"{{ stream_slice['s'] }}\"");
    let partition = Slice { partition: json!({"s": "v"}), ..Slice::default() };
    assert_eq!(Seen { slice: partition, ..Seen::page(1) }.token(&slice), json!("v"));
    let undefined = cursor("cursor_value: x, stop_condition: \"{{ response['a']['b'] }}\"");
    assert_eq!(Seen::page(1).token(&undefined), json!("x"));
}

#[test]
fn a_condition_that_cannot_be_evaluated_is_a_failure_and_not_the_end() {
    let stop = cursor("cursor_value: x, stop_condition: \"{{ response['n'] > 1 }}\"");
    let failure = Seen::of(&json!({"n": null})).next(&stop).unwrap_err();
    assert!(failure.message.contains("`{{ response['n'] > 1 }}`"), "{failure}");
    let nested = cursor("cursor_value: \"{{ response['a']['b'] }}\"");
    assert!(Seen::page(1).next(&nested).is_err());
}

#[test]
fn unknown_names_are_reported_at_load() {
    for (fields, name) in [
        ("cursor_value: \"{{ next_page_token }}\"", "next_page_token"),
        ("cursor_value: x, stop_condition: \"{{ last_page_size < page_size }}\"", "page_size"),
    ] {
        let built = paginator(&format!("type: CursorPagination, {fields}"), "", json!({}));
        assert!(built.errors[0].contains(&format!("no variable or function '{name}'")), "{:?}", built.errors);
    }
}

#[test]
fn token_and_size_go_where_the_options_say() {
    let size = "page_size_option: {type: RequestOption, inject_into: header, field_name: X-Size}";
    let pages = paginator("type: PageIncrement, page_size: 2", size, json!({})).good();
    let shown = |token: Option<&Value>| {
        let put = pages.injections(token, None).into_iter();
        put.map(|one| (one.place, one.path.join("."), one.value)).collect::<Vec<_>>()
    };
    let header = (Place::Header, "X-Size".to_owned(), json!(2));
    let token = (Place::Parameter, "tok".to_owned(), json!(0));
    assert_eq!(shown(Some(&json!(0))), [token, header]);
    assert_eq!(shown(None).len(), 1);
    assert_eq!((pages.path(Some(&json!("x"))), pages.options().count()), (None, 2));
    let path =
        paginator("type: CursorPagination, cursor_value: x", "page_token_option: {type: RequestPath}", json!({}));
    let path = path.good();
    assert!(path.injections(Some(&json!("x")), None).is_empty());
    assert_eq!((path.path(Some(&json!("/x?p=2"))).as_deref(), path.path(None)), (Some("/x?p=2"), None));
    assert_eq!(path.path(Some(&json!(0))), None);
}

#[test]
fn faults_and_unsupported_strategies_are_reported() {
    let size = "page_size_option: {type: RequestOption, inject_into: header, field_name: X-Size}";
    let config = json!({"n": "abc"});
    for (strategy, told) in [
        ("type: PageIncrement", "there is no page size to send"),
        ("type: PageIncrement, page_size: \"{{ config['n'] }}\"", "a whole number with this config, not str"),
        ("type: OffsetIncrement, page_size: \"{{ response['n'] }}\"", "cannot be sent with the request"),
    ] {
        let built = paginator(strategy, size, config.clone());
        assert!(built.errors.iter().any(|error| error.contains(told)), "{:?}", built.errors);
    }
    let custom = paginator("type: CustomPaginationStrategy", "", json!({}));
    assert!(
        custom.refusals[0].starts_with("the pagination strategy `CustomPaginationStrategy`"),
        "{:?}",
        custom.refusals
    );
    let none = built("{type: NoPagination}", json!({}), |builder, part| Paginator::build(builder, Some(part))).good();
    assert_eq!((none.initial(), Seen::page(9).token(&none)), (None, json!(null)));
}
