//! Requests changed objects again. An event has its object after the change, but in the API version of the account, and
//! without expansions: a list would give another row. So the object itself is requested where the two may differ, once
//! for any number of events, several in parallel if workers are free.
//! <https://docs.stripe.com/api/events/object#event_object-api_version>

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::value::RawValue;

use super::api::Api;
use super::api_error;
use super::config::{self, ChangedObjects};
use super::event::Event;
use super::rules::Rules;
use crate::http::auth::Authenticator;
use crate::http::budget::RequestBudget;
use crate::http::{Response, RetryRules, Undecodable};
use crate::protocol::LogLevel;
use crate::streams::{FetchContext, Fetcher, HttpStream, Record, RequestContext, path_segment, undecodable};

/// How to request the objects of one stream.
pub(super) struct Changed {
    api: Arc<Api>,
    rules: Rules,
    stream: &'static str,
    /// The API version of the stream's objects.
    version: &'static str,
    /// The expansions of its lists.
    expand: Vec<String>,
    /// The member without which an object is in no list.
    listed_by: Option<&'static str>,
    has_warned: AtomicBool,
}

/// The result for a requested object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Now {
    /// The current object.
    Object(String),
    /// The object no longer exists.
    Gone,
    /// It is not visible yet: the event's version serves until the next read.
    NotYet,
    /// Stripe does not return it: the event's version has to serve.
    Refused(String),
}

/// The requested objects, by id.
pub(super) type Objects = HashMap<String, Now>;

/// An object to request.
pub(super) struct Wanted {
    id: String,
    path: String,
    /// When it changed, in seconds since the epoch.
    changed: i64,
}

impl Changed {
    /// The objects of this stream, whose lists have these parameters.
    pub(super) fn new(
        api: Arc<Api>,
        stream: &'static str,
        version: &'static str,
        list_params: &[(&'static str, &'static str)],
        listed_by: Option<&'static str>,
    ) -> Self {
        // A list expands `data.refunds`, an object its `refunds`.
        let expand = list_params.iter().filter(|(name, _)| *name == "expand[]");
        let expand = expand.map(|(_, path)| path.strip_prefix("data.").unwrap_or(path).to_owned()).collect();
        let rules = Rules::of_one_object(api.clone());
        Self { api, rules, stream, version, expand, listed_by, has_warned: AtomicBool::new(false) }
    }

    /// The object of an event as one to request, at a path with members of the object filled in; `None` if the event's
    /// version is enough.
    pub(super) fn wanted(&self, event: &Event<'_>, path: &str, fetch: &FetchContext<'_>) -> Option<Wanted> {
        let is_foreign = event.api_version.as_deref().is_some_and(|version| version != self.version);
        match self.api.config.changed_objects {
            _ if event.is_deleted => return None,
            ChangedObjects::Fetch => {}
            ChangedObjects::Auto if is_foreign || !self.expand.is_empty() => {}
            ChangedObjects::Auto => return None,
            ChangedObjects::Events => {
                if let Some(version) = event.api_version.as_ref().filter(|_| is_foreign) {
                    self.warn(
                        fetch,
                        &format!(
                            "changed objects come from events, in API version {version}, and all others in {}. Set \
                         `changed_objects` to `auto` in the config to get one \
                         version.",
                            self.version
                        ),
                    );
                }
                return None;
            }
        }
        let id = event.object.get::<String>("id")?;
        let key = [event.object.field("id")?];
        if fetch.recent.is_some_and(|recent| recent.has(&key, &event.id)) {
            return None;
        }
        Some(Wanted { path: self.fill(path, &event.object)?, id, changed: event.created })
    }

    /// A path with members of the object filled in.
    fn fill(&self, path: &str, object: &Record<'_>) -> Option<String> {
        let mut filled = self.api.fill(path);
        while let Some((before, rest)) = filled.split_once('{') {
            let (name, after) = rest.split_once('}')?;
            filled = format!("{before}{}{after}", path_segment(&object.get::<String>(name)?));
        }
        Some(filled)
    }

    /// Requests objects.
    pub(super) fn fetch(&self, wanted: &[Wanted], fetch: &FetchContext<'_>) -> anyhow::Result<Objects> {
        let found = fetch.fetcher.for_all(wanted, |fetcher, wanted| self.fetch_one(fetcher, wanted))?;
        let refused = found.iter().zip(wanted).find_map(|(now, wanted)| match now {
            Now::Refused(why) => Some((why, wanted)),
            _ => None,
        });
        if let Some((why, Wanted { path, .. })) = refused {
            self.warn(
                fetch,
                &format!(
                    "a changed object is taken from its event, in the API version of the event: GET \
                 /{path} {why}."
                ),
            );
        }
        Ok(wanted.iter().map(|wanted| wanted.id.clone()).zip(found).collect())
    }

    fn fetch_one(&self, fetcher: &Fetcher<'_>, wanted: &Wanted) -> anyhow::Result<Now> {
        let expand: Vec<(&str, &str)> = self.expand.iter().map(|path| ("expand[]", path.as_str())).collect();
        let now = fetcher.get(self, &wanted.path, &expand, &mut |response| self.read(response, wanted))?;
        Ok(now.unwrap_or_else(|| Now::Refused("was not answered".to_owned())))
    }

    fn read(&self, response: Response, wanted: &Wanted) -> Result<Now, Box<(Response, Undecodable)>> {
        if api_error::is_vanished(&response) {
            // New objects may appear late: the next read requests them again.
            let is_fresh = wanted.changed >= self.api.clock.now().saturating_sub(config::OVERLAP);
            return Ok(if is_fresh { Now::NotYet } else { Now::Gone });
        }
        if !response.status.is_success() {
            return Ok(Now::Refused(format!("answered {}", response.status)));
        }
        let text: Box<RawValue> = match response.json() {
            Ok(text) => text,
            Err(error) => return Err(Box::new((response, undecodable(&error)))),
        };
        let object = Record::from_text(text.get());
        Ok(match object.get::<String>("id") {
            Some(id) if id == wanted.id && (object.get("deleted") == Some(true) || self.is_unlisted(&object)) => {
                Now::Gone
            }
            Some(id) if id == wanted.id => Now::Object(text.get().to_owned()),
            _ => Now::Refused("gave something else".to_owned()),
        })
    }

    /// Whether an object is no longer in any list: a payment method of no customer.
    pub(super) fn is_unlisted(&self, object: &Record<'_>) -> bool {
        self.listed_by.is_some_and(|name| object.field(name) == Some("null"))
    }

    /// Once a run and stream.
    fn warn(&self, fetch: &FetchContext<'_>, text: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            // A log that cannot be written ends the run by itself.
            let _ = fetch.output.log(LogLevel::Warn, &format!("{}: {text}", self.stream));
        }
    }
}

/// The options of a request for one object.
impl HttpStream for Changed {
    fn name(&self) -> &str {
        self.stream
    }

    fn url_base(&self) -> &str {
        self.api.url_base()
    }

    fn path(&self, _: &RequestContext<'_>) -> String {
        String::new()
    }

    fn authenticator(&self) -> &dyn Authenticator {
        self.api.authenticator()
    }

    fn request_budget(&self) -> Option<&RequestBudget> {
        Some(self.api.request_budget())
    }

    fn request_headers(&self, _: &RequestContext<'_>) -> Vec<(String, String)> {
        self.api.headers(self.version)
    }

    /// A refused object does not refuse its stream.
    fn retry_rules(&self) -> &dyn RetryRules {
        &self.rules
    }
}
