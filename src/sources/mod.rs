//! The sources that are built in, each in its own folder.

pub mod declarative;
