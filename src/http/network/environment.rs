//! The network settings in environment variables. They are read once, when a run begins, and passed on as a value:
//! nothing below reads the process's environment, and tests need not change it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::ProxyUrl;
use super::no_proxy::NoProxy;
use crate::protocol::Redactor;

/// Variables that name a file of trusted authorities; the first one set counts.
const CA_FILES: [&str; 3] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// Proxies and trusted authorities from the environment. An empty variable counts as not set.
///
/// | variable | meaning |
/// | --- | --- |
/// | `HTTP_PROXY`, `HTTPS_PROXY` | the proxy for URLs of that scheme |
/// | `ALL_PROXY` | the proxy for URLs of a scheme that has none of its own |
/// | `NO_PROXY` | hosts reached without a proxy: domains and all below them, addresses, networks (`10.0.0.0/8`), with or without `:PORT`; `*` is all |
/// | `SSL_CERT_FILE` | a PEM file of the trusted authorities, instead of the system's; if it is not set,
/// `REQUESTS_CA_BUNDLE` and then `CURL_CA_BUNDLE`, which Python connectors use |
/// | `SSL_CERT_DIR` | folders of such files, separated as in `PATH`, instead of the system's |
/// | `DEPLOYMENT_MODE` | `cloud`, as Airbyte's cloud sets it: URLs must be `https` and lead to public addresses; other
/// values have no effect |
///
/// The first four may be in lower case, which wins over upper case, as with curl.
///
/// ```
/// use source_http::http::NetworkEnvironment;
///
/// let environment = NetworkEnvironment::from_vars([("https_proxy", "http://proxy:3128"), ("NO_PROXY", "localhost")]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct NetworkEnvironment {
    http_proxy: Option<Variable>,
    https_proxy: Option<Variable>,
    all_proxy: Option<Variable>,
    no_proxy: NoProxy,
    /// The file of trusted authorities and the variable it comes from.
    pub(super) ca_file: Option<(&'static str, PathBuf)>,
    /// The folders of `SSL_CERT_DIR`.
    pub(super) ssl_cert_dirs: Vec<PathBuf>,
    /// Whether the author of the config must not reach private networks.
    pub(in crate::http) public_only: bool,
}

/// A variable that names a proxy.
#[derive(Clone)]
struct Variable {
    name: &'static str,
    value: String,
}

impl NetworkEnvironment {
    /// The process's environment.
    #[must_use]
    pub fn system() -> Self {
        Self::from_vars(std::env::vars_os())
    }

    /// An environment of these variables; unrelated ones are ignored.
    #[must_use]
    pub fn from_vars<N: Into<OsString>, V: Into<OsString>>(vars: impl IntoIterator<Item = (N, V)>) -> Self {
        let vars: HashMap<OsString, OsString> =
            vars.into_iter().map(|(name, value)| (name.into(), value.into())).filter(|(_, v)| !v.is_empty()).collect();
        let text = |name: &'static str| {
            let value = vars.get(&OsString::from(name))?.to_string_lossy().into_owned();
            Some(Variable { name, value })
        };
        let no_proxy = text("no_proxy").or_else(|| text("NO_PROXY")).map(|list| NoProxy::parse(&list.value));
        let dirs = vars.get(&OsString::from("SSL_CERT_DIR")).map(|dirs| std::env::split_paths(dirs).collect());
        Self {
            http_proxy: text("http_proxy").or_else(|| text("HTTP_PROXY")),
            https_proxy: text("https_proxy").or_else(|| text("HTTPS_PROXY")),
            all_proxy: text("all_proxy").or_else(|| text("ALL_PROXY")),
            no_proxy: no_proxy.unwrap_or_default(),
            ca_file: CA_FILES.iter().find_map(|name| Some((*name, vars.get(&OsString::from(name))?.into()))),
            ssl_cert_dirs: dirs.unwrap_or_default(),
            public_only: text("DEPLOYMENT_MODE").is_some_and(|mode| mode.value.eq_ignore_ascii_case("cloud")),
        }
    }

    /// Registers the passwords of proxies as secrets.
    pub(in crate::http) fn register_secrets(&self, redactor: &Redactor) {
        for variable in [&self.http_proxy, &self.https_proxy, &self.all_proxy].into_iter().flatten() {
            if let Ok(proxy) = ProxyUrl::read(&variable.value) {
                proxy.register_secrets(redactor);
            }
        }
    }

    /// The proxy for a URL and its variable; or the fault of the variable's value.
    pub(super) fn proxy_for(&self, url: &Url) -> Result<Option<(ProxyUrl, &'static str)>, String> {
        let own = if url.scheme() == "https" { &self.https_proxy } else { &self.http_proxy };
        match own.as_ref().or(self.all_proxy.as_ref()) {
            Some(variable) if !self.no_proxy.matches(url) => {
                let proxy = ProxyUrl::read(&variable.value).map_err(|why| format!("{} {why}", variable.name))?;
                Ok(Some((proxy, variable.name)))
            }
            _ => Ok(None),
        }
    }
}

/// Shows the name only: the value may contain a password.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(vars: &[(&str, &str)], url: &str) -> String {
        let environment = NetworkEnvironment::from_vars(vars.iter().copied());
        match environment.proxy_for(&Url::parse(url).unwrap()) {
            Ok(Some((proxy, variable))) => format!("{proxy} {variable}"),
            Ok(None) => "direct".to_owned(),
            Err(why) => why,
        }
    }

    #[test]
    fn the_scheme_of_the_url_selects_the_variable_and_lower_case_wins() {
        let vars = [("HTTP_PROXY", "plain"), ("HTTPS_PROXY", "UPPER"), ("https_proxy", "lower"), ("ALL_PROXY", "all")];
        assert_eq!(chosen(&vars, "http://a.com"), "http://plain HTTP_PROXY");
        assert_eq!(chosen(&vars, "https://a.com"), "http://lower https_proxy");
        assert_eq!(chosen(&vars[3..], "https://a.com"), "http://all ALL_PROXY");
        assert_eq!(chosen(&vars[..1], "https://a.com"), "direct");
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let vars = [("http_proxy", ""), ("HTTP_PROXY", "upper")];
        assert_eq!(chosen(&vars, "http://a.com"), "http://upper HTTP_PROXY");
        assert_eq!(chosen(&vars[..1], "http://a.com"), "direct");
    }

    #[test]
    fn the_first_file_of_authorities_counts() {
        let file = |vars: &[(&str, &str)]| NetworkEnvironment::from_vars(vars.iter().copied()).ca_file;
        let vars = [("CURL_CA_BUNDLE", "c"), ("REQUESTS_CA_BUNDLE", "r"), ("SSL_CERT_FILE", "s")];
        assert_eq!(file(&vars), Some(("SSL_CERT_FILE", "s".into())));
        assert_eq!(file(&vars[..2]), Some(("REQUESTS_CA_BUNDLE", "r".into())));
        assert_eq!(file(&[("SSL_CERT_FILE", "")]), None);
    }

    #[test]
    fn only_the_mode_of_airbytes_cloud_is_held_to_public_addresses() {
        let mode = |value: &str| NetworkEnvironment::from_vars([("DEPLOYMENT_MODE", value)]).public_only;
        assert!(mode("cloud") && mode("CLOUD"), "the platform writes it in capitals");
        assert!(!mode("OSS") && !mode(""));
    }

    #[test]
    fn no_proxy_lets_hosts_be_reached_directly() {
        let vars = [("ALL_PROXY", "all"), ("NO_PROXY", "a.com"), ("no_proxy", "b.com")];
        assert_eq!(chosen(&vars, "http://x.b.com"), "direct");
        assert_eq!(chosen(&vars, "http://a.com"), "http://all ALL_PROXY", "lower case wins here, too");
    }

    #[test]
    fn an_invalid_proxy_variable_is_named_without_its_value() {
        assert!(
            chosen(&[("HTTP_PROXY", "ftp://u:secret@x")], "http://a.com").starts_with("HTTP_PROXY begins with ftp")
        );
        let environment = NetworkEnvironment::from_vars([("HTTP_PROXY", "http://u:secret@x")]);
        assert!(!format!("{environment:?}").contains("secret"));
        let redactor = Redactor::default();
        environment.register_secrets(&redactor);
        assert_eq!(redactor.redact("secret"), "****");
    }
}
