//! Which requests a policy is for.

use ureq::http::Method;

use crate::http::HttpRequest;

/// A description of requests by method and path, and what such a request weighs.
///
/// Paths are compared segment by segment, percent-encoded as they are sent; a slash at the end and the query make no
/// difference. A segment `*` stands for any one segment.
///
/// ```
/// use source_http::http::{HttpRequest, Method, budget::RequestMatcher};
///
/// let lines = RequestMatcher::path("/v1/invoices/*/lines").method(Method::GET).weight(2);
/// assert!(lines.matches(&HttpRequest::get("https://api.example.com/v1/invoices/in_1/lines?limit=9".parse()?)));
/// assert!(!lines.matches(&HttpRequest::get("https://api.example.com/v1/invoices/in_1".parse()?)));
///
/// let reports = RequestMatcher::path_prefix("/v1/reports");
/// assert!(reports.matches(&HttpRequest::get("https://api.example.com/v1/reports/runs/7".parse()?)));
/// assert!(!reports.matches(&HttpRequest::get("https://api.example.com/v1/reportsx".parse()?)));
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestMatcher {
    method: Option<Method>,
    segments: Vec<String>,
    /// Whether more segments may follow.
    prefix: bool,
    weight: u32,
}

impl RequestMatcher {
    /// Requests of this path and no other.
    #[must_use]
    pub fn path(path: &str) -> Self {
        Self { method: None, segments: split(path).map(str::to_owned).collect(), prefix: false, weight: 1 }
    }

    /// Requests of this path and of those below it.
    #[must_use]
    pub fn path_prefix(path: &str) -> Self {
        Self { prefix: true, ..Self::path(path) }
    }

    /// Only requests of this method. Default: any.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// How many requests such a one counts as, at least 1. Default: 1. A weight above the policy's limit takes all of
    /// the window.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight.max(1);
        self
    }

    /// Whether a request is one of these.
    #[must_use]
    pub fn matches(&self, request: &HttpRequest) -> bool {
        if self.method.as_ref().is_some_and(|method| *method != request.method) {
            return false;
        }
        let mut path = split(request.url.path());
        let begins = self.segments.iter().all(|wanted| path.next().is_some_and(|is| wanted == "*" || wanted == is));
        begins && (self.prefix || path.next().is_none())
    }

    pub(super) fn weight_of(&self, request: &HttpRequest) -> Option<u32> {
        self.matches(request).then_some(self.weight)
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    (!path.is_empty()).then(|| path.split('/')).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_by_whole_segments() {
        let exact = RequestMatcher::path;
        let prefix = RequestMatcher::path_prefix;
        for (matcher, path, matches) in [
            (exact("/v1/files"), "/v1/files", true),
            (exact("v1/files/"), "/v1/files", true),
            (exact("/v1/files"), "/v1/files/", true),
            (exact("/v1/files"), "/v1/file_links", false),
            (exact("/v1/files"), "/v1/files/f_1", false),
            (exact("/v1/files"), "/v1", false),
            (exact("/"), "/", true),
            (exact("/"), "/v1", false),
            (exact("/v1/*/lines"), "/v1/in_1/lines", true),
            (exact("/v1/*/lines"), "/v1/a/b/lines", false),
            (exact("/v1/*"), "/v1", false),
            (prefix("/v1"), "/v1", true),
            (prefix("/v1"), "/v1/a/b", true),
            (prefix("/v1"), "/v10", false),
            (prefix("/*/x"), "/a/x/y", true),
            (prefix(""), "/anything", true),
        ] {
            let request = HttpRequest::get(format!("http://a.com{path}?q=/v1/files").parse().unwrap());
            assert_eq!(matcher.matches(&request), matches, "{matcher:?} and {path}");
        }
    }

    #[test]
    fn a_method_narrows_the_match() {
        let mut request = HttpRequest::get("http://a.com/x".parse().unwrap());
        let posts = RequestMatcher::path("/x").method(Method::POST).weight(5);
        assert_eq!(posts.weight_of(&request), None);
        request.method = Method::POST;
        assert_eq!(posts.weight_of(&request), Some(5));
    }
}
