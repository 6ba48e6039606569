//! Builds nodes from events: anchors and aliases, duplicate keys, merge keys.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::super::faults::{Faults, Kind, quoted};
use super::super::node::{Map, Mark, Node, Value};
use super::{MOST_LEVELS, Problem, lenient, mark, moved_back, scalar, tagged};

/// The only document of a text, null if there is none. `moved` has the columns by which each line was moved.
pub(super) fn document(text: &str, moved: &[u32], faults: &mut Faults) -> Result<Node, Problem> {
    let mut composer = Composer { faults, open: Vec::new(), anchors: HashMap::new(), root: None };
    let mut documents = 0;
    // Whether the last line has text and no line break.
    let unfinished = text.rsplit('\n').next().is_some_and(|line| !line.trim_matches(' ').is_empty());
    let length = if unfinished { text.chars().count() } else { 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            if error.info() == "recursion limit exceeded" {
                return Problem::too_deep(place(error.marker()));
            }
            let stumble = lenient::stumble(error.info());
            Problem { stumble, ..Problem::new(place(error.marker()), plain(error.info())) }
        })?;
        let start = moved_back(place(&span.start), moved);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(Problem::new(start, "a second document begins here; a manifest is a single one"));
                }
            }
            Event::Alias(anchor) => {
                let node = match composer.anchors.get(&anchor) {
                    Some(Some(node)) => node.clone(),
                    _ => return Err(Problem::new(start, "an alias to a value that contains it")),
                };
                composer.add(node, false, start)?;
            }
            Event::Scalar(mut text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if block && unfinished && span.end.index() >= length && text.ends_with('\n') {
                    // The parser makes up a line break at the end of the file.
                    text = Cow::Owned(text[..text.len() - 1].to_owned());
                }
                let (node, merge) = composer.scalar(&text, plain, tag_name(tag.as_deref()).as_deref(), start)?;
                if anchor > 0 {
                    composer.anchors.insert(anchor, Some(node.clone()));
                }
                composer.add(node, merge, start)?;
            }
            Event::SequenceStart(anchor, tag) => composer.open(false, anchor, tag.as_deref(), start)?,
            Event::MappingStart(anchor, tag) => composer.open(true, anchor, tag.as_deref(), start)?,
            Event::SequenceEnd | Event::MappingEnd => composer.close()?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    Ok(composer.root.unwrap_or_else(|| Node::new(Value::Null, mark(1, 1))))
}

fn place(marker: &Marker) -> Mark {
    mark(marker.line(), marker.col() + 1)
}

/// The usual cause of some of the parser's messages.
const HINTS: [(&str, &str); 7] = [
    ("trailing content", ". Look above it for a quote that is not closed"),
    ("tab", ". Indent with blanks, never with tabs"),
    ("illegal placement of ':'", ". Look above it for a `[`, a `{` or a quote that is not closed"),
    ("expected ',' or", ". Close the `[` or `{` that began before it"),
    ("did not find expected", ". Indent this line as its neighbours, and close what was opened above it"),
    ("mapping values are not allowed", ". Put a text with `: ` in it into quotes"),
    ("simple key", ". A `:` is missing here or in the line above, or a quote is not closed"),
];

/// The parser's message as part of our sentence.
fn plain(info: &str) -> String {
    let info = info.trim_end_matches('.');
    let hint = HINTS.iter().find(|(part, _)| info.contains(part)).map(|(_, hint)| *hint).unwrap_or_default();
    format!("this is not YAML: {info}{hint}")
}

/// The whole name of a tag. A `!` alone is none.
fn tag_name(tag: Option<&Tag>) -> Option<String> {
    let tag = tag?;
    Some(format!("{}{}", tag.handle, tag.suffix))
}

/// A list or a mapping that has not ended yet.
struct Open {
    mapping: bool,
    mark: Mark,
    anchor: usize,
    tag: Option<String>,
    items: Vec<Node>,
    entries: Vec<(Node, Node)>,
    /// The entries from merge keys.
    merged: Vec<(Node, Node)>,
    merged_keys: HashSet<Identity>,
    key: Option<Pending>,
}

enum Pending {
    Key(Node),
    Merge,
}

struct Composer<'a> {
    faults: &'a mut Faults,
    open: Vec<Open>,
    /// A value that has not ended yet has no anchor.
    anchors: HashMap<usize, Option<Node>>,
    root: Option<Node>,
}

impl Composer<'_> {
    /// The value of a scalar, and whether it is a merge key when used as a key.
    fn scalar(&mut self, text: &str, plain: bool, tag: Option<&str>, mark: Mark) -> Result<(Node, bool), Problem> {
        let is_key = self.open.last().is_some_and(|open| open.mapping && open.key.is_none());
        let value = match tag {
            Some("!") if text.is_empty() => Ok((Value::Text(text.into()), None)),
            None if !plain => Ok((Value::Text(text.into()), None)),
            None | Some("!") => match scalar::kind(text) {
                scalar::Kind::Text => Ok((Value::Text(text.into()), None)),
                scalar::Kind::Null => Ok((Value::Null, None)),
                scalar::Kind::Bool => scalar::bool(text).map(|value| (value, None)),
                scalar::Kind::Integer => scalar::integer(text),
                scalar::Kind::Float => scalar::float(text),
                scalar::Kind::Timestamp => scalar::timestamp(text).map(|value| (value, None)),
                scalar::Kind::Merge if is_key => return Ok((Node::text(text, mark), true)),
                scalar::Kind::Default if is_key => Ok((Value::Text(text.into()), None)),
                scalar::Kind::Merge | scalar::Kind::Default => {
                    Err(format!("a bare {} has a meaning of its own in YAML: put it in quotes", quoted(text)))
                }
            },
            Some(tag) => tagged::scalar(tag, text).map(|value| (value, None)),
        };
        let (value, surprise) = value.map_err(|message| Problem::new(mark, message))?;
        self.note(text, &value, is_key, surprise, mark);
        Ok((Node::new(value, mark), false))
    }

    /// The warning about a value that is easily mistaken.
    fn note(&mut self, text: &str, value: &Value, is_key: bool, surprise: Option<scalar::Surprise>, mark: Mark) {
        let meaning = match (surprise, value) {
            (Some(scalar::Surprise::Octal), Value::Integer(number)) => format!("is octal in YAML 1.1: {number}"),
            (Some(scalar::Surprise::Base60), Value::Integer(number)) => format!("is of base 60 in YAML 1.1: {number}"),
            (Some(scalar::Surprise::Base60), Value::Float(number)) => format!("is of base 60 in YAML 1.1: {number}"),
            (_, Value::Bool(value))
                if is_key && !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") =>
            {
                format!("is {value} as a key in YAML 1.1, not a text")
            }
            _ => return,
        };
        let message = format!("{} {meaning}; put it in quotes if it is a text", quoted(text));
        self.faults.warn(Kind::Surprise, mark, self.path(), message);
    }

    fn open(&mut self, mapping: bool, anchor: usize, tag: Option<&Tag>, mark: Mark) -> Result<(), Problem> {
        if self.open.len() >= MOST_LEVELS {
            return Err(Problem::too_deep(mark));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        let tag = tag_name(tag).filter(|tag| tag != "!");
        self.open.push(Open {
            mapping,
            mark,
            anchor,
            tag,
            items: Vec::new(),
            entries: Vec::new(),
            merged: Vec::new(),
            merged_keys: HashSet::new(),
            key: None,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        let value = if open.mapping {
            let mut twice = Vec::new();
            let mut map = Map::with_duplicates(open.entries, |first, again| twice.push((first.mark(), again.clone())));
            if !open.merged.is_empty() {
                // Merged entries come first, so that the mapping's own keys win.
                open.merged.extend(map.iter().cloned());
                map = Map::new(open.merged);
            }
            for (first, again) in twice {
                let key = again.as_text().map_or_else(|| again.kind().to_owned(), quoted);
                let message = format!("the key {key} is already there in line {}; this one wins", first.line);
                let path = self.path();
                self.faults.warn(Kind::DuplicateKey, again.mark(), path, message);
            }
            tagged::mapping(open.tag.as_deref(), map)
        } else {
            tagged::sequence(open.tag.as_deref(), open.items)
        };
        let node = Node::new(value.map_err(|message| Problem::new(open.mark, message))?, open.mark);
        if node.depth() as usize > MOST_LEVELS {
            return Err(Problem::too_deep(open.mark));
        }
        if open.anchor > 0 {
            self.anchors.insert(open.anchor, Some(node.clone()));
        }
        self.add(node, false, open.mark)
    }

    /// Adds a node to the innermost open node, or makes it the root.
    fn add(&mut self, node: Node, merge: bool, mark: Mark) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        if !open.mapping {
            open.items.push(node);
            return Ok(());
        }
        match open.key.take() {
            None if merge => open.key = Some(Pending::Merge),
            None => {
                let nested = matches!(node.value(), Value::List(_) | Value::Map(_) | Value::Set(_));
                if nested {
                    return Err(Problem::new(mark, format!("{} cannot be a key", node.kind())));
                }
                open.key = Some(Pending::Key(node));
            }
            Some(Pending::Key(key)) => open.entries.push((key, node)),
            Some(Pending::Merge) => merge_into(open, &node, mark)?,
        }
        Ok(())
    }

    /// The path to the innermost open node.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match &open.key {
                Some(Pending::Key(key)) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key.as_text().unwrap_or("?"));
                }
                _ if open.mapping => {}
                _ => {
                    let _ = write!(path, "[{}]", open.items.len());
                }
            }
        }
        path
    }
}

/// Adds the entries of a merge key. `PyYAML` 6.0.4 uses the later of two mappings with the same key, but ignores an
/// identical key: one of the same mapping, as two aliases bring it, or one of a single letter, which Python holds in
/// memory once.
fn merge_into(open: &mut Open, from: &Node, mark: Mark) -> Result<(), Problem> {
    let mut add = |map: &Map| {
        for (key, value) in map {
            let mut letters = key.as_text().unwrap_or("..").chars();
            let identity = match (letters.next(), letters.next()) {
                (None, _) => Identity::Letter(None),
                (Some(letter), None) if letter < '\u{100}' => Identity::Letter(Some(letter)),
                _ => Identity::Node(key.address()),
            };
            if open.merged_keys.insert(identity) {
                open.merged.push((key.clone(), value.clone()));
            }
        }
    };
    let no_mapping =
        |mark, node: &Node| Problem::new(mark, format!("`<<` merges mappings, but this is {}", node.kind()));
    match from.value() {
        Value::Map(map) => add(map),
        Value::List(items) => {
            for item in items {
                add(item.as_map().ok_or_else(|| no_mapping(item.mark(), item))?);
            }
        }
        _ => return Err(no_mapping(mark, from)),
    }
    Ok(())
}

/// The identity of a merged key.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Letter(Option<char>),
    Node(usize),
}
