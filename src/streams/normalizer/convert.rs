//! Converts one value's text into another's. Everything stays JSON text: nothing becomes a tree, or a float.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::value::RawValue;

use super::integer::whole;
use super::plan::{Plan, Target};
use crate::json::{self, Splice};
use crate::locks;

/// The result for a value.
enum Converted {
    /// It is correct, or its correct form is unknown.
    Same,
    New(String),
    /// It has another type, without a sensible conversion to the wanted one.
    Cannot,
}

impl From<Option<String>> for Converted {
    fn from(new: Option<String>) -> Self {
        new.map_or(Self::Same, Self::New)
    }
}

/// The values that could not be converted, reported once a field, from any thread.
#[derive(Debug)]
pub(super) struct Warnings {
    told: Vec<AtomicBool>,
    new: Mutex<Vec<String>>,
    /// Avoids the lock for each record.
    has_new: AtomicBool,
}

impl Warnings {
    pub(super) fn new(fields: usize) -> Self {
        let told = (0..fields).map(|_| AtomicBool::new(false)).collect();
        Self { told, new: Mutex::default(), has_new: AtomicBool::new(false) }
    }

    pub(super) fn take(&self) -> Vec<String> {
        match self.has_new.load(Ordering::Relaxed) && self.has_new.swap(false, Ordering::Acquire) {
            true => std::mem::take(&mut locks::lock(&self.new)),
            false => Vec::new(),
        }
    }

    fn add(&self, plan: &Plan, kind: Kind) {
        let (Some(told), Some(target)) = (self.told.get(plan.id), plan.target) else { return };
        if !told.swap(true, Ordering::Relaxed) {
            locks::lock(&self.new).push(format!(
                "`{}` is {} that cannot be converted to {}, as the schema wants it. It stays as it is, here and in \
                 later records.",
                plan.path,
                kind.name(),
                target.wanted()
            ));
            self.has_new.store(true, Ordering::Release);
        }
    }
}

/// The kinds of JSON text, identified by their first character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Number,
    String,
    List,
    Object,
}

impl Kind {
    fn of(text: &str) -> Self {
        match text.bytes().next() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::String,
            Some(b'[') => Self::List,
            Some(b'{') => Self::Object,
            _ => Self::Number,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// An object with its members converted, or `None` if none needed it.
pub(super) fn convert_members(plan: &Plan, object: &str, warnings: &Warnings) -> Option<String> {
    if plan.members.is_empty() {
        return None;
    }
    let mut splice = Splice::new(object);
    json::for_each_member(object, |name, value| {
        if let Some(plan) = plan.members.get(&*json::unquoted(name))
            && let Some(new) = convert_or_warn(plan, value, warnings)
        {
            splice.replace(value, &new);
        }
    });
    splice.finish()
}

fn convert_elements(plan: &Plan, list: &str, warnings: &Warnings) -> Option<String> {
    let plan = plan.elements.as_ref()?;
    let mut splice = Splice::new(list);
    json::for_each_element(list, |element| {
        if let Some(new) = convert_or_warn(plan, element, warnings) {
            splice.replace(element, &new);
        }
    });
    splice.finish()
}

fn convert_or_warn(plan: &Plan, value: &str, warnings: &Warnings) -> Option<String> {
    match convert(plan, value, warnings) {
        Converted::Same => None,
        Converted::New(new) => Some(new),
        Converted::Cannot => {
            warnings.add(plan, Kind::of(value));
            None
        }
    }
}

fn convert(plan: &Plan, value: &str, warnings: &Warnings) -> Converted {
    match (Kind::of(value), plan.target) {
        (Kind::Null, _)
        | (Kind::String, Some(Target::String))
        | (Kind::Number, Some(Target::Number))
        | (Kind::Boolean, Some(Target::Boolean))
        | (Kind::String | Kind::Number | Kind::Boolean, None) => Converted::Same,
        (Kind::Object, None | Some(Target::Object)) => convert_members(plan, value, warnings).into(),
        (Kind::List, None | Some(Target::Array)) => convert_elements(plan, value, warnings).into(),
        (_, Some(Target::String)) => Converted::New(quoted_text(value)),
        (Kind::String, Some(Target::Number)) => number(value).map_or(Converted::Cannot, Converted::New),
        (Kind::Number, Some(Target::Integer)) => match whole(value) {
            Some(digits) if digits == value => Converted::Same,
            digits => digits.map_or(Converted::Cannot, Converted::New),
        },
        (Kind::String, Some(Target::Integer)) => {
            number(value).and_then(|number| whole(&number)).map_or(Converted::Cannot, Converted::New)
        }
        (Kind::String | Kind::Number, Some(Target::Boolean)) => boolean(value),
        (Kind::String | Kind::Number | Kind::Boolean, Some(Target::Array)) => list_of(plan, value, warnings),
        _ => Converted::Cannot,
    }
}

/// A value's JSON text as a JSON string.
fn quoted_text(text: &str) -> String {
    let (mut line, mut quoted) = (Vec::new(), Vec::new());
    json::write_one_line(&mut line, text);
    json::write_string(&mut quoted, &String::from_utf8_lossy(&line));
    String::from_utf8_lossy(&quoted).into_owned()
}

/// The digits in a text that is a JSON number, and only white space around it: `007` may be a code, and stays.
fn number(string: &str) -> Option<String> {
    let text = json::unquoted(string);
    let number: &RawValue = serde_json::from_str(text.trim()).ok()?;
    (Kind::of(number.get()) == Kind::Number).then(|| number.get().to_owned())
}

fn boolean(value: &str) -> Converted {
    match json::unquoted(value).trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Converted::New("true".to_owned()),
        "false" | "f" | "no" | "n" | "off" | "0" => Converted::New("false".to_owned()),
        _ => Converted::Cannot,
    }
}

/// A list of the value, if it may be in one.
fn list_of(plan: &Plan, value: &str, warnings: &Warnings) -> Converted {
    let element = plan.elements.as_ref().map_or(Converted::Same, |plan| convert(plan, value, warnings));
    match element {
        Converted::Same => Converted::New(format!("[{value}]")),
        Converted::New(element) => Converted::New(format!("[{element}]")),
        Converted::Cannot => Converted::Cannot,
    }
}
