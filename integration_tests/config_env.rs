//! `${NAME}` in a config: a secret comes from the environment and is never shown, and within Airbyte's platform a
//! config cannot read the environment.

use serde_json::{Value, json};
use source_http::http::auth::{ConfigPaths, OAuth2Authenticator, TokenRequest};
use source_http_testkit::{Reply, Request, Server};
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};

const KEY: &str = "sk_test_from_the_environment";

/// A mock that accepts only this key, and a config that refers to it.
fn mock_and_config() -> (StripeMock, Value) {
    let mock = StripeMock::builder().key(KEY).count("charges", 3).start();
    let mut config = config(&mock);
    config["client_secret"] = json!("${STRIPE_API_KEY}");
    (mock, config)
}

#[test]
fn a_secret_from_the_environment_is_used_and_shown_nowhere() {
    let (mock, config) = mock_and_config();
    for args in [
        &["check", "--config", "-", "--exit-status"][..],
        &["discover", "--config", "-"],
        &["read", "--config", "-", "--streams", "charges"],
        &["catalog", "--config", "-"],
        &["about", "--config", "-"],
    ] {
        let args = [args, &["--debug"]].concat();
        let output = Binary::new(&args).env("STRIPE_API_KEY", KEY).stdin(&config).run();
        assert_eq!(output.status, Some(0), "{args:?}: {}{}", output.stdout, output.stderr);
        assert!(!format!("{}{}", output.stdout, output.stderr).contains(KEY), "{args:?}");
    }
    let request = &mock.server().requests()[0];
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));

    // An API that repeats it.
    let echo = Reply::json(json!({"error": {"message": format!("bad key {KEY}")}})).status(401);
    mock.fault_next("/v1/charges", echo);
    let args = ["read", "--config", "-", "--streams", "charges", "--debug"];
    let output = Binary::new(&args).env("STRIPE_API_KEY", KEY).stdin(&config).run();
    assert!(output.stdout.contains("bad key ****") && !output.stdout.contains(KEY), "{}", output.stdout);
}

#[test]
fn numbers_and_parts_of_texts_come_from_the_environment_too() {
    let (mock, mut config) = mock_and_config();
    config["num_workers"] = json!("${WORKERS}");
    config["account_id"] = json!("acct_${ACCOUNT}_x");
    let args = ["read", "--config", "-", "--streams", "charges"];
    let with = |workers: &str| {
        let binary = Binary::new(&args).env("STRIPE_API_KEY", KEY).env("ACCOUNT", "7").env("WORKERS", workers);
        binary.stdin(&config).run()
    };
    let output = with("2");
    assert_eq!((output.status, output.messages().records("charges").len()), (Some(0), 3));
    assert_eq!(mock.server().requests()[0].header("stripe-account"), Some("acct_7_x"));
    let wrong = with("several");
    let error = &wrong.messages().errors()[0];
    assert_eq!(
        error.message,
        "The config in standard input does not fit the specification: `num_workers`: the value is not of type \"integer\". \
         Run spec to see what is expected."
    );
}

#[test]
fn a_variable_that_is_not_set_is_a_config_error_that_names_it_its_place_and_the_way_out() {
    let (mock, config) = mock_and_config();
    for (name, value) in [("STRIPE_API_KY", KEY), ("STRIPE_API_KEY", "")] {
        let args = ["read", "--config", "c.json", "--streams", "charges"];
        let output = Binary::new(&args).env(name, value).file("c.json", &config).run();
        let error = &output.messages().errors()[0];
        assert_eq!((output.status, error.failure_type.as_deref()), (Some(1), Some("config_error")));
        assert_eq!(
            error.message,
            "The config in c.json refers to environment variables that cannot be used: `client_secret` refers to \
             STRIPE_API_KEY, which is not set or empty. Set the variables or correct their names; write `$${` for a \
             literal \
             `${`."
        );
        assert!(!output.stdout.contains(KEY));
    }
    assert!(mock.server().requests().is_empty());
}

#[test]
fn within_the_platform_a_config_cannot_read_the_environment_unless_its_owner_says_so() {
    let (mock, config) = mock_and_config();
    let check = |args: &[&str], vars: &[(&str, &str)]| {
        let args = [&["check", "--config", "-"], args].concat();
        let binary = Binary::new(&args).env("STRIPE_API_KEY", KEY).stdin(&config);
        let output = vars.iter().fold(binary, |binary, (name, value)| binary.env(name, value)).run();
        let messages = output.messages();
        let logs = messages.logs();
        let warnings = logs.iter().filter(|(level, _)| *level == "WARN").map(|(_, text)| (*text).to_owned());
        (messages.connection_status().0.to_owned(), warnings.collect::<Vec<String>>())
    };
    let (worked, failed) = ("SUCCEEDED".to_owned(), "FAILED".to_owned());
    for sign in ["AIRBYTE_ENTRYPOINT", "DEPLOYMENT_MODE", "WORKER_JOB_ID", "AIRBYTE_VERSION"] {
        let warning = format!(
            "The config's `client_secret` is used literally, and not replaced from the environment: {sign} is set, so \
             this \
             may be Airbyte's platform. --config-env on, or SOURCE_HTTP_CONFIG_ENV=on, replaces it."
        );
        assert_eq!(check(&[], &[(sign, "x")]), (failed.clone(), vec![warning]));
        assert_eq!(check(&["--config-env", "on"], &[(sign, "x")]), (worked.clone(), Vec::new()));
        assert_eq!(check(&[], &[(sign, "x"), ("SOURCE_HTTP_CONFIG_ENV", "on")]), (worked.clone(), Vec::new()));
    }
    let asked = mock.server().take_requests();
    assert!(asked.iter().any(|request| request.header("authorization") == Some("Bearer ${STRIPE_API_KEY}")));
    assert_eq!(check(&[], &[("AIRBYTE_SOURCE", "stripe"), ("SOURCE_HTTP_CONFIG_ENV", "")]), (worked, Vec::new()));
    assert_eq!(check(&["--config-env", "off"], &[]), (failed, Vec::new()));
    let wrong = Binary::new(&["check", "--config", "-", "--config-env", "perhaps"]).run();
    assert_eq!((wrong.status, wrong.stdout.as_str()), (Some(2), ""));
    assert!(wrong.stderr.contains("[possible values: on, off]"), "{}", wrong.stderr);
}

#[test]
fn a_reference_that_is_not_replaced_where_a_number_is_wanted_says_why_and_how_to_replace_it() {
    let (_mock, mut config) = mock_and_config();
    config["num_workers"] = json!("${WORKERS}");
    let args = ["read", "--config", "-", "--streams", "charges"];
    let message = |binary: Binary| binary.stdin(&config).run().messages().errors()[0].message.clone();
    let start = "The config in standard input does not fit the specification: `num_workers`: the value is not of type \
                 \"integer\". The config's `num_workers` is used literally, and not replaced from the environment: ";
    let end = " Run spec to see what is expected.";
    assert_eq!(
        message(Binary::new(&args).env("AIRBYTE_PROJECT_DIR", "x")),
        format!(
            "{start}AIRBYTE_PROJECT_DIR is set, so this may be Airbyte's platform. --config-env on, or \
             SOURCE_HTTP_CONFIG_ENV=on, replaces \
             it.{end}"
        )
    );
    let off = Binary::new(&[&args[..], &["--config-env", "off"]].concat());
    assert_eq!(
        message(off),
        format!("{start}--config-env, or SOURCE_HTTP_CONFIG_ENV, is off. With on, it is replaced.{end}")
    );
}

#[test]
fn a_config_that_goes_back_to_be_stored_has_its_references_and_not_their_values() {
    let server = Server::start(|request: &Request| match request.path.as_str() {
        "/token" => Reply::json(json!({"access_token": "acc3ss-2", "refresh_token": "r3fresh-2", "expires_in": 7200})),
        _ => Reply::json(json!({"data": [{"id": 1}]})),
    });
    let connector = crate::auth::signed_by(|config, cx| {
        let text = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
        let url = format!("{}/token", text("url"));
        OAuth2Authenticator::new(TokenRequest::refresh_token(&url, "client", &text("secret"), "", &cx.redactor))
            .stored_in(config.clone(), ConfigPaths::default())
    });
    let credentials = json!({"refresh_token": "${REFRESH}", "access_token": "", "token_expiry_date": ""});
    let written = json!({"url": "${URL}", "secret": "x${SECRET}", "note": "$${kept}", "credentials": credentials});
    let done = connector
        .config(&written)
        .env("URL", server.url())
        .env("SECRET", "cl1ent-secret")
        .env("REFRESH", "r3fresh-1")
        .run("read");
    let body = server.requests()[0].body_text();
    assert!(body.contains("refresh_token=r3fresh-1") && body.contains("client_secret=xcl1ent-secret"), "{body}");
    let messages = done.messages();
    let mut expected = written;
    expected["credentials"] = json!({
        "refresh_token": "r3fresh-2", "access_token": "acc3ss-2", "token_expiry_date": "2026-11-01T02:00:00Z"
    });
    assert_eq!((done.status, messages.configs()), (0, vec![&expected]));
}
