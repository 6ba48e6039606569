//! A template as a tree.

use std::sync::Arc;

use num_bigint::BigInt;

use super::arith::Op;

/// A constant.
#[derive(Debug, Clone)]
pub(crate) enum Const {
    None,
    Bool(bool),
    Int(i64),
    Big(BigInt),
    Float(f64),
    Str(Arc<str>),
}

/// An expression, its start (in bytes), and its depth.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) kind: Kind,
    pub(crate) at: u32,
    pub(crate) depth: u16,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Const(Const),
    Name(Arc<str>),
    /// A variable and constant keys, as in most templates.
    Path(Arc<str>, Vec<PathKey>),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Conditional {
        test: Box<Expr>,
        then: Box<Expr>,
        otherwise: Option<Box<Expr>>,
    },
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    Binary(Op, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    Neg(Box<Expr>),
    Pos(Box<Expr>),
    Attr(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice {
        of: Box<Expr>,
        bounds: [Option<Box<Expr>>; 3],
    },
    Call(Box<Expr>, Args),
    /// Without a value inside `{% filter %}` and `{% set %}` blocks, where it is the block's output.
    Filter {
        of: Option<Box<Expr>>,
        name: Arc<str>,
        args: Args,
    },
    Test {
        of: Box<Expr>,
        name: Arc<str>,
        args: Args,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathKey {
    /// `.name`
    Attr(Arc<str>),
    /// `['name']`
    Item(Arc<str>),
    /// `[0]`, `.0`
    Index(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Expr>,
    pub(crate) named: Vec<(Arc<str>, Expr)>,
    pub(crate) star: Option<Box<Expr>>,
    pub(crate) double_star: Option<Box<Expr>>,
}

#[derive(Debug, Clone)]
pub(crate) enum Target {
    Name(Arc<str>),
    /// `namespace.name`
    Attr(Arc<str>, Arc<str>),
    Tuple(Vec<Target>),
}

#[derive(Debug)]
pub(crate) struct ForDef {
    pub(crate) target: Target,
    pub(crate) iter: Expr,
    pub(crate) test: Option<Expr>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) otherwise: Vec<Stmt>,
    pub(crate) recursive: bool,
}

#[derive(Debug)]
pub(crate) struct MacroDef {
    pub(crate) name: Arc<str>,
    pub(crate) params: Vec<Arc<str>>,
    /// Of the last parameters.
    pub(crate) defaults: Vec<Expr>,
    pub(crate) body: Vec<Stmt>,
    /// The body uses `varargs`, `kwargs`, `caller`.
    pub(crate) takes: [bool; 3],
}

#[derive(Debug)]
pub(crate) enum Stmt {
    Data(Arc<str>),
    Print(Expr),
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    For(Arc<ForDef>),
    Set(Target, Expr),
    SetBlock(Target, Option<Expr>, Vec<Stmt>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Macro(Arc<MacroDef>),
    CallBlock(Expr, Arc<MacroDef>),
    FilterBlock(Expr, Vec<Stmt>),
    Autoescape(Expr, Vec<Stmt>),
    Block(Vec<Stmt>),
    /// Tags that need other templates, of which a manifest has none.
    NoLoader(&'static str, Expr, Vec<Arc<str>>),
    /// Statements of one tag.
    Group(Vec<Stmt>),
}

impl Kind {
    /// The expressions right inside it, in the order in which Jinja visits them.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        let mut found: Vec<&Expr> = Vec::new();
        match self {
            Self::Const(_) | Self::Name(_) | Self::Path(..) => {}
            Self::Tuple(items) | Self::List(items) | Self::Concat(items) => found.extend(items),
            Self::Dict(entries) => found.extend(entries.iter().flat_map(|(key, value)| [key, value])),
            Self::Conditional { test, then, otherwise } => {
                found.extend([&**test, &**then]);
                found.extend(otherwise.as_deref());
            }
            Self::Or(left, right) | Self::And(left, right) | Self::Binary(_, left, right) | Self::Item(left, right) => {
                found.extend([&**left, &**right]);
            }
            Self::Not(inner) | Self::Neg(inner) | Self::Pos(inner) | Self::Attr(inner, _) => found.push(inner),
            Self::Compare(first, rest) => {
                found.push(first);
                found.extend(rest.iter().map(|(_, operand)| operand));
            }
            Self::Slice { of, bounds } => {
                found.push(of);
                found.extend(bounds.iter().filter_map(|bound| bound.as_deref()));
            }
            Self::Call(target, args) => {
                found.push(target);
                found.extend(args.children());
            }
            Self::Filter { of, args, .. } => {
                found.extend(of.as_deref());
                found.extend(args.children());
            }
            Self::Test { of, args, .. } => {
                found.push(of);
                found.extend(args.children());
            }
        }
        found
    }
}

impl Args {
    pub(crate) fn children(&self) -> impl Iterator<Item = &Expr> {
        self.positional
            .iter()
            .chain(self.named.iter().map(|(_, value)| value))
            .chain(self.star.as_deref())
            .chain(self.double_star.as_deref())
    }
}
