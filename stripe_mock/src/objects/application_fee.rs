use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{account_id, children, currency, list};

/// The fee of the charge of the same number, in part given back.
pub(in super::super) fn application_fee(seed: &mut Seed) -> Value {
    let refunds = children(seed, "application_fees_refunds");
    let amount_refunded: u64 = refunds.iter().filter_map(|refund| refund["amount"].as_u64()).sum();
    json!({
        "id": seed.id,
        "object": "application_fee",
        "account": account_id(seed),
        "amount": amount_refunded + seed.between(0, 5_000),
        "amount_refunded": amount_refunded,
        "application": seed.foreign_id("ca_"),
        "balance_transaction": seed.foreign_id("txn_"),
        "charge": seed.id_of("charges", seed.number),
        "created": seed.created,
        "currency": currency(seed.number),
        "livemode": false,
        "originating_transaction": seed.maybe(30, seed.id_of("charges", seed.number)),
        "refunded": false,
        "refunds": list(refunds, format!("/v1/application_fees/{}/refunds", seed.id)),
    })
}
