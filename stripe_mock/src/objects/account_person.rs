use serde_json::{Value, json};

use super::super::seed::Seed;
use super::parent_id;
use super::person::Person;

/// A person who is responsible for a connected account.
pub(in super::super) fn account_person(seed: &mut Seed) -> Value {
    let person = Person::new(seed);
    let (first_name, last_name) = person.name.split_once(' ').unwrap_or_default();
    let japanese = seed.chance(15);
    let mut object = json!({
        "id": seed.id,
        "object": "person",
        "account": parent_id(seed, "accounts"),
        "address": person.address,
        "created": seed.created,
        "dob": { "day": seed.between(1, 28), "month": seed.between(1, 12), "year": seed.between(1950, 2004) },
        "email": seed.maybe(80, person.email),
        "first_name": first_name,
        "future_requirements": requirements(&[]),
        "id_number_provided": seed.chance(70),
        "last_name": last_name,
        "metadata": {},
        "phone": seed.maybe(60, person.phone),
        "relationship": {
            "director": seed.chance(30),
            "executive": seed.chance(50),
            "owner": seed.chance(60),
            "percent_ownership": seed.maybe(60, 33.5),
            "representative": seed.number % 2 == 1,
            "title": seed.maybe(50, "CEO"),
        },
        "requirements": requirements(if seed.chance(20) { &["verification.document"] } else { &[] }),
        "ssn_last_4_provided": seed.chance(40),
        "verification": {
            "additional_document": null,
            "details": null,
            "details_code": null,
            "document": { "back": null, "details": null, "details_code": null, "front": null },
            "status": seed.pick(&["verified", "unverified", "pending"]),
        },
    });
    if japanese {
        object["address_kana"] = japanese_address("トウキョウト", "シブヤク");
        object["address_kanji"] = japanese_address("東京都", "渋谷区");
        object["first_name_kana"] = json!("タロウ");
        object["first_name_kanji"] = json!("太郎");
        object["full_name_aliases"] = json!(["Taro of Shibuya"]);
        object["gender"] = json!("male");
        object["last_name_kana"] = json!("ヤマダ");
        object["last_name_kanji"] = json!("山田");
        object["maiden_name"] = Value::Null;
        object["nationality"] = json!("JP");
        object["political_exposure"] = json!("none");
        object["registered_address"] = object["address"].clone();
    }
    object
}

fn requirements(due: &[&str]) -> Value {
    json!({
        "alternatives": [],
        "currently_due": due,
        "errors": [],
        "eventually_due": due,
        "past_due": [],
        "pending_verification": [],
    })
}

fn japanese_address(state: &str, city: &str) -> Value {
    json!({
        "city": city,
        "country": "JP",
        "line1": "27-15",
        "line2": null,
        "postal_code": "1500001",
        "state": state,
        "town": null,
    })
}
