//! Output for a person at a terminal: on stderr, beside the protocol on stdout and never through it. Progress while a
//! command runs, a summary of a read, a list of a check's requests; and, with bare records, log lines and errors.
//!
//! `capabilities` has the properties of the terminal, `pipeline` checks whether stdout ends there, too; `screen` is the
//! one writer of stderr, `stderr_term` draws on it; `live_view` redraws a view, `read_view` and `check_view` are the
//! two; `summary` is the table at the end, `quantity` formats numbers. The workers know nothing of this module: it
//! reads their counters.

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
