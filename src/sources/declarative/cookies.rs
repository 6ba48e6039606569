//! Cookies. Some APIs keep a session in one, and bind page tokens to it: the cookies of a response are sent with later
//! requests of the same requester, retries included. Each requester has its own, and they end with the run.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use url::Url;

use crate::clock::Clock;
use crate::http::auth::{AuthContext, Authenticator};
use crate::http::{HttpRequest, Response};
use crate::locks;

/// The most cookies that are kept; the oldest is dropped first.
const MOST: usize = 100;

/// The cookies of a requester.
pub(super) struct Cookies {
    kept: Mutex<Vec<Cookie>>,
    clock: Arc<dyn Clock>,
}

struct Cookie {
    name: String,
    value: String,
    host: String,
    /// Whether subdomains of `host` get it, too.
    below: bool,
    path: String,
    secure: bool,
    until: Option<Timestamp>,
}

impl Cookies {
    /// None yet.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { kept: Mutex::default(), clock }
    }

    /// Keeps what a response sets.
    pub(super) fn keep(&self, response: &Response) {
        let Some(url) = response.url() else { return };
        let now = self.clock.now();
        for header in response.headers.get_all("set-cookie") {
            let Some(cookie) = header.to_str().ok().and_then(|text| Cookie::parse(text, &url, now)) else { continue };
            let mut kept = locks::lock(&self.kept);
            kept.retain(|known| !known.is_same(&cookie));
            if cookie.until.is_none_or(|until| until > now) {
                if kept.len() == MOST {
                    kept.remove(0);
                }
                kept.push(cookie);
            }
        }
    }

    /// The cookies for a request to that URL.
    fn header(&self, url: &Url) -> Option<String> {
        let kept = locks::lock(&self.kept);
        if kept.is_empty() {
            return None;
        }
        let now = self.clock.now();
        let mut sent: Vec<&Cookie> = kept.iter().filter(|cookie| cookie.is_for(url, now)).collect();
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Cookie {
    fn parse(text: &str, url: &Url, now: Timestamp) -> Option<Self> {
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let host = url.host_str()?.to_owned();
        let folder = url.path().rfind('/').map_or("", |at| &url.path()[..at]);
        let path = if folder.is_empty() { "/" } else { folder }.to_owned();
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        let mut cookie = Self { name, value, host, below: false, path, secure: false, until: None };
        let mut lasts = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.is_empty() => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    // A host may set cookies for itself and for its parent domain, but not for all hosts below `.com`.
                    if !domain.contains('.') && domain != cookie.host || !is_in(&cookie.host, &domain) {
                        return None;
                    }
                    (cookie.host, cookie.below) = (domain, true);
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "max-age" => lasts = value.parse::<i64>().ok(),
                "expires" => cookie.until = date(value),
                _ => {}
            }
        }
        if let Some(seconds) = lasts {
            let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            cookie.until = now.checked_add(seconds).ok();
        }
        (!cookie.name.is_empty()).then_some(cookie)
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.host, &self.path) == (&other.name, &other.host, &other.path)
    }

    fn is_for(&self, url: &Url, now: Timestamp) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_host = if self.below { is_in(host, &self.host) } else { host == self.host };
        let rest = url.path().strip_prefix(&*self.path);
        let is_path = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'));
        is_host && is_path && (!self.secure || url.scheme() == "https") && self.until.is_none_or(|until| until > now)
    }
}

fn is_in(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// A date in mail format; old servers write hyphens in it.
fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.replace('-', " ")).ok()
}

/// Shows their number only: they may hold secrets.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cookies({})", locks::lock(&self.kept).len())
    }
}

/// An authenticator that adds the cookies, unless the manifest has a `Cookie` header.
#[derive(Debug)]
pub(super) struct WithCookies {
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) cookies: Arc<Cookies>,
}

impl Authenticator for WithCookies {
    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        self.authenticator.authenticate(request, cx)?;
        match self.cookies.header(&request.url) {
            Some(cookies) if !request.headers.contains_key("cookie") => {
                Ok(request.set_secret_header("Cookie", &cookies)?)
            }
            _ => Ok(()),
        }
    }

    fn refresh(&self, rejected: &HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<bool> {
        self.authenticator.refresh(rejected, cx)
    }

    fn answered(&self, signed: &HttpRequest, response: &Response, cx: &AuthContext<'_>) {
        self.authenticator.answered(signed, response, cx);
    }

    fn rate_limited(&self, limited: &HttpRequest, wait: Option<Duration>, cx: &AuthContext<'_>) -> Option<Duration> {
        self.authenticator.rate_limited(limited, wait, cx)
    }

    /// Without the cookies, so a page is read once, whatever its session.
    fn identity(&self) -> Option<String> {
        self.authenticator.identity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::VirtualClock;

    /// The cookies sent to a URL after `http://a.com/v1/items` has set one.
    fn sent(set: &str, url: &str) -> Option<String> {
        let clock = Arc::new(VirtualClock::at(1_000));
        let cookies = Cookies::new(clock.clone());
        let cookie = Cookie::parse(set, &"http://api.a.com/v1/items".parse().unwrap(), clock.now())?;
        cookies.kept.lock().unwrap().push(cookie);
        cookies.header(&url.parse().unwrap())
    }

    #[test]
    fn a_cookie_is_sent_to_its_host_and_below_its_path() {
        for (set, url, expected) in [
            ("sid=abc; Path=/", "http://api.a.com/v2?x=1", Some("sid=abc")),
            ("sid=a=b", "http://api.a.com/v1/other", Some("sid=a=b")),
            ("sid=abc", "http://api.a.com/v10", None),
            ("sid=abc; Path=/", "http://a.com/", None),
            ("sid=abc; Path=/; Domain=.a.com", "http://b.a.com/", Some("sid=abc")),
            ("sid=abc; Path=/; Domain=a.com", "http://ba.com/", None),
            ("sid=abc; Path=/; Domain=b.com", "http://b.com/", None),
            ("sid=abc; Path=/; Domain=com", "http://b.com/", None),
            ("sid=abc; Path=/; Secure", "http://api.a.com/", None),
            ("sid=abc; Path=/; Secure", "https://api.a.com/", Some("sid=abc")),
            ("sid=abc; Path=/; Max-Age=0", "http://api.a.com/", None),
            ("sid=abc; Path=/; Max-Age=9; Expires=Thu, 01-Jan-1970 00:00:01 GMT", "http://api.a.com/", Some("sid=abc")),
            ("sid=abc; Path=/; Expires=Thu, 01-Jan-1970 00:00:01 GMT", "http://api.a.com/", None),
            ("nonsense", "http://api.a.com/v1/x", None),
        ] {
            assert_eq!(sent(set, url).as_deref(), expected, "{set} {url}");
        }
    }
}
