//! The effect of `expand[]`.

use super::*;

#[test]
fn ids_become_objects_on_request() {
    let invoice = r#"{"id":"in_1","created":5,"discounts":["di_1","di_2"],"total_tax_amounts":[{"amount":1.10,"tax_rate":"txr_1"}]}"#;
    let plain = r#"{"id":"in_2","created":4,"discounts":[],"total_tax_amounts":[]}"#;
    for pretty in [false, true] {
        let mock = StripeMock::builder().pretty(pretty).object("invoices", invoice).object("invoices", plain).start();
        let list = |params: &str| json_text::compact(ask(&mock, &format!("/v1/invoices{params}")).text());
        assert!(
            list("")
                .contains(r#""discounts":["di_1","di_2"],"total_tax_amounts":[{"amount":1.10,"tax_rate":"txr_1"}]"#)
        );
        let both = list("?expand[]=data.discounts&expand[]=data.total_tax_amounts.tax_rate");
        let page: Value = serde_json::from_str(&both).unwrap();
        let kinds = |field: &Value| (field["id"].clone(), field["object"].clone());
        let [first, second] = [0, 1].map(|place| kinds(&page["data"][0]["discounts"][place]));
        assert_eq!((first, second), ((json!("di_1"), json!("discount")), (json!("di_2"), json!("discount"))));
        let rate = &page["data"][0]["total_tax_amounts"][0]["tax_rate"];
        assert_eq!(kinds(rate), (json!("txr_1"), json!("tax_rate")));
        assert!(both.contains(r#"[{"amount":1.10,"tax_rate":{"id""#), "the digits stay");
        assert!(both.contains(&*mock.objects("invoices")[1]), "nothing to expand, nothing changed");
        let one = list("?expand[]=data.discounts");
        assert!(one.contains(r#""tax_rate":"txr_1""#));
    }
}

#[test]
fn omitted_fields_come_on_request() {
    let mock = StripeMock::builder()
        .count("plans", 30)
        .count("checkout_sessions", 3)
        .children("checkout_sessions_line_items", 5)
        .start();
    let tiered = |path: &str| ask(&mock, path).text().matches(r#""tiers":["#).count();
    assert_eq!(tiered("/v1/plans?limit=100"), 0);
    assert!(tiered("/v1/plans?limit=100&expand[]=data.tiers") > 0);
    let session = &mock.ids("checkout_sessions")[0];
    let fields = |params: &str| {
        let list = json_of(&ask(&mock, &format!("/v1/checkout/sessions/{session}/line_items{params}")));
        let line = list["data"][0].clone();
        ["discounts", "taxes"].map(|field| line.get(field).is_some())
    };
    assert_eq!(fields(""), [false, false]);
    assert_eq!(fields("?expand[]=data.taxes"), [false, true]);
    assert_eq!(fields("?expand[]=data.discounts&expand[]=data.taxes&expand[]=data.taxes"), [true, true]);
}

#[test]
fn unknown_paths_are_refused() {
    let mock = StripeMock::builder().start();
    for target in [
        "/v1/charges?expand[]=data.nothing",
        "/v1/charges?expand[]=refunds",
        "/v1/charges?expand[0]=data.refunds&expand[1]=data.refunds.data.charge",
        "/v1/customers?expand[]=data.refunds",
        "/v1/refunds?expand[]=",
    ] {
        let (status, error) = error_of(&ask(&mock, target));
        assert_eq!((status, error["param"].as_str()), (400, Some("expand")), "{target}");
    }
    assert_eq!(ask(&mock, "/v1/charges?expand[0]=data.refunds").status, 200);
}
