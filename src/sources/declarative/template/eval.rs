//! Evaluates the statements of a template. `eval_expr` has the expressions.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::ast::{Expr, ForDef, Stmt, Target};
use super::compare::used;
use super::error::{Fault, Result};
use super::eval_expr::is_constant;
use super::filters::escape::escape_value;
use super::lexer::position;
use super::scope::Scope;
use super::text::{self, MAX_TEXT};
use super::value::{Body, LoopState, Object, Value};

/// Steps of one evaluation: each expression, statement or item is one; so are 64 copied bytes.
const MAX_STEPS: u64 = 2_000_000;
/// The deepest nesting of calls and blocks.
const MAX_NESTED: u16 = 400;

pub(super) type Frame = Vec<(Arc<str>, Value)>;

pub(crate) struct Eval<'a> {
    pub(crate) source: &'a str,
    pub(crate) scope: &'a Scope<'a>,
    pub(super) frames: Vec<Frame>,
    /// Variables of the scope that were converted to values.
    pub(crate) made: Frame,
    steps: u64,
    nested: u16,
    pub(crate) autoescape: bool,
    /// The output of a filter block, while its filters run.
    pub(crate) block_text: Option<Value>,
    loops: usize,
    /// The output is constant: Jinja computes it beforehand, where slicing a value without items gives a missing value.
    pub(crate) folding: bool,
}

impl<'a> Eval<'a> {
    pub(crate) fn new(source: &'a str, scope: &'a Scope<'a>) -> Self {
        Self {
            source,
            scope,
            frames: vec![Vec::new()],
            made: Vec::new(),
            steps: 0,
            nested: 0,
            autoescape: false,
            block_text: None,
            loops: 0,
            folding: false,
        }
    }

    /// Counts work, so that no template runs forever.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<()> {
        self.steps += steps;
        if self.steps > MAX_STEPS {
            return Err(Fault::limit("the template takes too many steps"));
        }
        Ok(())
    }

    /// Counts a text or list that was created.
    pub(crate) fn spend_size(&mut self, value: &Value) -> Result<()> {
        let size = match value {
            Value::Str(text) | Value::Markup(text) => text.len() / 64,
            Value::List(items) => items.0.borrow().len() / 4,
            Value::Tuple(items) => items.0.len() / 4,
            _ => 0,
        };
        self.spend(size as u64)
    }

    pub(crate) fn enter(&mut self) -> Result<()> {
        self.nested += 1;
        if self.nested > MAX_NESTED {
            return Err(Fault::limit("the template calls itself too deep"));
        }
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.nested -= 1;
    }

    pub(crate) fn local(&self, name: &str) -> Option<&Value> {
        let in_frame = |frame: &'_ Frame| frame.iter().rposition(|(known, _)| &**known == name);
        self.frames.iter().rev().find_map(|frame| in_frame(frame).map(|at| &frame[at].1))
    }

    pub(super) fn bind(&mut self, name: &Arc<str>, value: Value) {
        if let Some(frame) = self.frames.last_mut() {
            match frame.iter_mut().find(|(known, _)| known == name) {
                Some(entry) => entry.1 = value,
                None => frame.push((name.clone(), value)),
            }
        }
    }

    /// Sets the place of a fault.
    pub(crate) fn place(&self, fault: Box<Fault>, at: u32) -> Box<Fault> {
        if fault.line > 0 {
            return fault;
        }
        let (line, column) = position(self.source, at as usize);
        fault.at(line, column)
    }

    pub(crate) fn run(&mut self, body: &[Stmt], out: &mut String) -> Result<()> {
        for statement in body {
            self.statement(statement, out)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Stmt, out: &mut String) -> Result<()> {
        self.spend(1)?;
        match statement {
            Stmt::Data(text) => self.write(out, text),
            Stmt::Print(value) => {
                let printed = self.printed(value)?;
                self.print(&printed, out).map_err(|fault| self.place(fault, value.at))
            }
            Stmt::Group(body) => self.run(body, out),
            Stmt::If(branches, otherwise) => {
                for (test, body) in branches {
                    if self.expr(test)?.truth() {
                        return self.run(body, out);
                    }
                }
                self.run(otherwise, out)
            }
            Stmt::For(definition) => {
                let items = self.expr(&definition.iter)?;
                let items = items.iterate().map_err(|fault| self.place(fault, definition.iter.at))?;
                self.for_loop(definition, items, 1, out)
            }
            Stmt::Set(target, value) => {
                let bound = self.expr(value)?;
                self.assign(target, bound).map_err(|fault| self.place(fault, value.at))
            }
            Stmt::SetBlock(target, filter, body) => {
                let mut value = self.captured(body)?;
                if let Some(filter) = filter {
                    value = self.filtered(filter, value)?;
                }
                self.assign(target, value)
            }
            Stmt::With(bound, body) => {
                let values = bound.iter().map(|(_, value)| self.expr(value)).collect::<Result<Vec<_>>>()?;
                self.in_frame(|eval| {
                    for ((target, _), value) in bound.iter().zip(values) {
                        eval.assign(target, value)?;
                    }
                    eval.run(body, out)
                })
            }
            Stmt::Macro(definition) => {
                self.bind(&definition.name, Value::object(Object::Macro(definition.clone())));
                Ok(())
            }
            Stmt::CallBlock(call, definition) => {
                let caller = Value::object(Object::Macro(definition.clone()));
                let printed = self.call_with(call, Some(caller))?;
                self.print(&printed, out)
            }
            Stmt::FilterBlock(filter, body) => {
                let text = self.captured(body)?;
                let printed = self.filtered(filter, text)?;
                self.print(&printed, out)
            }
            Stmt::Autoescape(value, body) => {
                let on = self.expr(value)?.truth();
                let before = std::mem::replace(&mut self.autoescape, on);
                let done = self.in_frame(|eval| eval.run(body, out));
                self.autoescape = before;
                done
            }
            Stmt::Block(body) => self.in_frame(|eval| eval.run(body, out)),
            Stmt::NoLoader(tag, name, _) => {
                self.expr(name)?;
                Err(self.place(Fault::ty(format!("'{tag}' needs another template, and a manifest has none")), name.at))
            }
        }
    }

    /// The value that `{{ }}` prints.
    pub(super) fn printed(&mut self, value: &Expr) -> Result<Value> {
        if !is_constant(value) {
            return self.expr(value);
        }
        self.folding = true;
        let folded = self.expr(value);
        self.folding = false;
        folded.or_else(|_| self.expr(value))
    }

    fn in_frame<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.enter()?;
        self.frames.push(Vec::new());
        let done = run(self);
        self.frames.pop();
        self.leave();
        done
    }

    fn write(&mut self, out: &mut String, text: &str) -> Result<()> {
        if out.len() + text.len() > MAX_TEXT {
            return Err(Fault::too_large("the text gets too long"));
        }
        out.push_str(text);
        self.spend(text.len() as u64 / 64)
    }

    fn print(&mut self, value: &Value, out: &mut String) -> Result<()> {
        if self.autoescape {
            let text = escape_value(value)?;
            return self.write(out, &text);
        }
        match value.as_str() {
            Some(text) => self.write(out, text),
            None => {
                let before = out.len();
                text::write_str(out, value)?;
                self.spend((out.len() - before) as u64 / 64)
            }
        }
    }

    /// The output of a body, as a value.
    fn captured(&mut self, body: &[Stmt]) -> Result<Value> {
        let mut text = String::new();
        self.in_frame(|eval| eval.run(body, &mut text))?;
        Ok(if self.autoescape { Value::Markup(text.into()) } else { Value::str(text) })
    }

    fn filtered(&mut self, filter: &Expr, text: Value) -> Result<Value> {
        let before = self.block_text.replace(text);
        let done = self.expr(filter);
        self.block_text = before;
        done
    }

    fn assign(&mut self, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name) => self.bind(name, value),
            Target::Attr(name, attribute) => {
                let Some(namespace) = self.variable(name) else {
                    return Err(Fault::undefined(format!("'{name}' is undefined")));
                };
                match namespace.as_object() {
                    Some(Object::Namespace(names)) => names.borrow_mut().insert_str(attribute, value),
                    _ => {
                        let message = "cannot assign attribute on non-namespace object";
                        return Err(Fault::other("TemplateRuntimeError", message));
                    }
                }
            }
            Target::Tuple(targets) => {
                if let Value::Undefined(missing) = &value
                    && missing.unsafe_access
                {
                    return Err(used(missing));
                }
                let values = value.iterate()?;
                if values.len() != targets.len() {
                    let (found, expected) = (values.len(), targets.len());
                    return Err(Fault::value(match found < expected {
                        true => format!("not enough values to unpack (expected {expected}, got {found})"),
                        false => format!("too many values to unpack (expected {expected})"),
                    }));
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn for_loop(
        &mut self,
        definition: &Arc<ForDef>,
        items: Vec<Value>,
        depth: usize,
        out: &mut String,
    ) -> Result<()> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            self.spend(1)?;
            match &definition.test {
                None => kept.push(item),
                Some(test) => {
                    let passes = self.in_frame(|eval| {
                        eval.assign(&definition.target, item.clone())?;
                        Ok(eval.expr(test)?.truth())
                    })?;
                    if passes {
                        kept.push(item);
                    }
                }
            }
        }
        if kept.is_empty() {
            return self.in_frame(|eval| eval.run(&definition.otherwise, out));
        }
        let state = Rc::new(Body(Object::Loop(RefCell::new(LoopState {
            items: kept.clone(),
            index: 0,
            depth,
            last_changed: None,
            recursive: definition.recursive.then(|| definition.clone()),
        }))));
        self.loops += 1;
        let mut done = Ok(());
        for (index, item) in kept.into_iter().enumerate() {
            if let Object::Loop(state) = &state.0 {
                state.borrow_mut().index = index;
            }
            done = self.in_frame(|eval| {
                eval.spend(1)?;
                eval.bind(&"loop".into(), Value::Object(state.clone()));
                eval.assign(&definition.target, item)?;
                eval.run(&definition.body, out)
            });
            if done.is_err() {
                break;
            }
        }
        self.loops -= 1;
        done
    }
}
