//! The sources, each in a folder of its own, and the registry that a command line picks one from. Nothing outside a
//! source's folder knows its name but the list in [`Registry::built_in`].

pub mod declarative;
pub mod stripe;

use std::sync::Arc;

use crate::protocol::Failure;
use crate::source::{Given, Source};

/// A program's name and version, as `--help`, `--version`, `about`, completions and the manual page show them. Default:
/// `source-http`, with the version of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// The command that starts it at a shell.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Program {
    /// The program of this crate, which is the library of every other one.
    pub(crate) const LIBRARY: Self = Self { name: "source-http", version: env!("CARGO_PKG_VERSION") };
}

impl Default for Program {
    fn default() -> Self {
        Self::LIBRARY
    }
}

/// The sources of a binary. The first is the default.
pub struct Registry {
    sources: Vec<Arc<dyn Source>>,
    program: Program,
}

impl Registry {
    /// The sources that come with this crate.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            sources: vec![Arc::new(stripe::Stripe), Arc::new(declarative::Declarative)],
            program: Program::default(),
        }
    }

    /// A registry of one source: a connector of its own.
    #[must_use]
    pub fn of(source: impl Source + 'static) -> Self {
        Self { sources: vec![Arc::new(source)], program: Program::default() }
    }

    /// One more source, for a binary of several: `--source` or `AIRBYTE_SOURCE` picks it by its name. Of two with one name
    /// the first is picked.
    #[must_use]
    pub fn and(mut self, source: impl Source + 'static) -> Self {
        self.sources.push(Arc::new(source));
        self
    }

    /// What the program calls itself in `--help`, `--version`, `about`, completions and the manual page; the version of a
    /// crate of its own is `env!("CARGO_PKG_VERSION")`. Default: `source-http`, with the version of this crate.
    #[must_use]
    pub fn named(mut self, name: &'static str, version: &'static str) -> Self {
        self.program = Program { name, version };
        self
    }

    /// What the program calls itself.
    #[must_use]
    pub fn program(&self) -> Program {
        self.program
    }

    /// The source of that name, or the default one for no name.
    #[must_use]
    pub fn get(&self, name: Option<&str>) -> Option<&Arc<dyn Source>> {
        match name {
            Some(name) => self.sources.iter().find(|source| source.name() == name),
            None => self.sources.first(),
        }
    }

    /// The source of a run: the one of that name; or without a name the one that [says so](Source::is_meant), or else the
    /// default one; as what is given [makes](Source::resolve) it. `None` if there is none of that name.
    ///
    /// # Errors
    /// Those of [`Source::resolve`]; a config failure if there is a manifest, and the source that is named reads none.
    pub fn choose(&self, name: Option<&str>, given: &Given<'_>) -> Result<Option<Arc<dyn Source>>, Failure> {
        let meant = || self.sources.iter().find(|source| source.is_meant(given));
        let chosen = name.is_none().then(meant).flatten().or_else(|| self.get(name));
        let Some(chosen) = chosen else { return Ok(None) };
        if let (Some(file), Some(meant)) = (given.manifest, meant().filter(|_| !chosen.is_meant(given))) {
            return Err(Failure::config(format!(
                "The source `{}` reads no manifest, and there is one: {}. Name the source `{}`, or none, with --source and \
                 AIRBYTE_SOURCE; or omit the manifest.",
                chosen.name(),
                file.display(),
                meant.name()
            )));
        }
        Ok(Some(chosen.resolve(given)?.unwrap_or_else(|| Arc::clone(chosen))))
    }

    /// The names, the default one first.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.sources.iter().map(|source| source.name()).collect()
    }
}
