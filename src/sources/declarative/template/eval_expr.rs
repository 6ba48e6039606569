//! Evaluates expressions.

use std::cmp::Ordering;
use std::sync::Arc;

use super::args::CallArgs;
use super::ast::{Args, Comparison, Const, Expr, Kind, PathKey};
use super::error::{Fault, Result};
use super::eval::Eval;
use super::json::Json;
use super::scope::Variable;
use super::value::{Dict, Object, Value};
use super::{arith, attributes, compare, filters, macros, methods, tests};

impl Eval<'_> {
    pub(crate) fn expr(&mut self, expr: &Expr) -> Result<Value> {
        self.spend(1)?;
        self.kind(&expr.kind).map_err(|fault| self.place(fault, expr.at))
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Value>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn kind(&mut self, kind: &Kind) -> Result<Value> {
        Ok(match kind {
            Kind::Const(constant) => constant.to_value(),
            Kind::Name(name) => self.root(name),
            Kind::Path(root, keys) => self.path(root, keys)?,
            Kind::Tuple(items) => Value::tuple(self.all(items)?),
            Kind::List(items) => Value::list(self.all(items)?),
            Kind::Dict(entries) => {
                let mut dict = Dict::default();
                for (key, value) in entries {
                    let key = self.expr(key)?;
                    let value = self.expr(value)?;
                    dict.insert(key, value)?;
                }
                Value::dict(dict)
            }
            Kind::Conditional { test, then, otherwise } => match (self.expr(test)?.truth(), otherwise) {
                (true, _) => self.expr(then)?,
                (false, Some(otherwise)) => self.expr(otherwise)?,
                (false, None) => {
                    Value::undefined("the inline if-expression evaluated to false and no else section was defined.")
                }
            },
            Kind::Or(left, right) => {
                let left = self.expr(left)?;
                if left.truth() { left } else { self.expr(right)? }
            }
            Kind::And(left, right) => {
                let left = self.expr(left)?;
                if left.truth() { self.expr(right)? } else { left }
            }
            Kind::Not(inner) => Value::Bool(!self.expr(inner)?.truth()),
            Kind::Compare(first, rest) => {
                let mut left = self.expr(first)?;
                for (comparison, operand) in rest {
                    let right = self.expr(operand)?;
                    if !holds(*comparison, &left, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
            Kind::Binary(op, left, right) => {
                let left = self.expr(left)?;
                let right = self.expr(right)?;
                self.made(arith::apply(*op, &left, &right)?)?
            }
            Kind::Concat(parts) => {
                let parts = self.all(parts)?;
                self.made(arith::concatenate(&parts)?)?
            }
            Kind::Neg(inner) => arith::negate(&self.expr(inner)?)?,
            Kind::Pos(inner) => arith::positive(&self.expr(inner)?)?,
            Kind::Attr(of, name) => attributes::attribute(&self.expr(of)?, name)?,
            Kind::Item(of, key) => {
                let of = self.expr(of)?;
                let spelt = matches!(key.kind, Kind::Const(_));
                let key = self.expr(key)?;
                attributes::item(&of, &key, spelt)?
            }
            Kind::Slice { of, bounds } => {
                let of_value = self.expr(of)?;
                let mut values = [None, None, None];
                for (value, bound) in values.iter_mut().zip(bounds) {
                    *value = bound.as_ref().map(|bound| self.expr(bound)).transpose()?;
                }
                match attributes::slice(&of_value, values) {
                    Err(fault) if fault.class == "TypeError" && self.folding => {
                        Value::undefined(format!("{} has no such element", of_value.object_name()))
                    }
                    other => self.made(other?)?,
                }
            }
            Kind::Call(target, args) => self.call_expr(target, args, None)?,
            Kind::Filter { of, name, args } => {
                let value = match of {
                    Some(of) => self.expr(of)?,
                    None => self.block_text.clone().unwrap_or(Value::None),
                };
                let args = self.args(args)?;
                self.filter(name, &value, args)?
            }
            Kind::Test { of, name, args } => {
                let value = self.expr(of)?;
                let args = self.args(args)?;
                tests::test(name, &value, args)?
            }
        })
    }

    pub(crate) fn filter(&mut self, name: &str, value: &Value, args: CallArgs) -> Result<Value> {
        self.spend(1)?;
        let made = filters::call(self, name, value, args)?;
        self.made(made)
    }

    /// Counts the size of a created value.
    fn made(&mut self, value: Value) -> Result<Value> {
        self.spend_size(&value)?;
        Ok(value)
    }

    /// A variable of the template, of its scope, or a global.
    pub(crate) fn variable(&mut self, name: &str) -> Option<Value> {
        if let Some(local) = self.local(name) {
            return Some(local.clone());
        }
        if let Some((_, made)) = self.made.iter().find(|(known, _)| &**known == name) {
            return Some(made.clone());
        }
        if let Some(variable) = self.scope.get(name) {
            let value = variable.to_value();
            self.made.push((name.into(), value.clone()));
            return Some(value);
        }
        macros::global(name)
    }

    /// Whether a name is a variable of the template, or was made into a value, which a method may have changed.
    fn is_made(&self, name: &Arc<str>) -> bool {
        self.local(name).is_some() || self.made.iter().any(|(known, _)| known == name)
    }

    /// Constant keys of a variable: JSON is looked up in place.
    fn path(&mut self, root: &Arc<str>, keys: &[PathKey]) -> Result<Value> {
        let (mut value, rest) = match self.scope.get(root) {
            Some(Variable::Json(json)) if !self.is_made(root) => {
                let (found, rest) = in_json(json, keys);
                match found {
                    Ok(json) if rest.len() < keys.len() => (json.to_value(), rest),
                    // Methods may change the variable's value.
                    Ok(_) => (self.root(root), rest),
                    Err(name) => (Value::undefined(format!("'dict object' has no attribute '{name}'")), rest),
                }
            }
            _ => (self.root(root), keys),
        };
        for key in rest {
            value = match key {
                PathKey::Attr(name) => attributes::attribute(&value, name)?,
                PathKey::Item(name) => attributes::item(&value, &Value::str(name.clone()), true)?,
                PathKey::Index(index) => attributes::item(&value, &Value::Int(*index), true)?,
            };
        }
        Ok(value)
    }

    fn root(&mut self, name: &str) -> Value {
        self.variable(name).unwrap_or_else(|| Value::undefined(format!("'{name}' is undefined")))
    }

    fn args(&mut self, args: &Args) -> Result<CallArgs> {
        let mut given = CallArgs::of(self.all(&args.positional)?);
        if let Some(star) = &args.star {
            given.positional.extend(self.expr(star)?.iterate()?);
        }
        for (name, value) in &args.named {
            let value = self.expr(value)?;
            if given.named.iter().any(|(known, _)| known == name) {
                return Err(Fault::other("SyntaxError", format!("keyword argument repeated: {name}")));
            }
            given.named.push((name.clone(), value));
        }
        if let Some(star) = &args.double_star {
            let mapping = self.expr(star)?;
            let entries = mapping.entries().ok_or_else(|| Fault::ty("argument after ** must be a mapping"))?;
            for (name, value) in entries {
                let name = name.as_str().cloned().ok_or_else(|| Fault::ty("keywords must be strings"))?;
                given.named.push((name, value));
            }
        }
        Ok(given)
    }

    /// The call of a `{% call %}` block, which passes the block as `caller`.
    pub(crate) fn call_with(&mut self, call: &Expr, caller: Option<Value>) -> Result<Value> {
        match &call.kind {
            Kind::Call(target, args) => {
                self.call_expr(target, args, caller).map_err(|fault| self.place(fault, call.at))
            }
            _ => self.expr(call),
        }
    }

    /// `get` of an object in JSON with a constant name, which is looked up in place. `None` if it is another call.
    fn member_of_json(&mut self, target: &Expr, args: &Args) -> Option<Result<Value>> {
        let Kind::Path(root, keys) = &target.kind else { return None };
        let (PathKey::Attr(method), keys) = keys.split_last()? else { return None };
        let (Kind::Const(Const::Str(name)), otherwise) = (&args.positional.first()?.kind, args.positional.get(1))
        else {
            return None;
        };
        let is_plain =
            args.named.is_empty() && args.star.is_none() && args.double_star.is_none() && args.positional.len() < 3;
        if &**method != "get" || !is_plain || self.is_made(root) {
            return None;
        }
        let Some(Variable::Json(json)) = self.scope.get(root) else { return None };
        let (Ok(object), []) = in_json(json, keys) else { return None };
        if !object.is_object() {
            return None;
        }
        // Python evaluates the default whether it is needed or not.
        let otherwise = match otherwise.map(|otherwise| self.expr(otherwise)).transpose() {
            Ok(otherwise) => otherwise.unwrap_or(Value::None),
            Err(fault) => return Some(Err(fault)),
        };
        let value = object.member(name).map_or(otherwise, Json::to_value);
        Some(self.made(value))
    }

    fn call_expr(&mut self, target: &Expr, args: &Args, caller: Option<Value>) -> Result<Value> {
        if caller.is_none()
            && let Some(value) = self.member_of_json(target, args)
        {
            return value;
        }
        let callee = self.expr(target)?;
        let mut args = self.args(args)?;
        if let Some(caller) = caller {
            args.named.push(("caller".into(), caller));
        }
        let made = self.call(&callee, args)?;
        self.made(made)
    }

    pub(crate) fn call(&mut self, callee: &Value, args: CallArgs) -> Result<Value> {
        match callee {
            Value::Undefined(missing) => Err(compare::used(missing)),
            Value::Object(object) => match &object.0 {
                Object::Method(receiver, name) => methods::call(self, receiver, name, args),
                Object::Function(name) => macros::call(self, name, args),
                Object::Macro(definition) => {
                    let definition = definition.clone();
                    self.call_macro(&definition, args)
                }
                Object::Loop(state) => {
                    let (recursive, depth) = {
                        let state = state.borrow();
                        (state.recursive.clone(), state.depth)
                    };
                    let Some(definition) = recursive else {
                        return Err(Fault::ty("The loop must have the 'recursive' marker to be called recursively."));
                    };
                    let [items] = args.bind("loop", ["iterable"], 1)?;
                    self.recurse(&definition, &items.unwrap_or(Value::None), depth)
                }
                Object::Joiner(separator, used) => {
                    let again = used.replace(true);
                    Ok(if again { separator.clone() } else { Value::str("") })
                }
                _ => Err(not_callable(callee)),
            },
            _ => Err(not_callable(callee)),
        }
    }
}

/// Whether an expression is known before the evaluation.
pub(crate) fn is_constant(expr: &Expr) -> bool {
    !matches!(expr.kind, Kind::Name(_) | Kind::Path(..) | Kind::Call(..))
        && expr.kind.children().into_iter().all(is_constant)
}

fn not_callable(value: &Value) -> Box<Fault> {
    Fault::ty(format!("'{}' object is not callable", value.type_name()))
}

/// Follows keys through JSON as far as they are members and items. Returns the value and the remaining keys; a missing
/// member is named.
fn in_json<'a, 'k>(json: Json<'a>, keys: &'k [PathKey]) -> (std::result::Result<Json<'a>, &'k str>, &'k [PathKey]) {
    let mut json = json;
    for (at, key) in keys.iter().enumerate() {
        let (next, name) = match key {
            PathKey::Attr(name) if methods::is_dict_attribute(name) => return (Ok(json), &keys[at..]),
            PathKey::Attr(name) => (json.member(name), Some(name)),
            PathKey::Item(name) => (json.member(name), Some(name).filter(|name| !methods::is_dict_attribute(name))),
            PathKey::Index(index) => (if json.is_array() { json.item(*index) } else { None }, None),
        };
        match (next, name) {
            (Some(next), _) => json = next,
            (None, Some(name)) if json.is_object() => return (Err(name), &keys[at + 1..]),
            (None, _) => return (Ok(json), &keys[at..]),
        }
    }
    (Ok(json), &[])
}

pub(crate) fn holds(comparison: Comparison, left: &Value, right: &Value) -> Result<bool> {
    let ordered = |sign: &str, holds: fn(Ordering) -> bool| {
        compare::order(left, right, sign).map(|order| order.is_some_and(holds))
    };
    match comparison {
        Comparison::Eq => compare::equal(left, right),
        Comparison::Ne => compare::equal(left, right).map(|equal| !equal),
        Comparison::Lt => ordered("<", Ordering::is_lt),
        Comparison::Le => ordered("<=", Ordering::is_le),
        Comparison::Gt => ordered(">", Ordering::is_gt),
        Comparison::Ge => ordered(">=", Ordering::is_ge),
        Comparison::In => compare::contains(right, left),
        Comparison::NotIn => compare::contains(right, left).map(|contains| !contains),
    }
}

impl Const {
    fn to_value(&self) -> Value {
        match self {
            Self::None => Value::None,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Big(value) => Value::big(value.clone()),
            Self::Float(value) => Value::Float(*value),
            Self::Str(text) => Value::Str(text.clone()),
        }
    }
}
