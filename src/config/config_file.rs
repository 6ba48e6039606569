//! The config's file, for a run that may replace a credential in it: `--config-file-update`. Only changed values are
//! written; concurrent changes of other programs stay.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Map, Value};

use crate::json;
use crate::locks;
use crate::protocol::{ConfigStore, Failure};
use crate::replacement::{is_of_same_owner, replacement, sync_folder};

/// A config file that receives new credentials.
pub(crate) struct ConfigFile {
    /// Its name, for messages.
    name: PathBuf,
    /// Its path after following all links.
    path: PathBuf,
    /// Its content, as known to the run. References to the environment are not replaced in it.
    known: Mutex<Value>,
}

impl ConfigFile {
    /// Opens a file with this text, if it can be replaced.
    ///
    /// # Errors
    /// A config failure if this user cannot replace it, or it would get another owner: the run must not use up a
    /// credential whose successor it cannot store.
    pub(crate) fn open(name: &Path, text: &[u8]) -> Result<Self, Failure> {
        let cannot = |why: String| {
            Failure::config(format!(
                "The config file {} cannot be updated: {why}. Check the permissions there, or omit \
                 --config-file-update.",
                name.display()
            ))
        };
        let path = fs::canonicalize(name).map_err(|error| cannot(error.to_string()))?;
        let old = fs::metadata(&path).map_err(|error| cannot(error.to_string()))?;
        if !old.is_file() {
            return Err(cannot("it is not a file".to_owned()));
        }
        // A replaceable but read-only file is meant to stay unchanged.
        let new = fs::OpenOptions::new().write(true).open(&path).and_then(|_| replacement(&path));
        let new = new.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                cannot("this user cannot write the file, or cannot create files beside it".to_owned())
            }
            _ => cannot(error.to_string()),
        })?;
        if !new.as_file().metadata().is_ok_and(|new| is_of_same_owner(&new, &old)) {
            return Err(cannot("it belongs to another user or group, and replacing it would change that".to_owned()));
        }
        let known = serde_json::from_slice(text).unwrap_or_default();
        Ok(Self { name: name.to_owned(), path, known: Mutex::new(known) })
    }

    fn save(&self, known: &Value, new: &Value) -> io::Result<()> {
        let text = fs::read(&self.path)?;
        let text = json::without_mark(&text);
        let mut content: Value = serde_json::from_slice(text)?;
        put_changes(&mut content, known, new);
        let is_one_line = !text.trim_ascii().contains(&b'\n');
        let mut text = if is_one_line { serde_json::to_vec(&content)? } else { serde_json::to_vec_pretty(&content)? };
        text.push(b'\n');
        let mut file = replacement(&self.path)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        match file.persist(&self.path) {
            Ok(_) => {}
            // The file itself is a mount, as in containers: its name cannot be given to another one.
            Err(error) if error.error.kind() == io::ErrorKind::ResourceBusy => overwrite(&self.path, &text)?,
            Err(error) => return Err(error.error),
        }
        sync_folder(&self.path);
        Ok(())
    }
}

/// Omits the content, which contains secrets.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ConfigStore for ConfigFile {
    fn store(&self, config: &Map<String, Value>) -> Result<(), Failure> {
        let mut known = locks::lock(&self.known);
        let new = Value::Object(config.clone());
        self.save(&known, &new).map_err(|error| {
            Failure::config(format!(
                "The config file {} cannot be updated: {error}. It still has the old credential, which may be void now.",
                self.name.display()
            ))
        })?;
        *known = new;
        Ok(())
    }

    fn name(&self) -> String {
        self.name.display().to_string()
    }
}

fn overwrite(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Applies the changes between `old` and `new` to `content`.
fn put_changes(content: &mut Value, old: &Value, new: &Value) {
    if old == new {
        return;
    }
    match (content, old, new) {
        (Value::Object(content), Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                match (content.get_mut(name), old.get(name)) {
                    (Some(content), Some(old)) => put_changes(content, old, value),
                    (None, Some(old)) if old == value => {}
                    _ => {
                        content.insert(name.clone(), value.clone());
                    }
                }
            }
            content.retain(|name, _| new.contains_key(name) || !old.contains_key(name));
        }
        (content, ..) => *content = new.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn store(folder: &Path, before: &str, meanwhile: &str, new: &Value) -> Result<String, Failure> {
        let path = folder.join("config.json");
        fs::write(&path, before).unwrap();
        let file = ConfigFile::open(&path, before.as_bytes())?;
        fs::write(&path, meanwhile).unwrap();
        file.store(new.as_object().unwrap())?;
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing else is left");
        Ok(fs::read_to_string(&path).unwrap())
    }

    #[test]
    fn only_changed_values_are_written_and_concurrent_edits_stay() {
        let folder = tempfile::tempdir().unwrap();
        let before = r#"{"key":"${KEY}","auth":{"token":"old","id":"c","gone":1},"pages":10}"#;
        let meanwhile = r#"{"key":"${KEY_2}","auth":{"token":"old","id":"d","gone":1},"extra":true}"#;
        let new = json!({"key": "${KEY}", "auth": {"token": "new", "id": "c", "until": "2027"}, "pages": 10});
        let written = store(folder.path(), before, meanwhile, &new).unwrap();
        assert_eq!(
            written,
            "{\"key\":\"${KEY_2}\",\"auth\":{\"token\":\"new\",\"id\":\"d\",\"until\":\"2027\"},\"extra\":true}\n"
        );
    }

    #[test]
    fn a_file_of_several_lines_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let before = "\u{feff}{\n  \"token\": \"old\"\n}\n";
        let written = store(folder.path(), before, before, &json!({"token": "new"})).unwrap();
        assert_eq!(written, "{\n  \"token\": \"new\"\n}\n");
    }

    #[test]
    fn each_update_is_put_on_top_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, r#"{"token":"1"}"#).unwrap();
        let file = ConfigFile::open(&path, br#"{"token":"1"}"#).unwrap();
        for token in ["2", "3", "1"] {
            file.store(json!({"token": token}).as_object().unwrap()).unwrap();
            let content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            assert_eq!(content, json!({"token": token}));
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("config.json"), folder.path().join("link"));
        fs::write(&path, r#"{"token":"1"}"#).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("config.json", &link).unwrap();
        let file = ConfigFile::open(&link, br#"{"token":"1"}"#).unwrap();
        file.store(json!({"token": "2"}).as_object().unwrap()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::read_to_string(&path).unwrap().contains("\"2\""));
    }

    #[test]
    fn a_file_that_is_no_longer_json_is_kept_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let failure = store(folder.path(), r#"{"token":"1"}"#, "{", &json!({"token": "s3cret"})).unwrap_err();
        assert!(failure.message.contains("config.json cannot be updated"), "{failure}");
        assert!(!failure.message.contains("s3cret"), "{failure}");
        assert_eq!(fs::read_to_string(folder.path().join("config.json")).unwrap(), "{");
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_refused_before_anything_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let failure = ConfigFile::open(folder.path(), b"{}").unwrap_err();
        assert!(failure.message.contains("it is not a file"), "{failure}");
    }
}
