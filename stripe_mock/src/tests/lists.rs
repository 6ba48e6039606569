//! Lists and their order.

use super::*;

#[test]
fn pages_hold_every_object_byte_for_byte_newest_first() {
    for pretty in [false, true] {
        let mock = StripeMock::builder().count("charges", 250).pretty(pretty).start();
        let objects = mock.objects("charges");
        assert_eq!(objects.len(), 250);
        assert!(same(&walk(&mock, "/v1/charges", ""), &objects), "pretty: {pretty}");
        assert_eq!(mock.server().requests().len(), 3);
        let created = |text: &Arc<str>| serde_json::from_str::<Value>(text).unwrap()["created"].as_i64().unwrap();
        let times: Vec<i64> = objects.iter().map(created).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older));
        assert_eq!((times[0], times[249]), (DEFAULT_NOW, DEFAULT_NOW - 365 * DAY));
    }
}

#[test]
fn a_page_looks_like_stripes() {
    let mock = StripeMock::builder().count("refunds", 11).start();
    let page = json_of(&ask(&mock, "/v1/refunds"));
    let keys: Vec<&String> = page.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["object", "data", "has_more", "url"]);
    assert_eq!(page["object"], "list");
    assert_eq!(page["url"], "/v1/refunds");
    assert_eq!(page["data"].as_array().unwrap().len(), 10, "the default limit");
    assert_eq!(page["has_more"], true);
    assert_eq!(
        ask(&mock, "/v1/products").text(),
        concat!(r#"{"object":"list","data":[],"#, r#""has_more":false,"url":"/v1/products"}"#)
    );
}

#[test]
fn a_pretty_page_is_indented_by_two_spaces() {
    let mock =
        StripeMock::builder().pretty(true).object("products", r#"{"id":"prod_1","created":5,"images":[]}"#).start();
    let tail = "],\n  \"has_more\": false,\n  \"url\": \"";
    assert_eq!(
        ask(&mock, "/v1/products").text(),
        format!(
            "{{\n  \"object\": \"list\",\n  \"data\": [\n    {{\n      \"id\": \"prod_1\",\n      \
             \"created\": 5,\n      \"images\": [\n\n      ]\n    }}\n  {tail}/v1/products\"\n}}"
        )
    );
    assert_eq!(
        ask(&mock, "/v1/refunds").text(),
        format!("{{\n  \"object\": \"list\",\n  \"data\": [\n\n  {tail}/v1/refunds\"\n}}")
    );
    let whole = ask(&mock, "/v1/products/prod_1");
    assert!(whole.text().starts_with("{\n  \"id\": \"prod_1\",\n"));
}

#[test]
fn created_windows_have_exact_bounds() {
    let mock = StripeMock::builder().count("refunds", 5).spread(100, 140).start();
    let ids = |params: &str| ids_of(&ask(&mock, &format!("/v1/refunds?{params}"))).0.len();
    assert_eq!(ids("created[gte]=110&created[lte]=130"), 3);
    assert_eq!(ids("created%5Bgt%5D=110&created%5Blt%5D=130"), 1);
    assert_eq!(ids("created=120"), 1);
    assert_eq!(ids("created[gte]=131&created[lt]=140"), 0);
    assert_eq!(ids("created[gte]=140"), 1);
    assert_eq!(ids("created[gte]=130&created[lte]=110"), 0, "an empty window");
    let windows = ["&created[lte]=119", "&created[gte]=120"].map(|w| walk(&mock, "/v1/refunds", w));
    assert!(same(&[&windows[1][..], &windows[0]].concat(), &mock.objects("refunds")));
    let (status, error) = error_of(&ask(&mock, "/v1/refunds?created[gte]=today"));
    assert_eq!((status, error["param"].as_str()), (400, Some("created[gte]")));
}

#[test]
fn cursors_go_both_ways_and_must_exist() {
    let mock = StripeMock::builder().count("refunds", 5).start();
    let all = mock.ids("refunds");
    let page = |params: &str| ids_of(&ask(&mock, &format!("/v1/refunds?limit=2&{params}")));
    let named =
        |range: std::ops::Range<usize>| all[range].iter().map(std::string::ToString::to_string).collect::<Vec<_>>();
    assert_eq!(page(&format!("starting_after={}", all[0])), (named(1..3), true));
    assert_eq!(page(&format!("starting_after={}", all[2])), (named(3..5), false));
    assert_eq!(page(&format!("starting_after={}", all[4])), (vec![], false));
    assert_eq!(page(&format!("ending_before={}", all[4])), (named(2..4), true));
    assert_eq!(page(&format!("ending_before={}", all[2])), (named(0..2), false));
    let response = ask(&mock, "/v1/refunds?starting_after=re_gone");
    assert!(response.header("Request-Id").is_some_and(|id| id.starts_with("req_")));
    let (status, error) = error_of(&response);
    assert_eq!(status, 400);
    assert_eq!(error["code"], "resource_missing");
    assert_eq!(error["param"], "starting_after");
    assert!(error["message"].as_str().unwrap().contains("re_gone"));
    let both = format!("/v1/refunds?ending_before={0}&starting_after={0}", all[0]);
    assert_eq!(ask(&mock, &both).status, 400);
}

#[test]
fn lists_are_filtered_by_fields_and_objects_found_by_id() {
    let mock = StripeMock::builder().count("charges", 1200).count("products", 20).start();
    let customer = &json_of(&ask(&mock, "/v1/charges?limit=1"))["data"][0]["customer"];
    let target = format!("/v1/charges?customer={}", customer.as_str().unwrap());
    assert_eq!(ids_of(&ask(&mock, &target)).0.len(), 3, "1200 charges, 500 customers");
    let active = walk(&mock, "/v1/products", "&active=true").len();
    let inactive = walk(&mock, "/v1/products", "&active=false").len();
    assert_eq!(active + inactive, 20);
    assert!(active > 0 && inactive > 0);
    let cards = StripeMock::builder().count("cards", 3).start();
    let of_holder = ids_of(&ask(&cards, "/v1/issuing/cards?cardholder=ich_000000000000000000000002")).0;
    assert_eq!(of_holder, ["ic_000000000000000000000002"], "the cardholder is in the card as a whole");
    let first = &mock.ids("charges")[0];
    let object = ask(&mock, &format!("/v1/charges/{first}"));
    assert_eq!(object.text(), &*mock.objects("charges")[0]);
    let (status, error) = error_of(&ask(&mock, "/v1/charges/ch_gone"));
    assert_eq!((status, error["code"].as_str()), (404, Some("resource_missing")));
}

#[test]
fn events_are_listed_by_type_for_30_days() {
    let now = DEFAULT_NOW;
    let mock = StripeMock::builder()
        .event("charge.updated", now - 31 * DAY, r#"{"id":"ch_1"}"#)
        .event("charge.updated", now - 2 * DAY, r#"{"id":"ch_1"}"#)
        .event("charge.refund.updated", now - DAY, r#"{"id":"re_1"}"#)
        .event("customer.updated", now, r#"{"id":"cus_1"}"#)
        .start();
    assert_eq!(mock.objects("events").len(), 4);
    let count = |params: &str| ids_of(&ask(&mock, &format!("/v1/events?{params}"))).0.len();
    assert_eq!(count(""), 3);
    assert_eq!(count("types[]=charge.updated"), 1);
    assert_eq!(count("types%5B%5D=charge.updated&types%5B%5D=customer.updated"), 2);
    assert_eq!(count("type=charge.*"), 2);
    assert_eq!(count("type=charge.refund.updated"), 1);
    assert_eq!(count("type=charge"), 0);
    let many: String = (0..21).map(|n| format!("&types[]=t{n}")).collect();
    assert_eq!(ask(&mock, &format!("/v1/events?limit=1{many}")).status, 400);
    assert_eq!(ask(&mock, "/v1/events?type=a&types[]=b").status, 400);
    mock.set_now(now + 29 * DAY);
    assert_eq!(mock.now(), now + 29 * DAY);
    assert_eq!(count(""), 2, "the oldest went");
}

#[test]
fn pushed_objects_appear_at_once_and_keep_their_digits() {
    let mock = StripeMock::builder().late_by(0).count("customers", 2).count("events", 2).start();
    let list = |path: &str| ids_of(&ask(&mock, path)).0;
    assert_eq!(list("/v1/customers").len(), 2);
    let later = DEFAULT_NOW + 10;
    let text = format!(r#"{{"id": "cus_new", "created": {later}, "balance": 1.10, "x": 0.1000000000000000000001}}"#);
    mock.push_object("customers", &text);
    assert_eq!(&*mock.objects("customers")[0], json_text::compact(&text));
    assert_eq!(list("/v1/customers")[0], "cus_new", "the page is not the old one");
    mock.push_object("customers", &text.replace("1.10", "2.50"));
    assert_eq!(mock.objects("customers").len(), 3, "the same id is the same object");
    assert!(mock.objects("customers")[0].contains("2.50"));
    mock.push_object("customers", &text.replace(&later.to_string(), "5"));
    assert_eq!(&*mock.ids("customers")[2], "cus_new", "and may move");
    mock.remove_object("customers", "cus_new");
    assert_eq!(ask(&mock, "/v1/customers?starting_after=cus_new").status, 400);
    assert_eq!(list("/v1/customers").len(), 2);

    let before = list("/v1/events");
    let id = mock.push_event("customer.updated", later, &text);
    let newest = ask(&mock, "/v1/events?limit=1");
    assert_eq!(ids_of(&newest).0, std::slice::from_ref(&id));
    assert!(newest.text().contains(r#""balance":1.10,"x":0.1000000000000000000001"#));
    assert!(!before.contains(&id));
}

#[test]
fn gzip_is_for_clients_that_accept_it() {
    let mock = StripeMock::builder().count("charges", 30).gzip(true).start();
    let auth = format!("Bearer {}", mock.key());
    let plain = ask(&mock, "/v1/charges");
    assert_eq!(plain.header("Content-Encoding"), None);
    for _ in 0..2 {
        let headers = [("Authorization", auth.as_str()), ("Accept-Encoding", "gzip, deflate")];
        let packed = ask_with(&mock, "/v1/charges", &headers);
        assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
        let mut text = String::new();
        GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, plain.text());
        assert!(packed.body.len() < plain.body.len() / 2);
    }
}

#[test]
fn paths_with_fields_filter_by_them() {
    let row = super::super::resource::Resource {
        path: "/v1/customers/{customer}/sources",
        filters: &["object"],
        ..RESOURCES[0]
    };
    let found = row.path_fields("/v1/customers/cus_1/sources");
    assert_eq!(found, Some(vec![("customer", "cus_1".to_owned())]));
    for other in ["/v1/customers//sources", "/v1/customers/cus_1", "/v1/customers/c/sources/x"] {
        assert_eq!(row.path_fields(other), None, "{other}");
    }
    assert_eq!(row.filter_fields().collect::<Vec<_>>(), ["object", "customer"]);
}
