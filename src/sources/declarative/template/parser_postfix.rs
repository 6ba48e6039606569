//! Parses what follows an operand: attributes, subscripts, calls, filters and tests.

use std::sync::Arc;

use num_traits::ToPrimitive;

use super::ast::{Args, Const, Expr, Kind, PathKey};
use super::error::Result;
use super::lexer::{Token, syntax};
use super::parser::{MAX_DEPTH, Parser};

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut value: Expr) -> Result<Expr> {
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

    /// Filters, tests, and calls of their results.
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
