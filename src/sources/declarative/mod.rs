//! The declarative wing: what runs a low-code manifest.

pub mod template;
