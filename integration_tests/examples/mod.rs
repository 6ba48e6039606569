//! The examples are products: what they say, ask and remember is tested like that of the built-in source. Their sources
//! are compiled into these tests, and the built programs are run once, too. `guide` keeps the walk through one of them
//! true.

mod employees;
mod guide;
mod ticket_search;
