//! What a connector's program is called where it speaks of itself.

/// A program's name and version, as `--help`, `--version`, `about`, completions and the manual page have them. Default:
/// `source-http`, with the version of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// What it is called at a shell.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Program {
    /// The program of this crate, which is the library of all others.
    pub(crate) const LIBRARY: Self = Self { name: "source-http", version: env!("CARGO_PKG_VERSION") };

    /// How it is called, and what comes of it.
    pub(super) fn examples(self) -> String {
        EXAMPLES.replace("PROGRAM", self.name)
    }
}

impl Default for Program {
    fn default() -> Self {
        Self::LIBRARY
    }
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
