//! Mistakes in manifests written by hand. No message contains a value of the config.

use serde_json::{Value, json};
use source_http_testkit::{Routes, Server};

use super::{Call, Entry, Told};

const ROOMS: &str = include_str!("rooms.yaml");
/// A class instead of an authenticator.
const PYTHON: &str = "type: CustomAuthenticator\n          class_name: rooms.Auth";
const CHECK: &str = "check --manifest-path rooms.yaml --config config.json";

const STRIPE: &str = "check --source stripe --manifest-path rooms.yaml --config config.json";

/// Each value contains this.
const MARK: &str = "hunter2";

fn config(api_url: &str) -> Value {
    json!({"api_url": api_url, "token": format!("{MARK}-token"), "house": format!("{MARK}-house")})
}

/// A manifest with one mistake, checked or run with other arguments; the API has two rooms.
fn run(args: &'static str, manifest: Option<String>, change: impl FnOnce(&mut Value)) -> Told {
    let server = Server::start(Routes::new().on("GET", "/rooms", [json!({"rooms": [{"id": 1}, {"id": 2}]})]));
    let mut config = config(&server.url());
    change(&mut config);
    let mut call = Call::new(args).file("config.json", &config);
    if let Some(manifest) = manifest {
        call = call.file("rooms.yaml", manifest);
    }
    let told = call.run();
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(!said.contains(MARK), "{said}");
    told
}

/// A mistake in the manifest: replaces this text by that one.
fn mistake(title: &'static str, before: &'static str, after: &'static str) -> Entry {
    (
        title,
        Box::new(move || {
            assert_eq!(ROOMS.matches(before).count(), 1, "{before}");
            run(CHECK, Some(ROOMS.replace(before, after)), |_| {})
        }),
    )
}

/// The same, read.
fn read(title: &'static str, before: &'static str, after: &'static str) -> Entry {
    let args = "read --manifest-path rooms.yaml --config config.json";
    (title, Box::new(move || run(args, Some(ROOMS.replace(before, after)), |_| {})))
}

fn of_config(title: &'static str, change: impl FnOnce(&mut Value) + Send + 'static) -> Entry {
    (title, Box::new(|| run(CHECK, Some(ROOMS.to_owned()), change)))
}

pub(super) fn entries() -> Vec<Entry> {
    vec![
        mistake("A field whose name is misspelt", "field_path", "feild_path"),
        mistake("A field that may be left out, misspelt", "page_token_option", "page_tokn_option"),
        mistake("A component that there is not", "CursorPagination", "CursorPaginaton"),
        mistake("A component in the wrong place", "type: HttpRequester", "type: RecordSelector"),
        mistake("A value of a wrong type", "field_path: [rooms]", "field_path: rooms"),
        mistake("A word that is not allowed", "inject_into: request_parameter", "inject_into: request_param"),
        mistake("A bracket that is not closed", "field_path: [rooms]", "field_path: [rooms"),
        mistake("A line that is indented wrongly", "    primary_key", "   primary_key"),
        mistake("A tab", "    primary_key", "\tprimary_key"),
        mistake("A reference to nothing", "#/definitions/schema", "#/definitions/schem"),
        mistake("A template that is not closed", "response['next'] }}", "response['next' }}"),
        mistake("A variable that there is not", "response['next']", "respnse['next']"),
        mistake("A filter that there is not", "| upper", "| uper"),
        mistake("A field that is missing", "          cursor_value: \"{{ response['next'] }}\"\n", ""),
        mistake("A stream without a name", "    name: rooms\n", ""),
        mistake("A check of a stream that there is not", "stream_names: [rooms]", "stream_names: [room]"),
        mistake("A setting whose name is misspelt in a template", "config['token']", "config['tokn']"),
        mistake("A setting that makes no URL", "config['api_url']", "config['token']"),
        mistake("Two values for one parameter", "house: \"{{ config['house'] | upper }}\"", "after: x"),
        mistake("A path at which there is nothing", "field_path: [rooms]", "field_path: [room]"),
        read("The same, read", "field_path: [rooms]", "field_path: [room]"),
        mistake("A component that is not run", "type: BearerAuthenticator", PYTHON),
        read("The same, read", "type: BearerAuthenticator", PYTHON),
        ("A manifest and another source", Box::new(|| run(STRIPE, Some(ROOMS.to_owned()), |_| {}))),
        ("No manifest", Box::new(|| run("check --source declarative --config config.json", None, |_| {}))),
        ("A manifest that is not there", Box::new(|| run(CHECK, None, |_| {}))),
        of_config("A config without a setting that is required", |config| {
            config.as_object_mut().unwrap().remove("token");
        }),
        of_config("A setting that the manifest does not know", |config| {
            config["hous"] = format!("{MARK}-other").into();
        }),
    ]
}
