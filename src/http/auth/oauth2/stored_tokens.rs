//! Tokens in the connector's config, which the platform stores between runs.

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{ConfigPaths, expiry};
use crate::locks;
use crate::protocol::Failure;

/// The config that holds the tokens of several authenticators: each stores its tokens in it and takes the newest
/// refresh token. Clones share the config.
#[derive(Clone)]
pub struct TokenConfig {
    config: Arc<Mutex<Map<String, Value>>>,
    /// Held while a token is renewed: a refresh token may be valid only once.
    renewing: Arc<Mutex<()>>,
}

impl TokenConfig {
    /// The run's whole config.
    #[must_use]
    pub fn new(config: Map<String, Value>) -> Self {
        Self { config: Arc::new(Mutex::new(config)), renewing: Arc::default() }
    }
}

/// A config and the places of its tokens.
#[derive(Clone)]
pub(super) struct StoredTokens {
    config: TokenConfig,
    paths: ConfigPaths,
}

impl StoredTokens {
    pub(super) fn new(config: TokenConfig, paths: ConfigPaths) -> Self {
        Self { config, paths }
    }

    /// The config with the tokens of the last update.
    pub(super) fn config(&self) -> Map<String, Value> {
        self.members().clone()
    }

    pub(super) fn paths(&self) -> &ConfigPaths {
        &self.paths
    }

    /// Until this is dropped, no other authenticator renews a token of this config.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        locks::lock(&self.config.renewing)
    }

    pub(super) fn refresh_token(&self) -> Option<String> {
        self.text(&self.paths.refresh_token)
    }

    /// The access token and its expiry. A token without a date is ignored: it may have expired.
    pub(super) fn access_token(&self) -> Option<(String, Timestamp)> {
        let expires_at = expiry::date(&self.get(&self.paths.token_expiry_date)?)?;
        Some((self.text(&self.paths.access_token)?, expires_at))
    }

    /// Replaces the tokens. Without a new refresh token, the old one stays.
    ///
    /// # Errors
    /// A config failure if a place is inside a value without members.
    pub(super) fn update(
        &self,
        access_token: &str,
        refresh_token: Option<&str>,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let (mut config, paths) = (self.members(), &self.paths);
        set(&mut config, &paths.access_token, access_token)?;
        if let Some(refresh_token) = refresh_token {
            set(&mut config, &paths.refresh_token, refresh_token)?;
        }
        set(&mut config, &paths.token_expiry_date, &expires_at.to_string())
    }

    fn members(&self) -> MutexGuard<'_, Map<String, Value>> {
        locks::lock(&self.config.config)
    }

    fn text(&self, path: &str) -> Option<String> {
        self.get(path)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn get(&self, path: &str) -> Option<Value> {
        let config = self.members();
        let mut names = names(path).into_iter();
        let first = config.get(&names.next()?)?;
        names.try_fold(first, |value, name| value.get(name)).cloned()
    }
}

/// The member names of a path. A dot after a backslash is part of a name.
fn names(path: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut characters = path.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '.' => names.push(std::mem::take(&mut name)),
            '\\' => name.push(characters.next_if(|next| matches!(next, '.' | '\\')).unwrap_or(character)),
            character => name.push(character),
        }
    }
    names.push(name);
    names
}

fn set(config: &mut Map<String, Value>, path: &str, text: &str) -> Result<(), Failure> {
    let mut folders = names(path);
    let name = folders.pop().unwrap_or_default();
    let mut members = config;
    for folder in folders {
        let inner = members.entry(folder.as_str()).or_insert_with(|| Value::Object(Map::new()));
        members = inner.as_object_mut().ok_or_else(|| {
            Failure::config(format!(
                "A new token cannot be stored as `{path}`: the config's `{folder}` is not an object."
            ))
        })?;
    }
    members.insert(name, text.into());
    Ok(())
}

impl std::fmt::Debug for StoredTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredTokens").field("paths", &self.paths).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(config: Value, paths: ConfigPaths) -> StoredTokens {
        let Value::Object(config) = config else { panic!("{config} is no config") };
        StoredTokens::new(TokenConfig::new(config), paths)
    }

    #[test]
    fn a_dot_after_a_backslash_is_part_of_a_name() {
        assert_eq!(names(r"a.b\.c.d\\.e\f"), ["a", "b.c", r"d\", r"e\f"]);
    }

    #[test]
    fn tokens_stored_by_one_are_seen_by_the_other() {
        let config = TokenConfig::new(Map::new());
        let one = StoredTokens::new(config.clone(), ConfigPaths::default());
        let paths = ConfigPaths { access_token: "other".to_owned(), ..ConfigPaths::default() };
        let other = StoredTokens::new(config, paths);
        one.update("a", Some("r"), Timestamp::UNIX_EPOCH).unwrap();
        other.update("b", None, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(other.refresh_token().as_deref(), Some("r"));
        assert_eq!(
            (&other.config()["other"], &one.config()["credentials"]["access_token"]),
            (&json!("b"), &json!("a"))
        );
    }

    #[test]
    fn an_update_changes_the_tokens_and_nothing_else() {
        let config = json!({"credentials": {"refresh_token": "old", "client_id": "c"}, "start_date": "2026-01-01"});
        let tokens = stored(config, ConfigPaths::default());
        tokens.update("a", Some("r"), Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
        assert_eq!(
            Value::Object(tokens.config()),
            json!({
                "credentials": {
                    "refresh_token": "r", "client_id": "c", "access_token": "a",
                    "token_expiry_date": "2027-01-15T08:00:00Z"
                },
                "start_date": "2026-01-01"
            })
        );
    }

    #[test]
    fn missing_places_at_the_root_or_elsewhere_are_created() {
        let paths = ConfigPaths {
            access_token: "token".to_owned(),
            refresh_token: "a.b.refresh".to_owned(),
            ..ConfigPaths::default()
        };
        let tokens = stored(json!({}), paths);
        tokens.update("a", Some("r"), Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
        assert_eq!(tokens.refresh_token().as_deref(), Some("r"));
        assert_eq!(
            tokens.access_token().map(|(token, end)| (token, end.as_second())),
            Some(("a".to_owned(), 1_800_000_000))
        );
        assert_eq!(tokens.config()["a"], json!({"b": {"refresh": "r"}}));
    }

    #[test]
    fn a_place_inside_a_text_is_refused_without_showing_the_token() {
        let tokens = stored(json!({"credentials": "x"}), ConfigPaths::default());
        let failure = tokens.update("s3cret", Some("r"), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(failure.message.contains("`credentials`") && !failure.message.contains("s3cret"), "{failure}");
    }

    #[test]
    fn a_token_without_a_readable_date_is_ignored() {
        for date in [json!(null), json!(""), json!("soon")] {
            let config = json!({"credentials": {"access_token": "a", "token_expiry_date": date}});
            assert_eq!(stored(config, ConfigPaths::default()).access_token(), None);
        }
        assert_eq!(stored(json!({"credentials": {"access_token": "a"}}), ConfigPaths::default()).access_token(), None);
    }
}
