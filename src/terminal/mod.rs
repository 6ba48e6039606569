//! What a person at a terminal sees: on stderr, next to the protocol on stdout and never through it. Progress while a
//! command runs, a summary of a read, a list of what a check has asked for; and, with bare records, log lines and errors.
//!
//! `capabilities` is what is known of the terminal, `pipeline` whether stdout ends there, too; `screen` is the one writer of
//! stderr, `stderr_term` how it draws; `live_view` draws a view again and again, `read_view` and `check_view` are the two;
//! `summary` is the table at the end, `quantity` how numbers are put. Those who do the work know nothing of this room:
//! it reads the counters that they keep.

mod capabilities;
mod check_view;
mod live_view;
#[cfg(unix)]
mod pipeline;
mod quantity;
mod read_view;
mod screen;
mod stderr_term;
mod summary;

pub use capabilities::{StdoutTo, Terminal};
pub(crate) use check_view::{CheckView, probed};
pub(crate) use live_view::LiveView;
pub(crate) use read_view::ReadView;
pub(crate) use screen::{FromLevel, Screen};
pub(crate) use summary::{ReadEnd, summary};
