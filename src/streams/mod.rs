//! What a stream is: the [`HttpStream`] contract with its defaults, the parts it is put together from, and the
//! sources that are built in.
//!
//! `http_stream` is the contract; `context` is what its methods are told; `page` and `record` are what comes back;
//! `fetch` turns a stream and a context into a request; `cursor`, `date_windows` and `schema_folder` are ready-made
//! parts. `stripe` is a source made of them.

mod context;
pub mod cursor;
mod date_windows;
mod fetch;
mod http_stream;
mod page;
pub mod pager;
mod record;
mod schema_folder;
pub mod stripe;

pub use context::{PageToken, RequestContext, Slice, SliceContext, Slices};
pub use date_windows::DateWindows;
pub use fetch::Fetcher;
pub use http_stream::{HttpStream, discovered};
pub use page::{Page, Records};
pub use record::Record;
pub use schema_folder::SchemaFolder;
