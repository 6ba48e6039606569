//! A manifest's path into a response or record: its steps are templates.

use std::sync::OnceLock;

use super::manifest::nearest;
use super::part::{Builder, Part};
use super::placed::Text;
use super::steps::{Steps, items, members};
use crate::protocol::Failure;

/// A path of templates, as in extractors: their results pass through the literal step.
#[derive(Debug)]
pub(super) struct FieldPath {
    parts: Vec<Text>,
    place: String,
    once: OnceLock<Steps>,
}

impl FieldPath {
    /// The path that a list describes. It is evaluated without the variables of a record.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, variables: &[&str]) -> Option<Self> {
        let parts: Vec<Option<Text>> = part.items().map(|item| builder.text(&item, variables)).collect();
        let parts = parts.into_iter().collect::<Option<Vec<Text>>>()?;
        Some(Self { parts, place: builder.place(part), once: OnceLock::new() })
    }

    /// Whether it has no steps.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The steps. They are evaluated once: a path depends only on the config.
    ///
    /// # Errors
    /// If a step cannot be evaluated, or there are two `**`.
    pub(super) fn steps(&self) -> Result<&Steps, Failure> {
        if let Some(steps) = self.once.get() {
            return Ok(steps);
        }
        let literals = self.parts.iter().map(|part| part.literal(&[])).collect::<Result<Vec<_>, _>>()?;
        let steps = Steps::of_literals(&literals)
            .ok_or_else(|| Failure::config(format!("{}: a path can have one `**` only", self.place)))?;
        Ok(self.once.get_or_init(|| steps))
    }

    /// The steps as texts.
    ///
    /// # Errors
    /// If a step cannot be evaluated.
    pub(super) fn texts(&self) -> Result<Vec<String>, Failure> {
        self.parts.iter().map(|part| Ok(part.literal(&[])?.to_text())).collect()
    }

    /// The one value at the path.
    ///
    /// # Errors
    /// If there are two.
    pub(super) fn one<'t>(&self, text: &'t str) -> Result<Option<&'t str>, Failure> {
        let found = self.steps()?.find(text, 2);
        match found[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Failure::config(format!(
                "{}: the path leads to several values where one is meant. Use a step that is `*` and nothing else to take \
                 all of them.",
                self.place
            ))),
        }
    }

    /// The place of the path, for messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The items in a body: those of a list, or one value that Python takes for true.
    ///
    /// # Errors
    /// See [`FieldPath::one`].
    pub(super) fn items<'t>(&self, body: &'t str) -> Result<Vec<&'t str>, Failure> {
        let steps = self.steps()?;
        if steps.has_star() {
            return Ok(steps.find(body, usize::MAX));
        }
        Ok(match self.one(body)? {
            Some(list) if list.starts_with('[') => items(list),
            Some(item) if is_truthy(item) => vec![item],
            _ => Vec::new(),
        })
    }
}

impl FieldPath {
    /// The warning for a path that finds nothing in an object with members: it may have a typing error. An empty list
    /// counts as something.
    ///
    /// # Errors
    /// See [`FieldPath::one`].
    pub(super) fn nowhere(&self, body: &str) -> Result<Option<String>, Failure> {
        if !body.starts_with('{') || !is_truthy(body) || self.steps()?.has_globs() || self.one(body)?.is_some() {
            return Ok(None);
        }
        let first = self.texts()?.into_iter().next().unwrap_or_default();
        let names = members(body);
        let near = nearest(&first, names.keys().map(|name| &**name)).filter(|near| *near != first);
        let meant = match near {
            Some(near) => format!(" Did you mean `{near}`?"),
            None => " Correct it, if there should be.".to_owned(),
        };
        let place = &self.place;
        Ok(Some(format!("{place}: the response has nothing at this path, so no records were found in it.{meant}")))
    }
}

/// Whether Python takes a JSON value for true.
pub(super) fn is_truthy(json: &str) -> bool {
    let json = json.trim();
    match json.as_bytes() {
        [b'{' | b'[', .., b'}' | b']'] => !json[1..json.len() - 1].trim_ascii().is_empty(),
        [b'n' | b'f', ..] => false,
        [b'"', ..] => json.len() > 2,
        [b'-' | b'0'..=b'9', ..] => json.parse::<f64>().is_ok_and(|number| number != 0.0),
        _ => true,
    }
}
