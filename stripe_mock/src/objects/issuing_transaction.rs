use serde_json::{Value, json};

use super::super::DAY;
use super::super::seed::Seed;
use super::merchant::merchant;
use super::{CARDS, when};

/// The result of the authorization of the same number.
pub(in super::super) fn issuing_transaction(seed: &mut Seed) -> Value {
    let refund = seed.chance(10);
    let amount = seed.between(150, 60_000) as i64 * if refund { 1 } else { -1 };
    let transaction = seed.foreign_id("txn_");
    json!({
        "id": seed.id,
        "object": "issuing.transaction",
        "amount": amount,
        "amount_details": seed.maybe(80, json!({ "atm_fee": null })),
        "authorization": seed.maybe(90, seed.id_of("authorizations", seed.number)),
        "balance_transaction": seed.maybe(95, transaction),
        "card": seed.id_of("cards", seed.number % CARDS + 1),
        "cardholder": seed.maybe(95, seed.id_of("cardholders", seed.number % CARDS + 1)),
        "created": seed.created,
        "currency": "eur",
        "dispute": null,
        "livemode": false,
        "merchant_amount": amount,
        "merchant_currency": "eur",
        "merchant_data": merchant(seed),
        "metadata": {},
        "purchase_details": purchase(seed, amount),
        "treasury": null,
        "type": if refund { "refund" } else { "capture" },
        "wallet": seed.maybe(20, "apple_pay"),
    })
}

/// The purchase: a flight, fuel, a stay, goods, or unknown.
fn purchase(seed: &mut Seed, amount: i64) -> Value {
    let kind = seed.between(0, 9);
    let flight = json!({
        "departure_at": seed.created + 20 * DAY,
        "passenger_name": "Elif Kowalski",
        "refundable": false,
        "segments": [{
            "arrival_airport_code": "LIS",
            "carrier": "TP",
            "departure_airport_code": "ZRH",
            "flight_number": "935",
            "service_class": "Y",
            "stopover_allowed": null,
        }],
        "travel_agency": null,
    });
    let fuel = json!({ "type": "diesel", "unit": "liter", "unit_cost_decimal": "1.729", "volume_decimal": "38.2" });
    let receipt = json!([{
        "description": "Goods",
        "quantity": 1.5,
        "total": amount.abs(),
        "unit_cost": amount.abs() * 2 / 3,
    }]);
    let known = json!({
        "flight": when(kind == 0, flight),
        "fuel": when(kind == 1, fuel),
        "lodging": when(kind == 2, json!({ "check_in_at": seed.created, "nights": 3 })),
        "receipt": when(kind == 3, receipt),
        "reference": seed.maybe(50, format!("REF{}", seed.number)),
    });
    when(kind < 5, known)
}
