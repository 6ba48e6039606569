//! An API with a list of each kind that manifests can read, whose objects are in memory. It only filters, pages and
//! formats.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http_testkit::{Fault, Reply, Request, Server};

/// Objects of a page.
pub(super) const PAGE: usize = 2;
/// The members of the list in chunks, besides the key.
pub(super) const PROPERTIES: [&str; 3] = ["a", "b", "c"];

/// Faults of requests.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    None,
    /// The server dies after this many responses.
    DiesAfter(usize),
    /// The connection is closed cleanly after this many responses, and for each request after that.
    ClosesAfter(usize),
    /// Each response after this many is a 500.
    FailsAfter(usize),
    /// Only this target is answered with a 500.
    FailsAt(String),
}

/// An object: its list, its id, the day of its last change.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) list: String,
    pub(super) id: usize,
    pub(super) day: u32,
}

impl Object {
    fn time(&self) -> String {
        format!("2026-10-{:02}T06:00:00Z", self.day)
    }
}

/// The objects and the faults.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) objects: Vec<Object>,
    pub(super) trouble: Trouble,
    answered: usize,
}

/// The API and its server.
pub(super) struct Api {
    pub(super) server: Server,
    contents: Arc<Mutex<Contents>>,
}

impl Api {
    pub(super) fn new(objects: Vec<Object>) -> Self {
        let contents = Arc::new(Mutex::new(Contents { objects, trouble: Trouble::None, answered: 0 }));
        let of_server = contents.clone();
        let server = Server::start(move |request: &Request| of_server.lock().unwrap().answer(request));
        Self { server, contents }
    }

    /// From now on there is this trouble.
    pub(super) fn trouble(&self, trouble: Trouble) {
        let mut contents = self.contents.lock().unwrap();
        (contents.trouble, contents.answered) = (trouble, 0);
    }

    /// Changes the objects.
    pub(super) fn change(&self, change: impl FnOnce(&mut Vec<Object>)) {
        change(&mut self.contents.lock().unwrap().objects);
    }

    pub(super) fn objects(&self) -> Vec<Object> {
        self.contents.lock().unwrap().objects.clone()
    }
}

impl Contents {
    fn answer(&mut self, request: &Request) -> Reply {
        let asked = self.answered;
        self.answered += 1;
        let reply = self.good(request);
        match &self.trouble {
            Trouble::DiesAfter(count) if asked >= *count => reply.fault(Fault::ResetBeforeHead),
            Trouble::ClosesAfter(count) if asked >= *count => reply.fault(Fault::RefuseHead),
            Trouble::FailsAfter(count) if asked >= *count => Reply::empty(500),
            Trouble::FailsAt(target) if *target == request.target => Reply::empty(500),
            _ => reply,
        }
    }

    fn good(&self, request: &Request) -> Reply {
        let number = |name: &str| request.param(name).map(|value| value.parse::<usize>().unwrap());
        let since = request.param("from").unwrap_or_default();
        let until = request.param("to").unwrap_or("9");
        let list = request.path.trim_start_matches('/');
        let listed = self.objects.iter().filter(|object| object.list == list);
        let mut objects: Vec<&Object> =
            listed.filter(|object| (since..=until).contains(&object.time().as_str())).collect();
        objects.sort_by_key(|object| (object.day, object.id));
        if request.param("order") == Some("newest_first") {
            objects.reverse();
        }
        // Links continue after an object; pages and offsets after this many.
        let start = match request.param("after") {
            Some(after) => {
                objects.iter().position(|object| object.id.to_string() == after).map_or(0, |place| place + 1)
            }
            None => number("offset").unwrap_or_else(|| PAGE * (number("page").unwrap_or(1) - 1)),
        };
        // A file is whole.
        let at_most = if request.param("as").is_some() { objects.len() } else { PAGE };
        let page: Vec<&Object> = objects.iter().skip(start).take(at_most).copied().collect();
        let next = page.last().filter(|_| start + PAGE < objects.len()).map(|object| object.id);
        match request.param("as") {
            Some("csv") => {
                let row = |object: &&Object| format!("{},{}\n", object.id, object.time());
                let rows = page.iter().map(row).collect::<Vec<_>>().concat();
                Reply::shared("text/csv", format!("id,at\n{rows}").into_bytes())
            }
            Some("lines") => {
                let line = |object: &&Object| format!("{}\n", shown(object, &[]));
                let lines = page.iter().map(line).collect::<Vec<_>>().concat();
                Reply::shared("application/x-ndjson", lines.into_bytes())
            }
            _ => {
                let fields: Vec<&str> = request.param("fields").unwrap_or_default().split(',').collect();
                let items: Vec<Value> = page.iter().map(|object| shown(object, &fields)).collect();
                Reply::json(json!({"items": items, "next": next}))
            }
        }
    }
}

/// An object with only these properties.
pub(super) fn shown(object: &Object, fields: &[&str]) -> Value {
    let mut value = json!({"id": object.id, "at": object.time()});
    for field in PROPERTIES.iter().filter(|field| fields.contains(field)) {
        value[*field] = format!("{field} of {}", object.id).into();
    }
    value
}
