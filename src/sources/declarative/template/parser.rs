//! Parses Jinja's statements. `parser_expr` has the expressions.

use std::sync::Arc;

use super::ast::{Stmt, Target};
use super::error::{Fault, FaultKind, Result};
use super::lexer::{Placed, Token, position, syntax, tokens};

/// How deep expressions and blocks may be nested.
pub(crate) const MAX_DEPTH: u16 = 200;

pub(crate) struct Parser<'s> {
    pub(crate) source: &'s str,
    tokens: Vec<Placed>,
    pub(super) next: usize,
    blocks: u16,
    /// Open expressions, so that recursion ends before the stack does.
    pub(crate) open: u16,
    pub(super) block_names: Vec<String>,
}

/// Parses a normalized source.
pub(crate) fn parse(source: &str) -> Result<Vec<Stmt>> {
    let mut parser = Parser { source, tokens: tokens(source)?, next: 0, blocks: 0, open: 0, block_names: Vec::new() };
    let body = parser.body(&[]).map_err(|fault| parser.place(fault))?;
    Ok(body)
}

impl Parser<'_> {
    fn place(&self, fault: Box<Fault>) -> Box<Fault> {
        let (line, column) = position(self.source, self.at());
        fault.at(line, column)
    }

    pub(crate) fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.source.len(), |placed| placed.at)
    }

    pub(crate) fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |placed| &placed.token)
    }

    pub(crate) fn look(&self) -> &Token {
        self.tokens.get(self.next + 1).map_or(&Token::End, |placed| &placed.token)
    }

    pub(crate) fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    pub(crate) fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(found) if *found == op)
    }

    pub(crate) fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Token::Name(found) if found == name)
    }

    pub(crate) fn skip_op(&mut self, op: &str) -> bool {
        let is = self.is_op(op);
        self.next += usize::from(is);
        is
    }

    pub(crate) fn skip_name(&mut self, name: &str) -> bool {
        let is = self.is_name(name);
        self.next += usize::from(is);
        is
    }

    pub(crate) fn unexpected(&self, expected: &str) -> Box<Fault> {
        syntax(format!("expected {expected}, got {}", self.peek().describe()))
    }

    pub(crate) fn expect_op(&mut self, op: &str) -> Result<()> {
        if self.skip_op(op) { Ok(()) } else { Err(self.unexpected(&format!("token '{op}'"))) }
    }

    pub(crate) fn expect_name(&mut self) -> Result<Arc<str>> {
        match self.peek() {
            Token::Name(name) => {
                let name = name.as_str().into();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// The end of a tag.
    pub(super) fn block_end(&mut self) -> Result<()> {
        if self.peek() == &Token::BlockEnd {
            self.next += 1;
            return Ok(());
        }
        Err(self.unexpected("end of statement block"))
    }

    /// Statements up to a tag of one of these names, which is not consumed. Without names, up to the end.
    pub(super) fn body(&mut self, ends: &[&str]) -> Result<Vec<Stmt>> {
        self.blocks += 1;
        if self.blocks > MAX_DEPTH / 2 {
            return Err(Fault::new(FaultKind::Limit, "RecursionError", "the tags are nested too deep"));
        }
        let mut body = Vec::new();
        loop {
            match self.peek() {
                Token::Data(text) => {
                    body.push(Stmt::Data(text.as_str().into()));
                    self.next += 1;
                }
                Token::VarBegin => {
                    self.next += 1;
                    let value = self.tuple(true, &[])?;
                    if self.peek() != &Token::VarEnd {
                        return Err(self.unexpected("token 'end of print statement'"));
                    }
                    self.next += 1;
                    body.push(Stmt::Print(value));
                }
                Token::BlockBegin => {
                    self.next += 1;
                    if let Token::Name(name) = self.peek()
                        && ends.contains(&name.as_str())
                    {
                        break;
                    }
                    body.push(self.statement()?);
                }
                Token::End if ends.is_empty() => break,
                Token::End => {
                    return Err(syntax(format!(
                        "Unexpected end of template. Jinja was looking for the following tags: '{}'.",
                        ends.join("' or '")
                    )));
                }
                _ => return Err(self.unexpected("a tag or text")),
            }
        }
        self.blocks -= 1;
        Ok(body)
    }

    /// A body with the tag that ends it.
    pub(super) fn body_to(&mut self, end: &str) -> Result<Vec<Stmt>> {
        let body = self.body(&[end])?;
        self.next += 1;
        self.block_end()?;
        Ok(body)
    }

    fn statement(&mut self) -> Result<Stmt> {
        let Token::Name(tag) = self.peek().clone() else { return Err(syntax("tag name expected")) };
        self.next += 1;
        match tag.as_str() {
            "if" => self.if_statement(),
            "for" => self.for_statement(),
            "set" => self.set_statement(),
            "with" => {
                let mut bound = Vec::new();
                while self.peek() != &Token::BlockEnd {
                    if !bound.is_empty() {
                        self.expect_op(",")?;
                    }
                    let target = self.target(false)?;
                    self.expect_op("=")?;
                    bound.push((target, self.expression()?));
                }
                self.block_end()?;
                Ok(Stmt::With(bound, self.body_to("endwith")?))
            }
            "macro" => {
                let name = self.expect_name()?;
                self.macro_rest(name, "endmacro").map(Stmt::Macro)
            }
            "call" => self.call_block(),
            "filter" => {
                let filter = self.filters(None, true)?;
                self.block_end()?;
                Ok(Stmt::FilterBlock(filter, self.body_to("endfilter")?))
            }
            "autoescape" => {
                let value = self.expression()?;
                self.block_end()?;
                Ok(Stmt::Autoescape(value, self.body_to("endautoescape")?))
            }
            "block" => self.block_statement(),
            "print" => {
                // Several values are printed one after the other.
                let mut values = Vec::new();
                while self.peek() != &Token::BlockEnd {
                    if !values.is_empty() {
                        self.expect_op(",")?;
                    }
                    values.push(Stmt::Print(self.expression()?));
                }
                self.block_end()?;
                Ok(Stmt::Group(values))
            }
            "include" | "import" | "extends" | "from" => self.no_loader(&tag),
            other => Err(syntax(format!("Encountered unknown tag '{other}'."))),
        }
    }

    /// The target of an assignment: a name, `namespace.name`, or several.
    pub(super) fn target(&mut self, with_tuple: bool) -> Result<Target> {
        if with_tuple && matches!((self.peek(), self.look()), (Token::Name(_), Token::Op("."))) {
            let name = self.expect_name()?;
            self.next += 1;
            return Ok(Target::Attr(name, self.expect_name()?));
        }
        let first = self.single_target()?;
        if !with_tuple || !self.is_op(",") {
            return Ok(first);
        }
        let mut targets = vec![first];
        while self.skip_op(",") {
            if self.is_name("in") || self.is_op("=") || self.peek() == &Token::BlockEnd {
                break;
            }
            targets.push(self.single_target()?);
        }
        Ok(Target::Tuple(targets))
    }

    fn single_target(&mut self) -> Result<Target> {
        if self.skip_op("(") || self.skip_op("[") {
            self.open += 1;
            if self.open > MAX_DEPTH {
                return Err(Fault::limit("the template is nested too deep"));
            }
            let mut targets = vec![self.single_target()?];
            while self.skip_op(",") {
                if self.is_op(")") || self.is_op("]") {
                    break;
                }
                targets.push(self.single_target()?);
            }
            self.open -= 1;
            if !(self.skip_op(")") || self.skip_op("]")) {
                return Err(self.unexpected("')'"));
            }
            return Ok(Target::Tuple(targets));
        }
        let name = self.expect_name()?;
        if ["true", "false", "none", "True", "False", "None"].contains(&&*name) {
            return Err(syntax("can't assign to a constant"));
        }
        Ok(Target::Name(name))
    }
}
