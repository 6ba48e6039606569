//! Whether an output answers the command.

use super::super::answer;
use super::*;

fn checked(output: &str, command: &str, exit_code: i32) -> Result<(), String> {
    answer::check(&Messages::parse_cut(output), command, exit_code)
}

#[test]
fn every_command_has_its_answers_and_no_others() {
    let spec = line(json!({"type": "SPEC", "spec": {"connectionSpecification": {}}}));
    let catalog = line(json!({"type": "CATALOG", "catalog": {"streams": []}}));
    let checked_well = line(json!({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}));
    let failed_read = opened("a") + &status("a", "INCOMPLETE") + &error("a");
    let failure = trace("ERROR", "error", json!({"message": "m"}));
    let twice = |text: &str| text.repeat(2);
    for (output, command, exit_code, is_answer) in [
        (spec.clone(), "spec", 0, true),
        (twice(&spec), "spec", 0, false),
        (failure.clone(), "spec", 1, true),
        (String::new(), "spec", 0, false),
        (checked_well.clone(), "check", 0, true),
        (checked_well.clone(), "check", 1, true),
        (twice(&checked_well), "check", 0, false),
        (failure.clone() + &checked_well, "check", 1, false),
        (failure.clone(), "check", 1, false),
        (catalog.clone(), "discover", 0, true),
        (catalog.clone() + &checked_well, "discover", 0, false),
        (failure.clone(), "discover", 1, true),
        (catalog.clone(), "discover", 1, false),
        (good(), "read", 0, true),
        (good() + &spec, "read", 0, false),
        (good(), "discover", 0, false),
        (good(), "read", 1, false),
        (String::new(), "read", 0, true),
        (failed_read.clone(), "read", 1, true),
        (failed_read, "read", 0, false),
        (failure.clone(), "read", 143, true),
        (failure, "read", 0, false),
        (good(), "write", 0, false),
    ] {
        assert_eq!(checked(&output, command, exit_code).is_ok(), is_answer, "{command} {exit_code}:\n{output}");
    }
}
