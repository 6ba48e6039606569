//! A quota that an API counts for each token: the requests it covers, and where the API reports the rest.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::http::auth::oauth2::date;
use crate::http::{HttpRequest, Response};
use crate::protocol::Failure;

/// The requests that a quota covers.
type Matches = Arc<dyn Fn(&HttpRequest) -> bool + Send + Sync>;

/// A quota of each token, for [`super::QuotaTokenAuthenticator`].
///
/// ```
/// use source_http::http::auth::TokenQuota;
///
/// let search = TokenQuota::new("search", ["search", "remaining"], ["search", "reset"])
///     .limit_at(["search", "limit"])
///     .when(|request| request.url.path().starts_with("/search"))
///     .headers(Some("X-RateLimit-Remaining"), Some("X-RateLimit-Reset"), None)
///     .exhausted_by([403, 429]);
/// ```
#[derive(Clone)]
pub struct TokenQuota {
    pub(super) name: String,
    matches: Option<Matches>,
    remaining_at: Vec<String>,
    reset_at: Vec<String>,
    limit_at: Option<Vec<String>>,
    remaining_header: Option<String>,
    reset_header: Option<String>,
    limit_header: Option<String>,
    exhausted_by: Vec<u16>,
}

/// The rest of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) remaining: i64,
    pub(super) reset: Timestamp,
    pub(super) limit: i64,
    /// Whether the API counts at all.
    pub(super) tracked: bool,
}

/// The quota in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) remaining: Option<i64>,
    pub(super) reset: Option<Timestamp>,
    pub(super) limit: Option<i64>,
    /// The request was refused because the quota is used up.
    pub(super) turned_away: bool,
}

impl TokenQuota {
    /// A quota for all requests, with this name in messages. The status of a token has, at these paths, the number of
    /// requests left, and the time of renewal: seconds since the epoch, or a date.
    #[must_use]
    pub fn new<T: AsRef<str>>(
        name: &str,
        remaining_at: impl IntoIterator<Item = T>,
        reset_at: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            matches: None,
            remaining_at: names(remaining_at),
            reset_at: names(reset_at),
            limit_at: None,
            remaining_header: None,
            reset_header: None,
            limit_header: None,
            exhausted_by: Vec::new(),
        }
    }

    /// The path of the total number of requests in the status. Default: the number left at first.
    #[must_use]
    pub fn limit_at<T: AsRef<str>>(mut self, path: impl IntoIterator<Item = T>) -> Self {
        self.limit_at = Some(names(path));
        self
    }

    /// Restricts it to these requests. The first of several quotas that covers a request is charged; otherwise the
    /// first for all requests.
    #[must_use]
    pub fn when(mut self, matches: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static) -> Self {
        self.matches = Some(Arc::new(matches));
        self
    }

    /// The headers of each response with the requests left, the time of renewal, and the total.
    #[must_use]
    pub fn headers(mut self, remaining: Option<&str>, reset: Option<&str>, limit: Option<&str>) -> Self {
        let owned = |name: Option<&str>| name.map(str::to_owned);
        (self.remaining_header, self.reset_header, self.limit_header) = (owned(remaining), owned(reset), owned(limit));
        self
    }

    /// Statuses that mean that nothing is left, whatever the headers say.
    #[must_use]
    pub fn exhausted_by(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.exhausted_by = statuses.into_iter().collect();
        self
    }

    /// Whether it covers all requests.
    pub(super) fn is_for_all(&self) -> bool {
        self.matches.is_none()
    }

    pub(super) fn is_for(&self, request: &HttpRequest) -> bool {
        self.matches.as_ref().is_some_and(|matches| matches(request))
    }

    /// Reads the status of a token.
    ///
    /// # Errors
    /// A system failure that names the quota and the path where the status has no valid value.
    pub(super) fn read(&self, status: &Value, answered: &str) -> Result<Left, Failure> {
        let at = |path: &[String]| path.iter().try_fold(status, |value, name| value.get(name));
        let missing = |path: &[String]| {
            let text = format!("{answered} without the remaining quota {:?} at `{}`.", self.name, path.join("."));
            Failure::system(text)
        };
        let count = |path: &[String]| at(path).and_then(number).ok_or_else(|| missing(path));
        let remaining = count(&self.remaining_at)?;
        let reset = at(&self.reset_at).and_then(moment).ok_or_else(|| missing(&self.reset_at))?;
        let limit = self.limit_at.as_ref().map_or(Ok(remaining), |path| count(path))?;
        Ok(Left { remaining, reset, limit, tracked: true })
    }

    /// The quota in a response; `None` if it has none.
    pub(super) fn says(&self, response: &Response) -> Option<Says> {
        let header = |name: &Option<String>| response.header(name.as_deref()?).map(Value::from);
        let turned_away = self.exhausted_by.contains(&response.status.as_u16());
        let remaining = header(&self.remaining_header).as_ref().and_then(number).or(turned_away.then_some(0));
        let reset = header(&self.reset_header).as_ref().and_then(moment);
        let limit = header(&self.limit_header).as_ref().and_then(number).filter(|limit| *limit > 0);
        let says = Says { remaining, reset, limit, turned_away };
        (remaining.is_some() || reset.is_some() || limit.is_some()).then_some(says)
    }
}

impl fmt::Debug for TokenQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenQuota").field("name", &self.name).finish_non_exhaustive()
    }
}

fn names<T: AsRef<str>>(path: impl IntoIterator<Item = T>) -> Vec<String> {
    path.into_iter().map(|name| name.as_ref().to_owned()).collect()
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| format!("{:.0}", number.as_f64()?).parse().ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A point in time, as seconds or milliseconds since the epoch or as a date.
fn moment(value: &Value) -> Option<Timestamp> {
    match number(value) {
        Some(number) if number > 100_000_000_000 => Timestamp::from_millisecond(number).ok(),
        _ => date(value),
    }
}

impl Left {
    /// Applies a response. Responses come out of order: within one window only the smallest count is true, and an older
    /// window is ignored, except that a refused request counts.
    pub(super) fn update(&mut self, says: Says) {
        /// The status and the headers may differ by this much about one moment.
        const SKEW: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

        let Says { remaining, reset, limit, turned_away } = says;
        if let Some(limit) = limit.filter(|_| reset.is_none_or(|reset| reset >= self.reset)) {
            self.limit = limit;
        }
        let is_of_now = reset.is_none_or(|reset| reset.duration_since(self.reset) >= -SKEW);
        match (reset.filter(|reset| *reset > self.reset), remaining) {
            (Some(reset), remaining) => {
                self.reset = reset;
                self.remaining = remaining.unwrap_or(self.limit);
            }
            (None, Some(remaining)) if is_of_now || remaining <= 0 && turned_away => {
                self.remaining = self.remaining.min(remaining);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::response::tests::response;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn quota() -> TokenQuota {
        TokenQuota::new("core", ["core", "left"], ["core", "reset"])
            .headers(Some("x-left"), Some("x-reset"), Some("x-limit"))
            .exhausted_by([429])
    }

    #[test]
    fn a_status_is_read_and_missing_parts_are_named() {
        let left =
            quota().read(&json!({"core": {"left": "7", "reset": 1_900_000_000_000_i64}}), "It answered").unwrap();
        assert_eq!(left, Left { remaining: 7, reset: at(1_900_000_000), limit: 7, tracked: true });
        let date = json!({"core": {"left": 7, "reset": "2027-01-15T08:00:00Z"}});
        assert_eq!(quota().read(&date, "").unwrap().reset, at(1_800_000_000));
        let failure = quota().read(&json!({"core": {"left": 7}}), "It answered 200").unwrap_err();
        assert_eq!(failure.message, "It answered 200 without the remaining quota \"core\" at `core.reset`.");
    }

    #[test]
    fn of_one_window_the_smallest_count_is_true_and_a_later_window_starts_over() {
        let mut left = Left { remaining: 5, reset: at(1_900_000_000), limit: 10, tracked: true };
        let mut told = |status, headers: &'static [(&'static str, &'static str)]| {
            let says = quota().says(&response(status, headers, ""));
            if let Some(says) = says {
                left.update(says);
            }
            (left.remaining, left.reset.as_second() - 1_900_000_000, left.limit)
        };
        assert_eq!(told(200, &[]), (5, 0, 10));
        assert_eq!(told(200, &[("x-left", "7")]), (5, 0, 10));
        assert_eq!(told(200, &[("x-left", "3"), ("x-reset", "1899999950"), ("x-limit", "20")]), (3, 0, 10));
        assert_eq!(told(200, &[("x-left", "0"), ("x-reset", "1899990000")]), (3, 0, 10));
        assert_eq!(told(429, &[("x-reset", "1899990000")]), (0, 0, 10));
        assert_eq!(told(200, &[("x-reset", "1900003600")]), (10, 3600, 10));
        assert_eq!(told(200, &[("x-reset", "1900007200"), ("x-left", "4"), ("x-limit", "8")]), (4, 7200, 8));
    }
}
