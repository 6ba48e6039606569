//! Every stream of Stripe, one row each: a full refresh and three incremental syncs, with the requests, the records and
//! the last state.

mod history;
mod interrupted;
mod rows;
mod rude;

use serde_json::{Value, json};
use source_http::Registry;
use source_http_testkit::{InProcess, Messages};
use stripe_mock::DEFAULT_NOW;
use stripe_mock::{StripeMock, StripeMockBuilder};

use crate::support::binary::config;
use rows::{Kind, ROWS, Row};

const DAY: i64 = 86_400;
/// Each sync begins this long before the end of the last one.
const OVERLAP: i64 = 300;
const START: i64 = DEFAULT_NOW - 400 * DAY;
/// The end of the list's first window.
const FIRST_END: i64 = START + 365 * DAY - 1;

/// The paths of all streams' lists, or their parents', in the order of the streams.
pub(crate) fn list_paths() -> Vec<String> {
    let path = |row: &Row| row.list.split('?').next().unwrap().replace("{account_id}", "acct_test");
    ROWS.iter().map(path).collect()
}

/// One stream against a mock of its own, which refuses the children of one parent.
struct Case {
    row: &'static Row,
    mock: StripeMock,
    now: i64,
    /// The parent whose children are refused, and the children.
    refused: Vec<String>,
    refused_ids: Vec<String>,
    workers: usize,
}

/// The result of a sync.
struct Synced {
    messages: Messages,
    /// The exit code.
    status: u8,
    /// Decoded, in alphabetical order.
    requests: Vec<String>,
}

impl Case {
    fn new(row: &'static Row) -> Self {
        let mut case = Self::with(row, 1, |mock| mock);
        if !row.child.is_empty() {
            let refused = case.mock.ids(row.parent)[2].to_string();
            case.refused_ids = case.mock.children(row.resource(), &refused).iter().map(ToString::to_string).collect();
            let place = ROWS.iter().position(|other| other.name == row.name).unwrap();
            let (status, code, words) = rude::WAYS[place % rude::WAYS.len()];
            case.mock.refuse(&rude::target(row, &refused), status, code, words);
            case.refused.push(refused);
        }
        case
    }

    /// Nothing is refused.
    fn with(row: &'static Row, workers: usize, set: impl FnOnce(StripeMockBuilder) -> StripeMockBuilder) -> Self {
        let mock = StripeMock::builder().spread(DEFAULT_NOW - 300 * DAY, DEFAULT_NOW - 5 * DAY);
        let mock = match row.kind {
            _ if row.resource() == "external_accounts" => mock.children_of("external_accounts", "acct_test", 4),
            Kind::Created | Kind::Updated => mock.count(row.name, 3),
            Kind::Full => mock.count("subscriptions", 3).children("subscription_items", 2).children("usage_records", 2),
            Kind::Nested => mock.count(row.parent, 3).children(row.resource(), 2),
            _ => mock.count(row.parent, 4).children(row.resource(), 2),
        };
        let (refused, refused_ids) = (Vec::new(), Vec::new());
        Self { row, mock: set(mock).start(), now: DEFAULT_NOW, workers, refused, refused_ids }
    }

    /// A sync that succeeds.
    fn sync(&mut self, mode: &str, state: &Value) -> Synced {
        let done = self.try_sync(mode, state);
        assert_eq!(done.messages.errors().len(), 0, "{}: {:?}", self.row.name, done.messages.errors());
        done
    }

    fn try_sync(&mut self, mode: &str, state: &Value) -> Synced {
        self.mock.server().take_requests();
        self.mock.set_now(self.now);
        let mut config = config(&self.mock);
        config["start_date"] = format!("{:.0}", jiff::Timestamp::from_second(START).unwrap()).into();
        config["num_workers"] = json!(self.workers);
        let done = InProcess::with_registry(Registry::built_in())
            .now(self.now)
            .config(&config)
            .streams(&[(self.row.name, mode)])
            .state(state)
            .run("read");
        let mut requests = self.mock.server().conversation();
        requests.sort();
        Synced { messages: done.messages(), status: done.status, requests }
    }

    /// The requests for the list, without a cursor.
    fn list(&self) -> Vec<String> {
        let list = format!("GET {}", self.row.list.replace("{account_id}", "acct_test"));
        match self.row.windows {
            true => [(START, FIRST_END), (FIRST_END + 1, self.now)]
                .map(|(from, to)| format!("{list}&created[gte]={from}&created[lte]={to}"))
                .to_vec(),
            false => vec![list],
        }
    }

    /// The requests for the children of these parents.
    fn children(&self, parents: &[String]) -> Vec<String> {
        parents.iter().map(|parent| format!("GET {}", self.row.child.replace("{}", parent))).collect()
    }

    fn events(&self, since: i64) -> String {
        format!("GET /v1/events?{}&limit=100&created[gte]={since}&created[lte]={}", self.row.events, self.now)
    }

    fn ids(&self, resource: &str) -> Vec<String> {
        self.mock.ids(resource).iter().map(ToString::to_string).collect()
    }

    /// The ids of all objects of the stream except the refused ones.
    fn own_ids(&self) -> Vec<String> {
        let mut ids = self.all_ids();
        ids.retain(|id| !self.refused_ids.contains(id));
        ids
    }

    fn all_ids(&self) -> Vec<String> {
        match self.row.name {
            name if name.starts_with("external_account") => {
                let kind = if name.ends_with("cards") { "card" } else { "bank_account" };
                let is_kind = |object: &Value| object["object"] == kind;
                self.objects("external_accounts").into_iter().filter(is_kind).map(|object| id(&object)).collect()
            }
            "bank_accounts" => {
                let is_account = |object: &Value| object["object"] == "bank_account";
                self.objects("bank_accounts").into_iter().filter(is_account).map(|object| id(&object)).collect()
            }
            _ => self.ids(self.row.resource()),
        }
    }

    fn objects(&self, resource: &str) -> Vec<Value> {
        self.mock.objects(resource).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }
}

impl Row {
    /// The mock's name for the stream's objects.
    fn resource(&self) -> &'static str {
        match self.name {
            "payout_balance_transactions" => "balance_transactions",
            name if name.starts_with("external_account") => "external_accounts",
            name => name,
        }
    }
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

impl Synced {
    fn records(&self, row: &Row) -> Vec<Value> {
        self.messages.records(row.name).into_iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    fn ids(&self, row: &Row) -> Vec<String> {
        let mut ids: Vec<String> = self.records(row).iter().map(id).collect();
        ids.sort();
        ids
    }

    fn state(&self, row: &Row) -> Value {
        (**self.messages.states(row.name).last().unwrap()).clone()
    }

    fn resumed(&self) -> Value {
        serde_json::from_str(&self.messages.state_file()).unwrap()
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

/// A first read requests the list, and each child, once, and has every object.
#[test]
fn a_full_refresh_and_a_first_incremental_sync_read_everything_once() {
    for row in ROWS {
        let mut case = Case::new(row);
        let mut expected = case.list();
        match row.kind {
            Kind::Created | Kind::Updated | Kind::Nested => {}
            Kind::Child | Kind::PerParent | Kind::UpdatedChild => {
                expected.extend(case.children(&case.ids(row.parent)));
            }
            Kind::Full => expected.extend(case.children(&case.ids("subscription_items"))),
        }
        let expected = sorted(expected);
        let modes = if row.kind == Kind::Full { &["full_refresh"][..] } else { &["full_refresh", "incremental"] };
        for mode in modes {
            let done = case.sync(mode, &json!([]));
            assert_eq!(done.requests, expected, "{} {mode}", row.name);
            assert_eq!(done.ids(row), sorted(case.own_ids()), "{} {mode}", row.name);
            assert!(!done.ids(row).is_empty(), "{} {mode}", row.name);
        }
    }
}

/// The streams of objects whose creation no event reports.
const NO_EVENT_OF_NEW: [&str; 3] = ["accounts", "checkout_sessions", "invoice_payments"];

impl Case {
    fn touch(&self, resource: &str, id: &str) {
        self.mock.update(resource, id, |object| {
            object.insert("metadata".to_owned(), json!({"touched": "yes"}));
        });
    }

    /// Something happens in the account, half a day before now. Returns the ids of the objects that a sync after
    /// `first` must bring for it, and of the parent that has changed.
    fn change(&self, first: &Synced) -> (Vec<String>, Option<String>) {
        self.mock.set_now(self.now - DAY / 2);
        let row = self.row;
        let changed = match row.kind {
            Kind::Created => vec![self.mock.create(row.name)],
            // No event reports a new one.
            Kind::Updated if NO_EVENT_OF_NEW.contains(&row.name) => {
                vec![self.ids(row.name)[1].clone(), self.mock.create(row.name)]
            }
            Kind::Child | Kind::PerParent | Kind::Nested if row.name != "bank_accounts" => {
                let parent = self.ids(row.parent)[1].clone();
                self.touch(row.parent, &parent);
                let of_parent = |record: &Value| record[parent_field(row.name)] == parent.as_str();
                let ids = first.records(row).into_iter().filter(of_parent).map(|record| id(&record)).collect();
                return (ids, Some(parent));
            }
            Kind::Full => return (self.own_ids(), None),
            _ => vec![self.own_ids()[0].clone()],
        };
        match row.kind {
            Kind::Created => {}
            _ => self.touch(row.resource(), &changed[0]),
        }
        (changed, None)
    }

    /// The requests for changes: events have them in another API version.
    fn fetched(&self, changed: &[String], parent: Option<&String>) -> Vec<String> {
        let row = self.row;
        let list = row.list.replace("{account_id}", "acct_test");
        let (path, query) = list.split_once('?').unwrap();
        let get = |id: &String| match row.kind {
            Kind::Created | Kind::Child | Kind::PerParent | Kind::Full => None,
            Kind::UpdatedChild if row.name == "persons" => {
                let person = self.objects("persons").into_iter().find(|person| person["id"] == id.as_str()).unwrap();
                Some(format!("GET /v1/accounts/{}/persons/{id}", person["account"].as_str().unwrap()))
            }
            Kind::UpdatedChild => Some(format!("GET /v1/{}/{id}", row.name)),
            Kind::Nested if row.name == "bank_accounts" => {
                let account = self.objects(row.name).into_iter().find(|account| account["id"] == id.as_str()).unwrap();
                Some(format!("GET {path}/{}/bank_accounts/{id}", account["customer"].as_str().unwrap()))
            }
            Kind::Nested => parent.map(|parent| format!("GET {path}/{parent}")),
            Kind::Updated => {
                let expand: Vec<_> =
                    query.split('&').filter_map(|param| param.strip_prefix("expand[]=data.")).collect();
                let expand: Vec<_> = expand.into_iter().map(|path| format!("expand[]={path}")).collect();
                let question = if expand.is_empty() { "" } else { "?" };
                Some(format!("GET {path}/{id}{question}{}", expand.join("&")))
            }
        };
        // No event reports a new object of these.
        let told = if NO_EVENT_OF_NEW.contains(&row.name) { &changed[..1] } else { changed };
        let mut requests: Vec<String> = told.iter().filter_map(get).collect();
        requests.dedup();
        requests
    }

    /// The requests of a later sync, from its state, besides those for changes.
    fn later(&self, state: &Value, parent: Option<&String>) -> Vec<String> {
        let row = self.row;
        let seconds = |cursor: &Value| match cursor {
            Value::String(text) => text.parse().unwrap(),
            number => number.as_i64().unwrap(),
        };
        let own = || seconds(&state[row.cursor]) - OVERLAP;
        let synced = |state: &Value| state["synced_to"].as_i64().unwrap() - OVERLAP;
        match row.kind {
            Kind::Created => vec![format!("GET {}&created[gte]={}&created[lte]={}", row.list, own(), self.now)],
            Kind::Updated if NO_EVENT_OF_NEW.contains(&row.name) => {
                sorted(vec![format!("GET {}", row.list), self.events(synced(state))])
            }
            Kind::Updated | Kind::Nested => vec![self.events(synced(state))],
            Kind::UpdatedChild => sorted([self.children(&self.refused), vec![self.events(synced(state))]].concat()),
            Kind::Child | Kind::PerParent => {
                let mut requests = self.children(parent.map(std::slice::from_ref).unwrap_or_default());
                requests.extend(self.children(&self.refused));
                if row.parent == "checkout_sessions" {
                    requests.push(format!("GET {}", row.list));
                }
                if let (Kind::PerParent, Some(parent)) = (row.kind, parent) {
                    let partition = json!({"parent_slice": {}, "setup_intent_id": parent});
                    let states = state["states"].as_array().unwrap();
                    let known = states.iter().find(|entry| entry["partition"] == partition).unwrap();
                    let from = seconds(&known["cursor"][row.cursor]) - OVERLAP;
                    requests[0] = format!("{}&created[gte]={from}&created[lte]={}", requests[0], self.now);
                }
                requests.push(self.events(synced(&state["parent_progress"])));
                sorted(requests)
            }
            Kind::Full => sorted([self.list(), self.children(&self.ids("subscription_items"))].concat()),
        }
    }
}

/// The field of a child's record that has its parent's id.
fn parent_field(stream: &str) -> &'static str {
    match stream {
        "application_fees_refunds" => "fee",
        "checkout_sessions_line_items" => "checkout_session_id",
        "customer_balance_transactions" => "customer",
        "invoice_line_items" => "invoice_id",
        "payout_balance_transactions" => "payout",
        "setup_attempts" => "setup_intent",
        "subscription_items" => "subscription",
        "transfer_reversals" => "transfer",
        other => panic!("{other} has no parent"),
    }
}

/// A second sync requests the changes and gets them; a third one, without changes, continues from there.
#[test]
fn later_incremental_syncs_read_what_has_changed_and_no_more() {
    for row in ROWS {
        let mode = if row.kind == Kind::Full { "full_refresh" } else { "incremental" };
        let mut case = Case::new(row);
        let first = case.sync(mode, &json!([]));
        assert_shape(row, &first.state(row));
        case.now += DAY;
        let (changed, parent) = case.change(&first);
        let state = if row.kind == Kind::Full { json!([]) } else { first.resumed() };
        let second = case.sync(mode, &state);
        let expected =
            [case.later(&first.state(row), parent.as_ref()), case.fetched(&changed, parent.as_ref())].concat();
        assert_eq!(second.requests, sorted(expected), "{}", row.name);
        let newest = match row.kind {
            // Only those of the parent's children at or after its own cursor.
            Kind::PerParent => second.ids(row).iter().all(|id| changed.contains(id)) && !second.ids(row).is_empty(),
            _ => second.ids(row) == sorted(changed.clone()),
        };
        assert!(newest, "{}: {:?} instead of {changed:?}", row.name, second.ids(row));
        assert_shape(row, &second.state(row));

        case.now += DAY;
        let state = if row.kind == Kind::Full { json!([]) } else { second.resumed() };
        let third = case.sync(mode, &state);
        assert_eq!(third.requests, sorted(case.later(&second.state(row), None)), "{}", row.name);
        assert!(row.kind == Kind::Full || third.records(row).is_empty(), "{}: {:?}", row.name, third.ids(row));
        assert_shape(row, &third.state(row));
    }
}

/// Changes in the seconds before a sync may be shown minutes later.
#[test]
fn what_stripe_shows_late_comes_with_a_later_sync_and_then_no_more() {
    for row in ROWS.iter().filter(|row| row.kind != Kind::Full) {
        let mut case = Case::new(row);
        let mut done = case.sync("incremental", &json!([]));
        case.now += DAY;
        let before = case.now;
        // Within the last seconds, and half a day less.
        case.now = before + DAY / 2 - 20;
        let (changed, _) = case.change(&done);
        case.now = before;
        let mut ids = Vec::new();
        for _ in 0..4 {
            done = case.sync("incremental", &done.resumed());
            ids.extend(done.ids(row));
            case.now += 130;
        }
        assert!(changed.iter().all(|id| ids.contains(id)) || row.kind == Kind::PerParent, "{}: {ids:?}", row.name);
        assert_eq!(done.ids(row), Vec::<String>::new(), "{}", row.name);
    }
}

/// Without a change in between, the second sync writes nothing, whatever happened in the minutes before the first one.
#[test]
fn a_second_sync_with_nothing_new_gives_no_records() {
    for row in ROWS.iter().filter(|row| row.kind != Kind::Full) {
        let mut case = Case::new(row);
        case.mock.set_now(case.now - 150);
        // The list does not show that objects without a time of their own, or children, are so new.
        if matches!(row.kind, Kind::Created | Kind::Updated | Kind::UpdatedChild) && row.resource() == row.name {
            case.mock.create(row.name);
        }
        let first = case.sync("incremental", &json!([]));
        for _ in 0..2 {
            case.now += 60;
            let second = case.sync("incremental", &first.resumed());
            assert_eq!(second.ids(row), Vec::<String>::new(), "{}", row.name);
        }
    }
}

/// The state has the members that other connectors write, and at most these of ours.
fn assert_shape(row: &Row, state: &Value) {
    let ours: &[&str] = match row.kind {
        Kind::Created => &[],
        Kind::Updated => &["synced_to"],
        Kind::Child | Kind::PerParent => &["parent_progress", "__refused"],
        Kind::UpdatedChild => &["synced_to", row.cursor, "__refused"],
        Kind::Nested => &["synced_to", row.cursor],
        Kind::Full => &["__ab_full_refresh_sync_complete"],
    };
    let theirs: &[&str] = match row.kind {
        Kind::Created | Kind::Updated => &[row.cursor],
        Kind::Child | Kind::UpdatedChild | Kind::Nested => {
            &["lookback_window", "parent_state", "state", "use_global_cursor"]
        }
        Kind::PerParent => &["lookback_window", "parent_state", "state", "states", "use_global_cursor"],
        Kind::Full => &[],
    };
    let members = state.as_object().unwrap().keys().map(String::as_str);
    let members: Vec<&str> = members.filter(|name| *name != "__recent").collect();
    let expected = sorted([ours, theirs].concat());
    assert_eq!(sorted(members), expected, "{}: {state}", row.name);
    let is_seconds = |cursor: &Value| cursor.as_str().is_some_and(|text| text.parse::<i64>().is_ok());
    match row.kind {
        Kind::Created | Kind::Updated => assert!(is_seconds(&state[row.cursor]), "{state}"),
        Kind::Child => {
            assert!(is_seconds(&state["state"][row.cursor]), "{state}");
            assert!(state["parent_state"][row.parent]["updated"].is_i64(), "{state}");
        }
        Kind::UpdatedChild | Kind::Nested => {
            assert!(is_seconds(&state["state"][row.cursor]) && state["parent_state"] == json!({}), "{state}");
        }
        Kind::PerParent => {
            let entry = &state["states"][0];
            assert!(
                entry["partition"]["setup_intent_id"].is_string() && is_seconds(&entry["cursor"]["created"]),
                "{state}"
            );
            assert!(is_seconds(&state["state"]["created"]), "{state}");
            assert!(state["parent_state"][row.parent]["updated"].is_i64(), "{state}");
        }
        Kind::Full => assert_eq!(state, &json!({"__ab_full_refresh_sync_complete": true})),
    }
}

/// All streams at once, by one worker and by ten: no request is sent twice, except for the lists that several streams
/// share, which are read once for all of them.
#[test]
fn a_sync_of_all_streams_sends_no_request_twice() {
    let mock = StripeMock::builder()
        .spread(DEFAULT_NOW - 300 * DAY, DEFAULT_NOW - 5 * DAY)
        .everything(3, 2)
        .children_of("external_accounts", "acct_test", 4)
        .start();
    let start = jiff::Timestamp::from_second(START).unwrap();
    let streams: Vec<(&str, &str)> = ROWS
        .iter()
        .map(|row| (row.name, if row.kind == Kind::Full { "full_refresh" } else { "incremental" }))
        .collect();
    let mut counts = Vec::new();
    for workers in [1, 10] {
        let mut config = config(&mock);
        config["start_date"] = format!("{start:.0}").into();
        config["num_workers"] = json!(workers);
        let done = InProcess::with_registry(Registry::built_in())
            .now(DEFAULT_NOW)
            .config(&config)
            .streams(&streams)
            .run("read");
        let messages = done.messages();
        assert_eq!((done.status, messages.errors().len()), (0, 0));
        let requests = sorted(mock.server().conversation());
        let mut distinct = requests.clone();
        distinct.dedup();
        assert_eq!(requests, distinct);
        mock.server().take_requests();
        let mut records = Vec::new();
        for row in ROWS {
            assert!(!messages.records(row.name).is_empty(), "{}", row.name);
            records.extend(sorted(messages.records(row.name).into_iter().map(str::to_owned).collect()));
        }
        counts.push((requests.len(), records));
    }
    assert!(counts[0] == counts[1], "ten workers read something else than one");
    // 30 lists in two windows each and 7 without; 7 lists of children of three parents each, and one of six.
    assert_eq!(counts[0].0, 30 * 2 + 7 + 7 * 3 + 6);
}
