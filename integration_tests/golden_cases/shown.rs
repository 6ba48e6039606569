//! The contents of a case of `requests.jsonl`, for the rules.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use super::whole::Ran;

/// A case, the reference's run and the program's.
pub(super) struct Shown<'c> {
    pub(super) case: &'c Value,
    pub(super) ran: &'c Ran,
    /// The requests as lines: method, target, headers, body.
    pub(super) golden: Vec<String>,
    pub(super) mine: Vec<String>,
    pub(super) golden_records: Vec<Value>,
    pub(super) records: Vec<Value>,
}

impl Shown<'_> {
    /// The components of the manifest of this type.
    pub(super) fn components(&self, kind: &str) -> Vec<&Value> {
        let mut found = Vec::new();
        each(&self.case["manifest"], &mut |value| {
            if value["type"] == kind {
                found.push(value);
            }
        });
        found
    }

    /// The texts of a field, wherever the manifest has it.
    pub(super) fn fields(&self, name: &str) -> Vec<&str> {
        let mut found = Vec::new();
        each(&self.case["manifest"], &mut |value| found.extend(value.get(name).and_then(Value::as_str)));
        found
    }

    /// The replies of the server, in its order.
    pub(super) fn replies(&self) -> Vec<&Value> {
        let rules = self.case["server"].as_array().into_iter().flatten();
        rules.flat_map(|rule| rule["replies"].as_array().into_iter().flatten()).collect()
    }

    /// The bodies of the successful replies, except those that are a value.
    pub(super) fn bodies(&self) -> Vec<Vec<u8>> {
        let good = self.replies().into_iter().filter(|reply| reply["status"].as_u64().unwrap_or(200) < 400);
        good.filter_map(|reply| match reply["b64"].as_str() {
            Some(text) => BASE64_STANDARD.decode(text).ok(),
            None => Some(reply["body"].as_str()?.as_bytes().to_vec()),
        })
        .collect()
    }

    /// The headers of the replies.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let of = |reply: &&Value| match &reply["headers"] {
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            Value::Array(pairs) => pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            _ => Vec::new(),
        };
        self.replies().iter().flat_map(of).collect()
    }

    /// The words of the reference's failure.
    pub(super) fn golden_error(&self) -> &str {
        self.case["error"]["internal_message"].as_str().unwrap_or_default()
    }

    /// Whether the reference has failed with an exception of this class.
    pub(super) fn fails_there_with(&self, class: &str) -> bool {
        self.case["error"]["message"].as_str().is_some_and(|text| text.ends_with(class))
    }

    /// Whether the program has failed with these words.
    pub(super) fn fails_with(&self, words: &str) -> bool {
        self.ran.error().is_some_and(|error| error.contains(words))
    }

    /// Whether the program has blamed a place in the manifest, as a config error.
    pub(super) fn fails_at_a_place(&self) -> bool {
        self.ran.error().is_some_and(|error| error.starts_with("config_error: ") && error.contains("streams["))
    }

    /// Whether the program did the same as the reference, and ended sooner.
    pub(super) fn ends_sooner(&self) -> bool {
        self.golden.starts_with(&self.mine) && self.golden_records.starts_with(&self.records)
    }

    /// Whether the program did the same as the reference, and did not stop there.
    pub(super) fn ends_later(&self) -> bool {
        self.mine.starts_with(&self.golden) && self.records.starts_with(&self.golden_records)
    }

    /// The pairs of requests; none if one made more requests than the other.
    pub(super) fn pairs(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        let pairs = self.golden.iter().map(String::as_str).zip(self.mine.iter().map(String::as_str));
        (self.golden.len() == self.mine.len()).then_some(pairs)
    }
}

/// A request's line in parts: the method and target, the headers, the body.
pub(super) fn parts(line: &str) -> (&str, &str, &str) {
    let (before, rest) = line.split_once(" [").unwrap_or((line, "]"));
    let end = if rest.starts_with(']') { 0 } else { rest.find("\"] ").map_or(0, |at| at + 1) };
    (before, &rest[..end], rest.get(end + 2..).unwrap_or_default())
}

/// The query parameters of a line, decoded.
pub(super) fn query(line: &str) -> Vec<(String, String)> {
    let target = parts(line).0.split_once('?').map_or("", |(_, query)| query);
    let url = url::Url::parse(&format!("http://a/?{target}")).expect("a URL");
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

pub(super) fn each<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Object(members) => members.values().for_each(|item| each(item, visit)),
        _ => {}
    }
}
