//! The faults of the wire, each at the first page of a stream, in its middle and at its last page: it is survived, and
//! the output is that of a clean run; or it is named, and nothing is lost that a later run would not read.
//!
//! Each file is a table of one kind of fault, and [`matrix`] what is made of every row. `low_code` has
//! the streams of a manifest instead of those that are written in Rust.

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

/// Every table, with how many rows it is to have.
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
