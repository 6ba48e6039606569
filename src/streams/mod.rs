//! Streams: the [`HttpStream`] contract with its defaults, and its ready-made parts.
//!
//! To write a stream, start at [`HttpStream`]; `docs/write-a-source.md` walks through two of them.
//!
//! `http_stream` is the contract; `context` the input of its methods; `page` and `record` their output; `fetch` turns a
//! stream and a context into a request; `sharing` knows whose pages are worth caching; `transformed` is the result of a
//! changed record; `refusal` is why a stream cannot be read; `slice` is a part of a stream, `cursor` makes a stream
//! incremental; `recent` remembers the records written lately; `pager`, `date_windows`, `schema_folder`, `normalizer`
//! and `column_filter` are ready-made parts.

mod api_clock;
mod column_filter;
mod context;
mod created_windows;
pub mod cursor;
mod date_cursor;
mod date_slicer;
mod date_windows;
mod decoded;
pub mod decoders;
mod delegate;
mod discovered;
pub(crate) mod epoch_cursor;
mod fetch;
mod global_cursor;
mod http_stream;
mod incremental_parent;
mod kept_parent;
mod list_then_events;
mod loop_guard;
mod nested_list;
mod normalizer;
mod page;
mod page_guard;
pub mod pager;
pub(crate) mod paging;
mod parent_cursor;
mod parent_stream;
mod parts;
mod recent;
mod record;
mod record_edits;
mod record_file;
mod records;
mod refusal;
mod schema_folder;
mod schema_use;
mod sharing;
mod slice;
mod transformed;
mod whole_list;

pub use api_clock::ApiClock;
pub use column_filter::ColumnFilter;
pub(crate) use column_filter::columns;
pub(crate) use context::path_segment;
pub use context::{FetchContext, NextPart, PageToken, PartEnd, RequestContext, SchemaContext, SliceContext, Slices};
pub use created_windows::CreatedWindows;
pub(crate) use cursor::{COMPLETE, READ_WHOLE, WholeState};
pub use cursor::{Cursor, CursorField, CursorRead, CursorState, NoCursor, Scope};
pub use date_cursor::DateCursor;
pub use date_slicer::{DateFormat, DateSlicer};
pub use date_windows::DateWindows;
pub(crate) use decoded::{Make, is_without_content};
pub use delegate::Delegate;
pub use discovered::{described, discovered, schema_of};
pub(crate) use epoch_cursor::seconds as epoch_seconds;
pub(crate) use epoch_cursor::{date, is_future};
pub use fetch::Fetcher;
pub(crate) use fetch::{next_page_token, transform, undecodable};
pub use global_cursor::GlobalCursor;
pub use http_stream::HttpStream;
pub use list_then_events::{Feed, ListThenEvents, Listing};
pub use nested_list::{FirstPage, NestedPages, Unfinished};
pub use normalizer::Normalizer;
pub use page::Page;
pub use parent_cursor::ParentCursor;
pub(crate) use parent_stream::sorted_for;
pub use parent_stream::{MakesSlice, ParentStream};
pub(crate) use parts::Parts;
pub use recent::Recent;
pub(crate) use recent::{Mark, hash as stable_hash};
pub use record::Record;
pub use record_file::{RecordFile, RecordFiles};
pub use records::Records;
pub use refusal::Refusal;
pub use schema_folder::SchemaFolder;
pub use schema_use::SchemaUse;
pub use sharing::Sharing;
pub(crate) use slice::CHANGED;
pub use slice::Slice;
pub use transformed::Transformed;
pub(crate) use whole_list::for_each_record_of;
pub use whole_list::{OnRecord, for_each_record};
