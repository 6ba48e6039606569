//! `'{}'.format(...)`: replacement fields.

use super::args::CallArgs;
use super::attributes;
use super::error::{Fault, Result};
use super::filters::escape::escape_value;
use super::format_spec::formatted;
use super::text::{MAX_TEXT, repr_of, str_of};
use super::value::Value;

struct Fields<'a> {
    args: &'a CallArgs,
    /// The next field without a number, or `None` once fields have numbers.
    automatic: Option<usize>,
    manual: bool,
    escapes: bool,
}

pub(crate) fn format(text: &str, args: &CallArgs, escapes: bool) -> Result<String> {
    Fields { args, automatic: Some(0), manual: false, escapes }.fill(text, 2)
}

impl Fields<'_> {
    fn fill(&mut self, text: &str, depth: usize) -> Result<String> {
        if depth == 0 {
            return Err(Fault::value("Max string recursion exceeded"));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let brace = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            if rest.as_bytes().first() == Some(&brace) {
                out.push(char::from(brace));
                rest = &rest[1..];
                continue;
            }
            if brace == b'}' {
                return Err(Fault::value("Single '}' encountered in format string"));
            }
            let mut open = 1;
            let end = rest.find(|c| {
                open += i32::from(c == '{') - i32::from(c == '}');
                open == 0
            });
            let end = end.ok_or_else(|| {
                Fault::value(match rest.is_empty() {
                    true => "Single '{' encountered in format string",
                    false => "expected '}' before end of string",
                })
            })?;
            let field = self.field(&rest[..end], depth)?;
            out.push_str(&field);
            if out.len() > MAX_TEXT {
                return Err(Fault::too_large("the text gets too long"));
            }
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn field(&mut self, field: &str, depth: usize) -> Result<String> {
        // The name may have brackets with anything in them.
        let mut bracket = false;
        let end = field.find(|c| {
            bracket = (bracket || c == '[') && c != ']';
            !bracket && matches!(c, '!' | ':')
        });
        let (name, rest) = field.split_at(end.unwrap_or(field.len()));
        let (conversion, spec) = match rest.strip_prefix('!') {
            Some(rest) => {
                let mut characters = rest.chars();
                let conversion = characters.next();
                if conversion.is_none() {
                    return Err(Fault::value("end of string while looking for conversion specifier"));
                }
                match characters.as_str() {
                    "" => (conversion, ""),
                    rest => match rest.strip_prefix(':') {
                        Some(spec) => (conversion, spec),
                        None => return Err(Fault::value("expected ':' after conversion specifier")),
                    },
                }
            }
            None => (None, rest.strip_prefix(':').unwrap_or("")),
        };
        let value = self.lookup(name)?;
        let value = match conversion {
            None => value,
            Some('s') => Value::str(str_of(&value)?),
            Some('r' | 'a') => Value::str(repr_of(&value)?),
            Some(other) => return Err(Fault::value(format!("Unknown conversion specifier {other:?}"))),
        };
        let spec = self.fill(spec, depth - 1)?;
        if self.escapes {
            return match value {
                Value::Markup(text) => Ok(text.to_string()),
                other => escape_value(&Value::str(formatted(&other, &spec)?)),
            };
        }
        formatted(&value, &spec)
    }

    fn lookup(&mut self, name: &str) -> Result<Value> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(end);
        let numbered = !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit());
        let positional = |at: usize| {
            let missing =
                || Fault::other("IndexError", format!("Replacement index {at} out of range for positional args tuple"));
            self.args.positional.get(at).cloned().ok_or_else(missing)
        };
        let mut value = if first.is_empty() {
            if self.manual {
                return Err(Fault::value("cannot switch from manual field specification to automatic field numbering"));
            }
            let at = self.automatic.unwrap_or(0);
            self.automatic = Some(at + 1);
            positional(at)?
        } else if numbered {
            if self.automatic.is_some_and(|at| at > 0) {
                return Err(Fault::value("cannot switch from automatic field numbering to manual field specification"));
            }
            self.manual = true;
            positional(first.parse().unwrap_or(usize::MAX))?
        } else {
            let found = self.args.named.iter().find(|(known, _)| &**known == first);
            found
                .map(|(_, value)| value.clone())
                .ok_or_else(|| Fault::other("KeyError", "a name in the format is not among the arguments"))?
        };
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                value = attributes::attribute(&value, &after[..end])?;
                rest = &after[end..];
            } else {
                let after = rest.strip_prefix('[');
                let found = after.and_then(|after| Some((after, after.find(']')?)));
                let (after, end) = found.ok_or_else(|| Fault::value("Missing ']' in format string"))?;
                let key = &after[..end];
                let key = match key.parse::<i64>() {
                    Ok(index) if key.bytes().all(|b| b.is_ascii_digit()) => Value::Int(index),
                    _ => Value::str(key),
                };
                value = attributes::item(&value, &key, true)?;
                rest = &after[end + 1..];
                if !(rest.is_empty() || rest.starts_with(['.', '['])) {
                    return Err(Fault::value("Only '.' or '[' may follow ']' in format field specifier"));
                }
            }
        }
        Ok(value)
    }
}
