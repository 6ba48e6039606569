//! A table of routes, each with its replies in the order of the hits.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{Handler, Reply, Request};

/// A [`Handler`] that answers the n-th hit of a method and path with its n-th reply.
///
/// The path is compared as sent, without the query. A request without a route gets status 404 and a JSON body that
/// names it, so that a wrong URL shows in the failing test's output.
#[derive(Default)]
pub struct Routes {
    routes: Vec<Route>,
}

struct Route {
    method: String,
    path: String,
    replies: Vec<Reply>,
    last_repeats: bool,
    hits: AtomicUsize,
}

impl Routes {
    /// A table without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds replies to a route; when they are used up the last one repeats.
    ///
    /// # Panics
    /// If there is no reply.
    pub fn on(self, method: &str, path: &str, replies: impl IntoIterator<Item = impl Into<Reply>>) -> Self {
        self.add(method, path, replies, true)
    }

    /// Adds replies to a route, each for one hit. A further hit gets status 599 and a JSON body that names the route: a
    /// status that no client accepts and no API sends.
    ///
    /// # Panics
    /// If there is no reply.
    pub fn once(self, method: &str, path: &str, replies: impl IntoIterator<Item = impl Into<Reply>>) -> Self {
        self.add(method, path, replies, false)
    }

    fn add(
        mut self,
        method: &str,
        path: &str,
        replies: impl IntoIterator<Item = impl Into<Reply>>,
        last_repeats: bool,
    ) -> Self {
        let replies: Vec<Reply> = replies.into_iter().map(Into::into).collect();
        assert!(!replies.is_empty(), "{method} {path} has no reply");
        match self.routes.iter_mut().find(|r| r.takes(method, path)) {
            Some(route) => {
                route.replies.extend(replies);
                route.last_repeats = last_repeats;
            }
            None => self.routes.push(Route {
                method: method.to_owned(),
                path: path.to_owned(),
                replies,
                last_repeats,
                hits: AtomicUsize::new(0),
            }),
        }
        self
    }
}

impl Handler for Routes {
    fn handle(&self, request: &Request) -> Reply {
        let found = self.routes.iter().find(|route| route.takes(&request.method, &request.path));
        if let Some(route) = found {
            route.next_reply()
        } else {
            let text = format!("no route for {} {}", request.method, request.path);
            Reply::json(json!({ "error": text })).status(404)
        }
    }
}

impl Route {
    fn takes(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    fn next_reply(&self) -> Reply {
        let hit = self.hits.fetch_add(1, Ordering::SeqCst);
        let reply = self.replies.get(hit).or(if self.last_repeats { self.replies.last() } else { None });
        reply.cloned().unwrap_or_else(|| {
            let Self { method, path, .. } = self;
            let planned = self.replies.len();
            let text = format!("{method} {path}: hit {}, replies {planned}", hit + 1);
            Reply::json(json!({ "error": text })).status(599)
        })
    }
}
