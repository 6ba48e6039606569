//! Output for people at a shell: a table of the streams, a first catalog, the program's version, completions and manual
//! pages. Stdout has only the answer, stderr everything else.

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Items};
use stripe_mock::StripeMock;

use crate::support::TestSource;
use crate::support::binary::{Binary, config};

/// A config for calls that send no request.
fn nowhere() -> Value {
    json!({"client_secret": "sk_test_x", "account_id": "a", "api_url": "http://127.0.0.1:1"})
}

#[test]
fn a_table_of_streams_has_a_line_a_stream_and_its_columns_stand_below_each_other() {
    let output = Binary::new(&["discover", "--config", "-", "--format", "table"]).stdin(nowhere()).run();
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 49);
    assert_eq!(
        lines[..2],
        [
            "STREAM                          SYNC_MODES                PRIMARY_KEY  CURSOR                    FIELDS",
            "events                          full_refresh,incremental  id           created                   10",
        ]
    );
    let begins: Vec<usize> =
        ["SYNC_MODES", "PRIMARY_KEY", "CURSOR", "FIELDS"].map(|head| lines[0].find(head).unwrap()).into();
    for line in &lines {
        assert!(begins.iter().all(|at| line[..*at].ends_with("  ") && !line[*at..].starts_with(' ')), "{line}");
    }
    let usage_records = lines.iter().find(|line| line.starts_with("usage_records ")).unwrap();
    assert_eq!(usage_records.split_whitespace().collect::<Vec<_>>()[..4], ["usage_records", "full_refresh", "-", "-"]);
    let json = Binary::new(&["discover", "--config", "-"]).stdin(nowhere()).run();
    let message = Binary::new(&["discover", "--config", "-", "--format", "json"]).stdin(nowhere()).run();
    assert_eq!(json.stdout, message.stdout, "the message is the default");
    let names: Vec<&str> = lines[1..].iter().map(|line| line.split_whitespace().next().unwrap()).collect();
    let messages = json.messages();
    let streams = messages.catalog()["streams"].as_array().unwrap();
    assert!(streams.iter().map(|stream| stream["name"].as_str().unwrap()).eq(names));
}

#[test]
fn a_catalog_can_be_read_with_as_it_is_printed() {
    let mock = StripeMock::builder().count("charges", 3).count("accounts", 2).start();
    for (args, mode, destination) in
        [(&["--incremental"][..], "incremental", "append_dedup"), (&[], "full_refresh", "overwrite")]
    {
        let args = [&["catalog", "--config", "-", "--streams", "charges,accounts"], args].concat();
        let printed = Binary::new(&args).stdin(config(&mock)).run();
        assert_eq!((printed.status, printed.stderr.as_str()), (Some(0), ""));
        let catalog: Value = serde_json::from_str(&printed.stdout).unwrap();
        let streams = catalog["streams"].as_array().unwrap();
        let messages = Binary::new(&["discover", "--config", "-"]).stdin(config(&mock)).run().messages();
        let discovered = messages.catalog()["streams"].as_array().unwrap();
        assert_eq!(streams.len(), 2);
        for (entry, name) in streams.iter().zip(["charges", "accounts"]) {
            let stream = discovered.iter().find(|stream| stream["name"] == *name).unwrap();
            let expected = json!({
                "stream": stream,
                "sync_mode": mode,
                "destination_sync_mode": destination,
                "cursor_field": ["updated"],
                "primary_key": [["id"]],
            });
            assert_eq!(*entry, expected);
        }
        assert_eq!(printed.stdout.lines().count(), 4, "a line a stream");
        let args = ["read", "--config", "-", "--catalog", "catalog.json"];
        let read = Binary::new(&args).file("catalog.json", &printed.stdout).stdin(config(&mock)).run();
        let messages = read.messages();
        assert_eq!(
            (read.status, messages.records("charges").len(), messages.records("accounts").len()),
            (Some(0), 3, 2)
        );
        let is_full = messages.states("charges").last().unwrap()["__ab_full_refresh_sync_complete"] == true;
        assert_eq!(is_full, mode == "full_refresh");
    }
}

#[test]
fn all_streams_are_in_a_catalog_unless_some_are_named_and_a_wrong_name_is_refused_as_by_read() {
    let all = Binary::new(&["catalog", "--config", "-", "--incremental"]).stdin(nowhere()).run();
    let catalog: Value = serde_json::from_str(&all.stdout).unwrap();
    let streams = catalog["streams"].as_array().unwrap();
    let full: Vec<&Value> = streams.iter().filter(|stream| stream["sync_mode"] == "full_refresh").collect();
    assert_eq!((streams.len(), full.len(), &full[0]["stream"]["name"]), (48, 1, &json!("usage_records")));

    let refused = Binary::new(&["catalog", "--config", "-", "--streams", "charges,nothing"]).stdin(nowhere()).run();
    let read = Binary::new(&["read", "--config", "-", "--streams", "charges,nothing"]).stdin(nowhere()).run();
    assert_eq!((refused.status, refused.stdout.as_str()), (Some(1), ""));
    assert_eq!(refused.stderr, format!("error: {}\n", read.messages().errors()[0].message));
    assert!(refused.stderr.contains("--streams names \"nothing\", and there is no such stream"), "{}", refused.stderr);
}

#[test]
fn an_answer_for_people_goes_alone_to_stdout_and_what_was_wrong_to_stderr() {
    for args in [&["catalog", "--config", "none.json"][..], &["about", "--config", "none.json"]] {
        let output = Binary::new(args).run();
        let why = "error: The config file none.json cannot be read: there is no such file. Check --config.\n";
        assert_eq!((output.status, output.stdout.as_str(), output.stderr.as_str()), (Some(1), "", why), "{args:?}");
    }
    let cut = Binary::new(&["about"]).command();
    let (mut command, _directory) = cut;
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "a reader that has seen enough");
}

#[test]
fn about_tells_what_this_is_and_the_streams_without_a_config_or_with_one() {
    let about = Binary::new(&["about"]).run();
    assert_eq!((about.status, about.stderr.as_str()), (Some(0), ""));
    let facts: Vec<(&str, &str)> =
        about.stdout.lines().take_while(|line| !line.is_empty()).map(|line| line.split_once("  ").unwrap()).collect();
    let of = |name: &str| facts.iter().find(|(known, _)| *known == name).unwrap().1.trim();
    assert_eq!(of("version"), concat!("source-http ", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        (of("protocol"), of("source"), of("sources"), of("streams")),
        ("Airbyte 0.18.0", "stripe", "stripe, declarative", "48")
    );
    assert!(of("build").starts_with(std::env::consts::ARCH), "{}", about.stdout);
    let table: Vec<&str> = about.stdout.lines().skip(facts.len() + 1).collect();
    assert_eq!((table.len(), table[0].split_whitespace().count()), (49, 4));
    let with_config = Binary::new(&["about", "--config", "-"]).stdin(nowhere()).run();
    assert_eq!(with_config.stdout, about.stdout);
}

#[test]
fn about_a_source_whose_streams_depend_on_the_config_requests_one() {
    let items = || InProcess::new(TestSource::new(|_, _| vec![Box::new(Items::new("http://127.0.0.1:1"))]));
    let without = items().run_text("about");
    assert_eq!((without.status, without.stderr.as_str()), (0, ""));
    assert!(
        without.stdout.ends_with("source    test\nstreams   depend on the config; --config FILE shows them\n"),
        "{}",
        without.stdout
    );
    let with = items().config(&json!({})).run_text("about");
    assert!(
        with.stdout.ends_with(
            "streams   1\n\nSTREAM  SYNC_MODES    PRIMARY_KEY  CURSOR\nitems   full_refresh  -            -\n"
        ),
        "{}",
        with.stdout
    );
}

#[test]
fn a_program_with_a_name_speaks_of_itself_and_not_of_the_library() {
    let connector = |command: &'static str| {
        let registry = Registry::of(TestSource::new(|_, _| vec![Box::new(Items::new("http://127.0.0.1:1"))]));
        InProcess::with_registry(registry.named("source-shop", "2.7.0")).run_text(command)
    };
    let about = connector("about").stdout;
    let library = concat!("library   source-http ", env!("CARGO_PKG_VERSION"));
    assert!(about.starts_with("version   source-shop 2.7.0\n") && about.contains(library), "{about}");
    assert_eq!(connector("--version").stdout, "source-shop 2.7.0\n");
    for command in ["--help", "man"] {
        let text = connector(command).stdout.replace('\\', "");
        assert!(text.contains("source-shop read --config config.json"), "{command}: {text}");
        assert!(!text.contains("source-http") && !text.contains("charges"), "{command}: {text}");
    }
}

#[test]
fn completions_know_every_command_and_flag_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = Binary::new(&["completions", shell]).run();
        assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["discover", "catalog", "state-file", "incremental", "exit-status"] {
            assert!(output.stdout.contains(word), "{shell}: {word}");
        }
    }
    let unknown = Binary::new(&["completions", "cmd"]).run();
    assert_eq!((unknown.status, unknown.stdout.as_str()), (Some(2), ""));
    assert!(unknown.stderr.contains("[possible values: bash, elvish, fish, powershell, zsh]"), "{}", unknown.stderr);
}

#[test]
fn the_manual_page_has_every_command_with_its_flags_and_one_command_has_a_page_of_its_own() {
    let whole = Binary::new(&["man"]).run();
    assert_eq!((whole.status, whole.stderr.as_str()), (Some(0), ""));
    let headings: Vec<&str> = whole.stdout.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    let commands = ["SPEC", "CHECK", "DISCOVER", "READ", "CATALOG", "ABOUT", "COMPLETIONS", "MAN"];
    let last = ["OPTIONS", "\"EXIT STATUS\"", "EXAMPLES"];
    assert_eq!(headings, [&["NAME", "SYNOPSIS", "DESCRIPTION"][..], &commands, &last].concat());
    // In a page, a hyphen is `\-`.
    for flag in ["\\-\\-state\\-file", "\\-\\-exit\\-status", "\\-\\-incremental", "\\-\\-cache\\-dir"] {
        assert!(whole.stdout.contains(flag), "{flag}");
    }
    assert!(whole.stdout.contains(".TP\n\\fB129\\fR\nstopped by SIGHUP"), "{}", whole.stdout);
    assert!(whole.stdout.contains("\nsource\\-http check \\-\\-config config.json \\-\\-exit\\-status\n"));

    let read = Binary::new(&["man", "read"]).run();
    assert!(
        read.stdout.contains("\\-\\-state\\-file") && !read.stdout.contains("\\-\\-exit\\-status"),
        "{}",
        read.stdout
    );
    let unknown = Binary::new(&["man", "write"]).run();
    let why = "error: There is no command \"write\". --help lists them.\n";
    assert_eq!((unknown.status, unknown.stdout.as_str(), unknown.stderr.as_str()), (Some(1), "", why));
}
