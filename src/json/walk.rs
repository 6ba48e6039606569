//! Finds the records in a response: follows the names of a path, keeps the members beside it (the envelope), and passes
//! each record to its receiver, for texts in memory and on disk alike.

use super::fault::Fault;
use super::record_path::{EACH, RecordPath};
use super::scan::{self, Skip};
use super::text::{Place, Text};
use super::unquoted;

/// Longest envelope that is kept, in bytes. It is held in memory, unlike records.
pub(super) const MAX_ENVELOPE: usize = 16 * 1024 * 1024;
/// Longest record, in bytes. One at a time is held in memory.
pub(super) const MAX_RECORD: usize = 32 * 1024 * 1024;

/// The fault of a text.
pub(super) enum Broken {
    /// It is not JSON, or ends too early: about here.
    NotJson(usize),
    /// It is JSON, but not of this shape.
    Shape(String),
    /// It cannot be read, or the receiver wants no more records.
    Stopped(anyhow::Error),
}

/// Receives records of a text.
pub(super) trait TakeRecord {
    /// Receives the object that begins at `at`, and returns its end.
    ///
    /// # Errors
    /// If it has no end. An incomplete one is received again once there is more of the text.
    fn take(&mut self, text: &[u8], at: usize) -> Result<usize, Taking>;
}

/// Why a record could not be taken.
pub(super) enum Taking {
    Fault(Fault),
    TooLong,
    Stopped(anyhow::Error),
}

/// A walk through a text.
pub(super) struct Walk<T, R> {
    place: Place<T>,
    pub(super) taker: R,
    envelope: String,
    found: bool,
    is_optional: bool,
}

impl<T: Text, R: TakeRecord> Walk<T, R> {
    pub(super) fn new(text: T, taker: R) -> Self {
        Self { place: Place::new(text), taker, envelope: String::new(), found: false, is_optional: false }
    }

    /// Walks through the whole text, and returns the envelope.
    pub(super) fn run(&mut self, path: &RecordPath) -> Result<String, Broken> {
        self.is_optional = path.is_optional();
        self.value(path.names())?;
        if self.peek()?.is_some() {
            return Err(self.not_json());
        }
        match self.found || self.is_optional {
            true => Ok(std::mem::take(&mut self.envelope)),
            false => Err(Broken::Shape(format!("there is nothing at {path}"))),
        }
    }

    /// The value at the start of the path.
    fn value(&mut self, path: &[String]) -> Result<(), Broken> {
        let first = self.next()?;
        match (first, path.split_first()) {
            (b'[' | b'{', Some((name, rest))) if name == EACH => return self.each(first, rest),
            (b'{', Some((name, rest))) => return self.envelope(name, rest),
            (b'{', None) => self.record()?,
            (b'[', None) => self.list()?,
            (b'n', None) => _ = self.skip(MAX_ENVELOPE)?,
            (_, Some(_)) if self.is_optional => {
                let value = self.skip(MAX_ENVELOPE)?;
                self.envelope.push_str(&value);
                return Ok(());
            }
            (_, next) => {
                let what = match first {
                    b'[' => "a list",
                    b'"' => "a string",
                    b't' | b'f' => "a boolean",
                    b'n' => "null",
                    _ => "a number",
                };
                // A number may be the whole text, and then has no end; a list may be as large as a disk.
                if !matches!(first, b'[' | b'-' | b'0'..=b'9') {
                    self.skip(MAX_ENVELOPE)?;
                }
                let wanted = match next {
                    Some((name, _)) => format!("an object with `{name}`"),
                    None => "a list of objects".to_owned(),
                };
                return Err(Broken::Shape(format!("there is {what} where {wanted} should be")));
            }
        }
        self.found = true;
        Ok(())
    }

    /// A list or an object whose elements are all on the path. The members around the records in them are dropped: they
    /// may be as long as the records, and have no single place.
    fn each(&mut self, open: u8, rest: &[String]) -> Result<(), Broken> {
        let close = if open == b'[' { b']' } else { b'}' };
        let kept = self.envelope.len();
        self.place.at += 1;
        self.found = true;
        if self.next()? == close {
            self.place.at += 1;
            return Ok(());
        }
        loop {
            if open == b'{' {
                self.key()?;
            }
            self.value(rest)?;
            self.envelope.truncate(kept);
            match self.next()? {
                b',' => self.place.at += 1,
                end if end == close => {
                    self.place.at += 1;
                    return Ok(());
                }
                _ => return Err(self.not_json()),
            }
        }
    }

    /// The name of a member, with its quotes. The value follows.
    fn key(&mut self) -> Result<String, Broken> {
        if self.next()? != b'"' {
            return Err(self.not_json());
        }
        let key = self.skip(MAX_ENVELOPE)?;
        if self.next()? != b':' {
            return Err(self.not_json());
        }
        self.place.at += 1;
        self.next()?;
        Ok(key)
    }

    /// An object on the path.
    fn envelope(&mut self, name: &str, rest: &[String]) -> Result<(), Broken> {
        self.place.at += 1;
        self.envelope.push('{');
        if self.next()? == b'}' {
            self.place.at += 1;
            self.envelope.push('}');
            return Ok(());
        }
        let mut is_passed = false;
        loop {
            let key = self.key()?;
            let is_it = unquoted(&key) == name;
            self.envelope.extend([&*key, ":"]);
            if !is_it {
                let value = self.skip(MAX_ENVELOPE)?;
                self.envelope.push_str(&value);
            } else if is_passed {
                return Err(Broken::Shape(format!("`{name}` is there twice")));
            } else {
                is_passed = true;
                let length = self.envelope.len();
                self.value(rest)?;
                if self.envelope.len() == length {
                    self.envelope.push_str("null");
                }
            }
            if self.envelope.len() > MAX_ENVELOPE {
                return Err(too_long("what stands around the records", MAX_ENVELOPE));
            }
            match self.next()? {
                b',' => self.envelope.push(','),
                b'}' => {
                    self.place.at += 1;
                    self.envelope.push('}');
                    return Ok(());
                }
                _ => return Err(self.not_json()),
            }
            self.place.at += 1;
        }
    }

    fn list(&mut self) -> Result<(), Broken> {
        self.place.at += 1;
        if self.next()? == b']' {
            self.place.at += 1;
            return Ok(());
        }
        loop {
            if self.next()? != b'{' {
                self.skip(MAX_RECORD)?;
                return Err(Broken::Shape("a record is not an object".to_owned()));
            }
            self.record()?;
            match self.next()? {
                b',' => self.place.at += 1,
                b']' => {
                    self.place.at += 1;
                    return Ok(());
                }
                _ => return Err(self.not_json()),
            }
        }
    }

    fn record(&mut self) -> Result<(), Broken> {
        loop {
            match self.taker.take(self.place.text.bytes(), self.place.at) {
                Ok(end) => {
                    self.place.at = end;
                    return Ok(());
                }
                Err(Taking::Stopped(error)) => return Err(Broken::Stopped(error)),
                Err(Taking::TooLong) => return Err(too_long("a record", MAX_RECORD)),
                Err(Taking::Fault(fault)) => self.go_on(fault, "a record", MAX_RECORD)?,
            }
        }
    }

    /// The text of any other value.
    fn skip(&mut self, most: usize) -> Result<String, Broken> {
        loop {
            match scan::value(self.place.text.bytes(), self.place.at, &mut Skip) {
                Ok(end) => {
                    let text = std::str::from_utf8(&self.place.text.bytes()[self.place.at..end]).map(str::to_owned);
                    let text = text.map_err(|_| self.not_json())?;
                    self.place.at = end;
                    return Ok(text);
                }
                Err(fault) => self.go_on(fault, "what stands around the records", most)?,
            }
        }
    }

    /// Reads more of an incomplete value into memory.
    fn go_on(&mut self, fault: Fault, what: &str, most: usize) -> Result<(), Broken> {
        if fault != Fault::Incomplete {
            return Err(self.not_json());
        }
        if self.place.text.bytes().len() - self.place.at >= most {
            return Err(too_long(what, most));
        }
        match self.place.more().map_err(|error| Broken::Stopped(error.into()))? {
            true => Ok(()),
            false => Err(self.not_json()),
        }
    }

    /// The next byte other than white space. The text may not end here.
    fn next(&mut self) -> Result<u8, Broken> {
        self.peek()?.ok_or_else(|| self.not_json())
    }

    /// The next byte other than white space, if there is one.
    fn peek(&mut self) -> Result<Option<u8>, Broken> {
        self.place.peek().map_err(|error| Broken::Stopped(error.into()))
    }

    fn not_json(&self) -> Broken {
        Broken::NotJson(self.place.offset())
    }
}

fn too_long(what: &str, most: usize) -> Broken {
    Broken::Shape(format!("{what} is longer than {} MiB", most / (1024 * 1024)))
}
