//! Regular expressions in Python's `re` syntax.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::{Captures, Regex, RegexBuilder};

use super::super::args::{CallArgs, text};
use super::super::compare::used;
use super::super::error::{Fault, Result};
use super::super::text::MAX_TEXT;
use super::super::value::Value;

/// The most backtracking steps of one match.
const BACKTRACKS: usize = 100_000;
/// Expressions that a thread keeps compiled.
const KEPT: usize = 64;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Rc<Regex>>> = RefCell::new(HashMap::new());
}

pub(super) fn call(name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    let (pattern, replacement) = if name == "regex_search" {
        let [pattern] = args.bind(name, ["regex"], 1)?;
        (pattern, None)
    } else {
        let [pattern, replacement] = args.bind(name, ["regex", "replacement"], 2)?;
        (pattern, replacement)
    };
    let regex = compiled(&text(&pattern.unwrap_or(Value::None), name)?)?;
    if let Value::Undefined(missing) = value
        && missing.unsafe_access
    {
        return Err(used(missing));
    }
    let subject = text(value, name)?;
    let subject: &str = &subject;
    let slow = |_| Fault::too_large("a regular expression takes too long");
    if name == "regex_search" {
        let Some(found) = regex.captures(subject).map_err(slow)? else { return Ok(Value::str("")) };
        return Ok(match (found.len(), found.get(1)) {
            (1, _) => Value::str(""),
            (_, Some(group)) => Value::str(group.as_str()),
            (_, None) => Value::None,
        });
    }
    let replacement = text(&replacement.unwrap_or(Value::None), name)?;
    let parts = template(&replacement, &regex)?;
    let (mut out, mut last, mut at) = (String::new(), 0, 0);
    while at <= subject.len() {
        let Some(found) = regex.captures_from_pos(subject, at).map_err(slow)? else { break };
        let Some(whole) = found.get(0) else { break };
        out.push_str(&subject[last..whole.start()]);
        for part in &parts {
            part.push(&found, &mut out);
        }
        last = whole.end();
        // After an empty match the next character stays.
        at = match subject[last..].chars().next() {
            Some(next) if whole.start() == last => last + next.len_utf8(),
            None if whole.start() == last => break,
            _ => last,
        };
        if out.len() > MAX_TEXT {
            return Err(Fault::too_large("the text gets too long"));
        }
    }
    out.push_str(&subject[last..]);
    Ok(Value::str(out))
}

fn compiled(pattern: &str) -> Result<Rc<Regex>> {
    if let Some(known) = COMPILED.with(|compiled| compiled.borrow().get(pattern).cloned()) {
        return Ok(known);
    }
    let regex = RegexBuilder::new(&translated(pattern)).backtrack_limit(BACKTRACKS).build();
    let regex = Rc::new(regex.map_err(|_| Fault::other("error", "a regular expression cannot be read"))?);
    COMPILED.with(|compiled| {
        let mut compiled = compiled.borrow_mut();
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), regex.clone());
    });
    Ok(regex)
}

/// Converts Python's syntax to Rust's: ends of texts, literal braces, brackets inside classes.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let characters: Vec<char> = pattern.chars().collect();
    let (mut at, mut class, mut class_start) = (0, false, 0);
    while at < characters.len() {
        let c = characters[at];
        match c {
            '\\' => {
                match characters.get(at + 1) {
                    Some('Z') => out.push_str("\\z"),
                    Some('0') => out.push_str("\\x00"),
                    Some(c @ ('<' | '>')) => out.push(*c),
                    Some(c) => {
                        out.push('\\');
                        out.push(*c);
                    }
                    None => out.push('\\'),
                }
                at += 2;
                continue;
            }
            '[' if class => out.push_str("\\["),
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            '-' if class && characters.get(at + 1) == Some(&'-') => out.push_str("\\-"),
            '[' => {
                class = true;
                class_start = at + 1 + usize::from(characters.get(at + 1) == Some(&'^'));
                out.push('[');
            }
            ']' if class && at == class_start => out.push_str("\\]"),
            ']' => {
                class = false;
                out.push(']');
            }
            '$' if !class => out.push_str("(?:$|(?=\\n\\z))"),
            '{' if !class => {
                let rest: String = characters[at + 1..].iter().take_while(|c| **c != '}').collect();
                let closed = characters.len() > at + 1 + rest.chars().count();
                let (low, high) = rest.split_once(',').unwrap_or((&rest, "0"));
                let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
                if closed
                    && digits(low)
                    && digits(high)
                    && !(low.is_empty() && (high.is_empty() || !rest.contains(',')))
                {
                    out.push_str(if low.is_empty() { "{0" } else { "{" });
                } else {
                    out.push_str("\\{");
                }
            }
            c => out.push(c),
        }
        at += 1;
    }
    out
}

enum Part {
    Text(String),
    Group(usize),
}

impl Part {
    fn push(&self, found: &Captures<'_, str>, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Group(at) => out.push_str(found.get(*at).map_or("", |group| group.as_str())),
        }
    }
}

/// The replacement: `\1`, `\g<name>`, and a few escapes.
fn template(text: &str, regex: &Regex) -> Result<Vec<Part>> {
    let wrong = |message: &str| Fault::other("error", message.to_owned());
    let groups = regex.captures_len();
    let mut parts = vec![Part::Text(String::new())];
    let push = |parts: &mut Vec<Part>, c: char| match parts.last_mut() {
        Some(Part::Text(text)) => text.push(c),
        _ => parts.push(Part::Text(c.to_string())),
    };
    let group = |parts: &mut Vec<Part>, at: usize| {
        if at >= groups {
            return Err(wrong("invalid group reference in a replacement"));
        }
        parts.push(Part::Group(at));
        Ok(())
    };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            push(&mut parts, c);
            continue;
        }
        let next = rest.chars().next().ok_or_else(|| wrong("bad escape (end of pattern)"))?;
        rest = &rest[next.len_utf8()..];
        match next {
            'g' => {
                let body = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
                let (name, after) = body.ok_or_else(|| wrong("missing group name"))?;
                rest = after;
                let at = name.parse().ok().or_else(|| regex.capture_names().position(|known| known == Some(name)));
                group(&mut parts, at.ok_or_else(|| Fault::other("IndexError", "unknown group name"))?)?;
            }
            '0' => push(&mut parts, '\0'),
            '1'..='9' => {
                let more = rest.chars().next().filter(char::is_ascii_digit);
                let mut number = next.to_digit(10).unwrap_or_default() as usize;
                if let Some(digit) = more {
                    number = number * 10 + digit.to_digit(10).unwrap_or_default() as usize;
                    rest = &rest[1..];
                }
                group(&mut parts, number)?;
            }
            'n' => push(&mut parts, '\n'),
            't' => push(&mut parts, '\t'),
            'r' => push(&mut parts, '\r'),
            'f' => push(&mut parts, '\x0c'),
            'v' => push(&mut parts, '\x0b'),
            'a' => push(&mut parts, '\x07'),
            '\\' => push(&mut parts, '\\'),
            c if c.is_ascii_alphabetic() => return Err(wrong("bad escape in a replacement")),
            c => {
                push(&mut parts, '\\');
                push(&mut parts, c);
            }
        }
    }
    Ok(parts)
}
