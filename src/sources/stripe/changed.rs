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
use super::row::Row;
use super::rules::Rules;
use crate::http::{Response, Undecodable};
use crate::protocol::LogLevel;
use crate::streams::{FetchContext, HttpStream, Record, path_segment, undecodable};

/// How to request the objects of one stream.
pub(super) struct Changed {
    row: &'static Row,
    api: Arc<Api>,
    /// A refused object does not refuse its stream.
    rules: Rules,
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
    pub(super) fn new(row: &'static Row, api: Arc<Api>) -> Self {
        Self { row, rules: Rules::of_one_object(api.clone()), api, has_warned: AtomicBool::new(false) }
    }

    /// The object of an event as one to request; `None` if the event's version is enough, or the stream does not need
    /// it.
    pub(super) fn wanted(&self, event: &Event<'_>, fetch: &FetchContext<'_>) -> Option<Wanted> {
        let path = self.row.path_of(event)?;
        let is_foreign = event.api_version.as_deref().is_some_and(|version| version != self.row.version);
        match self.api.config.changed_objects {
            _ if event.is_deleted => return None,
            ChangedObjects::Fetch => {}
            ChangedObjects::Auto if is_foreign || !self.row.expansions().is_empty() => {}
            ChangedObjects::Auto => return None,
            ChangedObjects::Events => {
                if let Some(version) = event.api_version.as_ref().filter(|_| is_foreign) {
                    let text = format!(
                        "changed objects come from events, in API version {version}, and all others in {}. Set \
                         `changed_objects` to `auto` in the config to get one version.",
                        self.row.version
                    );
                    self.warn(fetch, &text);
                }
                return None;
            }
        }
        let id = event.object.get::<String>("id")?;
        let key = [event.object.field("id")?];
        if fetch.recent.is_some_and(|recent| recent.has(&key, &event.id)) {
            return None;
        }
        Some(Wanted { path: self.fill(&path, &event.object)?, id, changed: event.created })
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

    /// Requests objects of the stream.
    pub(super) fn fetch(
        &self,
        stream: &dyn HttpStream,
        wanted: &[Wanted],
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Objects> {
        let expand = self.row.expansions();
        let found = fetch.fetcher.for_all(wanted, |fetcher, wanted| {
            let fetcher = fetcher.fresh(true).with_rules(&self.rules);
            let now = fetcher.get(stream, &wanted.path, &expand, &mut |response| self.read(response, wanted))?;
            Ok(now.unwrap_or_else(|| Now::Refused("was not answered".to_owned())))
        })?;
        let refused = found.iter().zip(wanted).find_map(|(now, wanted)| match now {
            Now::Refused(why) => Some((why, wanted)),
            _ => None,
        });
        if let Some((why, Wanted { path, .. })) = refused {
            let text = format!(
                "a changed object is taken from its event, in the API version of the event: GET /{path} {why}."
            );
            self.warn(fetch, &text);
        }
        Ok(wanted.iter().map(|wanted| wanted.id.clone()).zip(found).collect())
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
            Some(id) if id == wanted.id && (object.get("deleted") == Some(true) || self.row.is_unlisted(&object)) => {
                Now::Gone
            }
            Some(id) if id == wanted.id => Now::Object(text.get().to_owned()),
            _ => Now::Refused("gave something else".to_owned()),
        })
    }

    /// Once a run and stream.
    fn warn(&self, fetch: &FetchContext<'_>, text: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            // A log that cannot be written ends the run by itself.
            let _ = fetch.output.log(LogLevel::Warn, &format!("{}: {text}", self.row.name));
        }
    }
}
