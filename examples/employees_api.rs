//! The API of `examples/employees.rs`, to try the connector against: 250 made-up employees, and one has left. It serves
//! on port 8080 of this machine until it is killed. `docs/write-a-source.md` shows it.

use serde_json::{Value, json};
use source_http_testkit::{Reply, Request, Server};

/// Answers one request.
pub(crate) fn api(request: &Request) -> Reply {
    let number = |name: &str, default| request.param(name).and_then(|n| n.parse::<u64>().ok()).unwrap_or(default);
    match request.path.as_str() {
        "/oauth/token" => {
            Reply::json(json!({"access_token": "acc3ss", "refresh_token": "r3fresh-2", "expires_in": 7200}))
        }
        _ if request.header("authorization") != Some("Bearer acc3ss") => Reply::empty(401),
        "/v1/employees" => {
            let (page, per_page) = (number("page", 1), number("per_page", 100));
            let ids = (page - 1) * per_page + 1..=(page * per_page).min(250);
            let employees: Vec<Value> = ids.map(|id| json!({"id": id, "name": format!("Employee {id}")})).collect();
            Reply::json(json!({"data": employees}))
        }
        "/v1/employees/7/details" => Reply::json(json!({"error": "no such employee"})).status(404),
        _ => Reply::json(json!({"salary": 5000, "address": {"street": "Elm Road 1", "city": "Riga"}})),
    }
}

fn main() {
    let _server = Server::start_at(8080, api);
    loop {
        std::thread::park();
    }
}
