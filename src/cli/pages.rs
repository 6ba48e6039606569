//! What is made of the flags themselves: completions and manual pages.

use std::io::{self, Write};

use clap_mangen::Man;

use super::command;
use crate::sources::Program;

/// A script that completes commands and flags in a shell.
pub(crate) fn completions(shell: clap_complete::Shell, program: Program) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(program), program.name, &mut script);
    script
}

/// The manual page of the program with all its commands, or that of one command; `None` if there is no such command.
pub(crate) fn man(of: Option<&str>, program: Program) -> Option<io::Result<Vec<u8>>> {
    let mut whole = command(program).disable_help_subcommand(true);
    // Flags of all commands become those of each, and what is printed is known.
    whole.build();
    let mut page = Vec::new();
    let rendered = match of {
        None => render_whole(&whole, &mut page),
        Some(name) => Man::new(whole.find_subcommand(name)?.clone()).render(&mut page),
    };
    Some(rendered.map(|()| page))
}

/// One page for all: clap would refer to pages of the commands, which nobody has installed.
fn render_whole(whole: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(whole.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    for command in whole.get_subcommands() {
        let own = command.clone().mut_args(|arg| {
            let is_of_all = arg.is_global_set() || arg.get_id() == "help";
            arg.hide(is_of_all)
        });
        let man = Man::new(own);
        let mut parts = Vec::new();
        man.render_synopsis_section(&mut parts)?;
        man.render_options_section(&mut parts)?;
        let parts = String::from_utf8_lossy(&parts).replace(".SH SYNOPSIS\n", "").replace(".SH OPTIONS\n", "");
        // Of the sections before it, one is not part of another.
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        write!(page, ".SH {}\n{about}.\n.PP\n{}", command.get_name().to_uppercase(), body(&parts))?;
    }
    man.render_options_section(page)?;
    man.render_extra_section(page)
}

/// A part of a page without the definitions that stand at the beginning of each.
fn body(part: &str) -> &str {
    part.strip_prefix(PREAMBLE).unwrap_or(part)
}

/// What the library writes before each part.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
