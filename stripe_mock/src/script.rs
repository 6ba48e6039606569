//! Changes to a running mock as lines of text, for scripts that run another connector beside it.

use serde_json::Map;

use super::changes::members;
use super::mock::StripeMock;
use super::resource::RESOURCES;

impl StripeMock {
    /// Runs one line, and returns its result:
    ///
    /// | line | effect |
    /// | --- | --- |
    /// | `now SECONDS` | [`StripeMock::set_now`], in unix seconds |
    /// | `create RESOURCE [MEMBERS]` | [`StripeMock::create_with`] |
    /// | `update RESOURCE ID MEMBERS` | [`StripeMock::update`]: members set, those that are null included |
    /// | `delete RESOURCE ID` | [`StripeMock::delete`] |
    /// | `event TYPE RESOURCE ID` | [`StripeMock::push_event`] about the current object, at the mock's clock |
    /// | `forbid PATH`, `allow PATH` | [`StripeMock::forbid`], [`StripeMock::allow`] |
    /// | `fail PATH STATUS HITS` | [`StripeMock::fail_for`] |
    /// | `limit PATH SECONDS` | [`StripeMock::limit_next`] |
    /// | `ids RESOURCE` | the ids, newest first, without any change |
    ///
    /// `MEMBERS` is a JSON object.
    ///
    /// # Errors
    /// The fault of the line, or that there is no such object.
    pub fn command(&self, line: &str) -> Result<String, String> {
        let (verb, rest) = word(line);
        match verb {
            "now" => self.set_now(number(rest)?),
            "create" => {
                let (resource, given) = word(rest);
                let given = if given.is_empty() { Map::new() } else { members(given)? };
                let place = place_of(resource)?;
                return self.change(|changes| changes.create(place, &given));
            }
            "update" => {
                let (resource, rest) = word(rest);
                let (id, given) = word(rest);
                let (place, given) = (place_of(resource)?, members(given)?);
                self.change(|changes| changes.update(place, id, |object| object.extend(given)))?;
            }
            "delete" => {
                let (resource, id) = word(rest);
                let place = place_of(resource)?;
                self.change(|changes| changes.delete(place, id))?;
            }
            "event" => {
                let (kind, rest) = word(rest);
                let (resource, id) = word(rest);
                let place = place_of(resource)?;
                return self.change(|changes| changes.event_about(kind, place, id));
            }
            "forbid" => self.forbid(rest),
            "allow" => self.allow(rest),
            "fail" => {
                let (path, rest) = word(rest);
                let (status, hits) = word(rest);
                self.fail_for(path, number(status)?, number(hits)?);
            }
            "limit" => {
                let (path, seconds) = word(rest);
                self.limit_next(path, number(seconds)?);
            }
            "ids" => {
                place_of(rest)?;
                return Ok(self.ids(rest).join(" "));
            }
            _ => return Err(format!("no command: {line}")),
        }
        Ok("done".to_owned())
    }
}

/// The first word and what comes after it.
fn word(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim_start()))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn place_of(resource: &str) -> Result<usize, String> {
    let found = RESOURCES.iter().position(|row| row.name == resource);
    found.ok_or_else(|| format!("no resource {resource}"))
}
