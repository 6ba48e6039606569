//! Jinja's expressions, with its precedences: unary minus binds closer than `**`, filters and tests closer than both.

use num_traits::ToPrimitive;

use super::arith::Op;
use super::ast::{Comparison, Const, Expr, Kind};
use super::error::{Fault, FaultKind, Result};
use super::lexer::{Token, syntax};
use super::parser::{MAX_DEPTH, Parser};

impl Parser<'_> {
    pub(crate) fn node(at: usize, kind: Kind) -> Result<Expr> {
        let depth = 1 + kind.children().iter().map(|child| child.depth).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return Err(Fault::new(FaultKind::Limit, "RecursionError", "an expression is nested too deep"));
        }
        Ok(Expr { kind, at: at as u32, depth })
    }

    /// `a if b else c`
    pub(crate) fn expression(&mut self) -> Result<Expr> {
        self.open += 1;
        if self.open > MAX_DEPTH {
            return Err(Fault::new(FaultKind::Limit, "RecursionError", "an expression is nested too deep"));
        }
        let at = self.at();
        let mut value = self.or()?;
        while self.skip_name("if") {
            let test = self.or()?;
            let otherwise = if self.skip_name("else") { Some(Box::new(self.expression()?)) } else { None };
            value = Self::node(at, Kind::Conditional { test: test.into(), then: value.into(), otherwise })?;
        }
        self.open -= 1;
        Ok(value)
    }

    fn or(&mut self) -> Result<Expr> {
        let at = self.at();
        let mut left = self.and()?;
        while self.skip_name("or") {
            let right = self.and()?;
            left = Self::node(at, Kind::Or(left.into(), right.into()))?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let at = self.at();
        let mut left = self.not()?;
        while self.skip_name("and") {
            let right = self.not()?;
            left = Self::node(at, Kind::And(left.into(), right.into()))?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr> {
        let at = self.at();
        if !self.skip_name("not") {
            return self.comparison();
        }
        self.open += 1;
        if self.open > MAX_DEPTH {
            return Err(Fault::new(FaultKind::Limit, "RecursionError", "an expression is nested too deep"));
        }
        let inner = self.not()?;
        self.open -= 1;
        Self::node(at, Kind::Not(inner.into()))
    }

    fn comparison(&mut self) -> Result<Expr> {
        let at = self.at();
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let comparison = match self.peek() {
                Token::Op("==") => Comparison::Eq,
                Token::Op("!=") => Comparison::Ne,
                Token::Op("<") => Comparison::Lt,
                Token::Op("<=") => Comparison::Le,
                Token::Op(">") => Comparison::Gt,
                Token::Op(">=") => Comparison::Ge,
                Token::Name(name) if name == "in" => Comparison::In,
                Token::Name(name) if name == "not" && matches!(self.look(), Token::Name(next) if next == "in") => {
                    self.advance();
                    Comparison::NotIn
                }
                _ => break,
            };
            self.advance();
            rest.push((comparison, self.sum()?));
        }
        if rest.is_empty() { Ok(first) } else { Self::node(at, Kind::Compare(first.into(), rest)) }
    }

    fn sum(&mut self) -> Result<Expr> {
        let at = self.at();
        let mut left = self.concat()?;
        loop {
            let op = match self.peek() {
                Token::Op("+") => Op::Add,
                Token::Op("-") => Op::Sub,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.concat()?;
            left = Self::node(at, Kind::Binary(op, left.into(), right.into()))?;
        }
    }

    fn concat(&mut self) -> Result<Expr> {
        let at = self.at();
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        Self::node(at, Kind::Concat(parts))
    }

    fn product(&mut self) -> Result<Expr> {
        let at = self.at();
        let mut left = self.power()?;
        loop {
            let op = match self.peek() {
                Token::Op("*") => Op::Mul,
                Token::Op("/") => Op::Div,
                Token::Op("//") => Op::FloorDiv,
                Token::Op("%") => Op::Mod,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.power()?;
            left = Self::node(at, Kind::Binary(op, left.into(), right.into()))?;
        }
    }

    fn power(&mut self) -> Result<Expr> {
        let at = self.at();
        let mut left = self.unary(true)?;
        while self.skip_op("**") {
            let right = self.unary(true)?;
            left = Self::node(at, Kind::Binary(Op::Pow, left.into(), right.into()))?;
        }
        Ok(left)
    }

    fn unary(&mut self, with_filter: bool) -> Result<Expr> {
        let at = self.at();
        self.open += 1;
        if self.open > MAX_DEPTH {
            return Err(Fault::new(FaultKind::Limit, "RecursionError", "an expression is nested too deep"));
        }
        let value = if self.skip_op("-") {
            let inner = self.unary(false)?;
            Self::node(at, Kind::Neg(inner.into()))?
        } else if self.skip_op("+") {
            let inner = self.unary(false)?;
            Self::node(at, Kind::Pos(inner.into()))?
        } else {
            self.primary()?
        };
        self.open -= 1;
        let value = self.postfix(value)?;
        if with_filter { self.filters(Some(value), false) } else { Ok(value) }
    }

    pub(super) fn primary(&mut self) -> Result<Expr> {
        let at = self.at();
        let kind = match self.peek().clone() {
            Token::Name(name) => {
                self.advance();
                match name.as_str() {
                    "true" | "True" => Kind::Const(Const::Bool(true)),
                    "false" | "False" => Kind::Const(Const::Bool(false)),
                    "none" | "None" => Kind::Const(Const::None),
                    _ => Kind::Name(name.into()),
                }
            }
            Token::Str(mut text) => {
                self.advance();
                while let Token::Str(more) = self.peek() {
                    text.push_str(more);
                    self.advance();
                }
                Kind::Const(Const::Str(text.into()))
            }
            Token::Int(value) => {
                self.advance();
                Kind::Const(value.to_i64().map_or_else(|| Const::Big(value), Const::Int))
            }
            Token::Float(value) => {
                self.advance();
                Kind::Const(Const::Float(value))
            }
            Token::Op("(") => {
                self.advance();
                let value = self.parenthesised()?;
                self.expect_op(")")?;
                return Ok(value);
            }
            Token::Op("[") => {
                self.advance();
                let mut items = Vec::new();
                while !self.is_op("]") {
                    if !items.is_empty() {
                        self.expect_op(",")?;
                        if self.is_op("]") {
                            break;
                        }
                    }
                    items.push(self.expression()?);
                }
                self.advance();
                Kind::List(items)
            }
            Token::Op("{") => {
                self.advance();
                let mut entries = Vec::new();
                while !self.is_op("}") {
                    if !entries.is_empty() {
                        self.expect_op(",")?;
                        if self.is_op("}") {
                            break;
                        }
                    }
                    let key = self.expression()?;
                    self.expect_op(":")?;
                    entries.push((key, self.expression()?));
                }
                self.advance();
                Kind::Dict(entries)
            }
            other => return Err(syntax(format!("unexpected {}", other.describe()))),
        };
        Self::node(at, kind)
    }

    /// One expression or several with commas between them, which are a tuple. Without a conditional, an `if` ends it.
    pub(crate) fn tuple(&mut self, with_conditional: bool, ends: &[&str]) -> Result<Expr> {
        let ended = |parser: &Self| match parser.peek() {
            Token::VarEnd | Token::BlockEnd | Token::Op(")") => true,
            Token::Name(name) => ends.contains(&name.as_str()),
            _ => false,
        };
        let at = self.at();
        let (mut items, mut tuple) = (Vec::new(), false);
        loop {
            if !items.is_empty() {
                if !self.skip_op(",") {
                    break;
                }
                tuple = true;
            }
            if ended(self) {
                break;
            }
            items.push(if with_conditional { self.expression()? } else { self.or()? });
        }
        match items.pop() {
            None => Err(syntax(format!("Expected an expression, got {}", self.peek().describe()))),
            Some(only) if !tuple => Ok(only),
            Some(last) => {
                items.push(last);
                Self::node(at, Kind::Tuple(items))
            }
        }
    }

    /// The content of parentheses: an empty one is an empty tuple.
    fn parenthesised(&mut self) -> Result<Expr> {
        if self.is_op(")") {
            return Self::node(self.at(), Kind::Tuple(Vec::new()));
        }
        self.tuple(true, &[])
    }
}
