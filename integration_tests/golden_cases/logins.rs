//! The logins of a case, beside its requests: the configs that were to be stored, and the claims of signed tokens.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};

use super::whole::Ran;

/// Seconds that pass in a case at most.
const SLACK: i64 = 5;

/// The differences between the configs that the platform was asked to store.
pub(super) fn configs(case: &Value, ran: &Ran) -> Option<String> {
    let golden = case["control"].as_array().map_or(&[][..], Vec::as_slice);
    let fits =
        golden.len() == ran.configs.len() && golden.iter().zip(&ran.configs).all(|(golden, mine)| fits(golden, mine));
    (!fits).then(|| format!("{golden:?} != {:?}", ran.configs))
}

/// Whether two values are equal, except for moments.
fn fits(golden: &Value, mine: &Value) -> bool {
    match (golden, mine) {
        (Value::String(golden), Value::String(_)) if golden == "{TIME}" => true,
        (Value::Object(golden), Value::Object(mine)) => {
            golden.len() == mine.len()
                && golden.iter().all(|(name, golden)| mine.get(name).is_some_and(|mine| fits(golden, mine)))
        }
        (golden, mine) => golden == mine,
    }
}

/// The differences in the last signed token.
pub(super) fn tokens(case: &Value, ran: &Ran) -> Option<String> {
    let golden = case["jwt"].as_array()?.last()?;
    let sent = ran.requests.iter().rev().find_map(|request| {
        let headers = request.headers.iter().map(|(_, value)| value.as_str());
        let body = request.body_text();
        let texts: Vec<&str> = headers.chain([request.target.as_str(), &body]).collect();
        texts.iter().find_map(|text| token(text))
    });
    let Some(mine) = sent else { return Some("no token was sent".to_owned()) };
    (!is_same(golden, &mine, ran.began)).then(|| format!("{golden} != {mine}"))
}

/// The header and the payload of the first token in a text.
fn token(text: &str) -> Option<Value> {
    let rest = &text[text.find("eyJ")?..];
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(rest.len());
    let decoded = |part: &str| serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let mut parts = rest[..end].split('.');
    Some(json!({"header": decoded(parts.next()?)?, "payload": decoded(parts.next()?)?}))
}

/// Whether two values are equal, where `{NOW+n}` stands for seconds since the run began.
fn is_same(golden: &Value, mine: &Value, began: i64) -> bool {
    match (golden, mine) {
        (Value::String(golden), Value::Number(mine)) => {
            let offset = golden.strip_prefix("{NOW").and_then(|rest| rest.strip_suffix('}'));
            let offset = offset.and_then(|offset| offset.parse::<i64>().ok());
            offset
                .zip(mine.as_i64())
                .is_some_and(|(offset, mine)| (began + offset..=began + offset + SLACK).contains(&mine))
        }
        (Value::Object(golden), Value::Object(mine)) => {
            golden.len() == mine.len()
                && golden.iter().all(|(name, golden)| mine.get(name).is_some_and(|mine| is_same(golden, mine, began)))
        }
        (golden, mine) => golden == mine,
    }
}
