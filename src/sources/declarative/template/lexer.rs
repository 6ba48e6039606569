//! Jinja's lexer: text outside of tags, and tokens inside.

use num_bigint::BigInt;

use super::error::{Fault, FaultKind, Result};
use super::{escapes, number};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Data(String),
    VarBegin,
    VarEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Str(String),
    Int(BigInt),
    Float(f64),
    Op(&'static str),
    End,
}

impl Token {
    /// Its name in messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Data(_) => "template data / text".to_owned(),
            Self::VarBegin => "begin of print statement".to_owned(),
            Self::VarEnd => "end of print statement".to_owned(),
            Self::BlockBegin => "begin of statement block".to_owned(),
            Self::BlockEnd => "end of statement block".to_owned(),
            Self::Name(name) => format!("'{name}'"),
            Self::Str(_) => "a string".to_owned(),
            Self::Int(_) => "an integer".to_owned(),
            Self::Float(_) => "a float".to_owned(),
            Self::Op(op) => format!("'{op}'"),
            Self::End => "end of template".to_owned(),
        }
    }
}

/// A token and its start, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) at: usize,
}

/// The longer ones first.
const OPERATORS: [&str; 27] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";", "!",
];

pub(crate) fn syntax(message: impl Into<String>) -> Box<Fault> {
    Fault::new(FaultKind::Syntax, "TemplateSyntaxError", message)
}

/// Line and column of a place, both from 1.
pub(crate) fn position(source: &str, at: usize) -> (u32, u32) {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line as u32, column as u32)
}

/// The source as Jinja reads it: one kind of line end, and none at the very end.
pub(crate) fn normalized(source: &str) -> String {
    let mut text =
        if source.contains('\r') { source.replace("\r\n", "\n").replace('\r', "\n") } else { source.to_owned() };
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

pub(crate) fn tokens(source: &str) -> Result<Vec<Placed>> {
    let mut lexer = Lexer { source, at: 0, found: Vec::new() };
    lexer.run().map_err(|fault| {
        let (line, column) = position(source, lexer.at);
        fault.at(line, column)
    })?;
    Ok(lexer.found)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    found: Vec<Placed>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn push(&mut self, token: Token, length: usize) {
        self.found.push(Placed { token, at: self.at });
        self.at += length;
    }

    fn run(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            let tag =
                rest.match_indices('{').find(|(at, _)| matches!(rest.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')));
            let Some((tag, _)) = tag else {
                if !rest.is_empty() {
                    self.push(Token::Data(rest.to_owned()), rest.len());
                }
                self.push(Token::End, 0);
                return Ok(());
            };
            // `-` removes the blanks before it; `+` is only a mark.
            let mark = rest.as_bytes().get(tag + 2).copied();
            let data = if mark == Some(b'-') { rest[..tag].trim_end_matches(number::is_space) } else { &rest[..tag] };
            if !data.is_empty() {
                self.found.push(Placed { token: Token::Data(data.to_owned()), at: self.at });
            }
            let kind = rest.as_bytes()[tag + 1];
            self.at += tag;
            let length = 2 + usize::from(matches!(mark, Some(b'-' | b'+')));
            match kind {
                b'#' => self.comment()?,
                b'%' if self.raw()? => {}
                b'%' => {
                    self.push(Token::BlockBegin, length);
                    self.inside("%}", Token::BlockEnd)?;
                }
                _ => {
                    self.push(Token::VarBegin, length);
                    self.inside("}}", Token::VarEnd)?;
                }
            }
        }
    }

    fn skip_blanks(&mut self) {
        self.at = self.source.len() - self.rest().trim_start_matches(number::is_space).len();
    }

    fn comment(&mut self) -> Result<()> {
        let rest = self.rest();
        let start = 2 + usize::from(matches!(rest.as_bytes().get(2), Some(b'-' | b'+')));
        // Jinja ignores a comment that begins at the very end.
        if rest.len() == start {
            self.at += start;
            return Ok(());
        }
        let Some(end) = rest[start..].find("#}").map(|end| end + start) else {
            return Err(syntax("Missing end of comment tag"));
        };
        let trim = rest[start..end].ends_with('-');
        self.at += end + 2;
        if trim {
            self.skip_blanks();
        }
        Ok(())
    }

    /// `{% raw %}...{% endraw %}`, if it begins here.
    fn raw(&mut self) -> Result<bool> {
        let rest = self.rest();
        let tag = |text: &'s str, name: &str| -> Option<(&'s str, bool)> {
            let text = text.strip_prefix("{%")?;
            let text = text.strip_prefix(['-', '+']).unwrap_or(text);
            let text = text.trim_start_matches(number::is_space).strip_prefix(name)?;
            let text = text.trim_start_matches(number::is_space);
            if let Some(text) = text.strip_prefix("-%}") {
                return Some((text, true));
            }
            if name == "endraw"
                && let Some(text) = text.strip_prefix("+%}")
            {
                return Some((text, false));
            }
            Some((text.strip_prefix("%}")?, false))
        };
        let Some((mut body, trim)) = tag(rest, "raw") else { return Ok(false) };
        if trim {
            body = body.trim_start_matches(number::is_space);
        }
        if body.is_empty() {
            self.at = self.source.len();
            return Ok(true);
        }
        let end = body.match_indices("{%").find_map(|(at, _)| Some((at, tag(&body[at..], "endraw")?)));
        let Some((length, (after, trim))) = end else { return Err(syntax("Missing end of raw directive")) };
        let mut data = &body[..length];
        if body[length..].starts_with("{%-") {
            data = data.trim_end_matches(number::is_space);
        }
        self.push(Token::Data(data.to_owned()), 0);
        self.at = self.source.len() - after.len();
        if trim {
            self.skip_blanks();
        }
        Ok(true)
    }

    /// The tokens up to the end of a tag.
    fn inside(&mut self, close: &str, end: Token) -> Result<()> {
        let mut brackets: Vec<char> = Vec::new();
        loop {
            self.skip_blanks();
            let rest = self.rest();
            if brackets.is_empty() {
                let dashed = rest.strip_prefix('-').or_else(|| rest.strip_prefix('+').filter(|_| close == "%}"));
                if let Some(after) = dashed.filter(|after| after.starts_with(close)) {
                    let trim = rest.starts_with('-');
                    self.push(end, rest.len() - after.len() + 2);
                    if trim {
                        self.skip_blanks();
                    }
                    return Ok(());
                }
                if rest.starts_with(close) {
                    self.push(end, 2);
                    return Ok(());
                }
            }
            let Some(c) = rest.chars().next() else {
                return Err(syntax(format!("unexpected end of template, expected '{}'.", end.describe())));
            };
            if c.is_ascii_digit() {
                self.number()?;
            } else if c.is_alphabetic() || c == '_' {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                self.push(Token::Name(rest[..length].to_owned()), length);
            } else if c == '\'' || c == '"' {
                self.string(c)?;
            } else {
                let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)).filter(|op| **op != "!") else {
                    return Err(syntax(format!("unexpected char {c:?}")));
                };
                match *op {
                    "{" => brackets.push('}'),
                    "(" => brackets.push(')'),
                    "[" => brackets.push(']'),
                    "}" | ")" | "]" => match brackets.pop() {
                        None => return Err(syntax(format!("unexpected '{op}'"))),
                        Some(expected) if !op.starts_with(expected) => {
                            return Err(syntax(format!("unexpected '{op}', expected '{expected}'")));
                        }
                        Some(_) => {}
                    },
                    _ => {}
                }
                self.push(Token::Op(op), op.len());
            }
        }
    }

    fn string(&mut self, quote: char) -> Result<()> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest[1..].find(|c| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { return Err(syntax(format!("unexpected char '{quote}': a string has no end"))) };
        let body = &rest[1..=end];
        let text = escapes::template_text(body)
            .ok_or_else(|| syntax("a string has an escape that is broken, or one that names a character"))?;
        self.push(Token::Str(text), end + 2);
        Ok(())
    }

    /// A float if there is one, otherwise an integer: a leading zero is a number of its own.
    fn number(&mut self) -> Result<()> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| {
            let mut at = from;
            while bytes.get(at).is_some_and(u8::is_ascii_digit)
                || (at > from && bytes.get(at) == Some(&b'_') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
            {
                at += 1;
            }
            at
        };
        let whole = digits(0);
        let after_dot = self.found.last().is_some_and(|last| last.token == Token::Op(".") && last.at + 1 == self.at);
        let fraction = if bytes.get(whole) == Some(&b'.') { digits(whole + 1) } else { whole };
        let fraction = if fraction > whole + 1 { fraction } else { whole };
        let mut end = fraction;
        if matches!(bytes.get(fraction), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(fraction + 1), Some(b'+' | b'-')));
            let exponent = digits(fraction + 1 + sign);
            if exponent > fraction + 1 + sign {
                end = exponent;
            }
        }
        if end > whole && !after_dot {
            let value = number::parse_float(&rest[..end]).unwrap_or(f64::NAN);
            self.push(Token::Float(value), end);
            return Ok(());
        }
        let prefixed = |letter: u8, base: u32| {
            let has = bytes.first() == Some(&b'0') && bytes.get(1).is_some_and(|b| b.eq_ignore_ascii_case(&letter));
            let length = rest.get(2..)?.find(|c: char| !c.is_digit(base) && c != '_').unwrap_or(rest.len() - 2);
            let digits = rest[2..2 + length].trim_end_matches('_');
            (has && !digits.is_empty() && number::parse_int(digits.trim_start_matches('_'), base).is_some())
                .then_some(digits.len() + 2)
        };
        let length = prefixed(b'x', 16).or_else(|| prefixed(b'o', 8)).or_else(|| prefixed(b'b', 2)).unwrap_or_else(
            || match bytes[0] {
                // `007` is `00` and `7`.
                b'0' => bytes[..whole].iter().take_while(|b| matches!(b, b'0' | b'_')).count(),
                _ => whole,
            },
        );
        let value = number::parse_int(&rest[..length], 0)
            .ok_or_else(|| syntax("an integer is too long: Python reads 4300 digits"))?;
        self.push(Token::Int(value), length);
        Ok(())
    }
}
