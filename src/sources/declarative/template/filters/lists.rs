//! Filters of lists and mappings. Python finds items one by one; here they are found at once, up to the first fault,
//! which shows when it is reached.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::args::{CallArgs, text};
use super::super::arith::{self, Op};
use super::super::compare::{order, sort_by_keys, used};
use super::super::error::{Fault, Result};
use super::super::eval::Eval;
use super::super::value::{IterState, Object, Value, key_of};
use super::iterators::{batches, groups, mapped, selected, slices};
use super::{Getter, last};

pub(super) fn call(eval: &mut Eval<'_>, name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    let truth = |value: Option<Value>| value.is_some_and(|value| value.truth());
    match name {
        "list" => args.none(name).and_then(|()| Ok(Value::list(value.iterate()?))),
        "first" => {
            args.none(name)?;
            Ok(first(value)?.unwrap_or_else(|| Value::undefined("No first item, sequence was empty.")))
        }
        "last" => {
            args.none(name)?;
            Ok(last(value)?.unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")))
        }
        "random" => {
            args.none(name)?;
            let length = value.length()?;
            let items = value.iterate()?;
            let none = || Value::undefined("No random item, sequence was empty.");
            let at = eval.scope.random() % (length.max(1) as u64);
            Ok(items.get(at as usize).cloned().unwrap_or_else(none))
        }
        "reverse" => {
            args.none(name)?;
            reversed(value)
        }
        "sort" => {
            let [reverse, case, attribute] = args.bind(name, ["reverse", "case_sensitive", "attribute"], 0)?;
            let getters = getters(attribute.as_ref(), !truth(case));
            let mut keyed = Vec::new();
            for item in value.iterate()? {
                let keys = getters.iter().map(|getter| getter.get(&item)).collect::<Result<Vec<_>>>()?;
                keyed.push((Value::list(keys), item));
            }
            sorted(eval, keyed, truth(reverse)).map(Value::list)
        }
        "unique" => {
            let [case, attribute] = args.bind(name, ["case_sensitive", "attribute"], 0)?;
            let getter = Getter::new(attribute.as_ref(), !truth(case));
            let mut seen = HashSet::new();
            Ok(lazily("generator", |found| {
                for item in value.iterate()? {
                    if seen.insert(key_of(&getter.get(&item)?)?) {
                        found.push(item);
                    }
                }
                Ok(())
            }))
        }
        "min" | "max" => {
            let [case, attribute] = args.bind(name, ["case_sensitive", "attribute"], 0)?;
            let getter = Getter::new(attribute.as_ref(), !truth(case));
            let keyed =
                value.iterate()?.into_iter().map(|item| Ok((getter.get(&item)?, item))).collect::<Result<Vec<_>>>()?;
            let none = || Value::undefined("No aggregated item, sequence was empty.");
            Ok(extreme(keyed, name == "max")?.unwrap_or_else(none))
        }
        "sum" => {
            let [attribute, start] = args.bind(name, ["attribute", "start"], 0)?;
            let getter = Getter::new(attribute.as_ref(), false);
            let mut total = start.unwrap_or(Value::Int(0));
            if matches!(total, Value::Str(_) | Value::Markup(_) | Value::Bytes(_)) {
                return Err(Fault::ty("sum() can't sum strings [use ''.join(seq) instead]"));
            }
            for item in value.iterate()? {
                total = arith::apply(Op::Add, &total, &getter.get(&item)?)?;
                eval.spend_size(&total)?;
            }
            Ok(total)
        }
        "groupby" => groups(eval, value, args),
        "batch" => batches(value, args),
        "slice" => slices(value, args),
        "items" => {
            args.none(name)?;
            Ok(lazily("generator", |found| {
                if value.is_undefined() {
                    return Ok(());
                }
                let entries = value.entries();
                let entries = entries.ok_or_else(|| Fault::ty("Can only get item pairs from a mapping."))?;
                found.extend(entries.into_iter().map(|(key, value)| Value::tuple(vec![key, value])));
                Ok(())
            }))
        }
        "dictsort" => {
            let [case, by, reverse] = args.bind(name, ["case_sensitive", "by", "reverse"], 0)?;
            let by = by.map(|by| text(&by, name)).transpose()?;
            let place = match by.as_deref() {
                None | Some("key") => 0,
                Some("value") => 1,
                Some(_) => {
                    let message = "You can only sort by either \"key\" or \"value\"";
                    return Err(Fault::other("FilterArgumentError", message));
                }
            };
            if let Value::Undefined(missing) = value {
                return Err(used(missing));
            }
            let entries = value.entries();
            let entries = entries.ok_or_else(|| {
                Fault::other("AttributeError", format!("'{}' object has no attribute 'items'", value.type_name()))
            })?;
            let getter = Getter::new(Some(&Value::Int(place)), !truth(case));
            let mut keyed = Vec::new();
            for (key, value) in entries {
                let pair = Value::tuple(vec![key, value]);
                keyed.push((getter.get(&pair)?, pair));
            }
            sorted(eval, keyed, truth(reverse)).map(Value::list)
        }
        "map" => Ok(mapped(eval, value, args)),
        _ => Ok(selected(eval, name, value, args)),
    }
}

pub(super) fn lazily(class: &'static str, find: impl FnOnce(&mut Vec<Value>) -> Result<()>) -> Value {
    let mut found = Vec::new();
    let fault = find(&mut found).err();
    let state = IterState { items: found.into(), fault };
    Value::object(Object::Iter(class, RefCell::new(state)))
}

/// The first item; an iterator keeps the others.
fn first(value: &Value) -> Result<Option<Value>> {
    if let Some(Object::Iter(_, state)) = value.as_object() {
        let mut state = state.borrow_mut();
        return match (state.items.pop_front(), state.fault.take()) {
            (Some(item), fault) => {
                state.fault = fault;
                Ok(Some(item))
            }
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok(None),
        };
    }
    Ok(value.iterate()?.into_iter().next())
}

fn reversed(value: &Value) -> Result<Value> {
    match value {
        Value::Str(text) => return Ok(Value::str(text.chars().rev().collect::<String>())),
        Value::Markup(text) => return Ok(Value::Markup(text.chars().rev().collect::<String>().into())),
        _ => {}
    }
    let class = match value {
        Value::List(_) => Some("list_reverseiterator"),
        Value::Dict(_) => Some("dict_reversekeyiterator"),
        Value::Tuple(_) | Value::Bytes(_) | Value::Undefined(_) => Some("reversed"),
        Value::Object(object) => match &object.0 {
            Object::View(..) => Some("dict_reversekeyiterator"),
            Object::Named(..) => Some("reversed"),
            _ => None,
        },
        _ => None,
    };
    let wrong = |fault: Box<Fault>| match fault.class {
        "TypeError" => Fault::other("FilterArgumentError", "argument must be iterable"),
        _ => fault,
    };
    let mut items = value.iterate().map_err(wrong)?;
    items.reverse();
    Ok(match class {
        Some(class) => Value::iterator(class, items),
        None => Value::list(items),
    })
}

/// The sort attributes, separated by commas.
fn getters(attribute: Option<&Value>, ignore_case: bool) -> Vec<Getter> {
    match attribute {
        Some(Value::Str(text)) => {
            text.split(',').map(|part| Getter::new(Some(&Value::str(part)), ignore_case)).collect()
        }
        other => vec![Getter::new(other, ignore_case)],
    }
}

fn sorted(eval: &mut Eval<'_>, mut keyed: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>> {
    eval.spend(keyed.len() as u64)?;
    sort_by_keys(&mut keyed, reverse)?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// The first of the largest or smallest items by their keys.
pub(crate) fn extreme(keyed: Vec<(Value, Value)>, largest: bool) -> Result<Option<Value>> {
    let (sign, wanted) = if largest { (">", Ordering::Greater) } else { ("<", Ordering::Less) };
    let mut best: Option<(Value, Value)> = None;
    for (key, item) in keyed {
        let better = match &best {
            None => true,
            Some((known, _)) => order(&key, known, sign)? == Some(wanted),
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map(|(_, item)| item))
}
