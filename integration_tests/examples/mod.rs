//! The examples are products: their messages, requests and states are tested like those of the built-in source. These
//! tests compile their sources, and also run the built programs once. `guide` keeps the tutorial on one of them true.

mod employees;
mod guide;
mod ticket_search;
