//! The components, their fields, and the values of each field: facts about Airbyte's low-code language in
//! `components.txt`, whose head explains the format.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The type of a value.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Anything.
    Any,
    /// Null.
    Null,
    /// True or false.
    Boolean,
    /// A whole number within these bounds. `2.0` is one, too.
    Integer(Bounds),
    /// A number within these bounds.
    Number(Bounds),
    /// A text.
    Text,
    /// Exactly this text.
    Word(&'static str),
    /// A list.
    List {
        /// The type of each item.
        items: Box<Kind>,
        /// The least number of items.
        least: usize,
        /// Whether all items must differ.
        unique: bool,
    },
    /// A mapping, and the type of its values.
    Mapping(Box<Kind>),
    /// An entry of the table, by its index.
    Named(usize),
    /// One of several.
    OneOf(Vec<Kind>),
}

/// The lower bound of a number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// At least this.
    pub least: Option<f64>,
    /// More than this.
    pub above: Option<f64>,
}

/// A component, or a mapping inside one that has fields of its own.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// The name, which is also its `type`; with a point in it, the component and the field that contains it.
    pub name: &'static str,
    /// Whether unknown fields are errors.
    pub closed: bool,
    /// Whether a value other than a mapping is ignored.
    pub loose: bool,
    /// Whether it is deprecated.
    pub deprecated: bool,
    /// The fields, in the order of the table.
    pub fields: Vec<Field>,
    /// One of these fields is required.
    pub one_of: Vec<&'static str>,
}

/// A field of a component.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// Whether it is required.
    pub required: bool,
    /// Whether it is deprecated.
    pub deprecated: bool,
    /// Its type.
    pub kind: Kind,
}

impl Component {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The required value of its `type`, if it has one.
    pub fn type_word(&self) -> Option<&'static str> {
        match self.field("type")?.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// An entry of the table.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A component.
    Component(Component),
    /// Another name for a type.
    Alias(Kind),
}

/// All components.
#[derive(Debug, Default)]
pub struct Components {
    entries: Vec<Entry>,
    names: HashMap<&'static str, usize>,
}

/// The components that airbyte-cdk 7.39.1 knows.
pub fn components() -> &'static Components {
    static TABLE: LazyLock<Components> = LazyLock::new(|| Components::parse(include_str!("components.txt")));
    &TABLE
}

impl Components {
    /// The index of an entry.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The entry at the index of a [`Kind::Named`].
    pub fn entry(&self, place: usize) -> Option<&Entry> {
        self.entries.get(place)
    }

    /// The component of this name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        match self.entry(self.place(name)?)? {
            Entry::Component(component) => Some(component),
            Entry::Alias(_) => None,
        }
    }

    /// Every `type` in the table.
    pub fn types(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Component(component) => component.type_word(),
            Entry::Alias(_) => None,
        })
    }

    fn parse(text: &'static str) -> Self {
        let mut table = Self::default();
        let lines = || text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines().filter(|line| !line.starts_with(' ')) {
            let name = line.split(' ').next().unwrap_or_default();
            table.names.insert(name, table.names.len());
        }
        for line in lines() {
            if let Some(field) = line.strip_prefix("  ? ") {
                table.add(|component| component.one_of = field.split(' ').collect());
            } else if let Some(field) = line.strip_prefix("  ") {
                let (name, kind) = field.split_once(' ').unwrap_or((field, "any"));
                let kind = table.kind(kind);
                let (name, deprecated) = strip(name, "~");
                let (name, required) = strip(name, "!");
                table.add(|component| component.fields.push(Field { name, required, deprecated, kind }));
            } else if let Some((_, kind)) = line.split_once(" = ") {
                table.entries.push(Entry::Alias(table.kind(kind)));
            } else {
                let mut words = line.split(' ');
                let name = words.next().unwrap_or_default();
                let rest: Vec<&str> = words.collect();
                let [closed, loose, deprecated] = ["closed", "loose", "deprecated"].map(|word| rest.contains(&word));
                let component = Component { name, closed, loose, deprecated, ..Component::default() };
                table.entries.push(Entry::Component(component));
            }
        }
        table
    }

    fn add(&mut self, change: impl FnOnce(&mut Component)) {
        if let Some(Entry::Component(component)) = self.entries.last_mut() {
            change(component);
        }
    }

    fn kind(&self, text: &'static str) -> Kind {
        let mut alternatives: Vec<Kind> = split(text).into_iter().map(|one| self.one(one)).collect();
        if alternatives.len() == 1 { alternatives.remove(0) } else { Kind::OneOf(alternatives) }
    }

    fn one(&self, text: &'static str) -> Kind {
        if let Some(word) = text.strip_prefix('\'') {
            return Kind::Word(word.trim_end_matches('\''));
        }
        if let Some(inner) = text.strip_prefix('{') {
            return Kind::Mapping(Box::new(self.kind(inner.trim_end_matches('}'))));
        }
        if let Some((inner, after)) = text.strip_prefix('[').and_then(|text| text.rsplit_once(']')) {
            let (after, unique) = strip(after, "!");
            let least = after.strip_prefix(">=").and_then(|least| least.parse().ok()).unwrap_or(0);
            return Kind::List { items: Box::new(self.kind(inner)), least, unique };
        }
        let (name, bounds) = match text.split_once('>') {
            Some((name, bound)) => match bound.strip_prefix('=') {
                Some(least) => (name, Bounds { least: least.parse().ok(), above: None }),
                None => (name, Bounds { least: None, above: bound.parse().ok() }),
            },
            None => (text, Bounds::default()),
        };
        match name {
            "text" => Kind::Text,
            "integer" => Kind::Integer(bounds),
            "number" => Kind::Number(bounds),
            "boolean" => Kind::Boolean,
            "null" => Kind::Null,
            "list" => Kind::List { items: Box::new(Kind::Any), least: 0, unique: false },
            "mapping" => Kind::Mapping(Box::new(Kind::Any)),
            name => self.place(name).map_or(Kind::Any, Kind::Named),
        }
    }
}

fn strip<'a>(text: &'a str, mark: &str) -> (&'a str, bool) {
    text.strip_suffix(mark).map_or((text, false), |text| (text, true))
}

/// The alternatives of a kind: split at ` | ` outside of brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0usize);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'|' if depth == 0 => {
                parts.push(text[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_table_is_known() {
        for entry in &components().entries {
            let Entry::Component(component) = entry else { continue };
            assert!(!component.fields.is_empty(), "{}", component.name);
            for field in &component.fields {
                let any = matches!(field.kind, Kind::Any);
                let line = format!("\n  {}", field.name);
                assert!(!any || include_str!("components.txt").contains(&format!("{line} any")), "{}", field.name);
            }
        }
        assert!(components().types().count() > 120);
    }
}
