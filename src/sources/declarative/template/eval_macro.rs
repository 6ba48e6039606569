//! Calls of macros and of recursive loops.

use std::sync::Arc;

use super::args::CallArgs;
use super::ast::{ForDef, MacroDef};
use super::error::{Fault, Result};
use super::eval::{Eval, Frame};
use super::value::{Dict, Value};

impl Eval<'_> {
    /// `loop(items)` in a recursive loop.
    pub(crate) fn recurse(&mut self, definition: &Arc<ForDef>, items: &Value, depth: usize) -> Result<Value> {
        let mut text = String::new();
        let items = items.iterate()?;
        self.for_loop(definition, items, depth + 1, &mut text)?;
        Ok(Value::str(text))
    }

    /// Calls a macro. It sees its arguments and the top-level variables of the template.
    pub(crate) fn call_macro(&mut self, definition: &MacroDef, args: CallArgs) -> Result<Value> {
        let mut frame: Frame = Vec::new();
        let CallArgs { mut positional, mut named } = args;
        let extra = positional.split_off(positional.len().min(definition.params.len()));
        let first_default = definition.params.len() - definition.defaults.len();
        let given = positional.len();
        let mut positional = positional.into_iter();
        let mut waiting = Vec::new();
        for (at, name) in definition.params.iter().enumerate() {
            let by_name = named.iter().position(|(known, _)| known == name).map(|found| named.remove(found).1);
            if at < given && by_name.is_some() {
                return Err(Fault::ty(format!("macro '{}' got multiple values for '{name}'", definition.name)));
            }
            match positional.next().or(by_name) {
                Some(value) => frame.push((name.clone(), value)),
                None if at >= first_default => waiting.push((name, &definition.defaults[at - first_default])),
                None => {
                    frame.push((name.clone(), Value::undefined(format!("parameter '{name}' was not provided"))));
                }
            }
        }
        let [takes_varargs, takes_kwargs, takes_caller] = definition.takes;
        let caller = named.iter().position(|(name, _)| &**name == "caller").map(|at| named.remove(at).1);
        if takes_caller {
            let none = || Value::undefined("No caller defined");
            frame.push(("caller".into(), caller.filter(|caller| !matches!(caller, Value::None)).unwrap_or_else(none)));
        } else if caller.is_some() {
            return Err(Fault::ty(format!(
                "macro '{}' was invoked with a call block it does not use",
                definition.name
            )));
        }
        if takes_kwargs {
            let mut dict = Dict::default();
            for (name, value) in named.drain(..) {
                dict.insert_str(&name, value);
            }
            frame.push(("kwargs".into(), Value::dict(dict)));
        } else if let Some((name, _)) = named.first() {
            return Err(Fault::ty(format!("macro '{}' takes no keyword argument '{name}'", definition.name)));
        }
        if takes_varargs {
            frame.push(("varargs".into(), Value::tuple(extra)));
        } else if !extra.is_empty() {
            let most = definition.params.len();
            return Err(Fault::ty(format!("macro '{}' takes not more than {most} argument(s)", definition.name)));
        }
        self.enter()?;
        let hidden = self.frames.split_off(1);
        self.frames.push(frame);
        let mut text = String::new();
        let mut done = Ok(());
        for (name, default) in waiting {
            match self.expr(default) {
                Ok(value) => self.bind(name, value),
                Err(fault) => {
                    done = Err(fault);
                    break;
                }
            }
        }
        let done = done.and_then(|()| self.run(&definition.body, &mut text));
        self.frames.truncate(1);
        self.frames.extend(hidden);
        self.leave();
        done?;
        Ok(if self.autoescape { Value::Markup(text.into()) } else { Value::str(text) })
    }
}
