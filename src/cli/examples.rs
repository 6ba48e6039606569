//! The examples and exit codes at the end of `--help`, and of the manual page.

use crate::sources::Program;

/// Example commands.
const EXAMPLES: [&str; 7] = [
    "PROGRAM spec",
    "PROGRAM check --config config.json --exit-status",
    "PROGRAM discover --config config.json",
    "PROGRAM read --config config.json --streams NAME,NAME > out.jsonl",
    "PROGRAM read --config config.json --streams NAME --format jsonl | jq .id",
    "PROGRAM read --config config.json --catalog catalog.json --state state.json",
    "PROGRAM read --config config.json --state-file state.json >> out.jsonl",
];

/// Notes on them.
const NOTES: [&str; 2] = [
    "spec, check, discover and read are Airbyte's commands; the others are for people at a shell.",
    "discover --format table lists the NAMEs. FILE may be - for standard input.",
];

/// The exit codes.
const EXIT_CODES: [(u8, &str); 6] = [
    (0, "done; also a check that failed, unless --exit-status is given"),
    (1, "failed; the last line on stdout has the reason, with --format jsonl stderr"),
    (2, "the command line is invalid; see stderr"),
    (129, "stopped by SIGHUP (closed terminal), with states for all records written"),
    (130, "stopped by SIGINT (Ctrl-C), in the same way"),
    (143, "stopped by SIGTERM, in the same way"),
];

/// The end of `--help`, for a program of this name.
pub(super) fn help(program: Program) -> String {
    let examples: Vec<String> = EXAMPLES.iter().map(|line| format!("  {}", called(line, program))).collect();
    let codes: Vec<String> = EXIT_CODES.iter().map(|(code, text)| format!("{code:>5}  {text}")).collect();
    format!("Examples:\n{}\n\n{}\n\nExit codes:\n{}", examples.join("\n"), NOTES.join("\n"), codes.join("\n"))
}

/// The sections EXIT STATUS and EXAMPLES of the manual page.
pub(super) fn man(program: Program) -> String {
    let code = |(code, text): &(u8, &str)| format!(".TP\n\\fB{code}\\fR\n{}\n", roff(text));
    let codes = EXIT_CODES.iter().map(code).collect::<Vec<_>>().concat();
    let examples: Vec<String> = EXAMPLES.iter().map(|line| roff(&called(line, program))).collect();
    let examples = examples.join("\n");
    let notes = roff(&NOTES.join("\n"));
    format!(".SH \"EXIT STATUS\"\n{codes}.SH EXAMPLES\n.nf\n{examples}\n.fi\n.PP\n{notes}\n")
}

fn called(line: &str, program: Program) -> String {
    line.replace("PROGRAM", program.name)
}

/// In a manual page, a plain hyphen may become a longer one, which no shell accepts.
fn roff(text: &str) -> String {
    text.replace('-', "\\-").replace('\'', "\\(aq")
}
