//! The `source-http` binary: one run with the built-in sources.

use std::process::ExitCode;

use source_http::{Host, Registry, run};

fn main() -> ExitCode {
    source_http::tell_through_the_protocol();
    ExitCode::from(run(std::env::args_os(), &Registry::built_in(), Host::system()))
}
