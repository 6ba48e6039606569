//! The form of the objects.

use super::super::relation::Relation;
use super::facts::ALWAYS_PRESENT;
use super::*;

#[test]
fn the_same_settings_give_the_same_objects() {
    let make = |count| StripeMock::builder().count("charges", count).start();
    for resource in RESOURCES {
        let objects = || StripeMock::builder().count(resource.name, 5).start().objects(resource.name);
        assert_eq!(objects(), objects());
    }
    let one_day = StripeMock::builder().count("charges", 1).spread(0, DAY).start();
    assert!(one_day.objects("charges")[0].contains(r#""created":0,"#));
    let texts = make(200).objects("charges");
    let distinct: BTreeSet<&str> = texts.iter().map(|text| &**text).collect();
    assert_eq!(distinct.len(), 200);
    let average = texts.iter().map(|text| text.len()).sum::<usize>() / texts.len();
    assert!((2_500..3_500).contains(&average), "a charge has {average} bytes");
}

#[test]
#[should_panic(expected = "no mock resource charge, there are: accounts, application_fees")]
fn an_unknown_resource_is_named() {
    let _ = StripeMock::builder().count("charge", 1);
}

#[test]
fn every_field_that_stripe_always_sends_is_there_with_its_type() {
    for &(resource, fields) in ALWAYS_PRESENT {
        let mock = StripeMock::builder().count(resource, 60).start();
        for text in mock.objects(resource) {
            let object: Value = serde_json::from_str(&text).unwrap();
            for field in fields.split(' ') {
                let (name, kind) = field.split_once(':').unwrap();
                let value = object.get(name).unwrap_or_else(|| panic!("{resource}.{name}"));
                let right = match kind {
                    "a" => value.is_array(),
                    "b" => value.is_boolean(),
                    "i" => value.is_i64(),
                    "n" => value.is_number(),
                    "o" => value.is_object(),
                    _ => value.is_string(),
                };
                assert!(right, "{resource}.{name} is {value}");
            }
        }
    }
    let covered = ALWAYS_PRESENT.iter().map(|(resource, _)| *resource);
    assert!(covered.eq(RESOURCES.iter().map(|resource| resource.name)));
}

/// Every object of a resource with twelve: children, too, as two of them have a parent.
fn all_listed(mock: &StripeMock, resource: &Resource) -> Vec<String> {
    if let Some((parents, rest)) = resource.path.split_once("/{") {
        let parents = RESOURCES.iter().find(|row| row.path == parents).unwrap();
        let (_, rest) = rest.split_once('}').unwrap();
        let path = |number| format!("{}/{}{rest}", parents.path, parents.id(number));
        return (1..=6).flat_map(|number| walk(mock, &path(number), "")).collect();
    }
    let Some(parameter) = resource.required else {
        let canceled_too = if resource.name == "subscriptions" { "&status=all" } else { "" };
        return walk(mock, resource.path, canceled_too);
    };
    let parents = &RESOURCES[Resource::place(&format!("{parameter}s"))];
    let parameters = |number| format!("&{parameter}={}", parents.id(number));
    (1..=6).flat_map(|number| walk(mock, resource.path, &parameters(number))).collect()
}

#[test]
fn every_endpoint_lists_its_objects() {
    for resource in RESOURCES {
        let parents = Relation::of_child(resource).map_or(resource, Relation::parent_resource);
        let mock = StripeMock::builder().count(parents.name, 6).count(resource.name, 12).start();
        let listed: BTreeSet<String> = all_listed(&mock, resource).into_iter().collect();
        let only = resource.shows_only.map(|only| format!(r#""object":"{only}""#)).unwrap_or_default();
        let objects = mock.objects(resource.name);
        let expected: BTreeSet<String> =
            objects.iter().filter(|text| text.contains(&only)).map(ToString::to_string).collect();
        assert!(listed == expected, "{}", resource.name);
        assert!(listed.len() >= 8, "{}", resource.name);
        assert!(!objects.iter().any(|text| text.contains("_parent")), "{}", resource.name);
    }
}

#[test]
fn objects_agree_with_their_table() {
    for resource in RESOURCES {
        let mock = StripeMock::builder().count(resource.name, 60).start();
        let ids: BTreeSet<Arc<str>> = mock.ids(resource.name).into_iter().collect();
        assert_eq!(ids.len(), 60, "{}", resource.name);
        let mut fields = BTreeSet::new();
        for text in mock.objects(resource.name) {
            let object: Value = serde_json::from_str(&text).unwrap();
            if object["object"] != "card" {
                assert_eq!(object["object"], resource.object);
                assert!(object["id"].as_str().unwrap().starts_with(resource.id_prefix));
            }
            fields.extend(object.as_object().unwrap().keys().cloned());
        }
        let fieldless = resource.filters.iter().find(|filter| !fields.contains(**filter));
        assert_eq!(fieldless, None, "of {}", resource.name);
    }
}

#[test]
fn children_inside_a_parent_are_those_that_its_list_has() {
    for (parents, field, children) in [
        ("invoices", "lines", "invoice_line_items"),
        ("subscriptions", "items", "subscription_items"),
        ("transfers", "reversals", "transfer_reversals"),
        ("application_fees", "refunds", "application_fees_refunds"),
        ("files", "links", "file_links"),
    ] {
        let ids = |text: &Arc<str>, field: &str| -> Vec<String> {
            let object: Value = serde_json::from_str(text).unwrap();
            let data = object[field]["data"].as_array().unwrap();
            let mut ids: Vec<String> = data.iter().map(|child| child["id"].as_str().unwrap().to_owned()).collect();
            ids.sort();
            ids
        };
        let row = &RESOURCES[Resource::place(children)];
        let mock = StripeMock::builder().count(parents, 3).start();
        let inside: Vec<Vec<String>> = mock.objects(parents).iter().map(|text| ids(text, field)).collect();
        let expected = [(5, 6), (3, 4), (1, 2)].map(|(first, second)| vec![row.id(first), row.id(second)]);
        assert_eq!(inside, expected, "{parents}");
    }
}

#[test]
fn the_sums_of_an_invoice_are_those_of_its_lines() {
    let mock = StripeMock::builder().count("invoices", 42).start();
    for text in mock.objects("invoices") {
        let invoice: Value = serde_json::from_str(&text).unwrap();
        let lines = invoice["lines"]["data"].as_array().unwrap();
        let sum = |field: fn(&Value) -> &Value| lines.iter().filter_map(|line| field(line).as_i64()).sum::<i64>();
        let subtotal = sum(|line| &line["amount"]);
        let discount = sum(|line| &line["discount_amounts"][0]["amount"]);
        let tax = sum(|line| &line["tax_amounts"][0]["amount"]);
        let total = json!(subtotal - discount + tax);
        assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(subtotal), &total));
        assert_eq!(invoice["discounts"] != json!([]), discount > 0);
        assert_eq!(invoice["total_tax_amounts"] != json!([]), tax > 0);
        for line in lines {
            assert_eq!(line["currency"], invoice["currency"]);
            assert_eq!(line["price"]["currency"], invoice["currency"]);
        }
    }
    let sizes: Vec<usize> = mock.objects("invoices").iter().map(|text| text.len()).collect();
    let average = sizes.iter().sum::<usize>() / sizes.len();
    assert!((3_000..5_000).contains(&average), "an invoice has {average} bytes");
}

#[test]
fn events_are_of_every_kind_in_turn() {
    let kinds = |row: &Resource| [row.event_created, row.event_updated, row.event_deleted];
    let all: BTreeSet<&str> = RESOURCES.iter().flat_map(kinds).flatten().collect();
    let mock = StripeMock::builder().count("events", all.len() as u64).start();
    let events: Vec<Value> = mock.objects("events").iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let types: BTreeSet<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, all);
    for event in &events {
        let of_type = |row: &&Resource| kinds(row).contains(&event["type"].as_str());
        let resource = RESOURCES.iter().find(of_type).unwrap();
        let object = &event["data"]["object"];
        assert!(object["object"] == resource.object || object["object"] == "card", "{}", event["type"]);
    }
}

#[test]
fn refunded_and_failed_charges_say_so() {
    let mock = StripeMock::builder().count("charges", 100).start();
    let charges = mock.expanded("charges", &["data.refunds"]);
    let charges: Vec<Value> = charges.iter().map(|t| serde_json::from_str(t).unwrap()).collect();
    let refunded: Vec<&Value> = charges.iter().filter(|c| c["refunded"] == true).collect();
    assert!((5..40).contains(&refunded.len()));
    for charge in refunded {
        let refund = &charge["refunds"]["data"][0];
        assert_eq!(refund["charge"], charge["id"]);
        assert_eq!(refund["amount"], charge["amount_refunded"]);
    }
    let failed = charges.iter().find(|c| c["status"] == "failed").unwrap();
    assert_eq!(failed["paid"], json!(false));
}
