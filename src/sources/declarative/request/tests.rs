use serde_json::{Value, json};

use super::super::options::{By, Injection, Place, RequestOption};
use super::super::paginator::Paginator;
use super::super::testing::{Built, built};
use super::*;
use crate::http::RequestBody;

/// A plain request.
fn first(slice: &Slice) -> Asked<'_> {
    Asked { slice, token: None, path: None, injections: &[] }
}

fn requester(fields: &str, config: Value) -> Built<Requester> {
    let snippet = format!("type: HttpRequester\nurl_base: http://a.com/v1\n{fields}");
    built(&snippet, config, |builder, part| Requester::build(builder, part, &[]))
}

/// The target of the request, its own headers except the content type, and the body.
fn shown(request: &HttpRequest) -> (String, Vec<String>, String) {
    let target = request.url[::url::Position::BeforePath..].to_owned();
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let body = request.body.encode().map_or(String::new(), |(body, _)| String::from_utf8(body).unwrap());
    (target, headers.collect(), body)
}

fn sent(fields: &str, config: Value) -> Result<(String, Vec<String>, String), Failure> {
    requester(fields, config).good().request(&first(&Slice::default())).map(|request| shown(&request))
}

fn target(fields: &str, config: Value) -> String {
    sent(fields, config).unwrap().0
}

fn body(fields: &str, config: Value) -> (String, Vec<String>) {
    let (_, headers, body) = sent(&format!("http_method: POST\n{fields}"), config).unwrap();
    (body, headers)
}

#[test]
fn the_path_is_rendered_and_its_query_comes_first() {
    let path = "path: \"//acc/{{ config['id'] }}/{{ config['missing'] }}x\"";
    assert_eq!(target(path, json!({"id": 7})), "/v1/acc/7/x");
    let fields = "path: items?a=1&c=9\nrequest_parameters: {a: '1', c: '8', b: '2'}";
    assert_eq!(target(fields, json!({})), "/v1/items?a=1&c=9&c=8&b=2");
    assert_eq!(target("path: ''\nrequest_parameters: {y: '2'}", json!({})), "/v1?y=2");
    // The id of an account stays unchanged.
    assert_eq!(target("path: \"{{ config['id'] }}\"", json!({"id": "1e5"})), "/v1/1e5");
}

#[test]
fn url_base_wins_over_url() {
    let build = |snippet: &str| {
        let snippet = format!("type: HttpRequester\n{snippet}");
        let requester = built(&snippet, json!({}), |builder, part| Requester::build(builder, part, &[])).good();
        requester.request(&first(&Slice::default())).unwrap().url.to_string()
    };
    assert_eq!(build("url: http://b.com/x"), "http://b.com/x");
    assert_eq!(build("url: http://b.com/x\npath: y"), "http://b.com/x/y");
    assert_eq!(build("url: http://b.com/x\nurl_base: http://c.com/z\npath: y"), "http://c.com/z/y");
}

#[test]
fn query_parameters_are_texts_and_lists() {
    let fields = r#"
request_parameters:
  plain: abc
  num_text: "5"
  version: "1.10"
  true_tpl: "{{ config['t'] }}"
  none_tpl: "{{ config['n'] }}"
  missing: "{{ config['missing'] }}"
  nested: "{{ config['a']['b'] }}"
  empty: ""
  list_text: "['x', 1]"
  list_tpl: "{{ [1, none, 'x', true, 1.5] }}"
  no_items: "{{ [] }}"
  dict_text: "{'a': 1}"
  tuple_text: "(1, 2)"
  quoted: "'q'"
  "{{ config['k'] }}": key
  space: "a b&c"
"#;
    let target = target(fields, json!({"t": true, "n": null, "k": "dyn"}));
    assert_eq!(
        target,
        "/v1?plain=abc&num_text=5&version=1.10&true_tpl=True&none_tpl=None&list_text=x&list_text=1&list_tpl=1&\
         list_tpl=x&list_tpl=True&list_tpl=1.5&dict_text=%7B%27a%27%3A+1%7D&tuple_text=%281%2C+2%29&quoted=q&dyn=key&\
         space=a+b%26c"
    );
    let object = sent("request_parameters: \"{{ {'a': {'b': 1}} }}\"", json!({})).unwrap_err();
    assert!(object.message.contains("the query parameter `a` is an object"), "{object}");
}

#[test]
fn headers_pass_the_literal_step_except_texts_of_one_expression() {
    let fields = r#"
request_headers:
  X-Plain: abc
  X-Ver: "1.10"
  X-Num: "007"
  X-None: "{{ config['n'] }}"
  X-Missing: "{{ config['missing'] }}"
  X-True: "{{ config['t'] }}"
  X-List: "{{ ['a','b'] }}"
  X-Text: "{{ config['v'] }}"
  X-Two: "{{ config['v'] }}{{ config['v'] }}"
"#;
    let built = requester(fields, json!({"n": null, "t": true, "v": "1.10"}));
    assert!(built.warnings[0].contains("`1.10` is sent as `1.1`"), "{:?}", built.warnings);
    let request = built.good().request(&first(&Slice::default())).unwrap();
    let (_, headers, _) = shown(&request);
    assert_eq!(
        headers,
        [
            "x-plain: abc",
            "x-ver: 1.1",
            "x-num: 007",
            "x-true: True",
            "x-list: ['a', 'b']",
            "x-text: 1.10",
            "x-two: 1.101.10"
        ]
    );
    assert!(request.headers["x-text"].is_sensitive() && !request.headers["x-plain"].is_sensitive());
    let (_, headers, _) = sent("request_headers: \"{{ {'X-A': 'b', 'X-N': 5} }}\"", json!({})).unwrap();
    assert_eq!(headers, ["x-a: b", "x-n: 5"]);
}

#[test]
fn a_json_body_has_pythons_bytes() {
    let fields = r#"
request_body_json:
  s: "\u00e9"
  num_tpl: "{{ config['i'] }}"
  num_text: "5"
  zip: "01234"
  none: "{{ config['n'] }}"
  missing: "{{ config['missing'] }}"
  nested: {a: [1, "{{ config['i'] }}", null, {x: "{{ config['missing'] }}"}], b: {}}
  empty: ""
  flag: true
  obj: "{{ {'z': 1} }}"
  "{{ config['k'] }}": 1
"#;
    let (text, headers) = body(fields, json!({"i": 3, "n": null, "k": "dyn"}));
    assert_eq!(
        text,
        r#"{"s": "\u00e9", "num_tpl": 3, "num_text": 5, "zip": "01234", "nested": {"a": [1, 3, null, {}], "b": {}}, "flag": true, "obj": {"z": 1}, "dyn": 1}"#
    );
    assert_eq!(headers, ["content-type: application/json"]);
    let own = "request_headers: {Content-Type: application/vnd.api+json}\nrequest_body_json: {a: 1}";
    assert_eq!(body(own, json!({})).1, ["content-type: application/vnd.api+json"]);
}

#[test]
fn each_kind_of_body_has_its_bytes_and_type() {
    let form = Some("application/x-www-form-urlencoded");
    for (fields, text, kind) in [
        ("request_body_json: {}\nrequest_body_data: {}", "", None),
        (
            "request_body_data: {a: '1', l: \"{{ ['x','y'] }}\", n: \"{{ config['missing'] }}\", sp: a b}",
            "a=1&l=x&l=y&sp=a+b",
            form,
        ),
        ("request_body_data: \"query { x(a: {{ config['i'] }}) }\"", "query { x(a: 3) }", None),
        ("request_body_data: \"{'a': 1, 'b': 'x'}\"", "a=1&b=x", form),
        ("request_body_data: '123'", "", None),
        ("request_body: {type: RequestBodyPlainText, value: '{\"a\": 1}'}", "a=1", form),
        ("request_body: {type: RequestBodyPlainText, value: '{\"a\": true}'}", "{\"a\": true}", None),
        (
            "request_body: {type: RequestBodyUrlEncodedForm, value: {a: x y, i: \"{{ config['i'] }}\"}}",
            "a=x+y&i=3",
            form,
        ),
        (
            "request_body: {type: RequestBodyGraphQL, value: {query: 'query { items { id } }', variables: {n: \"{{ config['i'] }}\"}}}",
            r#"{"query": "query { items { id } }", "variables": {"n": 3}}"#,
            Some("application/json"),
        ),
        (
            "request_body_json: {old: 1}\nrequest_body: {type: RequestBodyJsonObject, value: {new: 1}}",
            r#"{"new": 1}"#,
            Some("application/json"),
        ),
        // Unlike the reference, which sends no list.
        ("request_body_json: \"{{ [1, 2] }}\"", "[1, 2]", Some("application/json")),
        // Nor a text that is called JSON.
        (
            "request_headers: {Content-Type: application/json}\nrequest_body_data: '{\"a\": {{ config[''i''] }}}'",
            r#"{"a": 3}"#,
            Some("application/json"),
        ),
    ] {
        let (sent, headers) = body(fields, json!({"i": 3}));
        let kinds: Vec<_> = kind.into_iter().map(|kind| format!("content-type: {kind}")).collect();
        assert_eq!((sent.as_str(), headers), (text, kinds), "{fields}");
    }
}

#[test]
fn a_body_of_two_kinds_is_refused() {
    let both = requester("request_body_json: {a: 1}\nrequest_body_data: {b: '1'}", json!({}));
    assert!(both.errors[0].contains("a request has one body"), "{:?}", both.errors);
    let text = sent("request_body_json: hello", json!({})).unwrap_err();
    assert!(text.message.contains("a JSON body has to be an object, not str"), "{text}");
    assert!(text.message.contains("m.yaml:3:"), "{text}");
}

#[test]
fn templates_see_slice_and_token() {
    let fields = r#"
path: "{{ next_page_token['next_page_token'] }}/{{ creation_response['id'] }}"
request_parameters:
  p: "{{ stream_partition['sec'] }}"
  s: "{{ stream_slice['sec'] }}-{{ stream_slice.cursor_slice['from'] }}"
  i: "{{ stream_interval }}"
"#;
    let snippet = format!("type: HttpRequester\nurl_base: http://a.com\n{fields}");
    let build = |extra: &[&str]| built(&snippet, json!({}), |builder, part| Requester::build(builder, part, extra));
    assert!(build(&[]).errors[0].contains("there is no variable or function 'creation_response'"));
    let requester = build(&["creation_response"]).good();
    let slice = Slice {
        partition: json!({"sec": "v1"}),
        cursor_slice: json!({"from": 5}),
        extra_fields: json!({"creation_response": {"id": 9}}),
    };
    let token = json!("t1");
    let request = requester.request(&Asked { token: Some(&token), ..first(&slice) }).unwrap();
    let target = shown(&request).0;
    assert_eq!(target, "/t1/9?p=v1&s=v1-5&i=%7B%27sec%27%3A+%27v1%27%2C+%27from%27%3A+5%7D");
}

const KEY: &str = "authenticator: {type: ApiKeyAuthenticator, api_token: T, inject_into: {type: RequestOption, ";

#[test]
fn components_add_values_in_one_order() {
    let slice = Slice::default();
    let inject = |place, path: &[&str], value, by| {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Injection { place, path, value, by, from: format!("{by:?}").into() }
    };
    for (place, name, fields, told) in [
        (
            Place::Parameter,
            "request_parameter",
            "request_parameters: {a: '1'}",
            "/v1?a=1&auth=T&page=0&size=2&sec=v1&since=5",
        ),
        (Place::BodyData, "body_data", "request_body_data: {a: '1'}", "a=1&auth=T&page=0&size=2&sec=v1&since=5"),
    ] {
        let fields = format!("http_method: POST\n{fields}\n{KEY}inject_into: {name}, field_name: auth}}}}");
        let injections = [
            inject(place, &["since"], json!(5), By::Cursor),
            inject(place, &["sec"], json!("v1"), By::Router),
            inject(place, &["page"], json!(0), By::Paginator),
            inject(place, &["size"], json!(2), By::Paginator),
        ];
        let request = requester(&fields, json!({})).good();
        let request = request.request(&Asked { injections: &injections, ..first(&slice) }).unwrap();
        let (target, _, body) = shown(&request);
        assert_eq!(if place == Place::Parameter { target } else { body }, told);
    }
    let fields = format!(
        "http_method: POST\nrequest_body_json: {{req: 1, nest: {{r: 1}}}}\n{KEY}inject_into: body_json, field_path: [nest, auth]}}}}"
    );
    let injections = [
        inject(Place::BodyJson, &["nest", "page"], json!({"after": {"k": [1]}}), By::Paginator),
        inject(Place::BodyJson, &["nest", "sec"], json!("v1"), By::Router),
        inject(Place::Header, &["X-Page"], json!(0), By::Paginator),
        inject(Place::Parameter, &["ids"], json!([1, null, 2]), By::Router),
    ];
    let request = requester(&fields, json!({})).good();
    let request = request.request(&Asked { injections: &injections, ..first(&slice) }).unwrap();
    let (target, headers, body) = shown(&request);
    assert_eq!(body, r#"{"req": 1, "nest": {"r": 1, "auth": "T", "page": {"after": {"k": [1]}}, "sec": "v1"}}"#);
    assert_eq!(
        (target.as_str(), headers),
        ("/v1?ids=1&ids=2", vec!["x-page: 0".into(), "content-type: application/json".into()])
    );
}

#[test]
fn a_text_body_takes_no_fields() {
    let request = requester("http_method: POST\nrequest_body_data: 'query { a }'", json!({})).good();
    let (path, from) = (["page".to_owned()].into(), "paginator".into());
    let page = [Injection { place: Place::BodyData, path, value: json!(1), by: By::Paginator, from }];
    let failure = request.request(&Asked { injections: &page, ..first(&Slice::default()) }).unwrap_err();
    assert!(failure.message.contains("the body is a text"), "{failure}");
}

#[test]
fn a_key_is_not_sent_to_another_host() {
    let fields = format!("path: items\n{KEY}inject_into: request_parameter, field_name: key}}}}");
    let requester = requester(&fields, json!({})).good();
    let slice = Slice::default();
    let url = |path: &str| {
        let request = requester.request(&Asked { path: Some(path), ..first(&slice) }).unwrap();
        request.url.to_string()
    };
    assert_eq!(url("/v1/items?l=3"), "http://a.com/v1/items?l=3&key=T");
    assert_eq!(url("http://b.com/x?l=3"), "http://b.com/x?l=3");
    let own = self::requester("request_headers: {X-Key: \"{{ config['k'] }}\", X-A: b}", json!({"k": "T"})).good();
    let sent = |path| shown(&own.request(&Asked { path: Some(path), ..first(&slice) }).unwrap()).1;
    assert_eq!(sent("/x"), ["x-key: T", "x-a: b"]);
    assert_eq!(sent("http://b.com/x"), ["x-a: b"]);
    // A host that the manifest itself names is intended.
    let fields = fields.replace("path: items", "path: http://b.com/x");
    let requester = self::requester(&fields, json!({})).good();
    assert_eq!(requester.request(&first(&slice)).unwrap().url.as_str(), "http://b.com/x?key=T");
}

#[test]
fn without_a_base_the_path_is_the_base() {
    let slice = Slice { extra_fields: json!({"download_target": "http://b.com/report?sig=1"}), ..Slice::default() };
    for path in ["{{ download_target }}", "{{ config['url'] }}"] {
        let snippet = format!(
            "type: HttpRequester\nurl_base: ''\npath: \"{path}\"\n{KEY}inject_into: request_parameter, field_name: k}}}}"
        );
        let config = json!({"url": "http://b.com/report?sig=1"});
        let build = |builder: &Builder<'_>, part: &Part<'_>| Requester::build(builder, part, &["download_target"]);
        let requester = built(&snippet, config, build).good();
        let request = requester.request(&first(&slice)).unwrap();
        assert_eq!(shown(&request), ("/report?sig=1&k=T".to_owned(), vec![], String::new()));
        assert!(requester.is_home(&request.url) && !requester.is_home(&"http://c.com".parse().unwrap()));
    }
}

#[test]
fn a_template_that_cannot_be_evaluated_is_a_failure_that_names_the_expression() {
    let failure = sent("request_parameters: {a: \"{{ 1 + config['s'] }}\"}", json!({"s": "s3cret"})).unwrap_err();
    let told = "request_parameters (m.yaml:3:21): in the template `{{ 1 + config['s'] }}`";
    assert!(failure.message.contains(told) && !failure.message.contains("s3cret"), "{failure}");
    let failure = sent("path: \"{{ config['a']['b'] }}\"", json!({})).unwrap_err();
    assert!(failure.message.contains("config['a']['b']"), "{failure}");
}

#[test]
fn visible_collisions_are_reported_at_load_with_both_components() {
    let snippet = "
requester:
  type: HttpRequester
  url_base: http://a.com
  request_parameters: {limit: '2', maybe: \"{{ config['m'] }}\"}
  request_headers: {Authorization: x}
  authenticator: {type: BearerAuthenticator, api_token: t}
paginator:
  type: DefaultPaginator
  pagination_strategy: {type: PageIncrement, page_size: 2}
  page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: maybe}
  page_size_option: {type: RequestOption, inject_into: request_parameter, field_name: limit}
router: {type: RequestOption, inject_into: request_parameter, field_name: maybe}
cursor: {type: RequestOption, inject_into: request_parameter, field_name: from}
other: {type: RequestOption, inject_into: request_parameter, field_name: from}
";
    let told = built(snippet, json!({}), |builder, part| {
        let requester = Requester::build(builder, &part.field("requester")?, &[])?;
        let paginator = Paginator::build(builder, part.field("paginator").as_ref())?;
        let option = |name, by| RequestOption::build(builder, &part.field(name).unwrap(), by).unwrap();
        let (router, cursor) = (option("router", By::Router), option("cursor", By::Cursor));
        let other = option("other", By::Router);
        let options: Vec<_> = paginator.options().chain([&router, &cursor, &other]).collect();
        tell_collisions(builder, part, &requester, &options);
        Some(())
    });
    let texts = |lines: &[String]| lines.join("\n");
    for named in [
        "requester.request_parameters (m.yaml:5:23) and paginator.page_size_option (m.yaml:12:21) both set the query parameter `limit`",
        "paginator.page_token_option (m.yaml:11:22) and router (m.yaml:13:9) both set the query parameter `maybe`",
        "requester.request_headers (m.yaml:6:20) and requester.authenticator (m.yaml:7:18) both set the header `Authorization`",
    ] {
        assert!(texts(&told.errors).contains(named), "{:?}", told.errors);
    }
    assert_eq!(told.errors.len(), 3, "{:?}", told.errors);
    assert!(texts(&told.warnings).contains("both set the query parameter `from`: only one"), "{:?}", told.warnings);
}

#[test]
fn an_option_has_one_kind_of_name() {
    for (fields, told) in [
        ("inject_into: header, field_path: [a]", "is for `inject_into: body_json` only"),
        ("inject_into: body_json, field_path: [a], field_name: b", "exclude each other"),
        ("inject_into: header", "it has no name for its value"),
    ] {
        let snippet = format!("{{type: RequestOption, {fields}}}");
        let built = built(&snippet, json!({}), |builder, part| RequestOption::build(builder, part, By::Router));
        assert!(built.errors[0].contains(told), "{:?}", built.errors);
    }
    let snippet = "{type: RequestOption, inject_into: header, field_name: \"X-{{ config['n'] }}\"}";
    let option =
        built(snippet, json!({"n": 5}), |builder, part| RequestOption::build(builder, part, By::Router)).good();
    assert_eq!(option.path[..], ["X-5".to_owned()]);
}

#[test]
fn timeouts_and_the_cache_come_from_the_manifest() {
    let fields = "connect_timeout_in_seconds: 1.5\nread_timeout_in_seconds: 7\nuse_cache: true";
    let requester = requester(fields, json!({})).good();
    let options = requester.travel(RequestOptions::default());
    assert_eq!((options.connect_timeout, options.read_timeout), (Duration::from_millis(1500), Duration::from_secs(7)));
    assert_eq!((options.response_timeout, requester.use_cache), (Duration::from_secs(7), Some(true)));
    let wrong = self::requester("read_timeout_in_seconds: 0", json!({}));
    assert!(wrong.errors[0].contains("a number of seconds above 0"), "{:?}", wrong.errors);
}

#[test]
fn debug_output_of_a_request_shows_no_body() {
    let request = requester("http_method: POST\nrequest_body_json: {k: x7}", json!({})).good();
    let request = request.request(&first(&Slice::default())).unwrap();
    assert!(matches!(request.body, RequestBody::Text(_)) && !format!("{request:?}").contains("x7"));
}
