//! The names that a template needs from outside, by Jinja's own analysis: unreachable names count, and so do names that
//! only some branches of an `if` set.

use std::collections::HashSet;
use std::sync::Arc;

use super::ast::{Expr, Kind, MacroDef, Stmt, Target};
use super::macros;

/// A needed name, and the place of its first use, in bytes.
pub(crate) type Free = Vec<(Arc<str>, u32)>;

#[derive(Default, Clone)]
struct Symbols {
    refs: HashSet<Arc<str>>,
    stores: HashSet<Arc<str>>,
    /// Names that are looked up outside.
    resolved: Vec<(Arc<str>, u32)>,
}

struct Frames<'f> {
    symbols: Symbols,
    parents: Vec<&'f HashSet<Arc<str>>>,
}

impl Frames<'_> {
    fn known(&self, name: &str) -> bool {
        self.symbols.refs.contains(name) || self.parents.iter().any(|refs| refs.contains(name))
    }

    fn load(&mut self, name: &Arc<str>, at: u32) {
        if !self.known(name) {
            self.symbols.refs.insert(name.clone());
            self.symbols.resolved.push((name.clone(), at));
        }
    }

    fn store(&mut self, name: &Arc<str>) {
        self.symbols.stores.insert(name.clone());
        self.symbols.refs.insert(name.clone());
    }

    fn target(&mut self, target: &Target, at: u32) {
        match target {
            Target::Name(name) => self.store(name),
            Target::Attr(name, _) => self.load(name, at),
            Target::Tuple(targets) => targets.iter().for_each(|target| self.target(target, at)),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Name(name) | Kind::Path(name, _) => self.load(name, expr.at),
            kind => kind.children().into_iter().for_each(|child| self.expr(child)),
        }
    }

    /// The effects of a statement in its own frame. Inner frames come later.
    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Data(_) | Stmt::Block(_) | Stmt::Autoescape(..) => {}
            Stmt::Print(value) => self.expr(value),
            Stmt::Group(statements) => statements.iter().for_each(|statement| self.statement(statement)),
            Stmt::If(branches, otherwise) => self.branches(branches, otherwise),
            Stmt::For(definition) => self.expr(&definition.iter),
            Stmt::Set(target, value) => {
                self.expr(value);
                self.target(target, value.at);
            }
            Stmt::SetBlock(target, filter, _) => {
                filter.iter().for_each(|filter| self.expr(filter));
                self.target(target, 0);
            }
            Stmt::With(bound, _) => bound.iter().for_each(|(_, value)| self.expr(value)),
            Stmt::Macro(definition) => self.store(&definition.name),
            Stmt::CallBlock(call, _) => self.expr(call),
            Stmt::FilterBlock(filter, _) => self.expr(filter),
            Stmt::NoLoader(_, name, bound) => {
                self.expr(name);
                bound.iter().for_each(|name| self.store(name));
            }
        }
    }

    /// Names that a branch sets are looked up outside, since another branch may have been taken.
    fn branches(&mut self, branches: &[(Expr, Vec<Stmt>)], otherwise: &[Stmt]) {
        let Some(((test, body), rest)) = branches.split_first() else {
            return otherwise.iter().for_each(|statement| self.statement(statement));
        };
        self.expr(test);
        let before = self.symbols.clone();
        let mut merged = before.clone();
        let mut stored = HashSet::new();
        for branch in 0..2 {
            self.symbols = before.clone();
            if branch == 0 {
                body.iter().for_each(|statement| self.statement(statement));
            } else if rest.is_empty() {
                otherwise.iter().for_each(|statement| self.statement(statement));
            } else {
                self.branches(rest, otherwise);
            }
            stored.extend(self.symbols.stores.difference(&before.stores).cloned());
            merged.refs.extend(self.symbols.refs.iter().cloned());
            merged.stores.extend(self.symbols.stores.iter().cloned());
            merged.resolved.extend(self.symbols.resolved.iter().skip(before.resolved.len()).cloned());
        }
        self.symbols = merged;
        for name in stored {
            if !self.parents.iter().any(|refs| refs.contains(&name)) {
                self.symbols.resolved.push((name, test.at));
            }
        }
    }
}

/// The frames right inside a list of statements.
fn inner(statements: &[Stmt], parents: &[&HashSet<Arc<str>>], free: &mut Free) {
    let names = |list: &[&str]| list.iter().map(|name| Arc::<str>::from(*name)).collect::<Vec<_>>();
    for statement in statements {
        match statement {
            Stmt::Data(_) | Stmt::Print(_) | Stmt::Set(..) | Stmt::NoLoader(..) => {}
            Stmt::Group(statements) => inner(statements, parents, free),
            Stmt::If(branches, otherwise) => {
                for (_, body) in branches {
                    inner(body, parents, free);
                }
                inner(otherwise, parents, free);
            }
            Stmt::For(definition) => {
                let mut targets = Vec::new();
                bound_names(&definition.target, &mut targets);
                let tests: Vec<&Expr> = definition.test.iter().collect();
                frame(&targets, &tests, &[], parents, free);
                targets.extend(names(&["loop"]));
                frame(&targets, &[], &definition.body, parents, free);
                frame(&[], &[], &definition.otherwise, parents, free);
            }
            Stmt::With(bound, body) => {
                let mut targets = Vec::new();
                bound.iter().for_each(|(target, _)| bound_names(target, &mut targets));
                frame(&targets, &[], body, parents, free);
            }
            Stmt::Macro(definition) | Stmt::CallBlock(_, definition) => {
                macro_frame(definition, names(&["caller", "kwargs", "varargs"]), parents, free);
            }
            Stmt::SetBlock(_, _, body) => frame(&[], &[], body, parents, free),
            Stmt::FilterBlock(filter, body) => frame(&[], &[filter], body, parents, free),
            Stmt::Autoescape(value, body) => frame(&[], &[value], body, parents, free),
            // A block has no frame around it.
            Stmt::Block(body) => frame(&names(&["super"]), &[], body, &[], free),
        }
    }
}

fn macro_frame(definition: &MacroDef, mut bound: Vec<Arc<str>>, parents: &[&HashSet<Arc<str>>], free: &mut Free) {
    bound.extend(definition.params.iter().cloned());
    let defaults: Vec<&Expr> = definition.defaults.iter().collect();
    frame(&bound, &defaults, &definition.body, parents, free);
}

fn frame(bound: &[Arc<str>], before: &[&Expr], body: &[Stmt], parents: &[&HashSet<Arc<str>>], free: &mut Free) {
    let mut frames = Frames { symbols: Symbols::default(), parents: parents.to_vec() };
    frames.symbols.refs.extend(bound.iter().cloned());
    frames.symbols.stores.extend(bound.iter().cloned());
    before.iter().for_each(|expr| frames.expr(expr));
    body.iter().for_each(|statement| frames.statement(statement));
    let Symbols { refs, resolved, .. } = frames.symbols;
    free.extend(resolved.into_iter().filter(|(name, _)| !macros::is_global(name)));
    let mut parents = parents.to_vec();
    parents.push(&refs);
    inner(body, &parents, free);
}

fn bound_names(target: &Target, into: &mut Vec<Arc<str>>) {
    match target {
        Target::Name(name) => into.push(name.clone()),
        Target::Attr(..) => {}
        Target::Tuple(targets) => targets.iter().for_each(|target| bound_names(target, into)),
    }
}

/// The names that a template needs from outside, each once, in the order of their use.
pub(crate) fn free(body: &[Stmt]) -> Free {
    let mut free = Free::new();
    frame(&[], &[], body, &[], &mut free);
    free.sort_by_key(|(_, at)| *at);
    let mut seen = HashSet::new();
    free.retain(|(name, _)| seen.insert(name.clone()));
    free
}

/// The same without places.
pub(crate) fn free_names(body: &[Stmt]) -> Vec<Arc<str>> {
    free(body).into_iter().map(|(name, _)| name).collect()
}

/// Whether an expression of the template satisfies a predicate.
pub(crate) fn any_expr(body: &[Stmt], predicate: &dyn Fn(&Expr) -> bool) -> bool {
    fn within(expr: &Expr, predicate: &dyn Fn(&Expr) -> bool) -> bool {
        predicate(expr) || expr.kind.children().into_iter().any(|child| within(child, predicate))
    }
    let here = |expr: &Expr| within(expr, predicate);
    body.iter().any(|statement| match statement {
        Stmt::Data(_) => false,
        Stmt::Print(value) => here(value),
        Stmt::Group(body) | Stmt::Block(body) => any_expr(body, predicate),
        Stmt::If(branches, otherwise) => {
            branches.iter().any(|(test, body)| here(test) || any_expr(body, predicate))
                || any_expr(otherwise, predicate)
        }
        Stmt::For(definition) => {
            here(&definition.iter)
                || definition.test.iter().any(here)
                || any_expr(&definition.body, predicate)
                || any_expr(&definition.otherwise, predicate)
        }
        Stmt::Set(_, value) | Stmt::NoLoader(_, value, _) => here(value),
        Stmt::SetBlock(_, filter, body) => filter.iter().any(here) || any_expr(body, predicate),
        Stmt::With(bound, body) => bound.iter().any(|(_, value)| here(value)) || any_expr(body, predicate),
        Stmt::Macro(definition) => definition.defaults.iter().any(here) || any_expr(&definition.body, predicate),
        Stmt::CallBlock(call, definition) => {
            here(call) || definition.defaults.iter().any(here) || any_expr(&definition.body, predicate)
        }
        Stmt::FilterBlock(value, body) | Stmt::Autoescape(value, body) => here(value) || any_expr(body, predicate),
    })
}

/// The word nearest to a mistyped one, if any is near: at most a third of its letters differ.
pub(crate) fn nearest<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(word.len()).min(60))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// The number of letters to add, remove or replace.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(60).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, left) in left.chars().take(60).enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, right) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
