use super::*;

fn parse_line(line: &str) -> Result<Invocation, clap::Error> {
    parse(line.split_whitespace().map(Into::into), Program::default(), &["stripe"])
}

#[test]
fn the_flags_do_not_contradict_each_other() {
    command(Program::default(), &["stripe"]).debug_assert();
}

#[test]
fn the_calls_of_airbytes_platform_are_understood() {
    let invocation = parse_line("source-http read --config c --catalog d --state s --debug").unwrap();
    let Command::Read(args) = invocation.command else { panic!("not a read") };
    assert_eq!((args.catalog, args.state), (Some("d".into()), Some("s".into())));
    assert_eq!(invocation.log_level, LogLevel::Debug);
}

#[test]
fn streams_are_separated_by_commas() {
    let Command::Read(args) = parse_line("x read --config c --streams a,b").unwrap().command else { panic!() };
    assert_eq!(args.streams, ["a", "b"]);
}

#[test]
fn a_blank_after_a_comma_is_taken_in_quotes_and_explained_without() {
    for command in ["read", "catalog"] {
        let quoted = ["x", command, "--config", "c", "--streams", " a, b ,c"].map(Into::into);
        let streams = match parse(quoted, Program::default(), &[]).unwrap().command {
            Command::Read(args) => args.streams,
            Command::Catalog(args) => args.streams,
            _ => panic!("{command}"),
        };
        assert_eq!(streams, ["a", "b", "c"]);
        for line in ["--streams a, b", "--streams a,b,", "--streams ,", "--streams=a, b"] {
            let error = parse_line(&format!("x {command} --config c {line}")).unwrap_err().to_string();
            assert!(error.contains("without a blank after the comma"), "{line}: {error}");
        }
    }
}

#[test]
fn standard_input_can_stand_for_one_file_only() {
    assert!(parse_line("x read --config - --state s").is_ok());
    assert!(parse_line("x read --config - --state -").unwrap_err().to_string().contains("only one FILE"));
}

#[test]
fn nonsense_is_refused() {
    for line in ["x", "x write", "x read", "x check"] {
        assert!(parse_line(line).is_err(), "{line}");
    }
    for flag in ["--limit 0", "--limit -1", "--workers 0", "--workers many"] {
        assert!(parse_line(&format!("x read --config c {flag}")).is_err(), "{flag}");
    }
}
