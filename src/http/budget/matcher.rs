//! The requests that a policy covers.

use fancy_regex::Regex;
use ureq::http::Method;
use url::Url;

use crate::http::{HttpRequest, same_host};
use crate::protocol::Failure;

/// Describes requests by method and path, and their weight.
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
    host: Option<Url>,
    path: PathRule,
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    weight: u32,
}

/// The matching paths.
#[derive(Debug, Clone)]
enum PathRule {
    Segments {
        segments: Vec<String>,
        /// Whether more segments may follow.
        prefix: bool,
    },
    Pattern(Regex),
}

impl PartialEq for PathRule {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Segments { segments, prefix }, Self::Segments { segments: others, prefix: other }) => {
                (segments, prefix) == (others, other)
            }
            (Self::Pattern(pattern), Self::Pattern(other)) => pattern.as_str() == other.as_str(),
            _ => false,
        }
    }
}

impl Eq for PathRule {}

impl RequestMatcher {
    /// Requests of exactly this path.
    #[must_use]
    pub fn path(path: &str) -> Self {
        Self::of(PathRule::Segments { segments: split(path).map(str::to_owned).collect(), prefix: false })
    }

    /// Requests whose path has a match for a regular expression, without a slash at its end.
    ///
    /// # Errors
    /// A config failure that names the fault of the expression.
    pub fn path_pattern(pattern: &str) -> Result<Self, Failure> {
        let wrong = |error| Failure::config(format!("{pattern:?} is not a regular expression: {error}"));
        Regex::new(pattern).map(PathRule::Pattern).map(Self::of).map_err(wrong)
    }

    fn of(path: PathRule) -> Self {
        Self { method: None, host: None, path, params: Vec::new(), headers: Vec::new(), weight: 1 }
    }

    /// Requests of this path and those below it.
    #[must_use]
    pub fn path_prefix(path: &str) -> Self {
        Self::of(PathRule::Segments { segments: split(path).map(str::to_owned).collect(), prefix: true })
    }

    /// Only requests to the host of this URL, with its scheme and port. Default: any.
    #[must_use]
    pub fn host(mut self, url: Url) -> Self {
        self.host = Some(url);
        self
    }

    /// Only requests with this query parameter, and those named before. Default: any.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Only requests with this header of the stream's own, and those named before. Default: any.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Only requests of this method. Default: any.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// How many requests such a request counts as, at least 1. Default: 1. A weight above the policy's limit takes the
    /// whole window.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight.max(1);
        self
    }

    /// Whether it matches a request.
    #[must_use]
    pub fn matches(&self, request: &HttpRequest) -> bool {
        if self.method.as_ref().is_some_and(|method| *method != request.method) {
            return false;
        }
        if self.host.as_ref().is_some_and(|host| !same_host(host, &request.url)) {
            return false;
        }
        let has_param = |(name, value): &(String, String)| {
            // The last non-blank one of several parameters with one name counts.
            let sent = request.url.query_pairs().filter(|(sent, value)| sent == name && !value.is_empty());
            sent.last().is_some_and(|(_, sent)| sent == *value)
        };
        let has_header = |(name, value): &(String, String)| {
            request.headers.get(name.as_str()).is_some_and(|sent| sent.as_bytes() == value.as_bytes())
        };
        self.fits_path(request.url.path()) && self.params.iter().all(has_param) && self.headers.iter().all(has_header)
    }

    fn fits_path(&self, path: &str) -> bool {
        match &self.path {
            PathRule::Segments { segments, prefix } => {
                let mut path = split(path);
                let begins = segments.iter().all(|wanted| path.next().is_some_and(|is| wanted == "*" || wanted == is));
                begins && (*prefix || path.next().is_none())
            }
            // One that takes too long matches nothing.
            PathRule::Pattern(pattern) => pattern.is_match(path.trim_end_matches('/')).unwrap_or(false),
        }
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
    fn a_pattern_is_searched_in_the_path_and_host_parameters_and_headers_narrow_the_match() {
        let mut request = HttpRequest::get("https://a.com:8443/v1/items/?page=2&size=".parse().unwrap());
        request.set_header("X-Kind", "full").unwrap();
        let pattern = |pattern| RequestMatcher::path_pattern(pattern).unwrap();
        let matches = |matcher: RequestMatcher| matcher.matches(&request);
        assert!(matches(pattern("items$")) && matches(pattern("")) && !matches(pattern("^items")));
        assert!(matches(pattern("").host("https://a.com:8443".parse().unwrap())));
        assert!(!matches(pattern("").host("https://a.com".parse().unwrap())));
        assert!(matches(pattern("").param("page", "2")) && !matches(pattern("").param("page", "3")));
        assert!(matches(pattern("").header("x-kind", "full")) && !matches(pattern("").header("x-kind", "half")));
        assert!(RequestMatcher::path_pattern("(").unwrap_err().message.contains("not a regular expression"));
        assert_ne!(pattern("a"), pattern("b"));
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
