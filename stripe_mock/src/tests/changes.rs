//! Changes and the events about them.

use super::*;
use source_http::json::field_at;

/// A mock without delays, and with events in the version of its lists.
fn prompt() -> StripeMockBuilder {
    StripeMock::builder().late_by(0).account_version("2022-11-15")
}

#[test]
fn changes_become_visible_up_to_two_minutes_late_each_after_its_own_delay() {
    let mock = StripeMock::builder().count("customers", 1).start();
    let made: Vec<String> = (0..20).map(|_| mock.create("customers")).collect();
    let mut counts = Vec::new();
    for seconds in [0, 30, 60, 90, 120] {
        mock.set_now(DEFAULT_NOW + seconds);
        let [objects, events] =
            ["/v1/customers?limit=100", "/v1/events?limit=100"].map(|path| ids_of(&ask(&mock, path)).0);
        let asked = made.iter().filter(|id| objects.contains(*id)).count();
        assert_eq!(asked + 1, objects.len(), "what was there before is shown at once");
        counts.push((objects.len(), events.len()));
    }
    assert!(counts[0].0 < 5 && counts[0].1 < 5, "{counts:?}");
    assert!(counts[2].0 > 5 && counts[2].0 < 18, "{counts:?}");
    assert_eq!(counts[4], (21, 20));
}

#[test]
fn events_have_their_objects_in_the_accounts_version() {
    let mock =
        StripeMock::builder().account_version("2011-11-12").count("application_fees", 1).count("payouts", 1).start();
    for resource in ["application_fees", "payouts"] {
        mock.update(resource, &mock.ids(resource)[0], |object| drop(object.insert("amount".into(), json!(7))));
    }
    let events: Vec<Value> = mock.objects("events").iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert!(events.iter().all(|event| event["api_version"] == "2011-11-12"));
    assert_eq!(events[0]["data"]["object"]["object"], "transfer");
    assert!(events[1]["data"]["object"]["refunds"].is_array());
}

/// The newest event, as far as it is not the same for all.
fn newest_event(mock: &StripeMock) -> Value {
    let event: Value = serde_json::from_str(&mock.objects("events")[0]).unwrap();
    json!({ "type": event["type"], "created": event["created"], "data": event["data"] })
}

#[test]
fn a_created_object_is_listed_and_reported_at_the_mocks_clock() {
    let mock = prompt().count("customers", 2).start();
    mock.set_now(DEFAULT_NOW + 60);
    let id = mock.create_with("customers", r#"{"name":"Ada","email":null}"#);
    assert_eq!(id, RESOURCES[Resource::place("customers")].id(3));
    assert_eq!(ids_of(&ask(&mock, "/v1/customers")).0[0], id);
    let object: Value = serde_json::from_str(&mock.objects("customers")[0]).unwrap();
    assert_eq!(
        (&object["name"], &object["email"], &object["created"]),
        (&json!("Ada"), &Value::Null, &json!(DEFAULT_NOW + 60))
    );
    let expected = json!({ "type": "customer.created", "created": DEFAULT_NOW + 60, "data": { "object": object } });
    assert_eq!(newest_event(&mock), expected);
    let again = prompt().count("customers", 2).start();
    again.set_now(DEFAULT_NOW + 60);
    again.create_with("customers", r#"{"name":"Ada","email":null}"#);
    assert_eq!(again.objects("events"), mock.objects("events"), "nothing is by chance");
    assert_ne!(mock.create("customers"), mock.create("customers"));
}

#[test]
fn an_update_reports_the_previous_values() {
    let text = r#"{"id":"prod_1","object":"product","created":5,"updated":5,"name":"Lamp","price":1.10,"metadata":{"shelf":"1","row":"2"},"images":["a"],"url":null}"#;
    let mock = prompt().object("products", text).start();
    mock.update("products", "prod_1", |product| {
        product["name"] = json!("Kettle");
        product["metadata"]["shelf"] = json!("3");
        product["images"] = json!([]);
        product.remove("url");
        product.insert("unit_label".to_owned(), json!("piece"));
    });
    let now = DEFAULT_NOW;
    let after = format!(
        r#"{{"id":"prod_1","object":"product","created":5,"updated":{now},"name":"Kettle","price":1.10,"metadata":{{"shelf":"3","row":"2"}},"images":[],"unit_label":"piece"}}"#
    );
    let object: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&mock.objects("products")[0]).unwrap(), object);
    assert!(mock.objects("products")[0].contains(r#""price":1.10"#), "what does not change keeps its digits");
    let previous = json!({
        "updated": 5, "name": "Lamp", "metadata": { "shelf": "1" }, "images": ["a"], "url": null, "unit_label": null,
    });
    assert_eq!(
        newest_event(&mock),
        json!({ "type": "product.updated", "created": now, "data": { "object": object, "previous_attributes": previous } })
    );
}

#[test]
fn a_deleted_object_is_gone_except_for_its_event() {
    let mock = prompt().count("customers", 2).children("payment_methods", 1).start();
    let gone = mock.ids("customers")[0].to_string();
    let last: Value = serde_json::from_str(&mock.objects("customers")[0]).unwrap();
    mock.delete("customers", &gone);
    assert!(!ids_of(&ask(&mock, "/v1/customers")).0.contains(&gone));
    for path in [format!("/v1/customers/{gone}"), format!("/v1/customers/{gone}/payment_methods")] {
        let (status, error) = error_of(&ask(&mock, &path));
        assert_eq!((status, error["code"].as_str()), (404, Some("resource_missing")), "{path}");
    }
    let expected = json!({ "type": "customer.deleted", "created": DEFAULT_NOW, "data": { "object": last } });
    assert_eq!(newest_event(&mock), expected);
}

#[test]
fn a_subscription_is_canceled_and_listed_on_request() {
    let mock = prompt().count("subscriptions", 3).start();
    let id = mock.ids("subscriptions")[1].to_string();
    let listed = |params: &str| ids_of(&ask(&mock, &format!("/v1/subscriptions{params}"))).0.contains(&id);
    mock.update("subscriptions", &id, |subscription| drop(subscription.insert("status".into(), "active".into())));
    assert!(listed("") && listed("?status=active") && listed("?status=all"));
    mock.set_now(DEFAULT_NOW + 7);
    mock.delete("subscriptions", &id);
    assert!(!listed("") && !listed("?status=active") && listed("?status=all") && listed("?status=canceled"));
    let event = newest_event(&mock);
    let object = &event["data"]["object"];
    assert_eq!(event["type"], "customer.subscription.deleted");
    assert_eq!((&object["status"], &object["ended_at"]), (&json!("canceled"), &json!(DEFAULT_NOW + 7)));
}

#[test]
fn events_hold_the_lists_that_are_always_inside_and_no_others() {
    let mock = prompt()
        .count("invoices", 1)
        .children("invoice_line_items", 12)
        .count("charges", 1)
        .children("refunds", 1)
        .start();
    let nothing = |_: &mut serde_json::Map<String, Value>| ();
    mock.update("invoices", &mock.ids("invoices")[0], nothing);
    let event = newest_event(&mock);
    let lines = &event["data"]["object"]["lines"];
    assert_eq!((lines["data"].as_array().unwrap().len(), &lines["has_more"]), (10, &json!(true)));
    assert_eq!(event["data"]["previous_attributes"], json!({}));
    mock.update("charges", &mock.ids("charges")[0], nothing);
    assert_eq!(newest_event(&mock)["data"]["object"].get("refunds"), None);
}

#[test]
fn generated_events_are_about_existing_objects() {
    let mock = prompt().count("invoices", 200).children("invoice_line_items", 11).count("events", 200).start();
    let invoices: BTreeSet<String> = mock.objects("invoices").iter().map(ToString::to_string).collect();
    let about_invoices = walk(&mock, "/v1/events", "&type=invoice.*");
    assert!(!about_invoices.is_empty());
    for event in about_invoices {
        let object = field_at(&event, &["data", "object"]).unwrap();
        assert!(invoices.contains(object), "{object}");
    }
}

#[test]
fn children_can_be_changed_through_their_parent_and_alone() {
    let mock = prompt().count("invoices", 2).children("invoice_line_items", 1).start();
    let invoices = mock.ids("invoices");
    let new = mock.create("invoice_line_items");
    let older = mock.create_with("invoice_line_items", &json!({ "_parent": &*invoices[1] }).to_string());
    assert!(mock.objects("events").is_empty(), "Stripe has no events about them");
    let ids_of_lines = |invoice: &str| ids_of(&ask(&mock, &format!("/v1/invoices/{invoice}/lines"))).0;
    assert_eq!(ids_of_lines(&invoices[0])[1..], [new]);
    assert_eq!(ids_of_lines(&invoices[1])[1..], [older.as_str()]);
    mock.update("invoice_line_items", &older, |line| drop(line.insert("amount".into(), json!(7))));
    let invoice: Value = serde_json::from_str(&mock.objects("invoices")[1]).unwrap();
    assert_eq!(invoice["lines"]["data"][1]["amount"], 7);
    mock.update("invoices", &invoices[1], |invoice| invoice["lines"]["data"][1]["amount"] = json!(8));
    let line = mock.objects("invoice_line_items").iter().find(|text| text.contains(&older)).cloned().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["amount"], 8);
    assert_eq!(newest_event(&mock)["type"], "invoice.updated");
}

#[test]
fn hidden_fields_survive_an_update() {
    let plan = r#"{"id":"plan_1","created":5,"tiers":[{"up_to":10}]}"#;
    let mock = prompt().object("plans", plan).start();
    assert_eq!(&*mock.objects("plans")[0], r#"{"id":"plan_1","created":5}"#);
    mock.update("plans", "plan_1", |plan| drop(plan.insert("active".into(), json!(true))));
    assert_eq!(
        mock.expanded("plans", &["data.tiers"]),
        [r#"{"id":"plan_1","created":5,"active":true,"tiers":[{"up_to":10}]}"#]
    );
    let (status, error) = error_of(&ask(&mock, "/v1/plans/plan_1?limit=1"));
    assert_eq!((status, error["param"].as_str()), (400, Some("limit")));
    let whole = ask(&mock, "/v1/plans/plan_1?expand[]=tiers");
    assert_eq!(whole.text(), mock.expanded("plans", &["data.tiers"])[0]);
}

#[test]
fn a_script_changes_what_is_served() {
    let mock = prompt().count("customers", 2).start();
    let [newer, older] = [0, 1].map(|place| mock.ids("customers")[place].to_string());
    let done = Ok("done".to_owned());
    assert_eq!(mock.command("now 1767312000"), done);
    assert_eq!(mock.command(&format!(r#"update customers {newer} {{"name": "x"}}"#)), done);
    assert_eq!(mock.command(&format!("delete customers {older}")), done);
    let charge = mock.command("create charges").unwrap();
    let refund = mock.command(r#"create refunds {"amount": 5}"#).unwrap();
    let event = mock.command(&format!("event charge.refunded charges {charge}")).unwrap();
    assert_eq!(mock.command("ids customers"), Ok(newer));
    assert_eq!(mock.command("ids charges"), Ok(charge.clone()));
    let types: Vec<Value> = mock
        .objects("events")
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["type"].clone())
        .collect();
    assert_eq!(
        types,
        ["charge.refunded", "refund.created", "charge.succeeded", "customer.deleted", "customer.updated"]
    );
    assert_eq!(*mock.ids("events")[0], event);
    assert_eq!(ids_of(&ask(&mock, &format!("/v1/charges/{charge}/refunds"))).0[0], refund);
    assert_eq!(mock.command("forbid /v1/charges"), done);
    assert_eq!(mock.command("fail /v1/customers 503 2"), done);
    assert_eq!(mock.command("limit /v1/refunds 7"), done);
    let limited = ask(&mock, "/v1/refunds");
    assert_eq!((limited.status, limited.header("Retry-After")), (429, Some("7")));
    let statuses = |path: &str| [0; 3].map(|_| ask(&mock, path).status);
    assert_eq!((statuses("/v1/charges"), statuses("/v1/customers")), ([403; 3], [503, 503, 200]));
    assert_eq!(mock.command("allow /v1/charges"), done);
    assert_eq!(ask(&mock, "/v1/charges").status, 200);
    for wrong in [
        "",
        "fly",
        "now then",
        "create birds",
        "update customers cus_gone {}",
        "delete customers cus_gone",
        "update customers x y",
        "fail /v1/charges ten 1",
        "limit /v1/charges soon",
    ] {
        assert!(mock.command(wrong).is_err(), "{wrong}");
    }
}
