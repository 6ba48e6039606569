//! The faults of the network, each at the first page of a stream, in its middle and at its last page: the read survives
//! it, and the output is that of a clean run; or the message names it, and a later run reads everything that is
//! missing.
//!
//! Each file is a table of one kind of fault, and [`matrix`] runs the rows. `low_code` runs them with the streams of a
//! manifest instead of streams in Rust.

mod clock;
mod compression;
mod connections;
mod content;
mod cuts;
mod framing;
mod heads;
mod low_code;
mod matrix;
mod redirects;
mod silence;
mod stage;

use matrix::Row;

/// Every table, with its number of rows.
fn tables() -> [(&'static str, Vec<Row>, usize); 8] {
    [
        ("clock", clock::rows(), 5),
        ("compression", compression::rows(), 23),
        ("connections", connections::rows(), 16),
        ("content", content::rows(), 41),
        ("framing", framing::rows(), 33),
        ("heads", heads::rows(), 15),
        ("redirects", redirects::rows(), 13),
        ("silence", silence::rows(), 10),
    ]
}

#[test]
fn no_row_is_lost() {
    let mut names = Vec::new();
    for (table, rows, count) in tables() {
        assert_eq!(rows.len(), count, "{table}");
        names.extend(rows.iter().map(|row| row.name));
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "two rows have the same name");
}
