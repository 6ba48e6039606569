//! `ListPartitionRouter`: a partition for each value of a list in the manifest or the config.

use serde_json::{Map, Value};

use super::super::part::{Builder, Part, flat};
use super::super::placed::Text;
use super::super::template::Literal;
use super::parent::value;
use super::partition::Partition;
use crate::protocol::Failure;

/// The values of a list.
#[derive(Debug)]
pub(in crate::sources::declarative) struct ListRouter<O> {
    values: Values,
    cursor_field: Text,
    pub(super) option: Option<O>,
}

#[derive(Debug)]
enum Values {
    /// Those of the manifest. They are not evaluated.
    Known(Vec<Value>),
    /// The result of a template.
    Template(Box<Text>),
}

impl<O> ListRouter<O> {
    /// The router that a part describes.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        option: &mut dyn FnMut(&Part<'_>) -> Option<O>,
    ) -> Option<Self> {
        let values = part.field("values")?;
        let values = match values.node.as_list() {
            Some(list) => Values::Known(list.iter().map(super::super::manifest::Node::to_json).collect()),
            None => Values::Template(Box::new(builder.text(&values, &[])?)),
        };
        let cursor_field = builder.text(&part.field("cursor_field")?, &[])?;
        let option = flat(part.field("request_option").map(|request_option| option(&request_option)))?;
        Some(Self { values, cursor_field, option })
    }

    /// The field with the value.
    pub(in crate::sources::declarative) fn field(&self) -> Result<String, Failure> {
        Ok(self.cursor_field.literal(&[])?.to_text())
    }

    /// The partitions, in the order of the list.
    ///
    /// # Errors
    /// If the template cannot be evaluated, or its result has no items.
    pub(super) fn partitions(&self) -> Result<Vec<Partition>, Failure> {
        let field = self.field()?;
        let partition =
            |value| Partition { partition: Map::from_iter([(field.clone(), value)]), ..Partition::default() };
        match &self.values {
            Values::Known(values) => Ok(values.iter().cloned().map(partition).collect()),
            Values::Template(text) => {
                let literal = text.literal(&[])?;
                let items = items(literal).ok_or_else(|| {
                    Failure::config(format!(
                        "{}: the values of a ListPartitionRouter have to be a list. Correct the manifest, or the setting \
                         that it uses.",
                        text.place()
                    ))
                })?;
                items.iter().map(|item| Ok(partition(json(text, item)?))).collect()
            }
        }
    }
}

/// The values that Python iterates over: of a text, its characters.
fn items(literal: Literal) -> Option<Vec<Literal>> {
    match literal {
        Literal::List(items) | Literal::Tuple(items) | Literal::Set(items) => Some(items),
        Literal::Dict(entries) => Some(entries.into_iter().map(|(key, _)| key).collect()),
        Literal::Str(text) => Some(text.chars().map(|char| Literal::Str(char.to_string())).collect()),
        _ => None,
    }
}

fn json(text: &Text, literal: &Literal) -> Result<Value, Failure> {
    let mut json = String::new();
    literal.write_json(&mut json).map_err(|fault| text.failure(&fault))?;
    Ok(value(&json))
}
