//! XML, as the object that the Python package `xmltodict` makes of it.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

use super::{Decoder, Decoding, Encoded, Encoding, Items, broken, wrong};
use crate::http::Undecodable;

/// Longest document, in bytes. Its object takes several times as much memory.
const MAX_XML: u64 = 64 * 1024 * 1024;
/// The deepest nesting of elements.
const MAX_DEPTH: usize = 256;

/// An XML document as one item: `{"root": …}`. An empty or blank body has no items.
///
/// An element is an object of its attributes, each with `@` before its name, and its elements. An element with only
/// text is that text; beside others, text is `#text`. Elements with one name are a list, and an empty element is null.
/// White space around texts is dropped, and so are comments. Prefixes stay unchanged.
///
/// The encoding is that of a byte order mark, the header of the response, or the document itself, in this order;
/// otherwise UTF-8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Xml;

impl Decoder for Xml {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        let charset = encoded.charset().cloned();
        let mut bytes = Vec::new();
        encoded.bytes()?.take(MAX_XML + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_XML {
            return Err(wrong(format!("it is XML of more than {} MiB", MAX_XML >> 20)).into());
        }
        let charset = charset.or_else(|| declared(&bytes));
        let mut text = Vec::with_capacity(bytes.len());
        Encoding::default().to_utf8(Box::new(Cursor::new(bytes)), charset)?.read_to_end(&mut text)?;
        let text = String::from_utf8(text)
            .map_err(|error| wrong(format!("it is not UTF-8 at byte {}", error.utf8_error().valid_up_to())))?;
        match object(&text)? {
            Some(object) => items.push(&Value::Object(object).to_string()),
            None => Ok(std::ops::ControlFlow::Continue(())),
        }
    }
}

/// The encoding in the first line of a document.
fn declared(bytes: &[u8]) -> Option<Encoding> {
    let start = bytes.get(..bytes.len().min(200))?;
    let line = start.split(|byte| *byte == b'>').next()?;
    let line = String::from_utf8_lossy(line.strip_prefix(b"<?xml")?).into_owned();
    let after = line.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let name = after[1..].split(quote).next()?;
    // The line is read as single bytes, so it cannot have two for each character.
    if name.to_ascii_lowercase().starts_with("utf-16") { None } else { Encoding::named(name) }
}

/// An open element.
struct Open {
    name: String,
    members: Option<Map<String, Value>>,
    text: String,
}

/// The object of a document. `None` if it is empty.
fn object(text: &str) -> Result<Option<Map<String, Value>>, Undecodable> {
    let mut reader = Reader::from_str(text);
    let (mut open, mut root): (Vec<Open>, Option<Map<String, Value>>) = (Vec::new(), None);
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let bad = |why: &dyn std::fmt::Display| broken(format!("it is not well-formed XML at byte {at}: {why}"));
        match event.map_err(|error| bad(&error))? {
            Event::Start(start) => {
                if open.len() == MAX_DEPTH {
                    return Err(wrong(format!("more than {MAX_DEPTH} elements of its XML are nested")));
                }
                if open.is_empty() && root.is_some() {
                    return Err(bad(&"there is more than one element at the top"));
                }
                open.push(opened(&start, &bad)?);
            }
            Event::Empty(start) => {
                if open.is_empty() && root.is_some() {
                    return Err(bad(&"there is more than one element at the top"));
                }
                close(opened(&start, &bad)?, &mut open, &mut root);
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { return Err(bad(&"nothing is open there")) };
                close(element, &mut open, &mut root);
            }
            Event::Text(part) => match open.last_mut() {
                Some(element) => element.text.push_str(&part.xml10_content()),
                None if part.trim().is_empty() => {}
                None => return Err(bad(&"there is text outside of all elements")),
            },
            Event::CData(part) => match open.last_mut() {
                Some(element) => element.text.push_str(&part.xml10_content()),
                None => return Err(bad(&"there is text outside of all elements")),
            },
            Event::GeneralRef(name) => {
                let written = format!("&{};", &*name);
                let Some(element) = open.last_mut() else { return Err(bad(&"there is text outside of all elements")) };
                element.text.push_str(&unescape(&written).map_err(|error| bad(&error))?);
            }
            Event::DocType(kind) if kind.contains("<!ENTITY") => {
                return Err(wrong("its XML declares entities of its own, which are not expanded"));
            }
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (open.last(), root) {
        (Some(element), _) => Err(broken(format!("its XML ends within the element `{}`", shortened(&element.name)))),
        (None, None) if !text.trim().is_empty() => Err(broken("it is not XML: there is no element in it")),
        (None, root) => Ok(root),
    }
}

fn opened(start: &BytesStart<'_>, bad: &dyn Fn(&dyn std::fmt::Display) -> Undecodable) -> Result<Open, Undecodable> {
    let name = start.name().as_ref().to_owned();
    let mut members = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| bad(&error))?;
        let value: &str = &attribute.value;
        // A line break or a tab in it counts as a blank.
        let value = match value.contains(['\n', '\r', '\t']) {
            true => Cow::Owned(value.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ")),
            false => Cow::Borrowed(value),
        };
        let value = unescape(&value).map_err(|error| bad(&error))?;
        let members: &mut Map<String, Value> = members.get_or_insert_default();
        members.insert(format!("@{}", attribute.key.as_ref()), value.into_owned().into());
    }
    Ok(Open { name, members, text: String::new() })
}

/// Adds an ended element to its parent.
fn close(element: Open, open: &mut [Open], root: &mut Option<Map<String, Value>>) {
    let text = element.text.trim();
    let text = (!text.is_empty()).then(|| Value::from(text));
    let value = match (element.members, text) {
        (Some(mut members), text) => {
            if let Some(text) = text {
                add(&mut members, "#text".to_owned(), text);
            }
            Value::Object(members)
        }
        (None, text) => text.unwrap_or_default(),
    };
    let around = match open.last_mut() {
        Some(outer) => &mut outer.members,
        None => root,
    };
    add(around.get_or_insert_default(), element.name, value);
}

/// Adds a member. Several of one name become a list.
fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        None => _ = members.insert(name, value),
        Some(Value::Array(all)) => all.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(50).collect()
}
