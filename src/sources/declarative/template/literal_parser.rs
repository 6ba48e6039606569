//! The parser of Python literals.

use num_traits::ToPrimitive;

use super::literal::{Literal, unique_entries, unique_items};

/// The most open brackets that `CPython`'s tokenizer allows.
const MAX_BRACKETS: usize = 200;

pub(crate) struct Parser {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    brackets: usize,
}

/// A parsed operand: only a plain number may follow a sign.
struct Operand {
    value: Literal,
    signed: bool,
}

impl Parser {
    /// The literal in a text, if it is one. Leading blanks are already gone.
    pub(crate) fn read(text: &str) -> Option<Literal> {
        if text.contains('\0') {
            return None;
        }
        let text: Vec<char> = text.replace("\r\n", "\n").replace('\r', "\n").chars().collect();
        let mut parser = Self { text, at: 0, brackets: 0 };
        parser.skip_blank_lines()?;
        let mut items = vec![parser.operand()?.value];
        let mut tuple = false;
        loop {
            parser.blanks()?;
            if parser.peek() != Some(',') {
                break;
            }
            parser.at += 1;
            tuple = true;
            parser.blanks()?;
            if matches!(parser.peek(), None | Some('\n')) {
                break;
            }
            items.push(parser.operand()?.value);
        }
        parser.skip_rest()?;
        if tuple { Some(Literal::Tuple(items)) } else { items.pop() }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(at, c)| self.text.get(self.at + at) == Some(&c))
    }

    fn skip_comment(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    /// Empty lines before the literal. Its own line is not indented.
    fn skip_blank_lines(&mut self) -> Option<()> {
        loop {
            let mut indent = 0;
            loop {
                match self.peek()? {
                    ' ' | '\t' => indent += 1,
                    '\x0c' => indent = 0,
                    _ => break,
                }
                self.at += 1;
            }
            match self.peek()? {
                '#' => {
                    self.skip_comment();
                    self.peek()?;
                    self.at += 1;
                }
                '\n' => self.at += 1,
                _ => return (indent == 0).then_some(()),
            }
        }
    }

    /// Blanks between tokens; within brackets, line ends and comments, too.
    pub(super) fn blanks(&mut self) -> Option<()> {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\x0c' => self.at += 1,
                '\\' => {
                    // A continued line must have a next one.
                    if self.text.get(self.at + 1) != Some(&'\n') || self.at + 2 >= self.text.len() {
                        return None;
                    }
                    self.at += 2;
                }
                '#' => self.skip_comment(),
                '\n' if self.brackets > 0 => self.at += 1,
                _ => break,
            }
        }
        Some(())
    }

    /// Only empty lines and comments may follow. A last line of blanks would be indented.
    fn skip_rest(&mut self) -> Option<()> {
        self.blanks()?;
        while self.peek().is_some() {
            if self.peek() != Some('\n') {
                return None;
            }
            self.at += 1;
            let mut indented = false;
            while let Some(c @ (' ' | '\t' | '\x0c')) = self.peek() {
                indented = c != '\x0c';
                self.at += 1;
            }
            if self.peek() == Some('#') {
                self.skip_comment();
            } else if indented && self.peek().is_none() {
                return None;
            }
        }
        Some(())
    }

    fn operand(&mut self) -> Option<Operand> {
        self.blanks()?;
        let value = match self.peek()? {
            sign @ ('+' | '-') => {
                self.at += 1;
                let operand = self.operand()?;
                if operand.signed {
                    return None;
                }
                let value = match (sign, operand.value) {
                    ('+', value @ (Literal::Int(_) | Literal::Big(_) | Literal::Float(_))) => value,
                    (_, Literal::Int(value)) => Literal::Int(-value),
                    (_, Literal::Big(value)) => {
                        let value = -value;
                        value.to_i64().map_or(Literal::Big(value), Literal::Int)
                    }
                    (_, Literal::Float(value)) => Literal::Float(-value),
                    _ => return None,
                };
                return Some(Operand { value, signed: true });
            }
            '(' => return self.parenthesis(),
            '[' => {
                let (items, _) = self.items(']')?;
                Literal::List(items)
            }
            '{' => self.braces()?,
            '0'..='9' => self.number()?,
            '.' if self.looking_at("...") => {
                self.at += 3;
                Literal::Ellipsis
            }
            '.' => self.number()?,
            _ => self.word()?,
        };
        Some(Operand { value, signed: false })
    }

    fn open(&mut self) -> Option<()> {
        self.at += 1;
        self.brackets += 1;
        (self.brackets <= MAX_BRACKETS).then_some(())
    }

    fn close(&mut self) {
        self.at += 1;
        self.brackets -= 1;
    }

    /// Items up to the closing bracket, and whether the last character before it was a comma.
    pub(super) fn items(&mut self, close: char) -> Option<(Vec<Literal>, bool)> {
        let (operands, comma) = self.operands(close)?;
        Some((operands.into_iter().map(|operand| operand.value).collect(), comma))
    }

    fn operands(&mut self, close: char) -> Option<(Vec<Operand>, bool)> {
        self.open()?;
        let (mut items, mut comma) = (Vec::new(), false);
        loop {
            self.blanks()?;
            if self.peek()? == close {
                self.close();
                return Some((items, comma));
            }
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.operand()?);
            self.blanks()?;
            comma = self.peek()? == ',';
            if comma {
                self.at += 1;
            }
        }
    }

    /// `(a)` is its content, sign included; `(a,)` a tuple.
    fn parenthesis(&mut self) -> Option<Operand> {
        let (mut items, comma) = self.operands(')')?;
        if items.len() == 1 && !comma {
            return items.pop();
        }
        let items = items.into_iter().map(|operand| operand.value).collect();
        Some(Operand { value: Literal::Tuple(items), signed: false })
    }

    fn braces(&mut self) -> Option<Literal> {
        self.open()?;
        let (mut keys, mut entries, mut comma) = (Vec::new(), Vec::new(), true);
        loop {
            self.blanks()?;
            if self.peek()? == '}' {
                self.close();
                break;
            }
            if !comma {
                return None;
            }
            let key = self.operand()?.value;
            self.blanks()?;
            if self.peek()? == ':' {
                self.at += 1;
                entries.push((key, self.operand()?.value));
                self.blanks()?;
            } else {
                keys.push(key);
            }
            if !keys.is_empty() && !entries.is_empty() {
                return None;
            }
            comma = self.peek()? == ',';
            if comma {
                self.at += 1;
                // `{,}` is not valid.
                if keys.is_empty() && entries.is_empty() {
                    return None;
                }
            }
        }
        if keys.is_empty() { unique_entries(entries).ok() } else { unique_items(keys).ok() }
    }
}
