//! Files that a run writes: the response cache, and everything else in the directory for temporary files.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use serde_json::json;
use source_http::http::auth::ApiKeyAuthenticator;
use source_http_testkit::{Fault, Reply, Request, Server};
use stripe_mock::StripeMock;

use super::spellings::{found_in, spellings};
use super::*;
use crate::support::binary::{self, Binary};

const KEY: &str = "k3y/with \"odd\"+<signs>&=%41?~{x}\\";

/// All text in the files below a folder: their names, their bytes, and the decompressed contents of a cache.
fn text_in(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        text.extend([path.to_str().unwrap(), "\n"]);
        if path.is_dir() {
            text.push_str(&text_in(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&bytes));
        for entry in entries(&bytes) {
            text.extend(["\n", &entry, "\n"]);
        }
    }
    text
}

/// The responses in a cache's file, decompressed; none if it is another file, or is being written.
fn entries(bytes: &[u8]) -> Vec<String> {
    let copy = tempfile::NamedTempFile::new().unwrap();
    fs::write(copy.path(), bytes).unwrap();
    let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let database = rusqlite::Connection::open(copy.path())?;
        let mut query = database.prepare("SELECT bytes FROM entries")?;
        query.query_map((), |row| row.get(0))?.collect()
    };
    let text = |entry: Vec<u8>| {
        let mut bytes = Vec::new();
        GzDecoder::new(entry.as_slice()).read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default().into_iter().filter_map(|entry| text(entry).ok()).collect()
}

#[test]
fn no_secret_is_kept_in_the_cache_and_other_responses_are() {
    for text in spellings(KEY).into_iter().chain(["harmless".to_owned()]) {
        let folder = tempfile::tempdir().unwrap();
        let (watched, seen) = (folder.path().to_owned(), Arc::new(Mutex::new(String::new())));
        let of_server = seen.clone();
        let repeated = text.clone();
        let server = Server::start(move |request: &Request| {
            // The files while the second page and the third are requested.
            of_server.lock().unwrap().push_str(&text_in(&watched));
            let header: String = url::form_urlencoded::byte_serialize(repeated.as_bytes()).collect();
            match request.param("page") {
                None => Reply::json(json!({"data": [{"n": repeated}], "next": "/items?page=2"})),
                Some("2") => {
                    Reply::json(json!({"data": [{"n": "2"}], "next": "/items?page=3"})).header("X-Key", header)
                }
                Some("3") => Reply::empty(302).header("Location", format!("/items?page=4&was={header}")),
                Some("4") => Reply::json(json!({"data": [{"n": "4"}], "next": "/items?page=5"})),
                _ => Reply::json(json!({"data": [{"n": "5"}]})),
            }
        });
        let vault = Vault {
            authenticator: Box::new(|config, cx| {
                let key = config["key"].as_str().unwrap_or_default();
                Arc::new(ApiKeyAuthenticator::query("key", key, &cx.redactor))
            }),
            cache: true,
        };
        let config = json!({"url": server.url(), "key": KEY});
        let done = vault.connector(&config).arg("--cache-dir").arg(folder.path()).run("read");
        assert_eq!((done.status, done.messages().record_count()), (0, 8), "{}", done.stdout);
        let seen = seen.lock().unwrap();
        assert!(seen.contains(".sqlite"), "there was no file to look at");
        assert_eq!(found_in(&seen, &[KEY.to_owned()]), None, "{text}");
        // Without a secret in it, every response is kept, and requested once.
        let requests = server.requests().len();
        assert_eq!(requests, if text == "harmless" { 5 } else { 9 }, "{text}");
        assert_eq!(text_in(folder.path()), "");
    }
}

/// The built binary with a key in its config and a password in its environment, against an API that repeats both.
#[test]
fn no_command_of_the_binary_leaves_a_secret_in_an_output_or_a_file() {
    let secrets = [KEY.to_owned(), "pr0xy/passw0rd".to_owned()];
    for text in secrets.iter().flat_map(|secret| spellings(secret)).step_by(5) {
        let folder = tempfile::tempdir().unwrap();
        let (watched, seen) = (folder.path().to_owned(), Arc::new(Mutex::new(String::new())));
        let (of_server, repeated) = (seen.clone(), text.clone());
        let mock = StripeMock::builder()
            .key(KEY)
            .count("customers", 2)
            .children("customer_balance_transactions", 1)
            .on_reply(move |request: &Request, reply: Reply| {
                of_server.lock().unwrap().push_str(&text_in(&watched));
                match request.path.as_str() {
                    "/v1/customers" => reply,
                    "/v1/charges" => reply.fault(Fault::RawBytes(format!("HTTP/1.1 200 {repeated}\r\n\r\n").into())),
                    _ => Reply::json(json!({"error": {"message": format!("Invalid key: {repeated}")}})).status(401),
                }
            })
            .start();
        let config = json!({"client_secret": KEY, "account_id": "acct_x", "api_url": format!("{}/v1", mock.url())});
        let temporary = folder.path().join("tmp");
        fs::create_dir(&temporary).unwrap();
        let cache = folder.path().join("cache");
        let streams = "customers,customer_balance_transactions,refunds";
        for args in [
            &["spec"][..],
            &["check", "--config", "-"],
            &["discover", "--config", "-"],
            &["read", "--config", "-", "--streams", streams, "--cache-dir", cache.to_str().unwrap()],
            &["read", "--config", "-", "--streams", streams],
        ] {
            let args = [args, &["--debug"]].concat();
            let binary = Binary::new(&args)
                .env("HTTPS_PROXY", "http://user:pr0xy%2Fpassw0rd@127.0.0.1:9")
                .env("TMPDIR", temporary.to_str().unwrap())
                .stdin(&config);
            let done = binary.run();
            let written = format!("{}\n{}\n{}", done.stdout, done.stderr, text_in(folder.path()));
            assert_eq!(found_in(&written, &secrets), None, "{args:?}, {text}:\n{written}");
        }
        assert_eq!(found_in(&seen.lock().unwrap(), &secrets), None, "{text}");
        assert!(seen.lock().unwrap().contains(".sqlite"), "there was no file to look at");
    }
    // The mock accepts no other key: these were the right ones.
    let mock = StripeMock::builder().key(KEY).count("customers", 1).start();
    let done = Binary::new(&["read", "--config", "-", "--streams", "customers"]).stdin(binary::config(&mock)).run();
    assert_eq!((done.status, done.messages().record_count()), (Some(0), 1));
}
