//! Answers other than a page.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use source_http::clock::VirtualClock;

#[test]
fn limits_outside_1_to_100_are_refused() {
    let mock = StripeMock::builder().count("refunds", 3).start();
    for limit in ["0", "101", "-1", "ten", ""] {
        let (status, error) = error_of(&ask(&mock, &format!("/v1/refunds?limit={limit}")));
        assert_eq!(status, 400, "limit={limit}");
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(error["param"], "limit");
    }
    assert_eq!(ids_of(&ask(&mock, "/v1/refunds?limit=1")).0.len(), 1);
}

#[test]
fn unknown_parameters_paths_and_methods_are_refused() {
    let mock = StripeMock::builder().count("charges", 1).start();
    for target in ["/v1/charges?page=2", "/v1/charges?types[]=a", "/v1/charges?created[after]=1", "/v1/charges?types["]
    {
        let (status, error) = error_of(&ask(&mock, target));
        assert_eq!((status, error["code"].as_str()), (400, Some("parameter_unknown")), "{target}");
    }
    for target in ["/v1/nothing", "/v1", "/v1/charges/", "/v1/charges/ch_1/refunds"] {
        assert_eq!(ask(&mock, target).status, 404, "{target}");
    }
    let mut client = Client::connect(mock.server().addr());
    let post = format!("POST /v1/charges HTTP/1.1\r\nAuthorization: Bearer {DEFAULT_KEY}\r\n\r\n");
    client.send(post.as_bytes()).unwrap();
    assert_eq!(client.receive().unwrap().status, 404);
}

#[test]
fn only_the_key_gets_in_and_errors_mask_it() {
    let mock = StripeMock::builder().key("sk_live_secretsecret1234").start();
    for (header, shown) in [
        ("Bearer sk_live_othersecret9876", Some("sk_live_***********9876")),
        ("Bearer short", Some("*****")),
        ("Basic abc", None),
    ] {
        let (status, error) = error_of(&ask_with(&mock, "/v1/charges", &[("Authorization", header)]));
        assert_eq!(status, 401, "{header}");
        assert_eq!(error["type"], "invalid_request_error");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(shown.unwrap_or_default()), "{message}");
        assert!(!message.contains("othersecret") && !message.contains("short"));
    }
    assert_eq!(ask_with(&mock, "/v1/charges", &[]).status, 401);
    assert_eq!(ask(&mock, "/v1/charges").status, 200);
}

#[test]
fn permissions_rate_limits_and_faults_come_as_planned() {
    let mock = StripeMock::builder()
        .forbid("/v1/refunds")
        .rate_limit("/v1/charges", 2, 7)
        .fault("/v1/charges", 4, Reply::empty(503))
        .start();
    let (status, error) = error_of(&ask(&mock, "/v1/refunds"));
    assert_eq!((status, error["code"].as_str()), (403, Some("more_permissions_required")));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let response = ask(&mock, "/v1/charges?limit=1");
        if response.status == 429 {
            assert_eq!(response.header("Retry-After"), Some("7"));
        }
        statuses.push(response.status);
    }
    assert_eq!(statuses, [429, 429, 200, 503, 200]);
    mock.fault_next("/v1/charges", Reply::empty(500));
    mock.fault_next("/v1/charges", Reply::empty(502));
    let later: Vec<u16> = (0..3).map(|_| ask(&mock, "/v1/charges").status).collect();
    assert_eq!(later, [500, 502, 200]);
}

#[test]
fn requests_are_recorded_with_version_and_account() {
    let mock = StripeMock::builder().start();
    let headers = [("Stripe-Version", "2022-11-15"), ("Stripe-Account", "acct_1")];
    let response = ask_with(&mock, "/v1/charges?limit=100", &headers);
    assert_eq!(response.header("Stripe-Version"), Some("2022-11-15"));
    let requests = mock.server().requests();
    assert_eq!(requests[0].header("stripe-account"), Some("acct_1"));
    assert_eq!(mock.server().conversation(), ["GET /v1/charges?limit=100"]);
    let quiet = StripeMock::builder().recording(false).start();
    ask(&quiet, "/v1/charges");
    assert!(quiet.server().requests().is_empty());
}

#[test]
fn a_missing_permission_is_named_and_can_be_granted() {
    let mock = StripeMock::builder()
        .forbid("/v1/customers/{customer}/payment_methods")
        .forbid_with("/v1/issuing/cards", 400, "Issuing is not set up.")
        .count("customers", 1)
        .start();
    mock.forbid("/v1/charges");
    let message = |path: &str| {
        let (status, error) = error_of(&ask(&mock, path));
        (status, error["message"].as_str().unwrap().to_owned(), error["code"].as_str().map(str::to_owned))
    };
    let lacking = |path: &str, permission: &str| {
        let message = format!("this key cannot read {path}: it lacks the permission '{permission}'");
        (403, message, Some("more_permissions_required".to_owned()))
    };
    assert_eq!(message("/v1/charges"), lacking("/v1/charges", "rak_charge_read"));
    let methods = format!("/v1/customers/{}/payment_methods", mock.ids("customers")[0]);
    assert_eq!(message(&methods), lacking(&methods, "rak_payment_method_read"));
    assert_eq!(message("/v1/issuing/cards"), (400, "Issuing is not set up.".to_owned(), None));
    for path in ["/v1/charges", "/v1/customers/{customer}/payment_methods", "/v1/issuing/cards"] {
        mock.allow(path);
    }
    assert_eq!(["/v1/charges", &methods, "/v1/issuing/cards"].map(|path| ask(&mock, path).status), [200; 3]);
}

#[test]
fn requests_beyond_the_rate_are_refused_for_a_second() {
    let clock = Arc::new(VirtualClock::at(DEFAULT_NOW));
    let mock = StripeMock::builder().rate_limit_per_second(2, clock.clone()).start();
    let statuses = || ["/v1/charges", "/v1/refunds", "/v1/charges"].map(|path| ask(&mock, path).status);
    assert_eq!(statuses(), [200, 200, 429]);
    clock.advance(Duration::from_millis(600));
    assert_eq!(ask(&mock, "/v1/charges").status, 429);
    clock.advance(Duration::from_millis(400));
    assert_eq!(statuses(), [200, 200, 429], "what is refused does not count");
    let (_, error) = error_of(&ask(&mock, "/v1/charges"));
    assert_eq!(error["code"], "rate_limit");
}

#[test]
fn a_path_can_fail_for_a_while() {
    let mock = StripeMock::builder().start();
    mock.fail_for("/v1/charges", 503, 2);
    mock.fail_for("/v1/charges", 401, 1);
    let answers = [0; 4].map(|_| {
        let response = ask(&mock, "/v1/charges");
        (response.status, json_of(&response)["error"]["type"].clone())
    });
    let (server, request) = (json!("api_error"), json!("invalid_request_error"));
    assert_eq!(answers, [(503, server.clone()), (503, server), (401, request), (200, Value::Null)]);
    assert_eq!(ask(&mock, "/v1/refunds").status, 200);
}

#[test]
fn versions_of_the_api_have_different_resources() {
    let mock = StripeMock::builder()
        .count("invoice_payments", 1)
        .count("subscription_items", 1)
        .count("subscriptions", 1)
        .start();
    let summaries = format!("/v1/subscription_items/{}/usage_record_summaries", mock.ids("subscription_items")[0]);
    let status = |path: &str, version: &str| {
        let key = format!("Bearer {DEFAULT_KEY}");
        ask_with(&mock, path, &[("Authorization", &key), ("Stripe-Version", version)]).status
    };
    for (version, payments, records) in [
        ("2022-11-15", 404, 200),
        ("2025-02-24.acacia", 404, 200),
        ("2025-03-31.basil", 200, 404),
        ("2026-01-28.clover", 200, 404),
    ] {
        let statuses = (status("/v1/invoice_payments", version), status(&summaries, version));
        assert_eq!(statuses, (payments, records), "{version}");
    }
    assert_eq!(ask(&mock, "/v1/invoice_payments").status, 404, "no version is the first one");
}

#[test]
fn parallel_requests_are_all_recorded() {
    let seen = Arc::new(AtomicUsize::new(0));
    let of_mock = Arc::clone(&seen);
    let mock = StripeMock::builder()
        .count("charges", 5)
        .on_request(move |_| {
            of_mock.fetch_add(1, Ordering::SeqCst);
        })
        .start();
    std::thread::scope(|scope| {
        for client in 0..8 {
            let mock = &mock;
            scope.spawn(move || {
                for number in 0..20 {
                    let target = format!("/v1/charges?limit=1&created[gte]={}", client * 20 + number);
                    assert_eq!(ask(mock, &target).status, 200);
                }
            });
        }
    });
    let recorded: BTreeSet<String> = mock.server().conversation().into_iter().collect();
    let sent = (0..160).map(|number| format!("GET /v1/charges?limit=1&created[gte]={number}")).collect();
    assert_eq!((recorded, mock.server().requests().len()), (sent, 160));
    assert_eq!(seen.load(Ordering::SeqCst), 160);
}
