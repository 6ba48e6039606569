//! `HttpRequester`: builds the requests of a stream. It renders one whole request from its own templates and the values
//! of authenticator, paginator, partition routers and cursor, by the rules of Python's `requests`.

mod asked;
mod body;
mod collisions;
mod headers;
mod merge;
mod pairs;
#[cfg(test)]
mod tests;
mod url;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::url::Url;

pub(super) use asked::{Asked, Slice};
pub(super) use collisions::tell_collisions;

use self::body::Body;
use self::headers::Headers;
use self::merge::Merge;
use self::pairs::{add_to_query, pairs};
use super::asked_properties::{VARIABLE, is_query_properties};
use super::auth::Auth;
use super::cookies::{Cookies, WithCookies};
use super::error_handler::ErrorHandler;
use super::manifest::{Map, Node, Value};
use super::options::{Place, by_place, fixed_names};
use super::part::{Builder, Part, flat};
use super::placed::{Inputs, Text, Var};
use super::template::{InputPlace, Literal};
use crate::http::{HttpRequest, Method, RequestOptions, same_host};
use crate::locks;
use crate::protocol::Failure;

/// Redirects that are followed for one request.
const MAX_REDIRECTS: u32 = 30;

/// Default time limit for a connection. Python waits forever.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for the next byte. APIs that create a report during the request take their time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// `HttpRequester`.
#[derive(Debug)]
pub(super) struct Requester {
    method: Method,
    url: Option<Text>,
    url_base: Option<Text>,
    path: Option<Text>,
    parameters: Option<Inputs>,
    /// The query parameter with the properties that are requested by name.
    properties_parameter: Option<String>,
    headers: Headers,
    body: Body,
    /// The names in every request, each with its place in the manifest.
    pub(super) fixed: Vec<(Place, String, Arc<str>)>,
    /// The credentials.
    pub(super) auth: Arc<Auth>,
    /// Adds the credentials and earlier cookies to requests.
    pub(super) authenticator: WithCookies,
    /// What to do about responses.
    pub(super) error_handler: ErrorHandler,
    /// Whether responses may come from the cache. `None` if the manifest does not say.
    pub(super) use_cache: Option<bool>,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
    /// The URLs that the manifest itself names: their hosts get the credentials.
    homes: Mutex<Vec<Url>>,
    /// The place in the manifest.
    pub(super) place: Arc<str>,
}

impl Requester {
    /// The requester that a part describes. `extra` are the names of the slice's extra fields, which are template
    /// variables.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, extra: &[&str]) -> Option<Self> {
        if part.kind() != "HttpRequester" {
            builder.refuse(part, &format!("the requester `{}`", part.kind()));
            return None;
        }
        let mut names = vec!["stream_slice", "next_page_token"];
        names.extend(extra);
        for field in ["query_properties", "fetch_properties_from_endpoint"] {
            if part.field(field).is_some() {
                names.push(VARIABLE);
            }
        }
        let method = match part.text("http_method") {
            None | Some("GET") => Method::GET,
            Some("POST") => Method::POST,
            Some(other) => {
                builder.error(part, format!("`http_method` can be GET and POST, not `{other}`"));
                return None;
            }
        };
        let text = |name: &str| part.field(name).map(|field| builder.text(&field, &names));
        let (url, url_base, path) = (text("url"), text("url_base"), text("path"));
        if url.is_none() && url_base.is_none() {
            builder.error(part, "it has no URL: add `url`, or `url_base` and `path`");
        }
        let parameters = part.field("request_parameters").map(|field| parameters(builder, &field, &names));
        let headers = Headers::build(builder, part, &names);
        let body = Body::build(builder, part, &names);
        let auth = Auth::build(builder, part.field("authenticator").as_ref(), Some(part));
        let error_handler = ErrorHandler::build(builder, part.field("error_handler").as_ref());
        let (auth, mut error_handler) = (auth?, error_handler?);
        let cookies = Arc::new(Cookies::new(Arc::clone(&builder.env.clock)));
        error_handler.cookies = Some(Arc::clone(&cookies));
        Some(Self {
            method,
            url: flat(url)?,
            url_base: flat(url_base)?,
            path: flat(path)?,
            parameters: flat(parameters)?,
            properties_parameter: properties_parameter(part),
            headers: headers?,
            body: body?,
            fixed: fixed(builder, part),
            authenticator: WithCookies { authenticator: Arc::clone(&auth.authenticator), cookies },
            auth,
            error_handler,
            use_cache: part.flag("use_cache"),
            connect_timeout: seconds(builder, part, "connect_timeout_in_seconds"),
            read_timeout: seconds(builder, part, "read_timeout_in_seconds"),
            homes: Mutex::default(),
            place: builder.place(part).into(),
        })
    }

    /// One whole request, without the values of [`Auth::authenticator`]. To a host that the manifest does not name, it
    /// goes without credentials.
    ///
    /// # Errors
    /// A config failure if a template cannot be evaluated, two components want the same name, or the request cannot be
    /// sent.
    pub(super) fn request(&self, asked: &Asked<'_>) -> Result<HttpRequest, Failure> {
        let token = asked.token_variable();
        let vars = asked.variables(token.as_ref());
        let mut url = self.url(asked.path, &vars)?;
        // Credentials are for the host in the manifest, wherever a link leads.
        let home = self.home(&vars)?;
        let at_home = same_host(&home, &url);
        let mut injections = if at_home { self.auth.injections.clone() } else { Vec::new() };
        injections.extend_from_slice(asked.injections);
        let placed = by_place(&injections);
        let merged = |place: Place, entries: Vec<(Literal, Literal)>| {
            let mut merge = Merge::new(place, &self.place, entries);
            placed.get(&place).into_iter().flatten().try_for_each(|injection| merge.add(injection))?;
            Ok::<_, Failure>((merge.done(), placed.contains_key(&place)))
        };

        let own = match self.parameters.as_ref().map(|inputs| inputs.eval(&vars)).transpose()? {
            Some(Literal::Dict(entries)) => entries,
            _ => Vec::new(),
        };
        let own = own.into_iter().chain(self.asked_properties(asked)).collect();
        let parameters = pairs(merged(Place::Parameter, own)?.0, "query parameter", &self.place)?;
        add_to_query(&mut url, &parameters);

        let mut request = HttpRequest { method: self.method.clone(), ..HttpRequest::get(url) };
        for (name, value) in merged(Place::Header, self.headers.eval(&vars)?)?.0 {
            if value == Literal::None {
                continue;
            }
            let (name, value) = (name.to_text(), value.to_text());
            match self.headers.is_secret(&name) {
                true => request.set_secret_header(&name, &value)?,
                false => request.set_header(&name, &value)?,
            }
        }
        self.body.put(&mut request, &vars, &self.place, merged)?;
        if !at_home {
            request.strip_credentials();
        }
        let mut homes = locks::lock(&self.homes);
        if !homes.iter().any(|known| same_host(known, &home)) {
            homes.push(home);
        }
        Ok(request)
    }

    /// Whether the credentials are for the host of a URL: the manifest's own URL has that host.
    pub(super) fn is_home(&self, url: &Url) -> bool {
        locks::lock(&self.homes).iter().any(|home| same_host(home, url))
    }

    /// The properties that are requested in the query.
    fn asked_properties(&self, asked: &Asked<'_>) -> Option<(Literal, Literal)> {
        let name = self.properties_parameter.as_ref()?;
        let names = asked.slice.extra_fields.get(VARIABLE)?.as_array()?;
        let names: Vec<&str> = names.iter().filter_map(serde_json::Value::as_str).collect();
        Some((Literal::Str(name.clone()), Literal::Str(names.join(","))))
    }

    /// The URL of the manifest itself; its host gets the credentials. A path from a slice is data and does not change
    /// the host. Without a base, the path is the base.
    ///
    /// # Errors
    /// As [`Requester::request`].
    fn home(&self, vars: &[Var<'_>]) -> Result<Url, Failure> {
        let base = self.base(vars)?;
        match &self.path {
            Some(path) if base.is_empty() || path.template().is_constant() => {
                self.here(url::join_own(&base, &own_path(path, vars)?))
            }
            _ => self.here(url::join_own(&base, "")),
        }
    }

    /// A fault with the place of the requester.
    fn here(&self, url: Result<Url, Failure>) -> Result<Url, Failure> {
        url.map_err(|failure| Failure { message: format!("{}: {}", self.place, failure.message), ..failure })
    }

    /// The request options: `options` with the manifest's timeouts, and as many redirects as Python follows.
    pub(super) fn travel(&self, mut options: RequestOptions) -> RequestOptions {
        options.max_redirects = MAX_REDIRECTS;
        options.connect_timeout = self.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        let idle = self.read_timeout.unwrap_or(IDLE_TIMEOUT);
        (options.read_timeout, options.response_timeout) = (idle, idle);
        options
    }

    fn base(&self, vars: &[Var<'_>]) -> Result<String, Failure> {
        let text = |text: &Option<Text>| text.as_ref().map_or(Ok(String::new()), |text| text.text(vars));
        let base = text(&self.url_base)?;
        if base.is_empty() { text(&self.url) } else { Ok(base) }
    }

    fn url(&self, replaced: Option<&str>, vars: &[Var<'_>]) -> Result<Url, Failure> {
        let base = self.base(vars)?;
        self.here(match (replaced.filter(|path| !path.is_empty()), &self.path) {
            (Some(path), _) => url::join_token(&base, path),
            (None, Some(path)) => url::join_own(&base, &own_path(path, vars)?),
            (None, None) => url::join_own(&base, ""),
        })
    }
}

fn own_path(path: &Text, vars: &[Var<'_>]) -> Result<String, Failure> {
    Ok(path.kept(vars)?.to_text().trim_start_matches('/').to_owned())
}

fn parameters(builder: &Builder<'_>, part: &Part<'_>, names: &[&str]) -> Option<Inputs> {
    if part.node.as_text().is_some_and(|text| !text.contains('{')) {
        builder.warn(part, "a text without a template gives no query parameters: write a mapping");
    }
    if !part.entries().any(|(_, value)| is_query_properties(&value)) {
        return builder.inputs(part, InputPlace::Parameters, names);
    }
    let others = part.entries().filter(|(_, value)| !is_query_properties(value));
    let others = others.map(|(name, value)| (name.node.clone(), value.node.clone())).collect();
    let others = Node::new(Value::Map(Map::new(others)), part.node.mark());
    builder.inputs(&part.of_node(&others), InputPlace::Parameters, names)
}

fn properties_parameter(part: &Part<'_>) -> Option<String> {
    let parameters = part.field("request_parameters")?;
    let mut entries = parameters.entries();
    let (name, _) = entries.find(|(_, value)| is_query_properties(value))?;
    Some(super::part::literal(name.node).to_text())
}

fn seconds(builder: &Builder<'_>, part: &Part<'_>, name: &str) -> Option<Duration> {
    let field = part.field(name)?;
    let number: f64 = super::part::literal(field.node).to_text().parse().ok()?;
    let seconds = Duration::try_from_secs_f64(number).ok().filter(|seconds| !seconds.is_zero());
    if seconds.is_none() {
        builder.error(&field, "it has to be a number of seconds above 0");
    }
    seconds
}

fn fixed(builder: &Builder<'_>, part: &Part<'_>) -> Vec<(Place, String, Arc<str>)> {
    let places = [
        ("request_parameters", Place::Parameter),
        ("request_headers", Place::Header),
        ("request_body_data", Place::BodyData),
    ];
    let fixed = places.into_iter().filter_map(|(name, place)| Some(fixed_names(builder, &part.field(name)?, place)));
    let mut fixed: Vec<_> = fixed.flatten().collect();
    if let Some(body) = part.field("request_body").filter(|body| body.kind() == "RequestBodyUrlEncodedForm") {
        fixed.extend(body.field("value").into_iter().flat_map(|form| fixed_names(builder, &form, Place::BodyData)));
    }
    fixed.extend(properties_parameter(part).map(|name| (Place::Parameter, name, builder.place(part).into())));
    fixed
}
