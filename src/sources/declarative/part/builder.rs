//! What is shared while the components of a manifest are built: the config, what was found wrong, what is not run, and what
//! several components have in common.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::super::manifest::{Faults, Kind, Mark, nearest};
use super::super::placed::{Condition, Env, Inputs, Placed, Text};
use super::super::template::{
    Fault, InputPlace, InterpolatedBoolean, InterpolatedString, Literal, RequestInputs, Template,
};
use super::{Part, literal};
use crate::protocol::{Failure, Redactor};

/// The methods that a template can call on the config.
const METHODS: [&str; 4] = ["get", "items", "keys", "values"];

/// State shared while the parts of a manifest are built.
pub(in crate::sources::declarative) struct Builder<'m> {
    pub(in crate::sources::declarative) env: Arc<Env>,
    faults: RefCell<&'m mut Faults>,
    /// The `$parameters` converted to JSON, by the address of their node.
    parameters: RefCell<HashMap<usize, Arc<Value>>>,
    /// Why the stream that is being built cannot run, first reason first.
    refusals: RefCell<Vec<String>>,
    /// Registers the secrets in credentials.
    pub(in crate::sources::declarative) redactor: Redactor,
    /// The possible settings, if the manifest lists them. A template that names another one causes one warning.
    settings: RefCell<Option<HashSet<String>>>,
    /// Instances shared by components with the same definition, such as credentials, by that definition.
    shared: RefCell<HashMap<String, Arc<dyn Any + Send + Sync>>>,
}

impl<'m> Builder<'m> {
    /// Builds with this config, and notes faults in `faults`.
    pub(in crate::sources::declarative) fn new(env: Arc<Env>, faults: &'m mut Faults) -> Self {
        let (parameters, refusals, redactor, shared) = Default::default();
        Self { env, faults: RefCell::new(faults), parameters, refusals, redactor, settings: RefCell::default(), shared }
    }

    /// Warns of templates that use a setting which is neither listed here nor in the config.
    pub(in crate::sources::declarative) fn with_settings(self, settings: Option<HashSet<String>>) -> Self {
        self.settings.replace(settings);
        self
    }

    /// Registers secrets with this redactor.
    pub(in crate::sources::declarative) fn with_redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Notes a failure about a value that depends on the config, as an error of the manifest with this config.
    pub(in crate::sources::declarative) fn noted_failure<T>(
        &self,
        part: &Part<'_>,
        value: Result<T, Failure>,
    ) -> Option<T> {
        value.map_err(|failure| self.error(part, failure.message)).ok()
    }

    /// The noted errors, each as a line for people, without the first N. An error of several streams is listed for
    /// each.
    pub(in crate::sources::declarative) fn errors_after(&self, known: usize) -> Vec<String> {
        let faults = self.faults.borrow();
        faults.noted_errors().skip(known).map(|fault| faults.line(fault)).collect()
    }

    /// The number of noted errors.
    pub(in crate::sources::declarative) fn error_count(&self) -> usize {
        self.faults.borrow().noted_errors().len()
    }

    /// The value of a field with the config, evaluated once.
    pub(in crate::sources::declarative) fn value(&self, part: &Part<'_>) -> Option<Literal> {
        let text = self.text(part, &[])?;
        self.noted_failure(part, text.literal(&[]))
    }

    /// The instance of an equal component, built now if it is the first.
    pub(in crate::sources::declarative) fn shared<T: Any + Send + Sync>(
        &self,
        part: &Part<'_>,
        build: impl FnOnce() -> Option<T>,
    ) -> Option<Arc<T>> {
        // The definition includes its `$parameters`, so that equal definitions mean the same.
        let definition = part.node.to_json().to_string();
        match self.built_before(&definition) {
            Some(known) => Some(known),
            None => build().map(|component| self.keep(definition, component)),
        }
    }

    /// The instance under this key, built now if it is the first. The key holds everything it is built of. Different
    /// definitions may share one, such as through `$parameters` that they do not use.
    pub(in crate::sources::declarative) fn shared_as<T: Any + Send + Sync>(
        &self,
        key: String,
        build: impl FnOnce() -> T,
    ) -> Arc<T> {
        self.built_before(&key).unwrap_or_else(|| self.keep(key, build()))
    }

    fn built_before<T: Any + Send + Sync>(&self, key: &str) -> Option<Arc<T>> {
        let known = self.shared.borrow().get(key).cloned()?;
        Arc::downcast(known).ok()
    }

    fn keep<T: Any + Send + Sync>(&self, key: String, component: T) -> Arc<T> {
        let component = Arc::new(component);
        self.shared.borrow_mut().insert(key, component.clone());
        component
    }

    /// Notes an error of the manifest.
    pub(in crate::sources::declarative) fn error(&self, part: &Part<'_>, message: impl Into<String>) {
        self.faults.borrow_mut().error(Kind::WrongValue, part.node.mark(), part.path.to_string(), message);
    }

    /// Notes a warning that does not keep the manifest from running.
    pub(in crate::sources::declarative) fn warn(&self, part: &Part<'_>, message: impl Into<String>) {
        self.faults.borrow_mut().warn(Kind::Surprise, part.node.mark(), part.path.to_string(), message);
    }

    /// As [`Builder::warn`], at a place that was noted before.
    pub(in crate::sources::declarative) fn warn_at(&self, mark: Mark, way: &str, message: impl Into<String>) {
        self.faults.borrow_mut().warn(Kind::Surprise, mark, way, message);
    }

    /// Lets another place report its notes.
    pub(in crate::sources::declarative) fn with_faults<R>(&self, run: impl FnOnce(&mut Faults) -> R) -> R {
        run(&mut self.faults.borrow_mut())
    }

    /// Notes that the stream needs a component, or a field of one, that does not run here.
    pub(in crate::sources::declarative) fn refuse(&self, part: &Part<'_>, what: &str) {
        self.refusals.borrow_mut().push(format!("{what}: {}", self.place(part)));
    }

    /// Notes a reason once more, for another stream.
    pub(in crate::sources::declarative) fn refuse_again(&self, reason: String) {
        self.refusals.borrow_mut().push(reason);
    }

    /// The reasons since the last [`take_refusals`](Self::take_refusals), without the first N.
    pub(in crate::sources::declarative) fn refusals_after(&self, known: usize) -> Vec<String> {
        self.refusals.borrow().iter().skip(known).cloned().collect()
    }

    /// The reasons since the last call why the stream cannot run.
    pub(in crate::sources::declarative) fn take_refusals(&self) -> Vec<String> {
        std::mem::take(&mut *self.refusals.borrow_mut())
    }

    /// A failure about a value that depends on the config, such as a page size that is not a number.
    pub(in crate::sources::declarative) fn failure(&self, part: &Part<'_>, message: &str) -> Failure {
        Failure::config(format!("{}: {message}", self.place(part)))
    }

    /// A place in messages: `streams[0].retriever (manifest.yaml:12:5)`.
    pub(in crate::sources::declarative) fn place(&self, part: &Part<'_>) -> String {
        let (mark, path) = (part.node.mark(), part.path.to_string());
        let faults = self.faults.borrow();
        match (mark.line, path.is_empty()) {
            (0, _) => path,
            (_, true) => format!("{}:{}:{}", faults.file(), mark.line, mark.column),
            _ => format!("{path} ({}:{}:{})", faults.file(), mark.line, mark.column),
        }
    }

    /// The `$parameters` of a part's component: an object.
    pub(in crate::sources::declarative) fn parameters(&self, part: &Part<'_>) -> Arc<Value> {
        let Some(node) = part.parameters else { return Arc::new(Value::Object(serde_json::Map::new())) };
        let mut known = self.parameters.borrow_mut();
        Arc::clone(known.entry(node.address()).or_insert_with(|| Arc::new(node.to_json())))
    }

    /// The template that a part describes, with the variables of its place beside `config` and `parameters`. A number
    /// or a boolean counts as its text in Python.
    pub(in crate::sources::declarative) fn text(&self, part: &Part<'_>, variables: &[&str]) -> Option<Text> {
        self.text_or(part, None, variables)
    }

    /// As [`Builder::text`], with a default for an empty result.
    pub(in crate::sources::declarative) fn text_or(
        &self,
        part: &Part<'_>,
        default: Option<&str>,
        variables: &[&str],
    ) -> Option<Text> {
        let text = match part.node.as_text() {
            Some(text) => text.to_owned(),
            None => literal(part.node).to_text(),
        };
        let compiled = self.noted(part, InterpolatedString::compile(&text, default))?;
        self.known(part, compiled.template(), variables);
        let hidden = self.hides(compiled.template()).then(|| self.redactor.clone());
        Some(self.placed(part, compiled).hidden(hidden))
    }

    /// The condition that a part describes.
    pub(in crate::sources::declarative) fn condition(&self, part: &Part<'_>, variables: &[&str]) -> Option<Condition> {
        let condition = match part.node.value() {
            super::super::manifest::Value::Bool(value) => InterpolatedBoolean::Constant(*value),
            _ => self.noted(part, InterpolatedBoolean::compile(part.node.as_text().unwrap_or_default()))?,
        };
        if let InterpolatedBoolean::Template(template) = &condition {
            self.known(part, template, variables);
        }
        Some(self.placed(part, condition))
    }

    /// The request inputs that a part describes.
    pub(in crate::sources::declarative) fn inputs(
        &self,
        part: &Part<'_>,
        place: InputPlace,
        variables: &[&str],
    ) -> Option<Inputs> {
        match RequestInputs::compile(place, &literal(part.node)) {
            Ok(inputs) => {
                let mut hides = false;
                inputs.templates(&mut |template| {
                    self.known(part, template, variables);
                    hides |= self.hides(template);
                });
                Some(self.placed(part, inputs).hidden(hides.then(|| self.redactor.clone())))
            }
            Err(faults) => {
                for fault in &faults {
                    self.template_fault(part, fault);
                }
                None
            }
        }
    }

    /// Whether a template derives something from a secret of the config, such as its hash.
    fn hides(&self, template: &Template) -> bool {
        let changes = template.text().contains(['|', '(', '~', '+', '%']) && !template.is_plain();
        let is_secret = |name: &str| self.env.config.get(name).is_some_and(|value| holds_secret(&self.redactor, value));
        changes && template.settings().iter().any(|name| is_secret(name))
    }

    /// Any compiled template, with its place.
    pub(in crate::sources::declarative) fn placed<T>(&self, part: &Part<'_>, template: T) -> Placed<T> {
        Placed::new(template, Arc::clone(&self.env), self.parameters(part), self.place(part).into())
    }

    /// Notes unknown variables and functions of a template.
    pub(in crate::sources::declarative) fn known(&self, part: &Part<'_>, template: &Template, variables: &[&str]) {
        let mut known = vec!["config", "parameters"];
        for variable in variables {
            known.push(variable);
            if *variable == "stream_slice" {
                known.extend(["stream_interval", "stream_partition"]);
            }
        }
        template.undeclared(&known).iter().for_each(|fault| self.template_fault(part, fault));
        self.known_settings(part, template);
    }

    /// A mistyped setting has no value, in the reference and here. That is rarely intended.
    fn known_settings(&self, part: &Part<'_>, template: &Template) {
        let Some(known) = &mut *self.settings.borrow_mut() else { return };
        for name in template.settings() {
            let is_given = self.env.config.get(&*name).is_some();
            // The runtime owns names that begin so; and a Python mapping has methods.
            if is_given || name.starts_with("__") || METHODS.contains(&&*name) || known.contains(&*name) {
                continue;
            }
            let near = nearest(&name, known.iter().map(String::as_str));
            let near = near.map(|near| format!(". Did you mean `{near}`?")).unwrap_or_default();
            let message = format!(
                "the template uses the setting `{name}`, which `spec` does not have and the config does not give: it is \
                 empty{near}"
            );
            where_it_stands(part, template.text(), |part| self.warn(part, message));
            known.insert(name.to_string());
        }
    }

    /// The compiled template, or nothing and a fault.
    pub(in crate::sources::declarative) fn noted<T>(
        &self,
        part: &Part<'_>,
        compiled: Result<T, Box<Fault>>,
    ) -> Option<T> {
        compiled.map_err(|fault| self.template_fault(part, &fault)).ok()
    }

    fn template_fault(&self, part: &Part<'_>, fault: &Fault) {
        let expression = fault.expression.as_deref().unwrap_or_default();
        where_it_stands(part, expression, |part| self.error(part, fault.to_string()));
    }
}

/// Whether one of the texts in a value is a secret.
fn holds_secret(redactor: &Redactor, value: &Value) -> bool {
    match value {
        Value::String(text) => redactor.finds(text),
        Value::Array(items) => items.iter().any(|item| holds_secret(redactor, item)),
        Value::Object(members) => members.values().any(|member| holds_secret(redactor, member)),
        _ => false,
    }
}

/// The entry of a mapping that contains a text, otherwise the part itself: templates of a mapping are compiled
/// together.
fn where_it_stands(part: &Part<'_>, text: &str, then: impl FnOnce(&Part<'_>)) {
    let has = |value: &Part<'_>| !text.is_empty() && value.node.as_text().is_some_and(|value| value.contains(text));
    match part.entries().find(|(_, value)| has(value)) {
        Some((_, value)) => then(&value),
        None => then(part),
    }
}
