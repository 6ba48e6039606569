//! A scripted HTTP/1.1 server on 127.0.0.1, for tests that need a real socket.
//!
//! The client under test has its own connection pool, timeouts and decoders, so the server speaks real HTTP and can
//! fail in every way an API does: resets, truncated bodies, broken chunks and gzip, silence. It records its requests,
//! and a test asserts the conversation.
//!
//! ```ignore
//! let routes = Routes::new().on("GET", "/items", [Reply::empty(500), Reply::json(json!([]))]);
//! let server = Server::start(routes);
//! // ... run a client against server.url() ...
//! assert_eq!(server.conversation(), ["GET /items", "GET /items"]);
//! ```

mod connection;
mod fault;
mod listener;
mod reader;
mod reply;
mod request;
mod routes;
#[cfg(test)]
mod tests;
mod writer;

pub use fault::Fault;
pub use listener::{Handler, Server};
pub use reply::Reply;
pub use reply::gzip_bytes;
pub use request::Request;
pub use routes::Routes;
