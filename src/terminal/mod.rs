//! What a person at a terminal sees: on stderr, next to the protocol on stdout and never through it. Progress while a
//! command runs, a summary of a read, a list of what a check has asked for; and, with bare records, log lines and errors.
//!
//! `setting` is what is known of the terminal, `pipeline` whether stdout ends there, too; `screen` is the one writer of
//! stderr, `pen` how it draws; `progress` draws a view again and again, `read_view` and `check_view` are the two;
//! `summary` is the table at the end, `quantity` how numbers are put. Those who do the work know nothing of this room:
//! it reads the counters that they keep.

mod check_view;
mod pen;
#[cfg(unix)]
mod pipeline;
mod progress;
mod quantity;
mod read_view;
mod screen;
mod setting;
mod summary;

pub(crate) use check_view::{CheckView, probed};
pub(crate) use progress::Progress;
pub(crate) use read_view::ReadView;
pub(crate) use screen::{FromLevel, Screen};
pub use setting::{StdoutTo, Terminal};
pub(crate) use summary::{ReadEnd, summary};
