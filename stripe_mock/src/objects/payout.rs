use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::{CURRENCIES, when};

/// A payout to a bank account. Its balance transactions are those of the same numbers.
pub(in super::super) fn payout(seed: &mut Seed) -> Value {
    let status = *seed.pick(&["paid", "paid", "paid", "pending", "in_transit", "canceled", "failed"]);
    let failed = status == "failed";
    let automatic = seed.chance(80);
    let transaction = seed.foreign_id("txn_");
    let failure_transaction = seed.foreign_id("txn_");
    json!({
        "id": seed.id,
        "object": "payout",
        "amount": seed.between(10_000, 5_000_000),
        "arrival_date": seed.created + 2 * DAY,
        "automatic": automatic,
        "balance_transaction": when(status != "canceled", transaction),
        "created": seed.created,
        "currency": seed.pick(CURRENCIES),
        "description": seed.maybe(60, "STRIPE PAYOUT"),
        "destination": seed.id_of("external_accounts", 1),
        "failure_balance_transaction": when(failed, failure_transaction),
        "failure_code": when(failed, "account_closed"),
        "failure_message": when(failed, "The bank account has been closed."),
        "livemode": false,
        "metadata": {},
        "method": seed.pick(&["standard", "standard", "instant"]),
        "original_payout": null,
        "reconciliation_status": if automatic { "completed" } else { "not_applicable" },
        "reversed_by": null,
        "source_type": "card",
        "statement_descriptor": seed.maybe(20, "EXAMPLE SHOP"),
        "status": status,
        "type": "bank_account",
    })
}
