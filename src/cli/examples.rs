//! The examples and exit codes at the end of `--help`.

use crate::sources::Program;

/// The text, for a program of this name.
pub(super) fn of(program: Program) -> String {
    EXAMPLES.replace("PROGRAM", program.name)
}

const EXAMPLES: &str = "\
Examples:
  PROGRAM spec
  PROGRAM check --config config.json --exit-status
  PROGRAM discover --config config.json
  PROGRAM read --config config.json --streams NAME,NAME > out.jsonl
  PROGRAM read --config config.json --streams NAME --format jsonl | jq .id
  PROGRAM read --config config.json --catalog catalog.json --state state.json
  PROGRAM read --config config.json --state-file state.json >> out.jsonl

spec, check, discover and read are Airbyte's commands; the others are for people at a shell.
discover --format table lists the NAMEs. FILE may be - for standard input.

Exit codes:
    0  done; also a check that failed, unless --exit-status is given
    1  failed; the last line on stdout says why, with --format jsonl stderr
    2  the command line makes no sense; see stderr
  130  ended by SIGINT (Ctrl-C), with the states of what was read
  143  ended by SIGTERM, in the same way";
