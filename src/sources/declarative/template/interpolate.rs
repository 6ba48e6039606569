//! Templates in the forms of a manifest: one text, a condition, mappings, the inputs of a request.

use super::compiled::Template;
use super::error::{Fault, Result};
use super::literal::{Literal, ValidType, unique_entries};
use super::scope::Scope;

/// A text: `InterpolatedString`.
#[derive(Debug)]
pub struct InterpolatedString {
    template: Template,
    default: Option<Template>,
}

impl InterpolatedString {
    /// Compiles a text. The default replaces an empty result; an empty default is none.
    pub fn compile(text: &str, default: Option<&str>) -> Result<Self> {
        let default = default.filter(|default| !default.is_empty()).map(Template::compile).transpose()?;
        Ok(Self { template: Template::compile(text)?, default })
    }

    /// The template.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Its value. Without a default, using a missing value is a fault, as in the reference.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Literal> {
        self.template.eval(scope, Some(self.default.as_ref().unwrap_or(&self.template)), &[])
    }

    /// Its value, but the text of a single expression stays that text.
    pub fn eval_kept(&self, scope: &Scope<'_>) -> Result<Literal> {
        self.template.eval_kept(scope, Some(self.default.as_ref().unwrap_or(&self.template)))
    }

    /// Its text as it is sent, without the literal step.
    pub fn eval_text(&self, scope: &Scope<'_>) -> Result<String> {
        let default = Some(self.default.as_ref().unwrap_or(&self.template));
        self.template.eval_text(scope, default).map(Option::unwrap_or_default)
    }
}

/// A condition: `InterpolatedBoolean`.
#[derive(Debug)]
pub enum InterpolatedBoolean {
    /// Always this.
    Constant(bool),
    /// The result of a template.
    Template(Template),
}

impl InterpolatedBoolean {
    /// Compiles a condition.
    pub fn compile(text: &str) -> Result<Self> {
        Template::compile(text).map(Self::Template)
    }

    /// Whether it holds: any result except the reference's words for false. Using a missing value is false; Python's
    /// `TypeError`, which is true in the reference, is a fault.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<bool> {
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Template(template) => {
                // Without a default, an empty result is null, which is false.
                Ok(!is_false(&template.eval(scope, None, &[])?))
            }
        }
    }
}

/// The values that count as false.
fn is_false(value: &Literal) -> bool {
    match value {
        Literal::Str(text) => ["False", "false", "{}", "[]", "()", "", "0", "0.0"].contains(&text.as_str()),
        Literal::Bytes(_) => false,
        other => !other.truth(),
    }
}

/// A value of a mapping: only texts are evaluated.
#[derive(Debug)]
pub enum Entry {
    /// A text.
    Template(Template),
    /// A number, a list and the like, unchanged.
    Raw(Literal),
}

/// One level of keys and values: `InterpolatedMapping`.
#[derive(Debug)]
pub struct InterpolatedMapping {
    entries: Vec<(Template, Entry)>,
}

impl InterpolatedMapping {
    /// Compiles the keys and the text values. It finds all their faults.
    pub fn compile(mapping: &[(String, Literal)]) -> std::result::Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut entries = Vec::new();
        for (key, value) in mapping {
            let key = Template::compile(key);
            let value = match value {
                Literal::Str(text) => Template::compile(text).map(Entry::Template),
                other => Ok(Entry::Raw(other.clone())),
            };
            match (key, value) {
                (Ok(key), Ok(value)) => entries.push((key, value)),
                (key, value) => faults.extend(key.err().into_iter().chain(value.err()).map(|fault| *fault)),
            }
        }
        if faults.is_empty() { Ok(Self { entries }) } else { Err(faults) }
    }

    /// The entries, for inspecting their templates.
    pub fn entries(&self) -> &[(Template, Entry)] {
        &self.entries
    }

    /// The mapping, with keys and values of these types only.
    pub fn eval(&self, scope: &Scope<'_>, keys: &[ValidType], values: &[ValidType]) -> Result<Literal> {
        let mut entries = Vec::with_capacity(self.entries.len());
        for (key, value) in &self.entries {
            let value = match value {
                Entry::Template(template) => template.eval(scope, None, values)?,
                Entry::Raw(value) => value.clone(),
            };
            entries.push((key.eval(scope, None, keys)?, value));
        }
        unique_entries(entries)
    }
}

/// Keys and values of any depth: `NestedMapping`.
#[derive(Debug)]
pub enum Nested {
    /// A text.
    Template(Template),
    /// A mapping, whose keys are evaluated, too.
    Mapping(Vec<(Nested, Nested)>),
    /// A list.
    List(Vec<Nested>),
    /// Anything else, unchanged.
    Raw(Literal),
}

impl Nested {
    /// Compiles every text in a value. It finds all their faults.
    pub fn compile(value: &Literal) -> std::result::Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let compiled = Self::within(value, &mut faults);
        if faults.is_empty() { Ok(compiled) } else { Err(faults) }
    }

    fn within(value: &Literal, faults: &mut Vec<Fault>) -> Self {
        match value {
            Literal::Str(text) => match Template::compile(text) {
                Ok(template) => Self::Template(template),
                Err(fault) => {
                    faults.push(*fault);
                    Self::Raw(Literal::None)
                }
            },
            Literal::Dict(entries) => Self::Mapping(
                entries.iter().map(|(key, value)| (Self::within(key, faults), Self::within(value, faults))).collect(),
            ),
            Literal::List(items) => Self::List(items.iter().map(|item| Self::within(item, faults)).collect()),
            other => Self::Raw(other.clone()),
        }
    }

    /// Hands out every template in it, keys included.
    pub fn templates(&self, each: &mut dyn FnMut(&Template)) {
        match self {
            Self::Template(template) => each(template),
            Self::Mapping(entries) => entries.iter().for_each(|(key, value)| {
                key.templates(each);
                value.templates(each);
            }),
            Self::List(items) => items.iter().for_each(|item| item.templates(each)),
            Self::Raw(_) => {}
        }
    }

    /// The value. Null entries of mappings are omitted; items of lists are not.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Literal> {
        Ok(match self {
            Self::Template(template) => template.eval(scope, None, &[])?,
            Self::Raw(value) => value.clone(),
            Self::List(items) => Literal::List(items.iter().map(|item| item.eval(scope)).collect::<Result<_>>()?),
            Self::Mapping(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok((key.eval(scope)?, value.eval(scope)?)))
                    .collect::<Result<Vec<_>>>()?;
                without_null(unique_entries(entries)?)
            }
        })
    }
}

fn without_null(value: Literal) -> Literal {
    match value {
        Literal::Dict(mut entries) => {
            entries.retain(|(_, value)| *value != Literal::None);
            Literal::Dict(entries)
        }
        other => other,
    }
}

/// The kind of request inputs: each place has its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputPlace {
    /// Query parameters.
    Parameters,
    /// Headers.
    Headers,
    /// A form, or a text as the body.
    BodyData,
    /// A JSON body.
    BodyJson,
}

/// The inputs of a request: a mapping, or one text.
#[derive(Debug)]
pub struct RequestInputs {
    place: InputPlace,
    inputs: Inputs,
}

#[derive(Debug)]
enum Inputs {
    Text(InterpolatedString),
    Mapping(InterpolatedMapping),
    Nested(Nested),
}

impl RequestInputs {
    /// Compiles a text or a mapping. It finds all their faults.
    pub fn compile(place: InputPlace, inputs: &Literal) -> std::result::Result<Self, Vec<Fault>> {
        let inputs = match inputs {
            Literal::Str(text) => Inputs::Text(InterpolatedString::compile(text, None).map_err(|fault| vec![*fault])?),
            nested if place == InputPlace::BodyJson => Inputs::Nested(Nested::compile(nested)?),
            Literal::Dict(entries) => {
                let entries: Vec<_> = entries.iter().map(|(key, value)| (key.to_text(), value.clone())).collect();
                Inputs::Mapping(InterpolatedMapping::compile(&entries)?)
            }
            other => {
                let message = format!("a mapping or a text is expected, not {}", other.type_name());
                return Err(vec![*Fault::ty(message)]);
            }
        };
        Ok(Self { place, inputs })
    }

    /// Hands out every template in them, keys included.
    pub fn templates(&self, each: &mut dyn FnMut(&Template)) {
        match &self.inputs {
            Inputs::Text(text) => each(text.template()),
            Inputs::Nested(nested) => nested.templates(each),
            Inputs::Mapping(mapping) => {
                for (key, value) in mapping.entries() {
                    each(key);
                    if let Entry::Template(template) = value {
                        each(template);
                    }
                }
            }
        }
    }

    /// The inputs: a mapping without nulls, or the result of the one text. Query parameters and forms accept texts and
    /// lists; any other value becomes its text, so that a null is sent as `None`.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Literal> {
        let as_text = matches!(self.place, InputPlace::Parameters | InputPlace::BodyData);
        let value = match &self.inputs {
            // A JSON body of one text keeps its nulls.
            Inputs::Text(text) if self.place == InputPlace::BodyJson => return text.eval(scope),
            Inputs::Text(text) => text.eval(scope)?,
            Inputs::Nested(nested) => nested.eval(scope)?,
            Inputs::Mapping(mapping) if as_text => {
                mapping.eval(scope, &[ValidType::Str], &[ValidType::Str, ValidType::List])?
            }
            Inputs::Mapping(mapping) => mapping.eval(scope, &[], &[])?,
        };
        let value = without_null(value);
        match (self.place, value) {
            (InputPlace::Parameters | InputPlace::Headers, value @ Literal::Dict(_)) => Ok(value),
            (InputPlace::Parameters, _) => Ok(Literal::Dict(Vec::new())),
            (_, value) => Ok(value),
        }
    }
}
