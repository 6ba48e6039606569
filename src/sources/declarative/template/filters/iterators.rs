//! Filters that return groups, parts, and single items.

use super::super::args::{CallArgs, int, text};
use super::super::compare::{equal, sort_by_keys};
use super::super::error::{Fault, Result};
use super::super::eval::Eval;
use super::super::tests;
use super::super::value::{Object, Value};
use super::Getter;
use super::lists::lazily;

pub(super) fn groups(eval: &mut Eval<'_>, value: &Value, args: CallArgs) -> Result<Value> {
    let [attribute, default, case] = args.bind("groupby", ["attribute", "default", "case_sensitive"], 1)?;
    let ignore_case = !case.is_some_and(|case| case.truth());
    let getter = Getter::new(attribute.as_ref(), ignore_case).with_default(default.clone());
    let shown = Getter::new(attribute.as_ref(), false).with_default(default);
    let mut keyed = Vec::new();
    for item in value.iterate()? {
        keyed.push((getter.get(&item)?, item));
    }
    eval.spend(keyed.len() as u64)?;
    sort_by_keys(&mut keyed, false)?;
    let mut found: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in keyed {
        match found.last_mut() {
            Some((known, items)) if equal(known, &key)? => items.push(item),
            _ => found.push((key, vec![item])),
        }
    }
    let mut list = Vec::new();
    for (key, items) in found {
        let key = if ignore_case { shown.get(&items[0])? } else { key };
        let tuple = Value::tuple(vec![key, Value::list(items)]);
        list.push(Value::object(Object::Named("_GroupTuple", GROUP, tuple)));
    }
    Ok(Value::list(list))
}

/// The names of a group's parts, which its `repr` does not show.
pub(crate) const GROUP: &[&str] = &["grouper", "list"];

pub(super) fn batches(value: &Value, args: CallArgs) -> Result<Value> {
    let [size, fill] = args.bind("batch", ["linecount", "fill_with"], 1)?;
    let size = size.unwrap_or(Value::None);
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    Ok(lazily("generator", |found| {
        let mut batch: Vec<Value> = Vec::new();
        for item in value.iterate()? {
            if equal(&Value::Int(batch.len() as i64), &size)? {
                found.push(Value::list(std::mem::take(&mut batch)));
            }
            batch.push(item);
        }
        if batch.is_empty() {
            return Ok(());
        }
        if let Some(fill) = fill {
            let size = usize::try_from(int(&size, "batch")?).unwrap_or(0);
            if size > 100_000 {
                return Err(Fault::too_large("a list gets too long"));
            }
            batch.resize(size.max(batch.len()), fill);
        }
        found.push(Value::list(batch));
        Ok(())
    }))
}

pub(super) fn slices(value: &Value, args: CallArgs) -> Result<Value> {
    let [count, fill] = args.bind("slice", ["slices", "fill_with"], 1)?;
    let count = count.unwrap_or(Value::None);
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    Ok(lazily("generator", |found| {
        let items = value.iterate()?;
        let count = int(&count, "slice")?;
        if count == 0 {
            return Err(Fault::other("ZeroDivisionError", "integer division or modulo by zero"));
        }
        if count > 100_000 {
            return Err(Fault::too_large("a list gets too long"));
        }
        let count = usize::try_from(count).unwrap_or(0);
        let (size, extra) = (items.len() / count.max(1), items.len() % count.max(1));
        let mut at = 0;
        for slice in 0..count {
            let end = at + size + usize::from(slice < extra);
            let mut part = items[at..end].to_vec();
            at = end;
            if let Some(fill) = &fill
                && slice >= extra
            {
                part.push(fill.clone());
            }
            found.push(Value::list(part));
        }
        Ok(())
    }))
}

pub(super) fn mapped(eval: &mut Eval<'_>, value: &Value, mut args: CallArgs) -> Value {
    let value = value.clone();
    lazily("generator", |found| {
        if !value.truth() {
            return Ok(());
        }
        if args.positional.is_empty() {
            let Some(attribute) = args.take("attribute") else {
                return Err(Fault::other("FilterArgumentError", "map requires a filter argument"));
            };
            let default = args.take("default");
            if let Some((name, _)) = args.named.first() {
                return Err(Fault::other("FilterArgumentError", format!("Unexpected keyword argument '{name}'")));
            }
            let getter = Getter::new(Some(&attribute), false).with_default(default);
            for item in value.iterate()? {
                found.push(getter.get(&item)?);
            }
            return Ok(());
        }
        let name = args.positional.remove(0);
        let name = text(&name, "map")?;
        for item in value.iterate()? {
            let made = eval.filter(&name, &item, args.clone())?;
            found.push(made);
        }
        Ok(())
    })
}

/// `select`, `reject`, `selectattr`, `rejectattr`
pub(super) fn selected(eval: &mut Eval<'_>, name: &str, value: &Value, mut args: CallArgs) -> Value {
    let keeps = name.starts_with("select");
    let value = value.clone();
    let by_attribute = name.ends_with("attr");
    lazily("generator", |found| {
        if !value.truth() {
            return Ok(());
        }
        let mut getter = Getter::new(None, false);
        if by_attribute {
            if args.positional.is_empty() {
                return Err(Fault::other("FilterArgumentError", "Missing parameter for attribute name"));
            }
            getter = Getter::new(Some(&args.positional.remove(0)), false);
        }
        let test = if args.positional.is_empty() { None } else { Some(args.positional.remove(0)) };
        let test = test.map(|test| text(&test, "select")).transpose()?;
        for item in value.iterate()? {
            eval.spend(1)?;
            let looked_at = getter.get(&item)?;
            let passes = match &test {
                Some(test) => tests::test(test, &looked_at, args.clone())?.truth(),
                None => looked_at.truth(),
            };
            if passes == keeps {
                found.push(item);
            }
        }
        Ok(())
    })
}
