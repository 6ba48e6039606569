//! The arguments of a call, and how a function reads them.

use std::sync::Arc;

use super::error::{Fault, Result};
use super::value::Value;

/// Evaluated arguments.
#[derive(Debug, Default, Clone)]
pub(crate) struct CallArgs {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Arc<str>, Value)>,
}

impl CallArgs {
    pub(crate) fn of(positional: Vec<Value>) -> Self {
        Self { positional, named: Vec::new() }
    }

    /// Removes and returns an argument by its name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|(known, _)| &**known == name)?;
        Some(self.named.remove(at).1)
    }

    /// The arguments by parameter; the first `required` must be present. A parameter with an empty name is positional
    /// only. Anything else is Python's `TypeError`.
    pub(crate) fn bind<const N: usize>(
        self,
        function: &str,
        parameters: [&str; N],
        required: usize,
    ) -> Result<[Option<Value>; N]> {
        if self.positional.len() > N {
            let given = self.positional.len();
            return Err(Fault::ty(format!("{function}() takes at most {N} arguments ({given} given)")));
        }
        let mut bound: [Option<Value>; N] = [const { None }; N];
        for (place, value) in bound.iter_mut().zip(self.positional) {
            *place = Some(value);
        }
        for (name, value) in self.named {
            let place = parameters.iter().position(|parameter| !parameter.is_empty() && **parameter == *name);
            match place {
                Some(at) if bound[at].is_none() => bound[at] = Some(value),
                Some(_) => return Err(Fault::ty(format!("{function}() got multiple values for argument '{name}'"))),
                None => return Err(Fault::ty(format!("{function}() got an unexpected keyword argument '{name}'"))),
            }
        }
        if let Some(missing) = (0..required.min(N)).find(|at| bound[*at].is_none()) {
            let name = parameters[missing];
            return Err(Fault::ty(format!("{function}() missing required argument '{name}' (pos {})", missing + 1)));
        }
        Ok(bound)
    }

    /// No arguments are taken.
    pub(crate) fn none(self, function: &str) -> Result<()> {
        self.bind::<0>(function, [], 0).map(|_| ())
    }
}

/// A text, or Python's `TypeError`.
pub(crate) fn text(value: &Value, function: &str) -> Result<Arc<str>> {
    if let Value::Undefined(missing) = value {
        return Err(Fault::ty(format!("{function}: a text is expected, but {}", missing.message)));
    }
    value
        .as_str()
        .cloned()
        .ok_or_else(|| Fault::ty(format!("{function}: a text is expected, not '{}'", value.type_name())))
}

/// An integer that fits 64 bits, or Python's `TypeError`.
pub(crate) fn int(value: &Value, function: &str) -> Result<i64> {
    match value {
        Value::Big(_) => Err(Fault::overflow("Python int too large to convert to C ssize_t")),
        _ => value.as_index().ok_or_else(|| {
            Fault::ty(format!("{function}: '{}' object cannot be interpreted as an integer", value.type_name()))
        }),
    }
}

/// An optional integer.
pub(crate) fn int_or(value: Option<&Value>, default: i64, function: &str) -> Result<i64> {
    value.map_or(Ok(default), |value| int(value, function))
}

/// An optional text; `None` counts as missing, too.
pub(crate) fn text_or_none(value: Option<&Value>, function: &str) -> Result<Option<Arc<str>>> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(value) => text(value, function).map(Some),
    }
}
