//! What is not answered with a page.

use super::*;

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
