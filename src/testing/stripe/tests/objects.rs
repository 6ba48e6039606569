//! What the objects look like.

use super::*;

#[test]
fn the_same_settings_give_the_same_objects() {
    let make = |count| StripeMock::builder().count("charges", count).start();
    assert_eq!(make(20).objects("charges"), make(20).objects("charges"));
    let one_day = StripeMock::builder().count("charges", 1).spread(0, DAY).start();
    assert!(one_day.objects("charges")[0].contains(r#""created":0,"#));
    let texts = make(200).objects("charges");
    let distinct: BTreeSet<&str> = texts.iter().map(|text| &**text).collect();
    assert_eq!(distinct.len(), 200);
    let average = texts.iter().map(|text| text.len()).sum::<usize>() / texts.len();
    assert!((2_500..3_500).contains(&average), "a charge has {average} bytes");
}

#[test]
#[should_panic(expected = "no mock resource charge, there are: accounts, balance_transactions")]
fn an_unknown_resource_is_named() {
    let _ = StripeMock::builder().count("charge", 1);
}

/// For each resource the fields that Stripe always sends at version 2022-11-15, with the type:
/// array, boolean, integer, number, object or string (also an id that is not expanded), and `?`
/// for those that may be null.
const ALWAYS_PRESENT: &[(&str, &str)] = &[
    ("accounts", "id:s object:s"),
    (
        "balance_transactions",
        "amount:i available_on:i created:i currency:s fee:i fee_details:a id:s net:i object:s reporting_category:s status:s type:s",
    ),
    (
        "charges",
        "amount:i amount_captured:i amount_refunded:i billing_details:o captured:b created:i currency:s disputed:b id:s livemode:b metadata:o object:s paid:b refunded:b status:s",
    ),
    ("customers", "created:i id:s livemode:b object:s"),
    ("events", "created:i data:o id:s livemode:b object:s pending_webhooks:i type:s"),
    (
        "invoices",
        "amount_due:i amount_paid:i amount_remaining:i amount_shipping:i attempt_count:i attempted:b automatic_tax:o collection_method:s created:i currency:s default_tax_rates:a lines:o livemode:b object:s paid:b paid_out_of_band:b payment_settings:o period_end:i period_start:i post_payment_credit_notes_amount:i pre_payment_credit_notes_amount:i starting_balance:i status_transitions:o subtotal:i total:i total_tax_amounts:a",
    ),
    ("products", "active:b created:i id:s images:a livemode:b metadata:o name:s object:s updated:i"),
    ("refunds", "amount:i created:i currency:s id:s object:s"),
];

#[test]
fn every_field_that_stripe_always_sends_is_there_with_its_type() {
    for &(resource, fields) in ALWAYS_PRESENT {
        let mock = StripeMock::builder().count(resource, 60).start();
        for text in mock.objects(resource) {
            let object: Value = serde_json::from_str(&text).unwrap();
            for field in fields.split(' ') {
                let (name, kind) = field.split_once(':').unwrap();
                let value = object.get(name).unwrap_or_else(|| panic!("{resource}.{name}"));
                let right = match kind.as_bytes()[0] {
                    b'a' => value.is_array(),
                    b'b' => value.is_boolean(),
                    b'i' => value.is_i64(),
                    b'n' => value.is_number(),
                    b'o' => value.is_object(),
                    _ => value.is_string(),
                };
                let null = kind.ends_with('?') && value.is_null();
                assert!(right || null, "{resource}.{name} is {value}");
            }
        }
    }
    assert_eq!(ALWAYS_PRESENT.len(), RESOURCES.len());
}

#[test]
fn objects_agree_with_themselves_and_their_table() {
    for resource in RESOURCES {
        let mock = StripeMock::builder().count(resource.name, 12).start();
        for text in mock.objects(resource.name) {
            let object: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(object["object"], resource.object);
            assert!(object["id"].as_str().unwrap().starts_with(resource.id_prefix));
        }
        let listed = walk(&mock, resource.path, "");
        assert!(same(&listed, &mock.objects(resource.name)), "{}", resource.name);
    }
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
