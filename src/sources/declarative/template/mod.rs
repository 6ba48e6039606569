//! Templates of a manifest: Jinja 3.1's sandbox with Python's values, as in Airbyte's runtime.
//!
//! A [`Template`] is compiled once and evaluated against a [`Scope`] many times. Its output is read again as a Python
//! [`Literal`], except by [`Template::eval_text`]. [`InterpolatedString`], [`InterpolatedBoolean`],
//! [`InterpolatedMapping`], [`Nested`] and [`RequestInputs`] are the forms of templates in a manifest. [`datetime`] has
//! dates, their formats and durations, for cursors too.
//!
//! Where Python raises a `TypeError`, the runtime uses the text of the template as its result: filters pass, and `{{
//! }}` lands in URLs. Here that is a [`Fault`] of the kind [`FaultKind::Type`]. A fault names the expression, never a
//! value.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "Python's numbers convert into each other, and compare exactly"
)]
#![allow(
    clippy::format_push_string,
    clippy::match_same_arms,
    clippy::needless_for_each,
    clippy::similar_names,
    clippy::single_match_else,
    clippy::too_many_lines,
    reason = "tables of Python's methods read best as one match, an arm a rule"
)]
#![allow(clippy::unnecessary_box_returns, reason = "a fault is one word wide wherever it is returned")]

mod args;
mod arith;
mod ast;
mod attributes;
#[cfg(test)]
mod behaviour;
mod compare;
mod compiled;
mod container;
pub mod datetime;
mod dict;
mod error;
mod escapes;
mod eval;
mod eval_expr;
mod eval_macro;
mod filters;
mod format;
mod format_spec;
mod interpolate;
mod json;
mod lexer;
mod literal;
mod literal_parser;
mod literal_tokens;
mod macros;
mod methods;
mod number;
mod operands;
mod parser;
mod parser_expr;
mod parser_postfix;
mod parser_tags;
mod scope;
mod str_format;
mod symbols;
mod tests;
mod text;
mod value;

pub use compiled::Template;
pub use error::{Fault, FaultKind};
pub(crate) use filters::quoted;
pub use interpolate::{
    Entry, InputPlace, InterpolatedBoolean, InterpolatedMapping, InterpolatedString, Nested, RequestInputs,
};
pub use json::{Json, Members};
pub use literal::{Literal, ValidType};
pub(super) use number::{parse_float, parse_int};
pub use scope::{Scope, Variable};
