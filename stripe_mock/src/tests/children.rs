//! Objects that belong to others: inside them, and in lists of their own.

use super::*;

fn ids_in(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap()).collect()
}

/// The first object on a page.
fn first(response: &Response) -> Value {
    json_of(response)["data"][0].clone()
}

#[test]
fn the_first_ten_children_are_inside_and_all_are_in_their_list() {
    for (parents, field, children, url) in [
        ("invoices", "lines", "invoice_line_items", "/v1/invoices/{}/lines"),
        ("subscriptions", "items", "subscription_items", "/v1/subscription_items?subscription={}"),
        ("application_fees", "refunds", "application_fees_refunds", "/v1/application_fees/{}/refunds"),
        ("transfers", "reversals", "transfer_reversals", "/v1/transfers/{}/reversals"),
        ("accounts", "external_accounts", "external_accounts", "/v1/accounts/{}/external_accounts"),
    ] {
        let row = &RESOURCES[Resource::place(parents)];
        let many = row.id(2);
        let mock =
            StripeMock::builder().count(parents, 3).children(children, 3).children_of(children, &many, 25).start();
        assert_eq!(mock.ids(children).len(), 31, "{children}");
        let page = json_of(&ask(&mock, &format!("{}?limit=100", row.path)));
        for (parent, count) in page["data"].as_array().unwrap().iter().zip([3, 25, 3]) {
            let url = url.replace("{}", parent["id"].as_str().unwrap());
            let nested = &parent[field];
            assert_eq!((&nested["object"], &nested["url"]), (&json!("list"), &json!(url)));
            assert_eq!((&nested["total_count"], &nested["has_more"]), (&json!(count), &json!(count > 10)), "{url}");
            let inside = ids_in(nested);
            let joint = if url.contains('?') { '&' } else { '?' };
            let listed = ids_of(&ask(&mock, &format!("{url}{joint}limit=100"))).0;
            assert_eq!(listed.len(), count, "{url}");
            assert_eq!(inside, listed[..count.min(10)], "{url}");
            let last = inside.last().unwrap();
            let rest = ids_of(&ask(&mock, &format!("{url}{joint}limit=100&starting_after={last}")));
            assert_eq!(rest, (listed[count.min(10)..].to_vec(), false), "{url}");
        }
    }
}

#[test]
fn children_are_in_order_where_they_have_no_time_and_newest_first_where_they_have() {
    let mock = StripeMock::builder()
        .count("invoices", 1)
        .children("invoice_line_items", 3)
        .count("transfers", 1)
        .children("transfer_reversals", 3)
        .start();
    let named = |resource: &str, numbers: [u64; 3]| {
        let row = &RESOURCES[Resource::place(resource)];
        numbers.map(|number| row.id(number))
    };
    assert_eq!(ids_in(&first(&ask(&mock, "/v1/invoices"))["lines"]), named("invoice_line_items", [1, 2, 3]));
    assert_eq!(ids_in(&first(&ask(&mock, "/v1/transfers"))["reversals"]), named("transfer_reversals", [3, 2, 1]));
}

#[test]
fn lists_that_are_not_always_inside_must_be_requested() {
    let mock = StripeMock::builder()
        .count("charges", 2)
        .children("refunds", 11)
        .count("customers", 1)
        .children("bank_accounts", 3)
        .start();
    for path in ["/v1/charges", "/v1/customers"] {
        let plain = first(&ask(&mock, path));
        assert_eq!((plain.get("refunds"), plain.get("sources")), (None, None));
    }
    for pretty in [false, true] {
        let mock = StripeMock::builder().count("charges", 2).children("refunds", 11).pretty(pretty).start();
        let page = ask(&mock, "/v1/charges?expand[]=data.refunds");
        let objects = mock.expanded("charges", &["data.refunds"]);
        let text = if pretty { json_text::compact(page.text()) } else { page.text().to_owned() };
        let head = r#"{"object":"list","data":["#;
        let tail = r#"],"has_more":false,"url":"/v1/charges"}"#;
        assert_eq!(text, format!("{head}{}{tail}", objects.join(",")));
        if pretty {
            assert_eq!(page.text(), json_text::pretty(&text, 0));
        }
    }
    let charge = first(&ask(&mock, "/v1/charges?limit=1&expand[]=data.refunds"));
    let id = charge["id"].as_str().unwrap();
    assert_eq!((ids_in(&charge["refunds"]).len(), &charge["refunds"]["has_more"]), (10, &json!(true)));
    assert_eq!(charge["refunds"]["url"], format!("/v1/charges/{id}/refunds"));
    for list in [format!("/v1/charges/{id}/refunds?limit=100"), format!("/v1/refunds?limit=100&charge={id}")] {
        assert_eq!(ids_of(&ask(&mock, &list)).0.len(), 11, "{list}");
    }
    let customer = first(&ask(&mock, "/v1/customers?expand[]=data.sources"));
    let kinds: Vec<&Value> =
        customer["sources"]["data"].as_array().unwrap().iter().map(|source| &source["object"]).collect();
    assert_eq!(kinds, ["bank_account", "bank_account", "card"]);
    let id = customer["id"].as_str().unwrap();
    let listed = ids_of(&ask(&mock, &format!("/v1/customers/{id}/bank_accounts"))).0;
    assert_eq!(listed, ids_in(&customer["sources"])[..2], "bank accounts alone");
    let card = ids_in(&customer["sources"])[2];
    let (status, error) = error_of(&ask(&mock, &format!("/v1/customers/{id}/bank_accounts?starting_after={card}")));
    assert_eq!((status, &error["code"]), (400, &json!("resource_missing")), "the list does not know the card");
}

#[test]
fn child_lists_hold_only_the_parents_children() {
    let now = DEFAULT_NOW;
    for (parents, children, list) in [
        ("customers", "customer_balance_transactions", "/v1/customers/{}/balance_transactions?limit=2"),
        ("customers", "payment_methods", "/v1/customers/{}/payment_methods?limit=2"),
        ("accounts", "persons", "/v1/accounts/{}/persons?limit=2"),
        ("checkout_sessions", "checkout_sessions_line_items", "/v1/checkout/sessions/{}/line_items?limit=2"),
        ("payouts", "balance_transactions", "/v1/balance_transactions?limit=2&payout={}"),
        ("setup_intents", "setup_attempts", "/v1/setup_attempts?limit=2&setup_intent={}"),
        ("files", "file_links", "/v1/file_links?limit=2&file={}"),
    ] {
        let mock = StripeMock::builder().count(parents, 3).children(children, 3).spread(now - DAY, now).start();
        let mut seen = BTreeSet::new();
        for parent in &mock.ids(parents) {
            let path = list.replace("{}", parent);
            let (page, more) = ids_of(&ask(&mock, &path));
            assert_eq!((page.len(), more), (2, true), "{path}");
            let (rest, more) = ids_of(&ask(&mock, &format!("{path}&starting_after={}", page[1])));
            assert_eq!((rest.len(), more), (1, false), "{path}");
            let (back, _) = ids_of(&ask(&mock, &format!("{path}&ending_before={}", rest[0])));
            assert_eq!(back, page, "{path}");
            seen.extend([page, rest].concat());
        }
        let all: BTreeSet<String> = mock.ids(children).iter().map(ToString::to_string).collect();
        assert_eq!(seen, all, "{children}");
        let of_another = &all.iter().next_back().unwrap();
        let oldest = &mock.ids(parents)[2];
        let path = format!("{}&starting_after={of_another}", list.replace("{}", oldest));
        let (status, error) = error_of(&ask(&mock, &path));
        assert_eq!((status, error["param"].as_str()), (400, Some("starting_after")), "{path}");
    }
}

#[test]
fn children_have_times_and_windows_of_their_own() {
    let mock = StripeMock::builder().spread(1000, 2000).count("setup_intents", 2).children("setup_attempts", 3).start();
    let oldest = &mock.ids("setup_intents")[1];
    let count = |window: &str| {
        let path = format!("/v1/setup_attempts?setup_intent={oldest}{window}");
        ids_of(&ask(&mock, &path)).0.len()
    };
    assert_eq!((count(""), count("&created[gte]=1120"), count("&created[lt]=1060")), (3, 2, 0));
}

#[test]
fn grandchildren_are_found_by_their_parent() {
    let mock = StripeMock::builder()
        .count("subscriptions", 2)
        .children("subscription_items", 2)
        .children("usage_records", 3)
        .start();
    assert_eq!(mock.ids("usage_records").len(), 12);
    let item = &mock.ids("subscription_items")[0];
    let summaries = ask(&mock, &format!("/v1/subscription_items/{item}/usage_record_summaries"));
    assert_eq!(ids_of(&summaries).0.len(), 3);
    assert!(json_of(&summaries)["data"][0].get("_parent").is_none());
}

#[test]
fn unknown_parents_and_missing_parameters_are_refused() {
    let mock = StripeMock::builder().count("customers", 1).children("payment_methods", 1).start();
    for (path, param) in [
        ("/v1/customers/cus_gone/payment_methods", "customer"),
        ("/v1/customers/cus_gone/sources", "customer"),
        ("/v1/invoices/in_gone/lines", "invoice"),
        ("/v1/accounts/acct_gone/persons", "account"),
        ("/v1/customers/cus_gone/payment_methods/pm_1", "customer"),
    ] {
        let (status, error) = error_of(&ask(&mock, path));
        let codes = (error["code"].as_str(), error["param"].as_str());
        assert_eq!((status, codes), (404, (Some("resource_missing"), Some(param))), "{path}");
    }
    for (path, code, param) in [
        ("/v1/subscription_items?subscription=sub_gone", "resource_missing", "subscription"),
        ("/v1/setup_attempts?setup_intent=seti_gone", "resource_missing", "setup_intent"),
        ("/v1/balance_transactions?payout=po_gone", "resource_missing", "payout"),
        ("/v1/subscription_items", "parameter_missing", "subscription"),
        ("/v1/setup_attempts?limit=1", "parameter_missing", "setup_intent"),
    ] {
        let (status, error) = error_of(&ask(&mock, path));
        let codes = (error["code"].as_str(), error["param"].as_str());
        assert_eq!((status, codes), (400, (Some(code), Some(param))), "{path}");
    }
    let own = [("Authorization", format!("Bearer {DEFAULT_KEY}")), ("Stripe-Account", "acct_own".to_owned())];
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let accounts = ask_with(&mock, "/v1/accounts/acct_own/external_accounts?object=card", &own);
    assert_eq!(ids_of(&accounts), (vec![], false), "the account of the request is there");
}

#[test]
fn objects_of_an_objects_inner_lists_are_listed_too() {
    let invoice = r#"{"id":"in_1","object":"invoice","created":5,"lines":{"data":[{"id":"il_1","amount":1.10},{"id":"il_2"}]},"x":1}"#;
    let mock = StripeMock::builder().object("invoices", invoice).start();
    let lines = r#"{"object":"list","data":[{"id":"il_1","amount":1.10},{"id":"il_2"}],"has_more":false,"total_count":2,"url":"/v1/invoices/in_1/lines"}"#;
    assert_eq!(
        &*mock.objects("invoices")[0],
        format!(r#"{{"id":"in_1","object":"invoice","created":5,"lines":{lines},"x":1}}"#)
    );
    assert_eq!(ids_of(&ask(&mock, "/v1/invoices/in_1/lines")).0, ["il_1", "il_2"]);
    mock.push_object("invoice_line_items", r#"{"id":"il_3","_parent":"in_1"}"#);
    mock.push_object("invoice_line_items", r#"{"id":"il_1","amount":2,"_parent":"in_1"}"#);
    mock.remove_object("invoice_line_items", "il_2");
    let invoice: Value = serde_json::from_str(&mock.objects("invoices")[0]).unwrap();
    let expected = json!([{"id": "il_1", "amount": 2}, {"id": "il_3"}]);
    assert_eq!((&invoice["lines"]["data"], &invoice["lines"]["total_count"]), (&expected, &json!(2)));
    mock.push_object("invoices", r#"{"id":"in_2","created":6}"#);
    mock.push_object("invoice_line_items", r#"{"id":"il_3","_parent":"in_2"}"#);
    let counts: Vec<Value> = mock
        .objects("invoices")
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["lines"]["total_count"].clone())
        .collect();
    assert_eq!(counts, [1, 1], "a child can move");
}

#[test]
#[should_panic(expected = "customers are nobody's children")]
fn only_children_can_be_requested_as_such() {
    let _ = StripeMock::builder().children("customers", 1);
}
