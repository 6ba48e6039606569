//! `ComponentMappingDefinition`: copies a value of an item into the template.

use serde_json::Value;

use super::super::literals::json_of;
use super::super::manifest::{Faults, Mark, Node, Value as Yaml, yaml};
use super::super::part::{Builder, Part, flat};
use super::super::placed::{Condition, Text, Var};
use super::super::steps::Steps;
use super::super::template::{Json, Literal, ValidType, Variable};
use super::node_edits::{create, set};
use super::resolver::Resolver;
use super::values::Item;
use crate::protocol::Failure;

/// The most values in a YAML text. Aliases multiply a few lines.
const MOST_VALUES: u64 = 1_000_000;

/// A mapping.
pub(super) struct Mapping {
    path: Vec<Text>,
    value: Text,
    valid: Vec<ValidType>,
    creates: bool,
    condition: Option<Condition>,
    mark: Mark,
    /// Its path from the top of the manifest.
    way: String,
    place: String,
}

impl Mapping {
    /// The mapping that a part describes. `None` if it is faulty; the faults are noted.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, resolver: Resolver) -> Option<Self> {
        let variables: &[&str] = match resolver {
            Resolver::Http => &["components_values", "stream_template_config", "stream_slice"],
            Resolver::Config | Resolver::Parametrized => &["components_values", "stream_template_config"],
        };
        let condition = part.present("condition");
        if let Some(condition) = condition.as_ref().filter(|_| resolver != Resolver::Config) {
            builder.error(condition, "only a mapping of a ConfigComponentsResolver can have a condition. Remove it");
            return None;
        }
        let creates = part.flag("create_or_update") == Some(true);
        if creates && resolver == Resolver::Http {
            builder.warn(
                part,
                "`create_or_update` has no effect with an HttpComponentsResolver. Add the field to the template",
            );
        }
        let path = part.field("field_path")?;
        let path: Vec<_> = path.items().map(|step| builder.text(&step, variables)).collect();
        let value = builder.text(&part.field("value")?, variables);
        let condition = flat(condition.map(|condition| builder.condition(&condition, variables)))?;
        let path = path.into_iter().collect::<Option<Vec<Text>>>()?;
        if path.is_empty() {
            builder.error(part, "`field_path` is empty. Name the field of the template to change");
            return None;
        }
        Some(Self {
            path,
            value: value?,
            valid: valid_types(part.text("value_type")),
            creates: creates && resolver != Resolver::Http,
            condition,
            mark: part.node.mark(),
            way: part.path.to_string(),
            place: builder.place(part),
        })
    }

    /// Changes a copy of the template. A mapping without effect is noted as a warning.
    ///
    /// # Errors
    /// If a template cannot be evaluated, or the path leads through a value that cannot hold such a field.
    pub(super) fn apply(
        &self,
        builder: &Builder<'_>,
        copy: &mut Node,
        template: &Value,
        item: &Item<'_>,
        resolver: Resolver,
    ) -> Result<(), Failure> {
        let mut vars: Vec<Var<'_>> = vec![
            ("components_values", Variable::Json(Json::Tree(item.values))),
            ("stream_template_config", Variable::Json(Json::Tree(template))),
        ];
        vars.extend(item.slice.map(|slice| ("stream_slice", slice.variable())));
        if let Some(condition) = &self.condition
            && !condition.holds(&vars)?
        {
            return Ok(());
        }
        let value = self.node(&self.value.typed_text(&vars, &self.valid)?, resolver)?;
        let path = self.path.iter().map(|step| Ok(step.literal(&vars)?.to_text()));
        let path = path.collect::<Result<Vec<String>, Failure>>()?;
        let steps = Steps::of_texts(&path).ok_or_else(|| self.failure("a path can have one `**` only"))?;
        if set(copy, &steps, &value) > 0 {
            return Ok(());
        }
        if self.creates {
            if value.is_truthy() && !create(copy, &path, &value) {
                return Err(self.failure("the path leads through a value that cannot hold such a field"));
            }
            return Ok(());
        }
        let way_out = match resolver {
            Resolver::Http => "Correct the path, or add the field to the template",
            Resolver::Config | Resolver::Parametrized => "Correct the path, or set `create_or_update: true`",
        };
        let message = format!("the template has nothing at `{}`, so nothing is set there. {way_out}", path.join("."));
        builder.warn_at(self.mark, &self.way, message);
        Ok(())
    }

    /// The value as a node. From the config and parameters, a text is YAML, unless it is meant to be text. A text that
    /// is not YAML stays unchanged.
    ///
    /// # Errors
    /// If aliases make it too large.
    fn node(&self, value: &Literal, resolver: Resolver) -> Result<Node, Failure> {
        if let Literal::Str(text) = value {
            let is_text = resolver == Resolver::Http
                || resolver == Resolver::Config && matches!(self.valid[..], [ValidType::Str]);
            if !is_text && let Some(node) = yaml(text, &mut Faults::new("")) {
                if node.size() > MOST_VALUES {
                    let text = format!("{}: the value is YAML of more than {MOST_VALUES} values.", self.place);
                    return Err(Failure::config(text));
                }
                return Ok(without_places(&node));
            }
        }
        Ok(Node::from_json(&json_of(value)))
    }

    fn failure(&self, message: &str) -> Failure {
        Failure::config(format!("{}: {message}. Correct `field_path`.", self.place))
    }
}

/// The types that a `value_type` allows. None means any.
pub(in crate::sources::declarative) fn valid_types(name: Option<&str>) -> Vec<ValidType> {
    match name {
        Some("string") => vec![ValidType::Str],
        Some("number") => vec![ValidType::Float],
        Some("integer") => vec![ValidType::Int],
        Some("boolean") => vec![ValidType::Bool],
        _ => Vec::new(),
    }
}

/// A node without its lines, which are not the manifest's.
fn without_places(node: &Node) -> Node {
    match node.value() {
        Yaml::List(_) | Yaml::Map(_) => Node::from_json(&node.to_json()),
        other => Node::new(other.clone(), Mark::default()),
    }
}
