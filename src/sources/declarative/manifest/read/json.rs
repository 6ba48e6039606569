//! Reads JSON with lines and columns, which `serde_json` does not give for values. It reads as Python's `json.loads`
//! does: whole numbers of any size, `NaN` and `Infinity`, the last of two equal keys.

use super::super::faults::{Faults, Kind, quoted};
use super::super::node::{Map, Mark, Node, Value};
use super::{MOST_BYTES, MOST_LEVELS, Problem, mark, number};

/// The tree of a JSON text, or nothing if it is not JSON; `faults` has the reason.
pub fn json(text: &str, faults: &mut Faults) -> Option<Node> {
    if text.len() > MOST_BYTES {
        let message = format!("{} bytes are more than the {MOST_BYTES} that a manifest may have", text.len());
        faults.error(Kind::Limit, Mark::default(), "", message);
        return None;
    }
    let mut reader = Reader { text, place: 0, line: 1, counted: (0, 1), levels: 0, faults };
    let read = reader.value().and_then(|node| match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.problem("there is more after the end of the manifest")),
    });
    match read {
        Ok(node) => Some(node),
        Err(problem) => {
            faults.error(problem.kind, problem.mark, "", problem.message);
            None
        }
    }
}

struct Reader<'a, 'f> {
    text: &'a str,
    place: usize,
    line: usize,
    /// A place of this line whose column is known.
    counted: (usize, usize),
    levels: usize,
    faults: &'f mut Faults,
}

impl Reader<'_, '_> {
    fn mark(&mut self) -> Mark {
        let (place, column) = self.counted;
        self.counted = (self.place, column + self.text[place..self.place].chars().count());
        mark(self.line, self.counted.1)
    }

    fn problem(&mut self, message: &str) -> Problem {
        Problem::new(self.mark(), format!("this is not JSON: {message}"))
    }

    /// The next byte after white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.place)?;
            match byte {
                b' ' | b'\t' | b'\r' => self.place += 1,
                b'\n' => {
                    self.place += 1;
                    self.line += 1;
                    self.counted = (self.place, 1);
                }
                byte => return Some(byte),
            }
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.place += usize::from(found);
        found
    }

    fn value(&mut self) -> Result<Node, Problem> {
        let next = self.peek();
        let mark = self.mark();
        let value = match next {
            None => return Err(self.problem("the text ends in the middle")),
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::Text(self.string()?.into()),
            Some(_) => self.literal()?,
        };
        Ok(Node::new(value, mark))
    }

    fn nested(&mut self, read: impl Fn(&mut Self) -> Result<Value, Problem>) -> Result<Value, Problem> {
        if self.levels >= MOST_LEVELS {
            return Err(Problem::too_deep(self.mark()));
        }
        self.levels += 1;
        self.place += 1;
        let value = read(self);
        self.levels -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, Problem> {
        let mut entries = Vec::new();
        if !self.take(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.problem("a key in double quotes is missing"));
                }
                let mark = self.mark();
                let key = Node::text(self.string()?, mark);
                if !self.take(b':') {
                    return Err(self.problem("a colon is missing"));
                }
                entries.push((key, self.value()?));
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.problem("a comma or a closing brace is missing"));
                }
            }
        }
        let mut twice = Vec::new();
        let map = Map::with_duplicates(entries, |first, again| twice.push((first.mark(), again.clone())));
        for (first, again) in twice {
            let key = quoted(again.as_text().unwrap_or_default());
            let message = format!("the key {key} is already there in line {}; this one wins", first.line);
            self.faults.warn(Kind::DuplicateKey, again.mark(), "", message);
        }
        Ok(Value::Map(map))
    }

    fn array(&mut self) -> Result<Value, Problem> {
        let mut items = Vec::new();
        if !self.take(b']') {
            loop {
                items.push(self.value()?);
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.problem("a comma or a closing bracket is missing"));
                }
            }
        }
        Ok(Value::List(items))
    }

    fn string(&mut self) -> Result<String, Problem> {
        let start = self.place;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => {
                    let text = &self.text[start..=end];
                    let read = serde_json::from_str(text).map_err(|_| self.problem("a text with a bad escape"))?;
                    self.place = end + 1;
                    return Ok(read);
                }
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        Err(self.problem("a text that does not end"))
    }

    fn literal(&mut self) -> Result<Value, Problem> {
        let rest = &self.text[self.place..];
        let length = rest.find(|char: char| !char.is_ascii_alphanumeric() && !['+', '-', '.'].contains(&char));
        let word = &rest[..length.unwrap_or(rest.len())];
        let value = match word {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "NaN" => Some(Value::Float(f64::NAN)),
            "Infinity" => Some(Value::Float(f64::INFINITY)),
            "-Infinity" => Some(Value::Float(f64::NEG_INFINITY)),
            word => json_number(word),
        };
        let value = value.ok_or_else(|| self.problem("a value is missing or not in quotes"))?;
        self.place += word.len();
        Ok(value)
    }
}

fn json_number(word: &str) -> Option<Value> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let one = digits.len() == 1 || !digits.starts_with('0');
        return if one { number::integer(digits, 10, digits.len() < word.len()) } else { None };
    }
    // `serde_json` decides which of the rest is a number; one that is too large is infinite in Python.
    let known = serde_json::from_str::<&serde_json::value::RawValue>(word).is_ok();
    let number = word.starts_with('-') || word.as_bytes().first()?.is_ascii_digit();
    (known && number).then(|| number::float(word)).flatten().map(Value::Float)
}
