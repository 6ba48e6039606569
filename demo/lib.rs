//! Nothing. Cargo wants a library or a program in each package; what this one is for are its two examples, see
//! `Cargo.toml`.
