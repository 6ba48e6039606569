//! Tokens in the connector's config, which the platform stores between runs.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{ConfigPaths, expiry};
use crate::protocol::Failure;

/// A config and the places of its tokens.
pub(super) struct StoredTokens {
    config: Map<String, Value>,
    paths: ConfigPaths,
}

impl StoredTokens {
    pub(super) fn new(config: Map<String, Value>, paths: ConfigPaths) -> Self {
        Self { config, paths }
    }

    /// The config with the tokens of the last update.
    pub(super) fn config(&self) -> &Map<String, Value> {
        &self.config
    }

    pub(super) fn refresh_token(&self) -> Option<&str> {
        self.text(&self.paths.refresh_token)
    }

    /// The access token and when it ends. A token without a date is none: nobody knows whether it is still good.
    pub(super) fn access_token(&self) -> Option<(&str, Timestamp)> {
        let expires_at = expiry::date(self.get(&self.paths.token_expiry_date)?)?;
        Some((self.text(&self.paths.access_token)?, expires_at))
    }

    /// Puts new tokens in the places of the old ones.
    ///
    /// # Errors
    /// A config failure if a place is inside of something that has no members.
    pub(super) fn update(
        &mut self,
        access_token: &str,
        refresh_token: &str,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let Self { config, paths } = self;
        set(config, &paths.access_token, access_token)?;
        set(config, &paths.refresh_token, refresh_token)?;
        set(config, &paths.token_expiry_date, &expires_at.to_string())
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str().filter(|text| !text.is_empty())
    }

    fn get(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let first = self.config.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }
}

fn set(config: &mut Map<String, Value>, path: &str, text: &str) -> Result<(), Failure> {
    let (folders, name) = path.rsplit_once('.').map_or((None, path), |(folders, name)| (Some(folders), name));
    let mut members = config;
    for folder in folders.into_iter().flat_map(|folders| folders.split('.')) {
        let inner = members.entry(folder).or_insert_with(|| Value::Object(Map::new()));
        members = inner.as_object_mut().ok_or_else(|| {
            Failure::config(format!("A new token cannot be stored as `{path}`: `{folder}` in the config is no object."))
        })?;
    }
    members.insert(name.to_owned(), text.into());
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
        StoredTokens::new(config, paths)
    }

    #[test]
    fn an_update_changes_the_tokens_and_nothing_else() {
        let config = json!({"credentials": {"refresh_token": "old", "client_id": "c"}, "start_date": "2026-01-01"});
        let mut tokens = stored(config, ConfigPaths::default());
        tokens.update("a", "r", Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
        assert_eq!(
            Value::Object(tokens.config().clone()),
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
    fn places_may_be_at_the_root_or_anywhere_else_and_are_made() {
        let paths = ConfigPaths {
            access_token: "token".to_owned(),
            refresh_token: "a.b.refresh".to_owned(),
            ..ConfigPaths::default()
        };
        let mut tokens = stored(json!({}), paths);
        tokens.update("a", "r", Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
        assert_eq!(tokens.refresh_token(), Some("r"));
        assert_eq!(tokens.access_token().map(|(token, end)| (token, end.as_second())), Some(("a", 1_800_000_000)));
        assert_eq!(tokens.config()["a"], json!({"b": {"refresh": "r"}}));
    }

    #[test]
    fn a_place_inside_of_a_text_is_refused_without_showing_the_token() {
        let mut tokens = stored(json!({"credentials": "x"}), ConfigPaths::default());
        let failure = tokens.update("s3cret", "r", Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(failure.message.contains("`credentials`") && !failure.message.contains("s3cret"), "{failure}");
    }

    #[test]
    fn a_token_without_a_date_that_can_be_read_is_none() {
        for date in [json!(null), json!(""), json!("soon")] {
            let config = json!({"credentials": {"access_token": "a", "token_expiry_date": date}});
            assert_eq!(stored(config, ConfigPaths::default()).access_token(), None);
        }
        assert_eq!(stored(json!({"credentials": {"access_token": "a"}}), ConfigPaths::default()).access_token(), None);
    }
}
