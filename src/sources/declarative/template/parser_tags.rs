//! Parses the tags that consist of more than an expression.

use std::sync::Arc;

use super::ast::{ForDef, Kind, MacroDef, Stmt};
use super::error::{Fault, FaultKind, Result};
use super::lexer::{Token, syntax};
use super::parser::Parser;

impl Parser<'_> {
    pub(super) fn if_statement(&mut self) -> Result<Stmt> {
        let mut branches = Vec::new();
        loop {
            let test = self.tuple(false, &[])?;
            self.block_end()?;
            branches.push((test, self.body(&["elif", "else", "endif"])?));
            let tag = self.expect_name()?;
            match &*tag {
                "elif" => {}
                "else" => {
                    self.block_end()?;
                    return Ok(Stmt::If(branches, self.body_to("endif")?));
                }
                _ => {
                    self.block_end()?;
                    return Ok(Stmt::If(branches, Vec::new()));
                }
            }
        }
    }

    pub(super) fn for_statement(&mut self) -> Result<Stmt> {
        let target = self.target(true)?;
        if !self.skip_name("in") {
            return Err(self.unexpected("'in'"));
        }
        let iter = self.tuple(false, &["recursive"])?;
        let test = if self.skip_name("if") { Some(self.expression()?) } else { None };
        let recursive = self.skip_name("recursive");
        self.block_end()?;
        let body = self.body(&["endfor", "else"])?;
        let mut otherwise = Vec::new();
        if &*self.expect_name()? == "else" {
            self.block_end()?;
            otherwise = self.body_to("endfor")?;
        } else {
            self.block_end()?;
        }
        Ok(Stmt::For(Arc::new(ForDef { target, iter, test, body, otherwise, recursive })))
    }

    pub(super) fn set_statement(&mut self) -> Result<Stmt> {
        let target = self.target(true)?;
        if self.skip_op("=") {
            let value = self.tuple(true, &[])?;
            self.block_end()?;
            return Ok(Stmt::Set(target, value));
        }
        let filter = if self.is_op("|") { Some(self.filters(None, false)?) } else { None };
        self.block_end()?;
        Ok(Stmt::SetBlock(target, filter, self.body_to("endset")?))
    }

    pub(super) fn block_statement(&mut self) -> Result<Stmt> {
        let name = self.expect_name()?;
        if self.is_op("-") {
            return Err(syntax("Block names in Jinja have to be valid Python identifiers and may not contain hyphens"));
        }
        if self.block_names.iter().any(|known| **known == *name) {
            let message = format!("block '{name}' defined twice");
            return Err(Fault::new(FaultKind::Syntax, "TemplateAssertionError", message));
        }
        self.block_names.push(name.to_string());
        self.skip_name("scoped");
        self.skip_name("required");
        self.block_end()?;
        let body = self.body(&["endblock"])?;
        self.next += 1;
        self.skip_name(&name);
        self.block_end()?;
        Ok(Stmt::Block(body))
    }

    /// `(a, b=1)` and the body of a macro.
    pub(super) fn macro_rest(&mut self, name: Arc<str>, end: &str) -> Result<Arc<MacroDef>> {
        let (mut params, mut defaults) = (Vec::new(), Vec::new());
        if end == "endmacro" || self.is_op("(") {
            self.expect_op("(")?;
            while !self.is_op(")") {
                if !params.is_empty() {
                    self.expect_op(",")?;
                }
                params.push(self.expect_name()?);
                if self.skip_op("=") {
                    defaults.push(self.expression()?);
                } else if !defaults.is_empty() {
                    return Err(syntax("non-default argument follows default argument"));
                }
            }
            self.next += 1;
        }
        if end == "endmacro" {
            self.block_end()?;
            let body = self.body_to(end)?;
            return Ok(Arc::new(MacroDef { takes: uses(&body), name, params, defaults, body }));
        }
        Ok(Arc::new(MacroDef { name, params, defaults, body: Vec::new(), takes: [false; 3] }))
    }

    pub(super) fn call_block(&mut self) -> Result<Stmt> {
        let signature = self.macro_rest("caller".into(), "endcall")?;
        let call = self.expression()?;
        if !matches!(call.kind, Kind::Call(..)) {
            return Err(syntax("expected call"));
        }
        self.block_end()?;
        let body = self.body_to("endcall")?;
        let definition = MacroDef {
            name: signature.name.clone(),
            params: signature.params.clone(),
            defaults: signature.defaults.clone(),
            takes: uses(&body),
            body,
        };
        Ok(Stmt::CallBlock(call, Arc::new(definition)))
    }

    /// Tags that need other templates. Their names are parsed, but there are none to load.
    pub(super) fn no_loader(&mut self, tag: &str) -> Result<Stmt> {
        let known = ["include", "import", "extends", "from"];
        let tag = known.into_iter().find(|known| *known == tag).unwrap_or("include");
        let name = self.expression()?;
        // The rest has no values, except names that an import would bind.
        let mut bound = Vec::new();
        while !matches!(self.peek(), Token::BlockEnd | Token::End) {
            if let Token::Name(name) = self.advance() {
                bound.push(name.into());
            }
        }
        self.block_end()?;
        Ok(Stmt::NoLoader(tag, name, bound))
    }
}

/// Whether a macro's body uses `varargs`, `kwargs` and `caller`.
fn uses(body: &[Stmt]) -> [bool; 3] {
    let found = super::symbols::free_names(body);
    ["varargs", "kwargs", "caller"].map(|name| found.iter().any(|free| &**free == name))
}
