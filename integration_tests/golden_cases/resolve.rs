//! YAML, references, types and parameters of a manifest.

use serde_json::Value as Json;
use source_http::sources::declarative::manifest::{Fault, Faults, Kind, Node, expand, json, propagate, resolve, yaml};

use super::Verdict;
use super::values::golden;

#[test]
fn golden_cases_of_manifests() {
    super::run("resolve.jsonl", |line| {
        let case: &Json = &serde_json::from_str(line).unwrap();
        let mut faults = Faults::new("case");
        let node = answer(case, &mut faults);
        let errors: Vec<&Fault> = faults.errors().collect();
        let said = || errors.iter().map(|fault| faults.line(fault)).collect::<Vec<_>>().join("; ");
        match (case["error"].as_str(), node.filter(|_| errors.is_empty())) {
            (None, Some(node)) => same(&golden(&node), &case["output"]),
            (None, None) => Verdict::Failed(format!("refused: {}", said())),
            (Some(_), Some(node)) => Verdict::Failed(format!("accepted as {}", golden(&node))),
            (Some(class), None) => match errors.iter().find(|fault| is_kind(class, fault.kind)) {
                Some(fault) => place(case, fault),
                None => Verdict::Failed(format!("another kind of fault: {}", said())),
            },
        }
    });
}

fn answer(case: &Json, faults: &mut Faults) -> Option<Node> {
    let step = case["step"].as_str().unwrap();
    if let Some(text) = case["yaml"].as_str() {
        return yaml(text, faults);
    }
    let input = json(&case["input"].to_string(), faults)?;
    match step {
        "ref" => Some(resolve(&input, faults)),
        "propagate" => Some(propagate(&input, case["use_parent_parameters"] == Json::Bool(true), faults)),
        "full" => expand(&input, faults),
        step => panic!("unknown step {step}"),
    }
}

fn same(ours: &Json, wanted: &Json) -> Verdict {
    // As texts, so the order of keys counts.
    let (ours, wanted) = (ours.to_string(), in_order(wanted.clone()).to_string());
    if ours == wanted { Verdict::Equal } else { Verdict::Failed(format!("is {ours}")) }
}

/// The answer with Python's sets in our order, since theirs is random.
fn in_order(mut wanted: Json) -> Json {
    match &mut wanted {
        Json::Array(items) => items.iter_mut().for_each(|item| *item = in_order(item.take())),
        Json::Object(map) => {
            for (key, value) in map {
                let set = value.as_str().filter(|_| key == "$py").and_then(|repr| repr.strip_prefix('{'));
                if let Some(inner) = set.and_then(|repr| repr.strip_suffix('}')).filter(|inner| !inner.contains(": ")) {
                    let mut items: Vec<&str> = inner.split(", ").collect();
                    items.sort_unstable();
                    *value = Json::String(format!("{{{}}}", items.join(", ")));
                } else {
                    *value = in_order(value.take());
                }
            }
        }
        _ => {}
    }
    wanted
}

/// Whether our fault matches the reference's exception.
fn is_kind(class: &str, kind: Kind) -> bool {
    match class {
        "UndefinedReferenceException" => kind == Kind::UndefinedReference,
        "CircularReferenceException" => kind == Kind::CircularReference,
        "RecursionError" => matches!(kind, Kind::Limit | Kind::CircularReference | Kind::Syntax),
        // `$parameters` or a path of the wrong type for Python's operators; or an invalid YAML value.
        "TypeError" | "ValueError" | "AttributeError" | "KeyError" => {
            matches!(kind, Kind::ReferenceThroughValue | Kind::Parameters | Kind::Syntax)
        }
        _ => kind == Kind::Syntax,
    }
}

/// A fault of the text is at the reference's place, or at its own.
fn place(case: &Json, fault: &Fault) -> Verdict {
    let message = case["message"].as_str().unwrap_or_default();
    let ours = format!("line {}, column {}", fault.mark.line, fault.mark.column);
    if fault.kind != Kind::Syntax || !message.contains("line ") || message.contains(&format!("{ours}:")) {
        Verdict::Equal
    } else {
        assert!(fault.mark.line > 0, "a fault of the text has a line");
        Verdict::Rule("a fault of the text, refused by both, is found at another place")
    }
}
