//! Templates, date formats and durations.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use source_http::sources::declarative::template::datetime::{
    DateTime, format_datetime, parse_datetime, parse_duration, strptime,
};
use source_http::sources::declarative::template::{
    Fault, FaultKind, InputPlace, InterpolatedBoolean, InterpolatedMapping, InterpolatedString, Json, Literal, Nested,
    RequestInputs, Scope, Template, ValidType, Variable,
};

use super::Verdict;

#[derive(Deserialize)]
struct Case {
    template: Box<RawValue>,
    #[serde(default)]
    context: HashMap<String, Box<RawValue>>,
    contexts: Option<Vec<HashMap<String, Box<RawValue>>>>,
    kind: String,
    repr: Option<String>,
    #[serde(rename = "type")]
    class: String,
    error: Option<String>,
    default: Option<String>,
    parameters: Option<Box<RawValue>>,
    #[serde(default)]
    valid_types: Vec<String>,
    clock: Option<String>,
    #[serde(default)]
    slices: Vec<String>,
    value: Option<Box<RawValue>>,
    #[serde(default)]
    sub: bool,
    #[serde(default)]
    volatile: bool,
}

type Outcome = Result<Literal, Box<Fault>>;

#[test]
fn templates_give_what_the_reference_gives() {
    super::run("templates.jsonl", |line| {
        verdict(&serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
    });
}

fn verdict(case: &Case) -> Verdict {
    if case.volatile {
        return Verdict::Skipped;
    }
    if case.kind == "seq" {
        return sequence(case);
    }
    let outcome = outcome(case, &case.context);
    judge(case, &outcome)
}

fn judge(case: &Case, outcome: &Outcome) -> Verdict {
    let expected = match (&case.repr, &case.error) {
        (_, Some(error)) => error.clone(),
        (Some(repr), None) => repr.clone(),
        (None, None) => return Verdict::Failed("neither an answer nor an error".to_owned()),
    };
    match (outcome, &case.error) {
        (Ok(value), None) if value.repr() == expected && value.type_name() == case.class => return Verdict::Equal,
        (Err(fault), Some(class)) if fault.class == class => return Verdict::Equal,
        _ => {}
    }
    let text = text(&case.template);
    // The reference continues with the text of the template, in a condition with true.
    if let Err(fault) = outcome
        && fault.kind == FaultKind::Type
        && case.error.is_none()
    {
        let own_text = text.as_deref().is_some_and(|text| expected == Literal::Str(text.to_owned()).repr());
        // In a mapping it is one of its values; in the parameters of a request it is omitted.
        let in_mapping = text.is_none() && (expected.contains("{{") || expected.contains("{%"));
        let no_parameters = case.kind == "params" && text.is_some() && expected == "{}";
        if own_text || in_mapping || no_parameters || (case.kind == "boolean" && expected == "True") {
            return Verdict::Rule("type_error_is_an_error");
        }
    }
    // Epochs are computed with integers, where the reference rounds a float down.
    let epoch = text.as_deref().is_some_and(|text| text.contains("%ms") || text.contains("%epoch_microseconds"));
    if let Ok(value) = outcome
        && epoch
        && let (Ok(ours), Ok(theirs)) = (value.to_text().parse::<i64>(), expected.trim_matches('\'').parse::<i64>())
        && ours.abs_diff(theirs) <= 1 + (ours.unsigned_abs() >> 52)
    {
        return Verdict::Rule("epochs_are_integers");
    }
    // Names of characters would need a table: such a text stays text.
    if let Ok(Literal::Str(ours)) = outcome
        && ours.contains("\\N{")
        && text.as_deref() == Some(ours)
    {
        return Verdict::Rule("no_names_of_characters");
    }
    let ours = match outcome {
        Ok(value) => format!("{}: {}", value.type_name(), value.repr()),
        Err(fault) => format!("{}: {fault}", fault.class),
    };
    Verdict::Failed(format!("expected {}: {expected}\n    ours     {ours}", case.class))
}

/// One template over several contexts. When its first result is its own text, the reference takes it for plain text
/// from then on, so the following contexts are not compared.
fn sequence(case: &Case) -> Verdict {
    let Some(contexts) = &case.contexts else { return Verdict::Failed("no contexts".to_owned()) };
    let outcomes: Vec<Outcome> = contexts.iter().map(|context| outcome(case, context)).collect();
    let own_text = text(&case.template).map(|text| Literal::Str(text).repr()).unwrap_or_default();
    let shown: Vec<String> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(value) => value.repr(),
            Err(fault) if fault.kind == FaultKind::Type => own_text.clone(),
            Err(fault) => fault.to_string(),
        })
        .collect();
    let ours = format!("[{}]", shown.join(", "));
    let expected = case.repr.clone().unwrap_or_default();
    if ours == expected {
        let typed = outcomes.iter().any(Result::is_err);
        return if typed { Verdict::Rule("type_error_is_an_error") } else { Verdict::Equal };
    }
    let frozen = shown.iter().position(|value| *value == own_text).map(|at| {
        let mut frozen = shown.clone();
        frozen[at..].fill(own_text.clone());
        format!("[{}]", frozen.join(", "))
    });
    if frozen.as_deref() == Some(&expected) {
        return Verdict::Rule("no_memo_of_plain_texts");
    }
    Verdict::Failed(format!("expected {expected}\n    ours     {ours}"))
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// The value of a case, with the order of its members and all its digits.
fn literal(raw: &RawValue) -> Literal {
    let value: serde_json::Value = serde_json::from_str(raw.get()).expect("a value");
    literal_of(&value)
}

fn literal_of(value: &serde_json::Value) -> Literal {
    match value {
        serde_json::Value::Null => Literal::None,
        serde_json::Value::Bool(value) => Literal::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(value) => Literal::Int(value),
            None => Literal::Float(number.as_f64().expect("a float")),
        },
        serde_json::Value::String(text) => Literal::Str(text.clone()),
        serde_json::Value::Array(items) => Literal::List(items.iter().map(literal_of).collect()),
        serde_json::Value::Object(members) => {
            Literal::Dict(members.iter().map(|(name, value)| (Literal::Str(name.clone()), literal_of(value))).collect())
        }
    }
}

fn moment(text: &str) -> DateTime {
    ["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"]
        .iter()
        .find_map(|format| strptime(text, format).ok())
        .unwrap_or_else(|| panic!("no date: {text}"))
}

fn valid_type(name: &str) -> ValidType {
    match name {
        "str" => ValidType::Str,
        "int" => ValidType::Int,
        "float" => ValidType::Float,
        "bool" => ValidType::Bool,
        "list" => ValidType::List,
        "dict" => ValidType::Dict,
        "tuple" => ValidType::Tuple,
        "set" => ValidType::Set,
        other => panic!("an unknown type: {other}"),
    }
}

fn outcome(case: &Case, context: &HashMap<String, Box<RawValue>>) -> Outcome {
    if case.kind.starts_with("dt_") || case.kind == "duration_add" {
        return dates(case);
    }
    let now = case.clock.as_deref().map_or(0, |clock| moment(clock).instant());
    let now = i64::try_from(now).expect("a time of this age");
    let no_fields = "{}";
    let mut variables: Vec<(&str, Variable<'_>)> = Vec::new();
    for (name, value) in context {
        let json = Json::Text(value.get());
        let variable = if case.slices.contains(name) {
            let parts: HashMap<&str, &RawValue> = serde_json::from_str(value.get()).expect("a slice");
            let part = |name: &str| Json::Text(parts.get(name).map_or(no_fields, |part| part.get()));
            Variable::Slice {
                partition: part("partition"),
                cursor_slice: part("cursor_slice"),
                extra_fields: part("extra_fields"),
                answers: &[],
            }
        } else {
            Variable::Json(json)
        };
        variables.push((name, variable));
    }
    let parameters = case.parameters.as_ref().map_or(no_fields, |parameters| parameters.get());
    for (name, value) in [("config", no_fields), ("parameters", parameters)] {
        if !context.contains_key(name) {
            variables.push((name, Variable::Json(Json::Text(value))));
        }
    }
    if ["params", "headers", "body_data", "body_json"].contains(&case.kind.as_str()) {
        for name in ["stream_slice", "next_page_token"] {
            if !context.contains_key(name) {
                variables.push((name, Variable::None));
            }
        }
    }
    let clock = || now;
    let scope = Scope::new(&variables, &clock, &|| 0);
    evaluated(case, &scope)
}

fn evaluated(case: &Case, scope: &Scope<'_>) -> Outcome {
    let first = |faults: Vec<Fault>| Box::new(faults.into_iter().next().expect("a fault"));
    let place = match case.kind.as_str() {
        "params" => Some(InputPlace::Parameters),
        "headers" => Some(InputPlace::Headers),
        "body_data" => Some(InputPlace::BodyData),
        "body_json" => Some(InputPlace::BodyJson),
        _ => None,
    };
    if let Some(place) = place {
        return RequestInputs::compile(place, &literal(&case.template)).map_err(first)?.eval(scope);
    }
    let template = text(&case.template);
    match (case.kind.as_str(), template) {
        ("mapping", _) => {
            let Literal::Dict(entries) = literal(&case.template) else { panic!("no mapping") };
            let entries: Vec<_> = entries.into_iter().map(|(key, value)| (key.to_text(), value)).collect();
            InterpolatedMapping::compile(&entries).map_err(first)?.eval(scope, &[ValidType::Str], &[])
        }
        ("nested", _) => Nested::compile(&literal(&case.template)).map_err(first)?.eval(scope),
        ("boolean", None) => match literal(&case.template) {
            Literal::Bool(value) => InterpolatedBoolean::Constant(value).eval(scope).map(Literal::Bool),
            // A condition of a manifest is a text or a bool; the model refuses any other.
            _ => Err(Box::new(Fault {
                kind: FaultKind::Type,
                class: "TypeError",
                message: "a condition is a text or a bool".to_owned(),
                line: 0,
                column: 0,
                expression: None,
            })),
        },
        ("boolean", Some(text)) => InterpolatedBoolean::compile(&text)?.eval(scope).map(Literal::Bool),
        ("raw", Some(text)) => {
            let default = case.default.clone().map(|default| Template::compile(&default)).transpose()?;
            let valid: Vec<ValidType> = case.valid_types.iter().map(|name| valid_type(name)).collect();
            Template::compile(&text)?.eval(scope, default.as_ref(), &valid)
        }
        ("string" | "seq", Some(text)) => {
            InterpolatedString::compile(&text, case.default.clone().as_deref())?.eval(scope)
        }
        (kind, _) => panic!("an unknown kind of case: {kind}"),
    }
}

fn dates(case: &Case) -> Outcome {
    let format = text(&case.template).expect("a format");
    let value = literal(case.value.as_ref().expect("a value"));
    let printed = match case.kind.as_str() {
        "dt_parse" => parse_datetime(&value.to_text(), &format)?.isoformat(),
        "dt_format" => format_datetime(&moment(&value.to_text()), &format),
        _ => {
            let (span, moment) = (parse_duration(&format)?, moment(&value.to_text()));
            let moved = if case.sub { span.subtracted_from(moment)? } else { span.added_to(moment)? };
            moved.isoformat()
        }
    };
    Ok(Literal::Str(printed))
}
