//! `HttpRequestRegexMatcher`: the requests that a budget, or the quota of a token, covers.

use url::Url;

use super::part::{Builder, Part, literal};
use crate::http::Method;
use crate::http::budget::RequestMatcher;

/// The requests that a part describes. `None` if it is faulty; the faults are noted.
pub(super) fn request_matcher(builder: &Builder<'_>, part: &Part<'_>) -> Option<RequestMatcher> {
    let pattern = part.field("url_path_pattern");
    let text = pattern.as_ref().and_then(|pattern| pattern.node.as_text()).unwrap_or_default();
    let mut matcher = builder.noted_failure(pattern.as_ref().unwrap_or(part), RequestMatcher::path_pattern(text))?;
    if let Some(method) = part.text("method") {
        matcher = matcher.method(method.to_ascii_uppercase().parse::<Method>().ok()?);
    }
    if let Some(base) = part.text("url_base").filter(|base| !base.is_empty()) {
        let Ok(url) = base.parse::<Url>() else {
            builder.error(part, "`url_base` has to be a scheme and a host, such as https://api.example.com");
            return None;
        };
        if url.path() != "/" {
            builder.warn(part, "`url_base` has a path, which is ignored: use `url_path_pattern`");
        }
        matcher = matcher.host(url);
    }
    for (field, is_header) in [("params", false), ("headers", true)] {
        for (name, value) in part.field(field).iter().flat_map(|list| list.entries().collect::<Vec<_>>()) {
            let (name, value) = (literal(name.node).to_text(), literal(value.node).to_text());
            matcher = if is_header { matcher.header(&name, &value) } else { matcher.param(&name, &value) };
        }
    }
    Some(matcher)
}
