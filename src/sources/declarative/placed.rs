//! A template at its place in a manifest: with the parameters of its component, the config, and the place for messages.
//! A template of the config alone is evaluated once.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::template::{
    Fault, FaultKind, InterpolatedBoolean, InterpolatedString, Json, Literal, RequestInputs, Scope, Template,
    ValidType, Variable,
};
use crate::clock::Clock;
use crate::protocol::{Failure, Redactor};

/// Shorter words are not masked: they reveal little, and would be masked in every line.
const SHORTEST_HIDDEN: usize = 8;

/// The variables of all templates of a manifest.
#[derive(Debug)]
pub(super) struct Env {
    /// The config, with the reserved keys that the runtime leaves visible to templates.
    pub(super) config: Value,
    /// The time.
    pub(super) clock: Arc<dyn Clock>,
}

/// A variable of a place, by its name.
pub(super) type Var<'a> = (&'a str, Variable<'a>);

/// A template at its place, or several that are evaluated together.
#[derive(Debug)]
pub(super) struct Placed<T> {
    pub(super) template: T,
    env: Arc<Env>,
    parameters: Arc<Value>,
    /// Such as `streams[0].retriever.requester.path (manifest.yaml:12:11)`.
    place: Arc<str>,
    once: OnceLock<Literal>,
    /// Registers the template's output if it derives from a secret.
    hidden: Option<Redactor>,
}

/// One text.
pub(super) type Text = Placed<InterpolatedString>;
/// A condition.
pub(super) type Condition = Placed<InterpolatedBoolean>;
/// The query parameters, headers or body of a request.
pub(super) type Inputs = Placed<RequestInputs>;

impl<T> Placed<T> {
    pub(super) fn new(template: T, env: Arc<Env>, parameters: Arc<Value>, place: Arc<str>) -> Self {
        Self { template, env, parameters, place, once: OnceLock::new(), hidden: None }
    }

    /// Registers the output as a secret: it derives from one, and does not look like any known secret.
    pub(super) fn hidden(mut self, redactor: Option<Redactor>) -> Self {
        self.hidden = redactor;
        self
    }

    /// The evaluated value, after registering its texts if they must be masked.
    fn hide(&self, value: Literal) -> Literal {
        if let Some(redactor) = &self.hidden {
            self.hide_in(redactor, &value);
        }
        value
    }

    fn hide_in(&self, redactor: &Redactor, value: &Literal) {
        match value {
            Literal::Str(text) => {
                for word in text.split_whitespace().filter(|word| word.len() >= SHORTEST_HIDDEN) {
                    // Other parts of a text with a secret may be reported, and so may other values of the config.
                    if !redactor.finds(word) && !holds(&self.env.config, word) {
                        redactor.add_passing(word);
                    }
                }
            }
            Literal::List(items) | Literal::Tuple(items) => items.iter().for_each(|item| self.hide_in(redactor, item)),
            Literal::Dict(entries) => entries.iter().for_each(|(_, value)| self.hide_in(redactor, value)),
            _ => {}
        }
    }

    /// The place, for messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Evaluates with the variables of the place, beside `config` and `parameters`.
    ///
    /// # Errors
    /// A config failure that names the place, the expression and the problem, and no value.
    pub(super) fn with<R>(
        &self,
        vars: &[Var<'_>],
        run: impl FnOnce(&T, &Scope<'_>) -> Result<R, Box<Fault>>,
    ) -> Result<R, Failure> {
        let mut all: Vec<Var<'_>> = Vec::with_capacity(vars.len() + 2);
        all.extend_from_slice(vars);
        all.push(("config", Variable::Json(Json::Tree(&self.env.config))));
        all.push(("parameters", Variable::Json(Json::Tree(&self.parameters))));
        let now = || self.env.clock.now().as_microsecond();
        let scope = Scope::new(&all, &now, &rand::random::<u64>);
        run(&self.template, &scope).map_err(|fault| self.failure(&fault))
    }

    /// A fault of this template as a failure.
    pub(super) fn failure(&self, fault: &Fault) -> Failure {
        Failure::config(format!("{}: {fault}. Correct the manifest, or the setting that it uses.", self.place))
    }
}

impl Text {
    /// The template itself.
    pub(super) fn template(&self) -> &Template {
        self.template.template()
    }

    /// Its value, after the literal step.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn literal(&self, vars: &[Var<'_>]) -> Result<Literal, Failure> {
        if let Some(known) = self.once.get() {
            return Ok(known.clone());
        }
        let value = self.hide(self.with(vars, InterpolatedString::eval)?);
        if self.template().is_constant() {
            let _ = self.once.set(value.clone());
        }
        Ok(value)
    }

    /// Its text as it is sent, without the literal step: for credentials and literal texts.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn text(&self, vars: &[Var<'_>]) -> Result<String, Failure> {
        if self.template().is_plain() {
            return Ok(self.template().text().to_owned());
        }
        let text = self.with(vars, InterpolatedString::eval_text)?;
        if let Some(redactor) = &self.hidden {
            self.hide_in(redactor, &Literal::Str(text.clone()));
        }
        Ok(text)
    }

    /// Its value if it has one of these types, otherwise its text. Using a missing value is a failure, as in
    /// [`Text::literal`]. No types means any.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn typed_text(&self, vars: &[Var<'_>], valid: &[ValidType]) -> Result<Literal, Failure> {
        Ok(self.hide(self.with(vars, |text, scope| text.template().eval(scope, Some(text.template()), valid))?))
    }

    /// Its value, after the literal step; but the text of a single expression stays that text.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn kept(&self, vars: &[Var<'_>]) -> Result<Literal, Failure> {
        Ok(self.hide(self.with(vars, InterpolatedString::eval_kept)?))
    }

    /// As [`Text::kept`], but nothing if it renders to nothing or uses a missing value.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn kept_or_none(&self, vars: &[Var<'_>]) -> Result<Literal, Failure> {
        Ok(self.hide(self.with(vars, |text, scope| text.template().eval_kept(scope, None))?))
    }

    /// Its value if it has one of these types; nothing if it renders to nothing.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn typed(&self, vars: &[Var<'_>], valid: &[ValidType]) -> Result<Literal, Failure> {
        Ok(self.hide(self.with(vars, |text, scope| text.template().eval(scope, None, valid))?))
    }
}

impl Condition {
    /// The text of its template; empty if it has none.
    pub(super) fn text(&self) -> &str {
        match &self.template {
            InterpolatedBoolean::Constant(_) => "",
            InterpolatedBoolean::Template(template) => template.text(),
        }
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn holds(&self, vars: &[Var<'_>]) -> Result<bool, Failure> {
        self.with(vars, InterpolatedBoolean::eval)
    }

    /// Whether it holds. For Python's `TypeError`s, such as a comparison with null, `on_type_error` decides.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn holds_or(
        &self,
        vars: &[Var<'_>],
        on_type_error: impl FnOnce(&Failure) -> bool,
    ) -> Result<bool, Failure> {
        let mut is_type_error = false;
        let holds = self.with(vars, |template, scope| {
            template.eval(scope).inspect_err(|fault| is_type_error = fault.kind == FaultKind::Type)
        });
        match holds {
            Err(failure) if is_type_error => Ok(on_type_error(&failure)),
            holds => holds,
        }
    }

    /// Whether it needs a variable.
    pub(super) fn uses(&self, variable: &str) -> bool {
        match &self.template {
            InterpolatedBoolean::Template(template) => template.uses(variable),
            InterpolatedBoolean::Constant(_) => false,
        }
    }
}

impl Inputs {
    /// The inputs.
    ///
    /// # Errors
    /// See [`Placed::with`].
    pub(super) fn eval(&self, vars: &[Var<'_>]) -> Result<Literal, Failure> {
        if let Some(known) = self.once.get() {
            return Ok(known.clone());
        }
        let value = self.hide(self.with(vars, RequestInputs::eval)?);
        let mut is_constant = true;
        self.template.templates(&mut |template| is_constant &= template.is_constant());
        if is_constant {
            let _ = self.once.set(value.clone());
        }
        Ok(value)
    }
}

/// Whether a text is a value of the config.
fn holds(config: &Value, text: &str) -> bool {
    match config {
        Value::String(known) => known == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        _ => false,
    }
}
