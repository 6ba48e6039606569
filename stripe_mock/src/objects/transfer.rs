use serde_json::{Value, json};

use super::super::seed::Seed;
use super::{account_id, children, currency, list};

/// Money sent to a connected account, in part taken back.
pub(in super::super) fn transfer(seed: &mut Seed) -> Value {
    let reversals = children(seed, "transfer_reversals");
    let amount_reversed: u64 = reversals.iter().filter_map(|reversal| reversal["amount"].as_u64()).sum();
    let transaction = seed.foreign_id("txn_");
    json!({
        "id": seed.id,
        "object": "transfer",
        "amount": amount_reversed + seed.between(1, 100_000),
        "amount_reversed": amount_reversed,
        "balance_transaction": seed.maybe(95, transaction),
        "created": seed.created,
        "currency": currency(seed.number),
        "description": seed.maybe(40, format!("Share of order {}", seed.number)),
        "destination": account_id(seed),
        "destination_payment": seed.foreign_id("py_"),
        "livemode": false,
        "metadata": {},
        "reversals": list(reversals, format!("/v1/transfers/{}/reversals", seed.id)),
        "reversed": false,
        "source_transaction": seed.maybe(60, seed.id_of("charges", seed.number)),
        "source_type": "card",
        "transfer_group": seed.maybe(50, format!("group_{}", seed.number)),
    })
}
