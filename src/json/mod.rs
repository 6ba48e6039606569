//! JSON as text. A record goes from socket to stdout without becoming a tree, so numbers keep their digits and nulls
//! stay; the few needed values are looked up in the text. `scan` reads the text, `blocks` at a time; `serde_json`
//! parses the values that are looked up.

mod blocks;
mod compact;
mod document;
mod fault;
mod fields;
mod grammar;
mod items;
mod members;
mod no_numbers;
mod object;
mod one_line;
mod record_path;
mod scan;
mod text;
mod walk;

pub use document::{Document, DocumentError, for_each_record};
pub use fields::{field, field_at, with_field, with_field_at, with_fields, without_field_at};
pub(crate) use items::{ItemsError, for_each_item, is_value};
pub use members::{Splice, for_each_element, for_each_member, unquoted};
pub(crate) use no_numbers::without_no_numbers;
pub use object::Object;
pub(crate) use object::{last_field, names_of};
pub(crate) use one_line::compacted;
pub use one_line::{write_one_line, write_string};
pub use record_path::RecordPath;
pub(crate) use text::without_mark;

#[cfg(test)]
mod tests;
