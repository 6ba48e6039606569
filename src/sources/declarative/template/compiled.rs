//! A compiled template.

use std::sync::Arc;

use super::ast::{Expr, Kind, PathKey, Stmt};
use super::error::{Fault, FaultKind, Result};
use super::eval::Eval;
use super::lexer::{normalized, position};
use super::literal::{Literal, ValidType};
use super::scope::Scope;
use super::symbols::{Free, any_expr, free, nearest};
use super::{filters, macros, parser, tests};

/// A template that was parsed once and can be evaluated many times, by several threads.
#[derive(Debug)]
pub struct Template {
    text: String,
    source: String,
    body: Vec<Stmt>,
    free: Free,
    volatile: bool,
}

impl Template {
    /// Parses a template. A fault names line, column and problem: its syntax, an unknown filter or test, or
    /// `stream_state`, which templates no longer have.
    pub fn compile(text: &str) -> Result<Self> {
        if let Some(at) = text.find("stream_state") {
            let (line, column) = position(text, at);
            let message = "`stream_state` is no longer supported for interpolation: use `stream_interval`";
            return Err(Fault::new(FaultKind::Refused, "AirbyteTracedException", message).at(line, column));
        }
        let source = normalized(text);
        let body = parser::parse(&source).map_err(|fault| fault.in_source(&source))?;
        if let Some((fault, at)) = unknown_name(&body) {
            let (line, column) = position(&source, at as usize);
            return Err(fault.at(line, column).in_source(&source));
        }
        let free = free(&body);
        let volatile = any_expr(&body, &|expr: &Expr| match &expr.kind {
            Kind::Name(name) | Kind::Path(name, _) => macros::is_volatile(name),
            Kind::Filter { name, .. } => &**name == "random",
            // A text may name a filter.
            Kind::Const(super::ast::Const::Str(text)) => &**text == "random",
            _ => false,
        });
        Ok(Self { text: text.to_owned(), source, body, free, volatile })
    }

    /// The template as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing to evaluate.
    pub fn is_plain(&self) -> bool {
        self.body.iter().all(|statement| matches!(statement, Stmt::Data(_)))
    }

    /// The variables it needs from outside, each once. As in Python's analysis, unreachable ones count.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.free.iter().map(|(name, _)| &**name)
    }

    /// The settings of the config that it names, as `config['name']` or `config.name`, each once.
    pub fn settings(&self) -> Vec<Arc<str>> {
        let found = std::cell::RefCell::new(Vec::<Arc<str>>::new());
        any_expr(&self.body, &|expr: &Expr| {
            if let Kind::Path(variable, keys) = &expr.kind
                && &**variable == "config"
                && let Some(PathKey::Attr(name) | PathKey::Item(name)) = keys.first()
                && !found.borrow().contains(name)
            {
                found.borrow_mut().push(Arc::clone(name));
            }
            false
        });
        found.into_inner()
    }

    /// Whether it needs a variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.variables().any(|name| name == variable)
    }

    /// Whether it always gives the same for one config: it needs only `config` and `parameters`, neither the time nor
    /// chance. It can be evaluated once.
    pub fn is_constant(&self) -> bool {
        !self.volatile && self.variables().all(|name| matches!(name, "config" | "parameters"))
    }

    /// A fault for each variable that its place does not have, with the nearest existing name.
    pub fn undeclared(&self, known: &[&str]) -> Vec<Fault> {
        let unknown = self.free.iter().filter(|(name, _)| &**name != "self" && !known.contains(&&**name));
        unknown
            .map(|(name, at)| {
                let near =
                    nearest(name, known.iter().map(|name| &**name).chain(macros::names().map(|name| name as &str)));
                let near = near.map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
                let message = format!("there is no variable or function '{name}' here.{near}");
                let (line, column) = position(&self.source, *at as usize);
                *Fault::new(FaultKind::Undeclared, "ValueError", message).at(line, column).in_source(&self.source)
            })
            .collect()
    }

    /// Its output, before the literal step.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String> {
        if let Some((name, at)) = self.free.iter().find(|(name, _)| scope.get(name).is_none()) {
            let known: Vec<&str> = scope.names().collect();
            let fault = self.undeclared(&known).into_iter().next();
            let (line, column) = position(&self.source, *at as usize);
            return Err(fault.map_or_else(
                || {
                    let message = format!("there is no variable or function '{name}' here.");
                    Fault::new(FaultKind::Undeclared, "ValueError", message).at(line, column)
                },
                Box::new,
            ));
        }
        let mut out = String::new();
        match &self.body[..] {
            [Stmt::Data(text)] => out.push_str(text),
            body => {
                Eval::new(&self.source, scope).run(body, &mut out).map_err(|fault| fault.in_source(&self.source))?;
            }
        }
        Ok(out)
    }

    /// The reference's result: the rendered text as a literal of an allowed type (any without types), or the default's
    /// if it renders to nothing or uses a missing value.
    ///
    /// Python's `TypeError`, where the reference continues with the text of the template, is a fault.
    pub fn eval(&self, scope: &Scope<'_>, default: Option<&Self>, valid: &[ValidType]) -> Result<Literal> {
        for reserved in ["stream_interval", "stream_partition"] {
            if scope.given(reserved).is_some() {
                return Err(Fault::value(format!("Found reserved keyword {reserved} in interpolation context.")));
            }
        }
        match self.render(scope) {
            Ok(text) if !text.is_empty() => return Ok(Literal::of_text(text, valid)),
            Ok(_) => {}
            Err(fault) if fault.kind == FaultKind::Undefined => {}
            Err(fault) => return Err(fault),
        }
        match default {
            Some(default) => default.render(scope).map(|text| Literal::of_text(text, valid)),
            None => Ok(Literal::None),
        }
    }

    /// Its text without the literal step, for credentials, headers and page tokens. If it renders to nothing or uses a
    /// missing value, it gives the default's text, or nothing without one.
    pub fn eval_text(&self, scope: &Scope<'_>, default: Option<&Self>) -> Result<Option<String>> {
        match self.render(scope) {
            Ok(text) if !text.is_empty() => return Ok(Some(text)),
            Ok(_) => {}
            Err(fault) if fault.kind == FaultKind::Undefined => {}
            Err(fault) => return Err(fault),
        }
        default.map(|default| default.render(scope)).transpose()
    }

    /// As [`Template::eval`] with any type, but the text of a single expression stays that text: a `"1.10"` of a config
    /// is a version, not a number.
    pub fn eval_kept(&self, scope: &Scope<'_>, default: Option<&Self>) -> Result<Literal> {
        match self.one_text(scope)? {
            Some(text) => Ok(Literal::Str(text)),
            None => self.eval(scope, default, &[]),
        }
    }

    /// Its text, if it is one expression whose value is a text. Texts that the filter `string` has marked for the
    /// literal step do not count.
    fn one_text(&self, scope: &Scope<'_>) -> Result<Option<String>> {
        let [Stmt::Print(value)] = &self.body[..] else { return Ok(None) };
        if self.variables().any(|name| scope.get(name).is_none()) {
            return Ok(None);
        }
        match Eval::new(&self.source, scope).printed(value) {
            Ok(value) => {
                let text = value.as_str().filter(|text| !text.is_empty() && !text.starts_with("\"\"\""));
                Ok(text.map(ToString::to_string))
            }
            Err(fault) if fault.kind == FaultKind::Undefined => Ok(None),
            Err(fault) => Err(fault.in_source(&self.source)),
        }
    }

    /// Whether it is one expression and nothing around it, so that its text is the text of one value.
    pub fn is_one_expression(&self) -> bool {
        matches!(&self.body[..], [Stmt::Print(_)])
    }
}

/// The first unknown filter or test, and its place.
fn unknown_name(body: &[Stmt]) -> Option<(Box<Fault>, u32)> {
    let found = std::cell::RefCell::new(None);
    any_expr(body, &|expr: &Expr| {
        let fault = match &expr.kind {
            Kind::Filter { name, .. } if !filters::exists(name) => unknown("filter", name, filters::names()),
            Kind::Test { name, .. } if !tests::exists(name) => unknown("test", name, tests::names()),
            _ => return false,
        };
        found.replace(Some((fault, expr.at)));
        true
    });
    found.into_inner()
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Box<Fault> {
    let near = nearest(name, known).map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
    Fault::new(FaultKind::Syntax, "TemplateAssertionError", format!("No {what} named '{name}'.{near}"))
}
