//! The process's environment as a value. A run reads it once, at its start, and passes it on. So tests need not
//! change their own, and a signature shows which functions read it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Set by us, or by people, so no sign of the platform.
const OUR_OWN: [&str; 2] = ["AIRBYTE_SOURCE", "AIRBYTE_MANIFEST_PATH"];

/// The variable that names the program of Airbyte's Python runtime.
pub(crate) const PYTHON_RUNTIME: &str = "SOURCE_HTTP_PYTHON_RUNTIME";

/// The manifest's path in an image, as in Airbyte's runtime.
const MANIFEST_OF_THE_IMAGE: &str = "/airbyte/integration_code/source_declarative_manifest/manifest.yaml";

/// Set by the image, wherever it runs.
const OF_THE_IMAGE: &str = "AIRBYTE_ENTRYPOINT";

/// Environment variables. An empty one counts as not set. Default: none.
#[derive(Clone, Default)]
pub struct Environment(Arc<HashMap<OsString, OsString>>, Option<PathBuf>);

impl Environment {
    /// The process's variables.
    #[must_use]
    pub fn system() -> Self {
        let manifest = Path::new(MANIFEST_OF_THE_IMAGE);
        Self::from_vars(std::env::vars_os()).with_manifest(manifest.is_file().then(|| manifest.to_owned()))
    }

    /// Sets one of these variables.
    #[must_use]
    pub fn from_vars<N: Into<OsString>, V: Into<OsString>>(vars: impl IntoIterator<Item = (N, V)>) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(Arc::new(vars.filter(|(_, value)| !value.is_empty()).collect()), None)
    }

    /// Sets the manifest of an image. Default: none.
    #[must_use]
    pub fn with_manifest(self, manifest: Option<PathBuf>) -> Self {
        Self(self.0, manifest)
    }

    /// The manifest of the image, if it is a low-code connector's.
    #[must_use]
    pub fn manifest_of_the_image(&self) -> Option<&Path> {
        self.1.as_deref()
    }

    /// The program that runs manifests with Python classes, if one is named.
    pub(crate) fn python_runtime(&self) -> Option<&Path> {
        self.get(PYTHON_RUNTIME).map(Path::new)
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// A variable that indicates Airbyte's platform, where the config and the environment belong to different people:
    /// `DEPLOYMENT_MODE`, or any that begins with `WORKER_` or `AIRBYTE_`, since the platform sets some and all its
    /// images set `AIRBYTE_ENTRYPOINT`. The first by name.
    #[must_use]
    pub fn sign_of_the_platform(&self) -> Option<&str> {
        self.signs_of_the_platform().min()
    }

    /// Whether Airbyte's platform runs this, rather than a person who runs a connector's image by hand: there is a
    /// [sign of it](Self::sign_of_the_platform) that an image does not set.
    pub(crate) fn is_of_the_platform(&self) -> bool {
        self.signs_of_the_platform().any(|name| name != OF_THE_IMAGE)
    }

    fn signs_of_the_platform(&self) -> impl Iterator<Item = &str> {
        let names = self.0.keys().filter_map(|name| name.to_str());
        let is_sign = |name: &&str| {
            *name == "DEPLOYMENT_MODE"
                || !OUR_OWN.contains(name) && ["WORKER_", "AIRBYTE_"].iter().any(|start| name.starts_with(start))
        };
        names.filter(is_sign)
    }
}

/// Shows the names only: the values may contain secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_known_by_its_variables_and_not_by_ours() {
        for (name, sign) in [
            ("AIRBYTE_SOURCE", None),
            ("AIRBYTE_MANIFEST_PATH", None),
            ("HOME", None),
            ("AIRBYTE_ENTRYPOINT", Some("AIRBYTE_ENTRYPOINT")),
            ("DEPLOYMENT_MODE", Some("DEPLOYMENT_MODE")),
            ("WORKER_JOB_ID", Some("WORKER_JOB_ID")),
        ] {
            let environment = Environment::from_vars([(name, "x")]);
            assert_eq!(environment.sign_of_the_platform(), sign);
            assert_eq!(environment.is_of_the_platform(), sign.is_some_and(|sign| sign != "AIRBYTE_ENTRYPOINT"));
        }
    }

    #[test]
    fn an_empty_variable_is_not_set_and_values_are_not_shown() {
        let environment = Environment::from_vars([("A", ""), ("B", "secret")]);
        assert_eq!((environment.get("A"), environment.get("B")), (None, Some(OsStr::new("secret"))));
        assert_eq!(format!("{environment:?}"), "{\"B\"}");
    }
}
