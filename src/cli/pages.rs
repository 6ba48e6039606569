//! Completions and manual pages, generated from the flags.

use std::io::{self, Write};

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap_mangen::Man;

use super::{SOURCE, command, examples};
use crate::sources::Program;

/// A script that completes commands and flags in a shell.
pub(crate) fn completions(shell: clap_complete::Shell, program: Program, sources: &[&str]) -> Vec<u8> {
    let names = PossibleValuesParser::new(sources.iter().map(|name| PossibleValue::new((*name).to_owned())));
    let whole = visible(&command(program, sources).mut_arg(SOURCE, |arg| arg.value_parser(names)));
    let script = |name: &str| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut whole.clone(), name, &mut script);
        script
    };
    match shell {
        clap_complete::Shell::Bash => {
            // Internal names of the script, which clap_complete builds in two ways if the program's name has a hyphen.
            // Only the last line concerns the program.
            let stand_in = program.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            let script = String::from_utf8_lossy(&script(&stand_in)).into_owned();
            let lines = script.lines().map(|line| match line.trim_start().starts_with("complete -F ") {
                true => format!("{}{}\n", line.strip_suffix(&stand_in).unwrap_or(line), program.name),
                false => format!("{line}\n"),
            });
            lines.collect::<String>().into_bytes()
        }
        _ => script(program.name),
    }
}

/// A command without its hidden parts, which `clap_complete` would list.
fn visible(command: &clap::Command) -> clap::Command {
    let shown = clap::Command::new(command.get_name().to_owned())
        .disable_help_subcommand(command.is_disable_help_subcommand_set())
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(visible));
    let shown = match command.get_about() {
        Some(about) => shown.about(about.clone()),
        None => shown,
    };
    match command.get_version() {
        Some(version) => shown.version(version.to_owned()),
        None => shown,
    }
}

/// The manual page of the program with all its commands, or that of one command; `None` if there is no such command.
pub(crate) fn man(of: Option<&str>, program: Program, sources: &[&str]) -> Option<io::Result<Vec<u8>>> {
    let mut whole = command(program, sources).disable_help_subcommand(true);
    // Copies global flags to each command, so that the printed ones are known.
    whole.build();
    let mut page = Vec::new();
    let rendered = match of {
        None => render_whole(&whole, program, &mut page),
        Some(name) => render_command(whole.find_subcommand(name)?, &mut page),
    };
    Some(rendered.map(|()| page))
}

/// One page for all: clap would refer to pages of the commands, which nobody has installed.
fn render_whole(whole: &clap::Command, program: Program, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(whole.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    render_synopsis(&whole.clone(), page)?;
    man.render_description_section(page)?;
    for command in whole.get_subcommands() {
        let own = command.clone().mut_args(|arg| {
            let is_of_all = arg.is_global_set() || arg.get_id() == "help";
            arg.hide(is_of_all)
        });
        let man = Man::new(own);
        let mut options = Vec::new();
        man.render_options_section(&mut options)?;
        let options = String::from_utf8_lossy(&options).replace(".SH OPTIONS\n", "");
        // The section before it is not a subsection.
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let (name, usage) = (command.get_name().to_uppercase(), usage(command));
        write!(page, ".SH {name}\n{about}.\n.PP\n{usage}\n{}", body(&options))?;
    }
    man.render_options_section(page)?;
    page.write_all(examples::man(program).as_bytes())
}

/// The page of one command.
fn render_command(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    render_synopsis(command, page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)
}

/// The usage of a command, as in `--help`: `clap_mangen` omits the values of options.
fn render_synopsis(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    writeln!(page, ".SH SYNOPSIS\n{}", usage(command))
}

/// `source-http check [OPTIONS] --config <FILE>` in roff.
fn usage(command: &clap::Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage:").split_whitespace().collect::<Vec<_>>().join(" ").replace('-', "\\-")
}

/// A part of a page without the definitions at the start of each.
fn body(part: &str) -> &str {
    part.strip_prefix(PREAMBLE).unwrap_or(part)
}

/// The library's text before each part.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
