//! The tree of a manifest. Every node knows the line and column it was written at, because a fault without a place is
//! hard to find in a file of 40,000 lines. Nodes are shared: what a hundred `$ref`s point to is in memory once.

use std::fmt;
use std::sync::Arc;

use jiff::civil;

/// Where something stands in the manifest's text. Lines and columns count from 1, columns in characters; both are 0
/// for what stands in no text, such as a `type` that was filled in.
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

/// What a node can be: the values that Python's YAML loader makes of a text.
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
    /// A date, which an unquoted `2024-01-01` is.
    Date(civil::Date),
    /// A date with a time, and its offset from UTC in seconds where it has one.
    DateTime(civil::DateTime, Option<i32>),
    /// What `!!binary` holds.
    Bytes(Box<[u8]>),
    /// A list.
    List(Vec<Node>),
    /// A pair of `!!omap` or `!!pairs`.
    Pair(Box<(Node, Node)>),
    /// What `!!set` holds.
    Set(Vec<Node>),
    /// A mapping.
    Map(Map),
    /// What a reference that leads nowhere stands for.
    Unresolved,
}

/// A mapping, in the order of its text. A key need not be a text: `on:` is True and `404:` is a number.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Node, Node)>,
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

    /// How many nodes there would be if nothing were shared, itself included.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// How many nodes lie upon each other, itself included.
    pub fn depth(&self) -> u32 {
        self.0.depth
    }

    /// What tells shared nodes apart: equal for two handles to the same node, as long as one of them is kept.
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

    /// What it is, in words for people.
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

    /// Whether Python finds two values equal: numbers by value, whatever their type; lists and mappings by content.
    pub fn equals(&self, other: &Node) -> bool {
        if self.address() == other.address() {
            return true;
        }
        match (self.value(), other.value()) {
            (Value::Text(one), Value::Text(two)) => one == two,
            (Value::Null, Value::Null) => true,
            (Value::BigInteger(one), Value::BigInteger(two)) => one == two,
            (Value::Date(one), Value::Date(two)) => one == two,
            (Value::DateTime(one, from_utc), Value::DateTime(two, other_from_utc)) => {
                let utc = |time: &civil::DateTime, offset: i32| {
                    time.checked_sub(jiff::SignedDuration::from_secs(offset.into())).unwrap_or(*time)
                };
                match (from_utc, other_from_utc) {
                    (None, None) => one == two,
                    (Some(offset), Some(other)) => utc(one, *offset) == utc(two, *other),
                    _ => false,
                }
            }
            (Value::Bytes(one), Value::Bytes(two)) => one == two,
            (Value::List(one), Value::List(two)) | (Value::Set(one), Value::Set(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.equals(two))
            }
            (Value::Pair(one), Value::Pair(two)) => one.0.equals(&two.0) && one.1.equals(&two.1),
            (Value::Map(one), Value::Map(two)) => {
                one.len() == two.len()
                    && one.iter().all(|(key, value)| two.get_node(key).is_some_and(|other| value.equals(other)))
            }
            (one, two) => match (as_number(one), as_number(two)) {
                (Some(Number::Whole(one)), Some(Number::Whole(two))) => one == two,
                (Some(one), Some(two)) => one.float().to_bits() == two.float().to_bits() || is_zero(&one, &two),
                _ => false,
            },
        }
    }
}

enum Number {
    Whole(i64),
    Float(f64),
}

impl Number {
    #[allow(clippy::cast_precision_loss, reason = "a float is asked for")]
    fn float(&self) -> f64 {
        match self {
            Self::Whole(value) => *value as f64,
            Self::Float(value) => *value,
        }
    }
}

fn as_number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(value) => Some(Number::Whole((*value).into())),
        Value::Integer(value) => Some(Number::Whole(*value)),
        Value::Float(value) => Some(Number::Float(*value)),
        _ => None,
    }
}

/// Zero and minus zero are equal, though their bits are not.
fn is_zero(one: &Number, two: &Number) -> bool {
    one.float().abs().to_bits() == 0 && two.float().abs().to_bits() == 0
}

impl Map {
    /// A mapping of these entries. A key that comes again keeps its first place and takes the last value, as in Python.
    pub fn new(entries: Vec<(Node, Node)>) -> Self {
        Self::with_duplicates(entries, |_, _| ())
    }

    /// As [`new`](Self::new), and says which keys came again: the first one and the later one.
    pub fn with_duplicates(entries: Vec<(Node, Node)>, mut again: impl FnMut(&Node, &Node)) -> Self {
        let mut map = Self { entries: Vec::with_capacity(entries.len()) };
        let mut index = std::collections::HashMap::new();
        let large = entries.len() > 12;
        for (key, value) in entries {
            let known = match (&key.0.value, large) {
                (Value::Text(text), true) => match index.entry(Arc::clone(text)) {
                    std::collections::hash_map::Entry::Occupied(place) => Some(*place.get()),
                    std::collections::hash_map::Entry::Vacant(place) => {
                        place.insert(map.entries.len());
                        None
                    }
                },
                _ => map.position(&key),
            };
            match known {
                Some(place) => {
                    again(&map.entries[place].0, &key);
                    map.entries[place].1 = value;
                }
                None => map.entries.push((key, value)),
            }
        }
        map
    }

    fn position(&self, key: &Node) -> Option<usize> {
        self.entries.iter().position(|(known, _)| known.equals(key))
    }

    /// The value of the text key `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(known, _)| known.as_text() == Some(key)).map(|(_, value)| value)
    }

    /// The value of a key that need not be a text.
    pub fn get_node(&self, key: &Node) -> Option<&Node> {
        self.position(key).map(|place| &self.entries[place].1)
    }

    /// The key `key` itself, with the place where it stands.
    pub fn key(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(known, _)| known.as_text() == Some(key)).map(|(known, _)| known)
    }

    /// Sets a value: in the place of an equal key, else at the end.
    pub fn insert(&mut self, key: Node, value: Node) {
        match self.position(&key) {
            Some(place) => self.entries[place].1 = value,
            None => self.entries.push((key, value)),
        }
    }

    /// Takes a text key out.
    pub fn remove(&mut self, key: &str) -> Option<(Node, Node)> {
        let place = self.entries.iter().position(|(known, _)| known.as_text() == Some(key))?;
        Some(self.entries.remove(place))
    }

    /// Keys and values in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Node, Node)> {
        self.entries.iter()
    }

    /// The entry at this place.
    pub fn entry(&self, place: usize) -> Option<&(Node, Node)> {
        self.entries.get(place)
    }

    /// Sets the value at this place, which has to exist.
    pub(super) fn set(&mut self, place: usize, value: Node) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.1 = value;
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
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

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.value())
    }
}
