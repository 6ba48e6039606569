//! Numbers, words and strings in Python literals.

use num_traits::ToPrimitive;

use super::literal::Literal;
use super::literal_parser::Parser;
use super::{escapes, number};

impl Parser {
    pub(super) fn number(&mut self) -> Option<Literal> {
        let start = self.at;
        let based = self.peek() == Some('0')
            && self.text.get(self.at + 1).is_some_and(|c| matches!(c, 'x' | 'X' | 'o' | 'O' | 'b' | 'B'));
        let mut float = false;
        while let Some(c) = self.peek() {
            let exponent = !based && matches!(c, 'e' | 'E');
            float |= exponent || c == '.';
            let sign = exponent && matches!(self.text.get(self.at + 1), Some('+' | '-'));
            if !(c.is_ascii_alphanumeric() || c == '_' || (c == '.' && !based)) {
                break;
            }
            self.at += if sign { 2 } else { 1 };
        }
        // A letter of another alphabet would belong to the same word.
        if self.peek().is_some_and(char::is_alphanumeric) {
            return None;
        }
        let text: String = self.text[start..self.at].iter().collect();
        if float {
            let well_formed =
                text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'e' | b'E' | b'+' | b'-'));
            return number::parse_float(&text).filter(|_| well_formed).map(Literal::Float);
        }
        if text.starts_with('_') || text.ends_with('_') {
            return None;
        }
        let value = number::parse_int(&text, 0)?;
        Some(value.to_i64().map_or(Literal::Big(value), Literal::Int))
    }

    pub(super) fn word(&mut self) -> Option<Literal> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.at += 1;
        }
        let word: String = self.text[start..self.at].iter().collect();
        match word.as_str() {
            "True" => Some(Literal::Bool(true)),
            "False" => Some(Literal::Bool(false)),
            "None" => Some(Literal::None),
            "set" => {
                self.blanks()?;
                if self.peek() != Some('(') {
                    return None;
                }
                let (items, comma) = self.items(')')?;
                (items.is_empty() && !comma).then_some(Literal::Set(Vec::new()))
            }
            _ => {
                self.at = start;
                self.strings()
            }
        }
    }

    /// One string or several adjacent ones.
    fn strings(&mut self) -> Option<Literal> {
        let (mut text, mut bytes): (Option<String>, Option<Vec<u8>>) = (None, None);
        loop {
            match self.string()? {
                Literal::Bytes(more) => bytes.get_or_insert_default().extend(more),
                Literal::Str(more) => text.get_or_insert_default().push_str(&more),
                _ => return None,
            }
            self.blanks()?;
            let rest = &self.text[self.at..];
            let prefix = rest.iter().take_while(|c| c.is_ascii_alphabetic()).count();
            if !matches!(rest.get(prefix), Some('\'' | '"')) {
                break;
            }
        }
        match (text, bytes) {
            (Some(text), None) => Some(Literal::Str(text)),
            (None, Some(bytes)) => Some(Literal::Bytes(bytes)),
            _ => None,
        }
    }

    fn string(&mut self) -> Option<Literal> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphabetic()) {
            self.at += 1;
        }
        let prefix: String = self.text[start..self.at].iter().collect::<String>().to_ascii_lowercase();
        let (raw, bytes) = match prefix.as_str() {
            "" | "u" => (false, false),
            "r" => (true, false),
            "b" => (false, true),
            "br" | "rb" => (true, true),
            _ => return None,
        };
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"'))?;
        let triple = self.looking_at(&quote.to_string().repeat(3));
        let width = if triple { 3 } else { 1 };
        self.at += width;
        let from = self.at;
        let end: String = quote.to_string().repeat(width);
        while !self.looking_at(&end) {
            match self.peek()? {
                '\\' => {
                    self.text.get(self.at + 1)?;
                    self.at += 2;
                }
                '\n' if !triple => return None,
                _ => self.at += 1,
            }
        }
        let body: String = self.text[from..self.at].iter().collect();
        self.at += width;
        match (raw, bytes) {
            (_, true) if !body.is_ascii() => None,
            (true, true) => Some(Literal::Bytes(body.into_bytes())),
            (true, false) => Some(Literal::Str(body)),
            (false, true) => escapes::bytes(&body).map(Literal::Bytes),
            (false, false) => escapes::text(&body).map(Literal::Str),
        }
    }
}
