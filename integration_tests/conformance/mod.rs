//! Airbyte's acceptance tests and its CDK's standard tests, one test per rule, over the built binary.
//! `docs/conformance.md` is the table of all rules, each with its test or the reason why it does not apply. Most rules
//! are the kit's, in `source_http_testkit::conformance`, which can test every source.

mod catalog;
mod image;
mod reads;
mod records;
mod refusals;
mod spec;
mod stored;

use std::sync::LazyLock;

use serde_json::json;
use source_http_testkit::conformance::{
    Answer, CATALOG_RULES, Call, Connector, READ_RULES, RECORD_RULES, Rule, SPEC_RULES,
};
use stripe_mock::StripeMock;

use crate::support::binary::{Binary, config};

const DAY: i64 = 86_400;

/// The binary and a mock Stripe that has some objects of every kind. Runs that several tests use are run once.
struct Stripe {
    connector: Connector,
    _mock: StripeMock,
}

static STRIPE: LazyLock<Stripe> = LazyLock::new(|| {
    let now = now();
    let mock = StripeMock::builder().now(now).spread(now - 300 * DAY, now - DAY).page_size(5).everything(12, 2);
    let mock = mock.children_of("external_accounts", "acct_test", 4).start();
    let mut config = config(&mock);
    config["num_workers"] = json!(10);
    config["slice_range"] = json!(100);
    config["start_date"] = json!(format!("{:.0}", jiff::Timestamp::from_second(now - 310 * DAY).unwrap()));
    let connector = ["invoice_items", "external_account_bank_accounts", "external_account_cards"].into_iter().fold(
        Connector::over(call, &config),
        |connector, stream| {
            connector.may_differ(stream, "updated", "its objects have no time: they get the moment the pass began")
        },
    );
    Stripe { connector, _mock: mock }
});

/// The binary's time.
#[expect(clippy::disallowed_methods, reason = "the mock's time is that of the binary beside it")]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// One run of the binary.
fn call(call: &Call<'_>) -> Answer {
    let files = [("config", call.config), ("catalog", call.catalog), ("state", call.state)];
    let files: Vec<_> = files.into_iter().filter_map(|(name, content)| Some((name, content?))).collect();
    let flags: Vec<String> = files.iter().map(|(name, _)| format!("--{name}={name}.json")).collect();
    let args: Vec<&str> = std::iter::once(call.command).chain(flags.iter().map(String::as_str)).collect();
    let binary =
        files.iter().fold(Binary::new(&args), |binary, (name, content)| binary.file(&format!("{name}.json"), content));
    let output = binary.run();
    // A run that failed may write for people there as well.
    let is_failure = output.status != Some(0) && output.stderr.starts_with("error: ");
    assert!(output.stderr.is_empty() || is_failure, "{} says something on stderr: {}", call.command, output.stderr);
    Answer { status: output.status.unwrap(), messages: output.messages() }
}

#[track_caller]
fn assert_kept<T>(rules: &[Rule<T>], name: &str, of: &T) {
    let broken = Rule::named(rules, name).broken(of);
    assert!(broken.is_empty(), "{name}:\n{}", broken.join("\n"));
}

/// Nobody would notice a broken rule of the kit without a test here.
#[test]
fn every_rule_of_the_kit_has_its_test() {
    let names = |rules: &[&'static str], code: &str| {
        let untested: Vec<_> = rules.iter().filter(|name| !code.contains(&format!("fn {name}()"))).copied().collect();
        assert!(!rules.is_empty() && untested.is_empty(), "{untested:?}");
    };
    names(&SPEC_RULES.iter().map(Rule::name).collect::<Vec<_>>(), include_str!("spec.rs"));
    names(&CATALOG_RULES.iter().map(Rule::name).collect::<Vec<_>>(), include_str!("catalog.rs"));
    names(&RECORD_RULES.iter().map(Rule::name).collect::<Vec<_>>(), include_str!("records.rs"));
    names(&READ_RULES.iter().map(Rule::name).collect::<Vec<_>>(), include_str!("reads.rs"));
}

/// The mock does not make every field that Stripe's objects may have. The number of fields it makes must not fall
/// unnoticed.
#[test]
fn fields_that_no_record_has_are_counted() {
    let fields = STRIPE.connector.records().fields();
    let columns = |seen: bool| {
        let of_column = fields.iter().filter(|(field, _)| !field.contains(['.', '[']));
        of_column.filter(|(_, is_seen)| **is_seen || !seen).count()
    };
    let share = columns(true) * 100 / columns(false);
    assert!(share >= 60, "{share} % of {} columns are seen", columns(false));
}
