//! The command line: answers, refusals and exit statuses.

use crate::support::binary::Binary;

#[test]
fn help_tells_the_commands_examples_and_exit_codes() {
    let help = Binary::new(&["--help"]).run();
    assert_eq!((help.status, help.stderr.as_str()), (Some(0), ""));
    for expected in [
        "spec",
        "check",
        "discover",
        "read",
        "Examples:",
        "Exit codes:",
        "  0  done",
        "  1  failed",
        "  2  ",
        "  129  stopped by SIGHUP",
        "[default: stripe]",
    ] {
        assert!(help.stdout.contains(expected), "{expected} is not in:\n{}", help.stdout);
    }
}

#[test]
fn version_is_the_crates() {
    let version = Binary::new(&["--version"]).run();
    assert_eq!(version.stdout, concat!("source-http ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(version.status, Some(0));
}

#[test]
fn a_command_line_that_is_invalid_exits_with_2_and_says_why_on_stderr_alone() {
    for (args, why) in [
        (&[][..], "Usage: source-http"),
        (&["write"], "unrecognized subcommand 'write'"),
        (&["check"], "--config <FILE>"),
        (&["read", "--config", "c", "--limit", "0"], "0 is not in 1.."),
        (&["read", "--config", "-", "--catalog", "-"], "only one FILE can be -"),
        (&["read", "--config", "c", "--summary", "-"], "--summary cannot be -"),
        (&["read", "--config", "c", "--format", "csv", "--quiet"], "[possible values: protocol, jsonl]"),
        (
            &["spec", "--source", "nothing"],
            "there is no source \"nothing\"; --source and AIRBYTE_SOURCE take one of: stripe",
        ),
    ] {
        let output = Binary::new(args).run();
        assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(output.stderr.contains(why), "{args:?}: {}", output.stderr);
    }
}

#[test]
fn the_source_is_picked_by_flag_or_environment_and_nothing_means_the_default() {
    let spec = |binary: Binary| binary.run().messages().spec().clone();
    let default = spec(Binary::new(&["spec"]));
    assert_eq!(spec(Binary::new(&["spec", "--source", "stripe"])), default);
    assert_eq!(spec(Binary::new(&["spec"]).env("AIRBYTE_SOURCE", "stripe")), default);
    assert_eq!(spec(Binary::new(&["spec"]).env("AIRBYTE_SOURCE", "")), default);
    assert_eq!(Binary::new(&["spec"]).env("AIRBYTE_SOURCE", "nothing").run().status, Some(2));
}

#[test]
fn spec_is_one_line_that_marks_the_secret_and_hides_the_url() {
    let output = Binary::new(&["spec"]).run();
    let messages = output.messages();
    let properties = &messages.spec()["connectionSpecification"]["properties"];
    assert_eq!((output.status, output.stdout.lines().count()), (Some(0), 1));
    assert_eq!(properties["client_secret"]["airbyte_secret"], true);
    assert_eq!(properties["api_url"]["airbyte_hidden"], true);
    let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "account_id",
            "client_secret",
            "start_date",
            "lookback_window_days",
            "slice_range",
            "num_workers",
            "call_rate_limit",
            "changed_objects",
            "api_retention_streams",
            "api_url"
        ]
    );
}
