//! The promise about rows: after any history of an account, the table that a destination builds from a first sync and
//! later ones equals that of a fresh full refresh. The last version of each key by the cursor counts, and deleted rows
//! are gone.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

/// What happens between two syncs.
#[derive(Debug, Clone)]
enum Step {
    Create,
    Change(usize),
    Delete(usize),
    /// A parent changes, as in Stripe when its children do.
    ChangeParent(usize),
    /// Time passes, in seconds.
    Wait(i64),
    Sync,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Create),
        4 => (0usize..8).prop_map(Step::Change),
        2 => (0usize..8).prop_map(Step::Delete),
        2 => (0usize..8).prop_map(Step::ChangeParent),
        3 => (1i64..200).prop_map(Step::Wait),
        1 => Just(Step::Wait(2 * DAY)),
        3 => Just(Step::Sync),
    ];
    proptest::collection::vec(step, 4..14)
}

/// Changes that Stripe does not report, by stream, with reasons. The same table is in `docs/stripe.md`.
fn is_untold(row: &Row, step: &Step) -> Option<&'static str> {
    match (step, row.kind, row.name) {
        (Step::Change(_) | Step::Delete(_), Kind::Created, _) => {
            Some("no event tells that such an object changed or went")
        }
        (Step::Change(_) | Step::Delete(_), Kind::Child | Kind::PerParent, _) => {
            Some("no event tells that a child changed or went")
        }
        (Step::Delete(_), _, "invoice_line_items" | "subscription_items") => {
            Some("no event reports an item that was removed")
        }
        (Step::Change(_), _, "invoice_line_items" | "subscription_items") => Some("an item changes with its parent"),
        (Step::Delete(_), _, "application_fees_refunds") => Some("a refund of a fee is not deleted"),
        (
            Step::Delete(_),
            _,
            "accounts"
            | "application_fees"
            | "authorizations"
            | "cardholders"
            | "cards"
            | "charges"
            | "checkout_sessions"
            | "credit_notes"
            | "disputes"
            | "early_fraud_warnings"
            | "invoice_payments"
            | "payment_intents"
            | "payouts"
            | "promotion_codes"
            | "refunds"
            | "reviews"
            | "setup_intents"
            | "subscription_schedule"
            | "top_ups"
            | "transactions"
            | "transfers",
        ) => Some("such an object is not deleted, or no event reports it"),
        _ => None,
    }
}

impl Case {
    fn take(&mut self, step: &Step) {
        let row = self.row;
        if is_untold(row, step).is_some() {
            return;
        }
        self.mock.set_now(self.now);
        let has_parent =
            matches!(row.kind, Kind::Child | Kind::PerParent | Kind::Nested) && row.name != "bank_accounts";
        let own = self.own_ids();
        match step {
            Step::Create if row.resource() == "external_accounts" => {
                let object = if row.name.ends_with("cards") { "card" } else { "bank_account" };
                let members = json!({"account": "acct_test", "object": object});
                self.mock.create_with("external_accounts", &members.to_string());
            }
            Step::Create if row.name == "bank_accounts" => {
                self.mock.create_with("bank_accounts", r#"{"object":"bank_account"}"#);
            }
            Step::Create if has_parent => {
                let parent = self.ids(row.parent)[0].clone();
                let key = parent_key(row.name);
                self.mock.create_with(row.resource(), &json!({key: parent}).to_string());
                self.touch_at(row.parent, 0, &parent);
            }
            Step::Create => drop(self.mock.create(row.resource())),
            Step::Change(n) if !own.is_empty() => self.touch_at(row.resource(), *n, &own[n % own.len()]),
            Step::Delete(n) if !own.is_empty() => self.mock.delete(row.resource(), &own[n % own.len()]),
            Step::ChangeParent(n) if has_parent => {
                let parents = self.ids(row.parent);
                self.touch_at(row.parent, *n, &parents[n % parents.len()]);
            }
            Step::Wait(seconds) => self.now += seconds,
            _ => {}
        }
    }

    fn touch_at(&self, resource: &str, n: usize, id: &str) {
        let now = self.now;
        self.mock.update(resource, id, |object| {
            object.insert("metadata".to_owned(), json!({"touched": format!("{now} {n}")}));
        });
    }
}

fn parent_key(stream: &str) -> &'static str {
    match stream {
        "checkout_sessions_line_items" | "invoice_line_items" | "payout_balance_transactions" => "_parent",
        other => parent_field(other),
    }
}

/// A destination's table from the records of several syncs.
#[derive(Default)]
struct Table(BTreeMap<String, Value>);

impl Table {
    fn load(&mut self, row: &Row, records: Vec<Value>) {
        for record in records {
            let cursor = |record: &Value| record[row.cursor].as_i64().unwrap_or(i64::MIN);
            let known = self.0.get(&id(&record)).map(&cursor);
            if known.is_none_or(|known| cursor(&record) >= known) {
                self.0.insert(id(&record), record);
            }
        }
    }

    /// The current rows, without the times of their changes.
    fn rows(mut self, row: &Row) -> BTreeMap<String, Value> {
        self.0.retain(|_, record| record["is_deleted"] != true);
        for record in self.0.values_mut() {
            let members = record.as_object_mut().unwrap();
            for name in [row.cursor, "updated"] {
                if row.kind != Kind::Created {
                    members.remove(name);
                }
            }
        }
        self.0
    }
}

/// Plays a history, with the syncs in it and one at its end.
fn play(row: &'static Row, steps: &[Step], workers: usize, version: &str) -> Result<(), TestCaseError> {
    let mut case = Case::with(row, workers, |mock| mock.account_version(version));
    let (mut table, mut state) = (Table::default(), json!([]));
    for step in steps.iter().chain([&Step::Sync, &Step::Wait(400), &Step::Sync]) {
        case.take(step);
        if matches!(step, Step::Sync) {
            let done = case.sync("incremental", &state);
            // One read writes only the newest version of an object.
            let mut ids: Vec<String> = done.ids(row);
            ids.dedup();
            prop_assert!(ids.len() == done.ids(row).len() || NO_EVENT_OF_NEW.contains(&row.name), "{}", row.name);
            table.load(row, done.records(row));
            state = done.resumed();
        }
    }
    case.now += 60;
    let again = case.sync("incremental", &state);
    prop_assert_eq!(again.ids(row), Vec::<String>::new(), "{}: nothing is new", row.name);
    let mut fresh = Table::default();
    fresh.load(row, case.sync("full_refresh", &json!([])).records(row));
    if row.name == "events" {
        // Stripe deletes them.
        table.0.retain(|_, event| event["created"].as_i64().unwrap() >= case.now - 30 * DAY);
    }
    let (table, fresh) = (table.rows(row), fresh.rows(row));
    let ids = |rows: &BTreeMap<String, Value>| rows.keys().cloned().collect::<Vec<_>>();
    prop_assert_eq!(ids(&table), ids(&fresh), "{}", row.name);
    for (id, fresh) in &fresh {
        prop_assert_eq!(&table[id], fresh, "{}", row.name);
    }
    Ok(())
}

#[test]
fn after_any_history_the_table_is_that_of_a_fresh_full_refresh() {
    let config = Config { cases: 3, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let mut failures = Vec::new();
    for (n, row) in (0u8..).zip(ROWS.iter().filter(|row| row.kind != Kind::Full)) {
        for (workers, version) in [(1, "2020-08-27"), (10, "2011-11-12"), (1, "2022-11-15")] {
            // Other histories for each stream, always the same.
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[n.wrapping_add(u8::try_from(workers).unwrap()); 32]);
            let mut runner = TestRunner::new_with_rng(config.clone(), rng);
            let played = runner.run(&steps(), |steps| play(row, &steps, workers, version));
            if let Err(why) = played {
                failures.push(format!("{} with {workers} workers, version {version}: {why}", row.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
