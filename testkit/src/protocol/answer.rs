//! Whether the messages answer the given command, and agree with the exit code.

use super::Messages;
use super::envelope::Message;

/// Checks the messages of a command's run.
pub(super) fn check(messages: &Messages, command: &str, exit_code: i32) -> Result<(), String> {
    let count = |is_one: fn(&Message) -> bool| messages.messages().filter(|message| is_one(message)).count();
    let specs = count(|message| matches!(message, Message::Spec(_)));
    let checks = count(|message| matches!(message, Message::ConnectionStatus(_)));
    let catalogs = count(|message| matches!(message, Message::Catalog(_)));
    let of_read =
        count(|message| matches!(message, Message::Record { .. } | Message::State { .. } | Message::Status { .. }));
    let errors = count(|message| matches!(message, Message::Error { .. }));
    let incomplete = count(|message| matches!(message, Message::Status { status, .. } if status == "INCOMPLETE"));
    let is_well = exit_code == 0;
    if is_well && errors + incomplete > 0 {
        return Err("something failed, but the exit code is 0".to_owned());
    }
    let allowed = match command {
        "spec" => (specs, checks, catalogs, of_read) == (usize::from(is_well), 0, 0, 0),
        // A check that a signal has stopped says nothing about the config.
        "check" if matches!(exit_code, 130 | 143) => (specs, checks, catalogs, of_read, errors) == (0, 0, 0, 0, 1),
        "check" => (specs, checks, catalogs, of_read, errors) == (0, 1, 0, 0, 0),
        "discover" => (specs, checks, catalogs, of_read) == (0, 0, usize::from(is_well), 0),
        "read" => (specs, checks, catalogs) == (0, 0, 0),
        other => return Err(format!("there is no command {other}")),
    };
    if !allowed {
        return Err("these messages are not an answer".to_owned());
    }
    if !is_well && errors == 0 && command != "check" {
        return Err("it failed without an error trace".to_owned());
    }
    Ok(())
}
