//! The tree of a manifest. Every node knows its line and column, because a fault without a place is hard to find in a
//! file of 40,000 lines. Nodes are shared: the target of a hundred `$ref`s is in memory once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::civil;

/// A place in the manifest's text. Lines and columns count from 1, columns in characters; both are 0 for nodes without
/// text, such as a `type` that was filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// A value of a manifest and its place. A clone is another handle to the same value.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    value: Value,
    mark: Mark,
    size: u64,
    depth: u32,
}

/// The values that Python's YAML loader makes of a text.
#[derive(Clone, Debug)]
pub enum Value {
    /// None.
    Null,
    /// True or False.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number that is too large for 64 bits, in decimal digits.
    BigInteger(Box<str>),
    /// A number with a point.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A date: an unquoted `2024-01-01` is one.
    Date(civil::Date),
    /// A date with a time, and its offset from UTC in seconds if it has one.
    DateTime(civil::DateTime, Option<i32>),
    /// The bytes of `!!binary`.
    Bytes(Box<[u8]>),
    /// A list.
    List(Vec<Node>),
    /// A pair of `!!omap` or `!!pairs`.
    Pair(Box<(Node, Node)>),
    /// The items of `!!set`.
    Set(Vec<Node>),
    /// A mapping.
    Map(Map),
    /// Stands for a reference to nothing.
    Unresolved,
}

/// A mapping, in the order of its text. A key need not be a text: `on:` is True and `404:` is a number.
#[derive(Clone, Default)]
pub struct Map {
    entries: Vec<(Node, Node)>,
    /// Built when a large mapping is first searched; a changed mapping builds a new one.
    index: OnceLock<Arc<HashMap<Key, usize>>>,
}

impl Node {
    /// A node with this value at this place.
    pub fn new(value: Value, mark: Mark) -> Self {
        let (mut size, mut depth) = (1u64, 0u32);
        let mut add = |child: &Node| {
            size = size.saturating_add(child.0.size);
            depth = depth.max(child.0.depth);
        };
        match &value {
            Value::List(items) | Value::Set(items) => items.iter().for_each(&mut add),
            Value::Pair(pair) => [&pair.0, &pair.1].into_iter().for_each(&mut add),
            Value::Map(map) => map.entries.iter().for_each(|(_, value)| add(value)),
            _ => {}
        }
        Self(Arc::new(Inner { value, mark, size, depth: depth.saturating_add(1) }))
    }

    /// A text.
    pub fn text(text: impl Into<Arc<str>>, mark: Mark) -> Self {
        Self::new(Value::Text(text.into()), mark)
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// Where it was written.
    pub fn mark(&self) -> Mark {
        self.0.mark
    }

    /// The number of nodes if nothing were shared, itself included.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// The depth of nesting, itself included.
    pub fn depth(&self) -> u32 {
        self.0.depth
    }

    /// The identity of a shared node: equal for two handles to the same node, while one of them is kept.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// The text, of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self.value() {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, of a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match self.value() {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The mapping, of a mapping.
    pub fn as_map(&self) -> Option<&Map> {
        match self.value() {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The field of this name, of a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// Whether Python takes it for true.
    pub fn is_truthy(&self) -> bool {
        match self.value() {
            Value::Null | Value::Unresolved => false,
            Value::Bool(value) => *value,
            Value::Integer(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Bytes(bytes) => !bytes.is_empty(),
            Value::List(items) | Value::Set(items) => !items.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::BigInteger(_) | Value::Date(_) | Value::DateTime(..) | Value::Pair(_) => true,
        }
    }

    /// Its type, in words for people.
    pub fn kind(&self) -> &'static str {
        match self.value() {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::BigInteger(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::Date(_) | Value::DateTime(..) => "a date (quotes make it text)",
            Value::Bytes(_) => "binary data",
            Value::List(_) => "a list",
            Value::Pair(_) => "a pair",
            Value::Set(_) => "a set",
            Value::Map(_) => "a mapping",
            Value::Unresolved => "a reference that leads nowhere",
        }
    }

    /// Whether Python takes two keys as equal: numbers are equal by value, so 1, 1.0 and true are. Lists and mappings,
    /// which cannot be keys, are equal only to themselves.
    pub fn is_same_key(&self, other: &Node) -> bool {
        self.address() == other.address() || self.key() == other.key()
    }

    fn key(&self) -> Key {
        match self.value() {
            Value::Text(text) => Key::Text(Arc::clone(text)),
            Value::Bool(value) => Key::Whole((*value).into()),
            Value::Integer(value) => Key::Whole(*value),
            Value::Float(value) => Key::of_float(*value),
            Value::DateTime(time, Some(offset)) => {
                let utc = time.checked_sub(jiff::SignedDuration::from_secs((*offset).into()));
                Key::Other(format!("{} UTC", utc.unwrap_or(*time)))
            }
            Value::List(_) | Value::Map(_) | Value::Set(_) | Value::Pair(_) => Key::Node(self.address()),
            other => Key::Other(format!("{other:?}")),
        }
    }
}

/// Keys with equal identities are the same.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Text(Arc<str>),
    Whole(i64),
    /// The bits of a number that is not whole.
    Float(u64),
    Other(String),
    Node(usize),
}

impl Key {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "it is checked to be the same")]
    fn of_float(value: f64) -> Self {
        let whole = value as i64;
        if (whole as f64).to_bits() == (value + 0.0).to_bits() {
            Self::Whole(whole)
        } else {
            Self::Float(value.to_bits())
        }
    }
}

/// A mapping with this many entries has an index of its keys.
const LARGE: usize = 24;

impl Map {
    /// A mapping of these entries. A repeated key keeps its first place and takes the last value, as in Python.
    pub fn new(entries: Vec<(Node, Node)>) -> Self {
        Self::with_duplicates(entries, |_, _| ())
    }

    /// As [`new`](Self::new), and returns the repeated keys: the first one and the later one.
    pub fn with_duplicates(entries: Vec<(Node, Node)>, mut again: impl FnMut(&Node, &Node)) -> Self {
        let mut map = Self::default();
        if entries.len() < LARGE {
            for (key, value) in entries {
                if let Some(place) = map.position(&key) {
                    again(&map.entries[place].0, &key);
                    map.entries[place].1 = value;
                } else {
                    map.entries.push((key, value));
                }
            }
            return map;
        }
        let mut index = HashMap::with_capacity(entries.len());
        for (key, value) in entries {
            match index.entry(key.key()) {
                Entry::Occupied(place) => {
                    let (first, known): &mut (Node, Node) = &mut map.entries[*place.get()];
                    again(first, &key);
                    *known = value;
                }
                Entry::Vacant(place) => {
                    place.insert(map.entries.len());
                    map.entries.push((key, value));
                }
            }
        }
        map.index = OnceLock::from(Arc::new(index));
        map
    }

    /// The place of a key of a large mapping.
    fn indexed(&self, key: &Key) -> Option<usize> {
        let index = || Arc::new(self.entries.iter().enumerate().map(|(place, (key, _))| (key.key(), place)).collect());
        self.index.get_or_init(index).get(key).copied()
    }

    fn position(&self, key: &Node) -> Option<usize> {
        match key.value() {
            Value::Text(text) => self.text_position(text),
            _ if self.entries.len() < LARGE => self.entries.iter().position(|(known, _)| known.is_same_key(key)),
            _ => self.indexed(&key.key()),
        }
    }

    fn text_position(&self, key: &str) -> Option<usize> {
        if self.entries.len() < LARGE {
            self.entries.iter().position(|(known, _)| known.as_text() == Some(key))
        } else {
            self.indexed(&Key::Text(key.into()))
        }
    }

    /// The value of the text key `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.text_position(key).map(|place| &self.entries[place].1)
    }

    /// The value of a key that need not be a text.
    pub fn get_node(&self, key: &Node) -> Option<&Node> {
        self.position(key).map(|place| &self.entries[place].1)
    }

    /// The key `key` itself, with its place.
    pub fn key(&self, key: &str) -> Option<&Node> {
        self.text_position(key).map(|place| &self.entries[place].0)
    }

    /// Sets a value: replaces an equal key, otherwise appends.
    pub fn insert(&mut self, key: Node, value: Node) {
        if let Some(place) = self.position(&key) {
            self.entries[place].1 = value;
        } else {
            self.entries.push((key, value));
            self.index = OnceLock::new();
        }
    }

    /// Removes a text key.
    pub fn remove(&mut self, key: &str) -> Option<(Node, Node)> {
        let place = self.text_position(key)?;
        self.index = OnceLock::new();
        Some(self.entries.remove(place))
    }

    /// Keys and values in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Node, Node)> {
        self.entries.iter()
    }

    /// The entry at this index.
    pub fn entry(&self, place: usize) -> Option<&(Node, Node)> {
        self.entries.get(place)
    }

    /// Sets the value at this index, which must exist.
    pub(super) fn set(&mut self, place: usize, value: Node) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.1 = value;
        }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = &'a (Node, Node);
    type IntoIter = std::slice::Iter<'a, (Node, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(key, value)| (key, value))).finish()
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.value())
    }
}
