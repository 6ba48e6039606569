//! The examples are products: what they say, ask and remember is tested like that of the built-in source. Their sources
//! are compiled into these tests, and the built programs are run once, too.

mod employees;
mod ticket_search;
