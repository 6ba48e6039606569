//! The functions of every template: the CDK's macros, and Jinja's globals without `range`.

use std::cell::RefCell;
use std::rc::Rc;

use super::args::{CallArgs, text};
use super::compare::{Number, used};
use super::datetime::{
    DateTime, Delta, Offset, Span, format_datetime, parse_datetime, parse_duration, str_to_datetime, strftime, strptime,
};
use super::error::{Fault, Result};
use super::eval::Eval;
use super::filters::quote;
use super::json::Json;
use super::methods::updated;
use super::text::str_of;
use super::value::{Dict, Object, Value};
use crate::uuid::uuid;

/// The result depends only on the arguments.
const PURE: &[&str] = &[
    "camel_case_to_snake_case",
    "cycler",
    "dict",
    "duration",
    "format_datetime",
    "joiner",
    "max",
    "min",
    "namespace",
    "sanitize_url",
    "str_to_datetime",
    "timestamp",
];
/// The result depends on the time or on chance.
const VOLATILE: &[&str] = &["day_delta", "generate_uuid", "lipsum", "now_utc", "today_utc", "today_with_timezone"];

/// Whether every template has a function of this name.
pub(crate) fn is_global(name: &str) -> bool {
    PURE.contains(&name) || VOLATILE.contains(&name)
}

/// Whether the result of the function may change from call to call.
pub(crate) fn is_volatile(name: &str) -> bool {
    VOLATILE.contains(&name)
}

/// The names of all functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PURE.iter().chain(VOLATILE).copied()
}

pub(crate) fn global(name: &str) -> Option<Value> {
    names().find(|known| *known == name).map(|name| Value::object(Object::Function(name)))
}

pub(crate) fn call(eval: &mut Eval<'_>, name: &'static str, args: CallArgs) -> Result<Value> {
    match name {
        "now_utc" => args.none(name).and_then(|()| Ok(Value::DateTime(eval.scope.now()?))),
        "today_utc" => args.none(name).and_then(|()| Ok(Value::Date(eval.scope.now()?.date))),
        "today_with_timezone" => {
            let [zone] = args.bind(name, ["timezone"], 1)?;
            today(eval.scope.now()?, &zone.unwrap_or(Value::None))
        }
        "timestamp" => {
            let [value] = args.bind(name, ["dt"], 1)?;
            timestamp(&value.unwrap_or(Value::None))
        }
        "str_to_datetime" => {
            let [value] = args.bind(name, ["s"], 1)?;
            Ok(Value::DateTime(str_to_datetime(&date_text(&value.unwrap_or(Value::None), name)?)?))
        }
        "max" | "min" => {
            let items = match args.positional.len() {
                0 => return Err(Fault::ty(format!("{name} expected at least 1 argument, got 0"))),
                _ if !args.named.is_empty() => {
                    return Err(Fault::ty(format!("{name}() got an unexpected keyword argument")));
                }
                1 => args.positional[0].iterate()?,
                _ => args.positional,
            };
            let keyed = items.into_iter().map(|item| (item.clone(), item)).collect();
            let found = super::filters::extreme(keyed, name == "max")?;
            found.ok_or_else(|| Fault::value(format!("{name}() arg is an empty sequence")))
        }
        "day_delta" => {
            let [days, format] = args.bind(name, ["num_days", "format"], 1)?;
            let format = format.map_or_else(|| Ok("%Y-%m-%dT%H:%M:%S.%f%z".into()), |format| text(&format, name))?;
            let moment = eval.scope.now()?.plus(days_of(&days.unwrap_or(Value::None))?)?;
            Ok(Value::str(strftime(&moment, &format)))
        }
        "duration" => {
            let [value] = args.bind(name, ["datestring"], 1)?;
            let given = text(&value.unwrap_or(Value::None), name)?;
            Ok(match parse_duration(&given)? {
                Span::Delta(delta) => Value::Delta(delta),
                Span::Duration(duration) => Value::Duration(Rc::new(duration)),
            })
        }
        "format_datetime" => {
            let [value, format, input] = args.bind(name, ["dt", "format", "input_format"], 2)?;
            formatted(&value.unwrap_or(Value::None), &format.unwrap_or(Value::None), input)
        }
        "sanitize_url" => {
            let [value] = args.bind(name, ["value"], 1)?;
            Ok(Value::str(quote(&text(&value.unwrap_or(Value::None), name)?, true)))
        }
        "camel_case_to_snake_case" => {
            let [value] = args.bind(name, ["value"], 1)?;
            let given = text(&value.unwrap_or(Value::None), name)?;
            let mut out = String::with_capacity(given.len() + 8);
            for (at, c) in given.chars().enumerate() {
                if at > 0 && c.is_ascii_uppercase() {
                    out.push('_');
                }
                out.push(c);
            }
            Ok(Value::str(out.to_lowercase()))
        }
        "generate_uuid" => {
            args.none(name)?;
            Ok(Value::str(uuid(eval.scope.random(), eval.scope.random())))
        }
        "json_loads" => {
            let [value] = args.bind(name, ["s"], 1)?;
            let given = text(&value.unwrap_or(Value::None), name)?;
            let read = serde_json::from_str::<serde_json::Value>(&given);
            let read = read.map_err(|_| Fault::value("json_loads() got a text that is not JSON"))?;
            Ok(Json::Tree(&read).to_value())
        }
        _ => jinja(name, args),
    }
}

/// Jinja's own globals.
fn jinja(name: &'static str, args: CallArgs) -> Result<Value> {
    let CallArgs { mut positional, named } = args;
    match name {
        "dict" | "namespace" => {
            if positional.len() > 1 {
                return Err(Fault::ty(format!("{name} expected at most 1 argument, got {}", positional.len())));
            }
            if let Some(Value::Undefined(missing)) = positional.first() {
                return Err(used(missing));
            }
            let mut dict = Dict::default();
            updated(&mut dict, positional.pop(), named)?;
            Ok(match name {
                "dict" => Value::dict(dict),
                _ => Value::object(Object::Namespace(RefCell::new(dict))),
            })
        }
        "cycler" if positional.is_empty() => Err(Fault::other("RuntimeError", "at least one item has to be provided")),
        "cycler" => Ok(Value::object(Object::Cycler(positional, RefCell::new(0)))),
        "joiner" => {
            let [separator] = CallArgs { positional, named }.bind(name, ["sep"], 0)?;
            let separator = separator.unwrap_or_else(|| Value::str(", "));
            Ok(Value::object(Object::Joiner(separator, RefCell::new(false))))
        }
        _ => Err(Fault::unsupported(format!("'{name}' is not supported"))),
    }
}

/// The text to read a date from. Anything else has no length, or is a missing value.
fn date_text(value: &Value, function: &str) -> Result<std::sync::Arc<str>> {
    match value {
        Value::Undefined(missing) => Err(used(missing)),
        // A short list is refused for its length.
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) if value.length()? < 4 => {
            Err(Fault::value("ISO string too short"))
        }
        _ => text(value, function),
    }
}

fn today(now: DateTime, zone: &Value) -> Result<Value> {
    let unknown = || Fault::other("UnknownTimeZoneError", "the time zone is unknown: it is not an IANA name");
    let name = match zone {
        Value::Undefined(missing) => return Err(used(missing)),
        Value::None => return Err(unknown()),
        _ => zone.as_str().ok_or_else(|| Fault::other("AttributeError", "the name of a time zone is a text"))?,
    };
    let zone = jiff::tz::TimeZone::get(name).map_err(|_| unknown())?;
    let instant = i64::try_from(now.instant()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_microsecond(instant).map_err(|_| Fault::overflow("date value out of range"))?;
    let offset = i64::from(zone.to_offset(moment).seconds()) * 1_000_000;
    Ok(Value::Date(now.at_offset(Offset::new(offset))?.date))
}

fn timestamp(value: &Value) -> Result<Value> {
    match Number::of(value) {
        Some(Number::Float(value)) if value.is_nan() => Err(Fault::value("cannot convert float NaN to integer")),
        Some(Number::Float(value)) if value.is_infinite() => {
            Err(Fault::overflow("cannot convert float infinity to integer"))
        }
        Some(number) => Ok(Value::big(number.to_big())),
        None => Ok(Value::Float(str_to_datetime(&date_text(value, "timestamp")?)?.timestamp())),
    }
}

fn days_of(days: &Value) -> Result<Delta> {
    let too_long = || Fault::overflow("Python int too large to convert to C int");
    match Number::of(days) {
        Some(Number::Float(days)) => Delta::of_floats(&[(days, 86_400_000_000)]),
        Some(Number::Int(days)) => Delta(i128::from(days) * 86_400_000_000).checked(),
        Some(Number::Big(_)) => Err(too_long()),
        None => Err(Fault::ty(format!("unsupported type for timedelta days component: {}", days.type_name()))),
    }
}

fn formatted(value: &Value, format: &Value, input: Option<Value>) -> Result<Value> {
    let name = "format_datetime";
    let input = input.filter(Value::truth);
    if let Value::DateTime(moment) = value {
        return Ok(Value::str(strftime(moment, &text(format, name)?)));
    }
    let moment = match value {
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
            let whole = Number::of(value).map(|number| number.to_big().to_string()).unwrap_or_default();
            let input = input.map_or_else(|| Ok("%s".into()), |input| text(&input, name))?;
            // Python prints a bool as its name unless the format is for numbers.
            let whole = if input.starts_with("%s") || input.starts_with("%ms") || input.starts_with("%epoch") {
                whole
            } else {
                str_of(value)?
            };
            parse_datetime(&whole, &input)?
        }
        _ => match input {
            Some(input) => strptime(&text(value, name)?, &text(&input, name)?)?,
            None => str_to_datetime(&date_text(value, name)?)?,
        },
    };
    let moment = DateTime { offset: Some(moment.offset.unwrap_or(Offset::PYTZ)), ..moment };
    Ok(Value::str(format_datetime(&moment, &text(format, name)?)))
}
