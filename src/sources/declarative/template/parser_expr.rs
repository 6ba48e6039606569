//! Jinja's expressions, with its precedences: unary minus binds closer than `**`, filters and tests closer than both.

use std::sync::Arc;

use num_traits::ToPrimitive;

use super::arith::Op;
use super::ast::{Args, Comparison, Const, Expr, Kind, PathKey};
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

    fn primary(&mut self) -> Result<Expr> {
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

    /// What is in parentheses: nothing is an empty tuple.
    fn parenthesised(&mut self) -> Result<Expr> {
        if self.is_op(")") {
            return Self::node(self.at(), Kind::Tuple(Vec::new()));
        }
        self.tuple(true, &[])
    }

    fn postfix(&mut self, mut value: Expr) -> Result<Expr> {
        loop {
            value = match self.peek() {
                Token::Op(".") => self.attribute(value)?,
                Token::Op("[") => self.subscript(value)?,
                Token::Op("(") => self.call(value)?,
                _ => return Ok(value),
            };
        }
    }

    fn call(&mut self, target: Expr) -> Result<Expr> {
        let at = target.at as usize;
        let args = self.args()?;
        Self::node(at, Kind::Call(target.into(), args))
    }

    fn keyed(of: Expr, key: PathKey) -> Result<Expr> {
        let at = of.at as usize;
        let kind = match of.kind {
            Kind::Name(root) => Kind::Path(root, vec![key]),
            Kind::Path(root, mut keys) if keys.len() < MAX_DEPTH as usize => {
                keys.push(key);
                Kind::Path(root, keys)
            }
            kind => {
                let of = Box::new(Expr { kind, ..of });
                match key {
                    PathKey::Attr(name) => Kind::Attr(of, name),
                    PathKey::Item(name) => Kind::Item(of, Self::node(at, Kind::Const(Const::Str(name)))?.into()),
                    PathKey::Index(index) => Kind::Item(of, Self::node(at, Kind::Const(Const::Int(index)))?.into()),
                }
            }
        };
        Self::node(at, kind)
    }

    fn attribute(&mut self, of: Expr) -> Result<Expr> {
        self.advance();
        match self.advance() {
            Token::Name(name) => Self::keyed(of, PathKey::Attr(name.into())),
            Token::Int(index) => match index.to_i64() {
                Some(index) => Self::keyed(of, PathKey::Index(index)),
                None => Err(syntax("an index is too large")),
            },
            _ => Err(syntax("expected name or number")),
        }
    }

    fn subscript(&mut self, of: Expr) -> Result<Expr> {
        let at = of.at as usize;
        self.advance();
        let mut keys = Vec::new();
        let mut slice = None;
        while !self.is_op("]") {
            if !keys.is_empty() || slice.is_some() {
                self.expect_op(",")?;
            }
            if slice.is_some() {
                return Err(syntax("a slice beside other keys"));
            }
            let start = if self.is_op(":") { None } else { Some(self.expression()?) };
            if !self.is_op(":") {
                keys.extend(start);
                continue;
            }
            let mut bounds = [start.map(Box::new), None, None];
            for bound in &mut bounds[1..] {
                if !self.skip_op(":") {
                    break;
                }
                if !(self.is_op(":") || self.is_op("]") || self.is_op(",")) {
                    *bound = Some(self.expression()?.into());
                }
            }
            slice = Some(bounds);
        }
        self.advance();
        if let Some(bounds) = slice {
            if !keys.is_empty() {
                return Err(syntax("a slice beside other keys"));
            }
            return Self::node(at, Kind::Slice { of: of.into(), bounds });
        }
        let key = if keys.len() == 1 { keys.pop() } else { None };
        match key {
            Some(Expr { kind: Kind::Const(Const::Str(name)), .. }) => Self::keyed(of, PathKey::Item(name)),
            Some(Expr { kind: Kind::Const(Const::Int(index)), .. }) => Self::keyed(of, PathKey::Index(index)),
            Some(Expr { kind: Kind::Neg(inner), at: minus, depth }) => match inner.kind {
                Kind::Const(Const::Int(index)) => Self::keyed(of, PathKey::Index(-index)),
                _ => {
                    let key = Expr { kind: Kind::Neg(inner), at: minus, depth };
                    Self::node(at, Kind::Item(of.into(), key.into()))
                }
            },
            Some(key) => Self::node(at, Kind::Item(of.into(), key.into())),
            None if keys.is_empty() => Err(syntax("expected subscript expression")),
            None => {
                let key = Self::node(at, Kind::Tuple(keys))?;
                Self::node(at, Kind::Item(of.into(), key.into()))
            }
        }
    }

    /// Filters, tests, and calls of what they give.
    pub(crate) fn filters(&mut self, value: Option<Expr>, named_first: bool) -> Result<Expr> {
        let mut value = value;
        let mut named_first = named_first;
        loop {
            let at = value.as_ref().map_or_else(|| self.at(), |value| value.at as usize);
            if named_first || self.is_op("|") {
                if !named_first {
                    self.advance();
                }
                named_first = false;
                let name = self.dotted_name()?;
                let args = if self.is_op("(") { self.args()? } else { Args::default() };
                value = Some(Self::node(at, Kind::Filter { of: value.map(Box::new), name, args })?);
                continue;
            }
            value = match value {
                Some(of) if self.is_name("is") => Some(self.test(of)?),
                Some(target) if self.is_op("(") => Some(self.call(target)?),
                Some(value) => return Ok(value),
                None => return Err(self.unexpected("a filter")),
            };
        }
    }

    fn dotted_name(&mut self) -> Result<Arc<str>> {
        let mut name = self.expect_name()?.to_string();
        while self.skip_op(".") {
            name = format!("{name}.{}", self.expect_name()?);
        }
        Ok(name.into())
    }

    fn test(&mut self, of: Expr) -> Result<Expr> {
        let at = of.at as usize;
        self.advance();
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let takes_operand = match self.peek() {
            Token::Name(next) => !["else", "or", "and"].contains(&next.as_str()),
            Token::Str(_) | Token::Int(_) | Token::Float(_) | Token::Op("[" | "{") => true,
            _ => false,
        };
        let args = if self.is_op("(") {
            self.args()?
        } else if takes_operand {
            if self.is_name("is") {
                return Err(syntax("You cannot chain multiple tests with is"));
            }
            let operand = self.primary()?;
            Args { positional: vec![self.postfix(operand)?], ..Args::default() }
        } else {
            Args::default()
        };
        let test = Self::node(at, Kind::Test { of: of.into(), name, args })?;
        if negated { Self::node(at, Kind::Not(test.into())) } else { Ok(test) }
    }

    fn args(&mut self) -> Result<Args> {
        let wrong = || syntax("invalid syntax for function call expression");
        self.expect_op("(")?;
        let mut args = Args::default();
        let mut comma = false;
        while !self.is_op(")") {
            if comma {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            if self.skip_op("*") {
                if args.star.is_some() || args.double_star.is_some() {
                    return Err(wrong());
                }
                args.star = Some(self.expression()?.into());
            } else if self.skip_op("**") {
                if args.double_star.is_some() {
                    return Err(wrong());
                }
                args.double_star = Some(self.expression()?.into());
            } else if matches!((self.peek(), self.look()), (Token::Name(_), Token::Op("="))) {
                if args.double_star.is_some() {
                    return Err(wrong());
                }
                let name = self.expect_name()?;
                self.advance();
                let value = self.expression()?;
                args.named.push((name, value));
            } else {
                if args.star.is_some() || args.double_star.is_some() || !args.named.is_empty() {
                    return Err(wrong());
                }
                args.positional.push(self.expression()?);
            }
            comma = true;
        }
        self.expect_op(")")?;
        Ok(args)
    }
}
