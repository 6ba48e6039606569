//! Schemas of a source's streams as files: one a stream, `shared/` for parts that several of them refer to, all
//! embedded in the binary.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use include_dir::{Dir, File};

use crate::json;
use crate::locks;
use crate::protocol::{Failure, JsonSchema};

/// How deep references may be nested. Deeper ones count as a cycle.
const MAX_DEPTH: usize = 32;
/// The text between a reference's brace and the name it refers to, on one line.
const REFERENCE: &str = r#""$ref":""#;

/// Texts without references, by the address of their file in the binary, which never changes.
static INLINED: LazyLock<Mutex<HashMap<usize, Arc<str>>>> = LazyLock::new(Mutex::default);

/// A folder of JSON Schemas, embedded with [`include_dir::include_dir!`].
#[derive(Debug, Clone, Copy)]
pub struct SchemaFolder {
    folder: &'static Dir<'static>,
}

impl SchemaFolder {
    /// A folder with `NAME.json` for each stream, and `shared/NAME.json` for each `{"$ref": "NAME.json"}`.
    #[must_use]
    pub const fn new(folder: &'static Dir<'static>) -> Self {
        Self { folder }
    }

    /// The schema of a stream, with every reference replaced by its target: Airbyte's catalogs have none. A reference
    /// is an object with only `$ref`.
    ///
    /// # Errors
    /// A system failure if a file is missing or is not a schema: a mistake in the source, which its tests should find.
    pub fn load(&self, stream: &str) -> Result<JsonSchema, Failure> {
        let text = self.inlined(&format!("{stream}.json"), 0)?;
        match text.starts_with('{') {
            true => Ok(JsonSchema::of_text(text)),
            false => Err(Failure::system(format!("The schema {stream}.json is not a JSON object."))),
        }
    }

    /// The names of a stream's columns, found without loading the schema. `None` if there is no such file, or it lists
    /// none itself.
    pub(crate) fn columns(self, stream: &str) -> Option<Vec<String>> {
        let file = self.file(&format!("{stream}.json"))?;
        let properties = json::field(file.contents_utf8()?, "properties")?;
        let mut columns = Vec::new();
        json::for_each_member(properties, |name, _| columns.push(json::unquoted(name).into_owned()));
        Some(columns)
    }

    /// `Dir::get_file` parses every path, which took a third of the time of a `discover`.
    fn file(self, path: &str) -> Option<&'static File<'static>> {
        let folder = match path.rsplit_once('/') {
            Some((folder, _)) => self.folder.dirs().find(|dir| dir.path().as_os_str() == folder)?,
            None => self.folder,
        };
        folder.files().find(|file| file.path().as_os_str() == path)
    }

    /// A file's text on one line, with its references replaced. It never changes, and many files share references: it
    /// is cached.
    fn inlined(self, path: &str, depth: usize) -> Result<Arc<str>, Failure> {
        if depth > MAX_DEPTH {
            return Err(Failure::system(format!("The schema {path} refers to itself.")));
        }
        let file = self.file(path);
        let file = file.ok_or_else(|| Failure::system(format!("There is no schema {path} in this source.")))?;
        let key = file.contents().as_ptr() as usize;
        let known = || locks::lock(&INLINED);
        if let Some(text) = known().get(&key) {
            return Ok(text.clone());
        }
        let not_json = || Failure::system(format!("The schema {path} is not valid JSON."));
        let text = json::compacted(file.contents_utf8().ok_or_else(not_json)?).ok_or_else(not_json)?;
        let text: Arc<str> = self.inline(path, &text, depth)?.into();
        known().insert(key, text.clone());
        Ok(text)
    }

    /// Replaces the references in a text that is on one line.
    fn inline(self, path: &str, text: &str, depth: usize) -> Result<String, Failure> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(REFERENCE) {
            let target = after.split_once("\"}").filter(|(name, _)| !name.contains('"'));
            let (Some(before), Some((name, after))) = (before.strip_suffix('{'), target) else {
                let text = format!("The schema {path} has a $ref that is not alone in its object.");
                return Err(Failure::system(text));
            };
            let name = name.strip_prefix("shared/").unwrap_or(name);
            out.extend([before, &self.inlined(&format!("shared/{name}"), depth + 1)?]);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use include_dir::include_dir;
    use serde_json::Value;

    use super::*;

    static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas/stripe");

    #[test]
    fn columns_are_the_properties_of_the_loaded_schema() {
        let folder = SchemaFolder::new(&FILES);
        let schema = folder.load("invoices").unwrap().into_tree();
        let properties: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        assert!(properties.contains(&"id".to_owned()));
        assert_eq!(folder.columns("invoices"), Some(properties));
        assert_eq!(folder.columns("nothing"), None);
    }

    #[test]
    fn references_are_replaced_and_those_beside_other_members_are_a_mistake() {
        let folder = SchemaFolder::new(&FILES);
        let address = json::compacted(folder.file("shared/address.json").unwrap().contents_utf8().unwrap()).unwrap();
        let inline = |text: &str| folder.inline("x.json", text, 0).map_err(|failure| failure.message);
        assert_eq!(inline(r#"{"a":{"$ref":"address.json"},"b":[{"$ref":"shared/address.json"}]}"#).unwrap(), {
            format!(r#"{{"a":{address},"b":[{address}]}}"#)
        });
        assert_eq!(inline(r#"{"enum":["{\"$ref\":\"x\"}"]}"#).unwrap(), r#"{"enum":["{\"$ref\":\"x\"}"]}"#);
        for text in [r#"{"a":{"$ref":"address.json","b":1}}"#, r#"{"a":{"b":1,"$ref":"address.json"}}"#] {
            assert_eq!(inline(text).unwrap_err(), "The schema x.json has a $ref that is not alone in its object.");
        }
        assert_eq!(
            inline(r#"{"a":{"$ref":"nothing.json"}}"#).unwrap_err(),
            "There is no schema shared/nothing.json in this source."
        );
        assert!(folder.load("nothing").is_err());
    }

    #[test]
    fn every_schema_of_the_folder_is_the_same_as_with_trees() {
        fn inlined(schema: &mut Value) {
            match schema {
                Value::Object(members) if members.contains_key("$ref") => {
                    let name = members["$ref"].as_str().unwrap().to_owned();
                    let file = FILES.get_file(format!("shared/{name}")).unwrap();
                    *schema = serde_json::from_slice(file.contents()).unwrap();
                    inlined(schema);
                }
                Value::Object(members) => members.values_mut().for_each(inlined),
                Value::Array(items) => items.iter_mut().for_each(inlined),
                _ => {}
            }
        }
        for file in FILES.files() {
            let mut tree: Value = serde_json::from_slice(file.contents()).unwrap();
            inlined(&mut tree);
            let name = file.path().file_stem().unwrap().to_str().unwrap();
            assert_eq!(SchemaFolder::new(&FILES).load(name).unwrap().text(), tree.to_string(), "{name}");
        }
    }
}
