//! A mock Stripe API to try the connector against: prints a config for it on stdout and serves until it is killed.
//! The argument is the number of charges; there are some objects of every other kind.
#![allow(clippy::print_stdout, reason = "the config is its output")]

use serde_json::json;
use source_http::testing::StripeMock;

const OTHERS: [&str; 7] =
    ["accounts", "balance_transactions", "customers", "events", "invoices", "products", "refunds"];

#[expect(clippy::disallowed_methods, reason = "the mock's time is that of the connector beside it")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let charges = std::env::args().nth(1).map_or(Ok(1_000), |count| count.parse())?;
    let mock = StripeMock::builder().now(jiff::Timestamp::now().as_second()).count("charges", charges).recording(false);
    let mock = OTHERS.iter().fold(mock, |mock, resource| mock.count(resource, 250)).pretty(true).start();
    println!(
        "{}",
        json!({"client_secret": mock.key(), "account_id": "acct_mock", "api_url": format!("{}/v1", mock.url()), "call_rate_limit": 1_000_000})
    );
    loop {
        std::thread::park();
    }
}
