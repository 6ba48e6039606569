//! The `source-http` binary: the built-in sources.

use std::process::ExitCode;

use source_http::{Registry, launch};

fn main() -> ExitCode {
    launch(&Registry::built_in())
}
