//! The check of every connector output: Airbyte protocol 0.18, and this project's further promises.
//!
//! A test passes the whole stdout of a run. [`Messages::parse`] panics at the first broken rule, so every test that
//! reads its results through it checks all rules:
//!
//! - every line is one JSON object, ends with a newline, has no whitespace between its tokens
//!   (`record.data` may have some) and holds exactly `type` and the payload of that type, with
//!   the required fields and legal enum values;
//! - a stream goes STARTED, RUNNING, COMPLETE or INCOMPLETE; its records and states lie between
//!   STARTED and the end, and RUNNING comes before its first record;
//! - a state's `sourceStats.recordCount` is a float literal and counts the records of the stream
//!   since its previous state;
//! - a COMPLETE stream has a state after its last record and no error trace, or a warning that says `NAME: skipped` and
//!   neither records nor states: a silently skipped stream would look read; an INCOMPLETE stream that never started has
//!   an error trace;
//! - once every stream has ended, nothing follows the last trace.
//!
//! [`Messages::parse_answer`] also checks the command and the exit code: `spec` and `discover` answer with one message
//! or with an error trace, `check` with exactly one, `read` with none of these; and the exit code is 0 if and only if
//! nothing failed.

mod answer;
mod envelope;
mod lifecycle;
mod messages;
mod outline;
mod shape;
#[cfg(test)]
mod tests;

pub use messages::{ErrorTrace, Messages};
