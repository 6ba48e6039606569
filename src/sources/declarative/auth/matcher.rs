//! `HttpRequestRegexMatcher`: which requests a quota is for.

use fancy_regex::Regex;

use super::super::part::{Builder, Part, literal};
use crate::http::HttpRequest;

/// A description of requests. All of it has to fit.
#[derive(Debug)]
pub(super) struct Matcher {
    method: Option<String>,
    base: Option<String>,
    path: Option<Regex>,
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Matcher {
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let texts = |name: &str| {
            let field = part.field(name);
            let entries = field.iter().flat_map(Part::entries);
            let texts = entries.map(|(key, value)| (literal(key.node).to_text(), literal(value.node).to_text()));
            texts.collect::<Vec<_>>()
        };
        let path = match part.text("url_path_pattern").filter(|pattern| !pattern.is_empty()) {
            None => None,
            Some(pattern) => match Regex::new(pattern) {
                Ok(pattern) => Some(pattern),
                Err(error) => {
                    builder.error(part, format!("`url_path_pattern` is no regular expression: {error}"));
                    return None;
                }
            },
        };
        Some(Self {
            method: part.text("method").map(str::to_ascii_uppercase),
            base: part.text("url_base").map(|base| base.trim_end_matches('/').to_owned()),
            path,
            params: texts("params"),
            headers: texts("headers"),
        })
    }

    /// Whether a request is one of these.
    pub(super) fn fits(&self, request: &HttpRequest) -> bool {
        let url = &request.url;
        let has_param = |(name, value): &(String, String)| {
            // Of parameters with one name, the last counts.
            let last = url.query_pairs().filter(|(known, value)| known == name && !value.is_empty()).last();
            last.is_some_and(|(_, known)| known == *value)
        };
        let has_header = |(name, value): &(String, String)| {
            request.headers.get(name.as_str()).is_some_and(|known| known.as_bytes() == value.as_bytes())
        };
        self.method.as_ref().is_none_or(|method| *method == request.method.as_str())
            && self.base.as_ref().is_none_or(|base| *base == url.origin().ascii_serialization())
            && self.path.as_ref().is_none_or(|path| path.is_match(url.path().trim_end_matches('/')).unwrap_or(false))
            && self.params.iter().all(has_param)
            && self.headers.iter().all(has_header)
    }
}
