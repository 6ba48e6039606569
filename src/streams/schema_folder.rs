//! Schemas of a source's streams as files: one a stream, `shared/` for what several of them refer to, all embedded
//! in the binary.

use include_dir::{Dir, File};
use serde_json::{Map, Value};

use crate::json;
use crate::protocol::Failure;

/// How deep references may be nested. Deeper is taken for a circle.
const MAX_DEPTH: usize = 32;

/// A folder of JSON Schemas, embedded with [`include_dir::include_dir!`].
#[derive(Debug, Clone, Copy)]
pub struct SchemaFolder {
    folder: &'static Dir<'static>,
}

impl SchemaFolder {
    /// A folder that holds `NAME.json` for each stream, and `shared/NAME.json` for what `{"$ref": "NAME.json"}`
    /// points to.
    #[must_use]
    pub const fn new(folder: &'static Dir<'static>) -> Self {
        Self { folder }
    }

    /// The schema of a stream, with every reference replaced by what it points to: Airbyte's catalogs have none.
    ///
    /// # Errors
    /// A system failure if a file is missing or is no schema: a mistake in the source, which its tests should find.
    pub fn load(&self, stream: &str) -> Result<Map<String, Value>, Failure> {
        match self.inlined(&format!("{stream}.json"), 0)? {
            Value::Object(schema) => Ok(schema),
            _ => Err(Failure::system(format!("The schema {stream}.json is not a JSON object."))),
        }
    }

    /// The names of a stream's columns, looked up without loading the schema. `None` if there is no such file, or it
    /// lists none itself.
    pub(crate) fn columns(self, stream: &str) -> Option<Vec<String>> {
        let file = self.file(&format!("{stream}.json"))?;
        let properties = json::field(file.contents_utf8()?, "properties")?;
        let mut columns = Vec::new();
        json::for_each_member(properties, |name, _| columns.push(json::unquoted(name).into_owned()));
        Some(columns)
    }

    /// `Dir::get_file` takes every path apart, which was a third of the time of a `discover`.
    fn file(self, path: &str) -> Option<&'static File<'static>> {
        let folder = match path.rsplit_once('/') {
            Some((folder, _)) => self.folder.dirs().find(|dir| dir.path().as_os_str() == folder)?,
            None => self.folder,
        };
        folder.files().find(|file| file.path().as_os_str() == path)
    }

    fn inlined(self, path: &str, depth: usize) -> Result<Value, Failure> {
        if depth > MAX_DEPTH {
            return Err(Failure::system(format!("The schema {path} refers to itself.")));
        }
        let file = self.file(path);
        let file = file.ok_or_else(|| Failure::system(format!("There is no schema {path} in this source.")))?;
        let mut schema: Value = serde_json::from_slice(file.contents())
            .map_err(|error| Failure::system(format!("The schema {path} is not valid JSON: {error}.")))?;
        self.inline(&mut schema, depth)?;
        Ok(schema)
    }

    fn inline(self, schema: &mut Value, depth: usize) -> Result<(), Failure> {
        match schema {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let name = target.strip_prefix("shared/").unwrap_or(target);
                    *schema = self.inlined(&format!("shared/{name}"), depth + 1)?;
                    return Ok(());
                }
                members.values_mut().try_for_each(|member| self.inline(member, depth))
            }
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.inline(item, depth)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use include_dir::include_dir;

    use super::*;

    static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas/stripe");

    #[test]
    fn columns_are_the_properties_of_the_loaded_schema() {
        let folder = SchemaFolder::new(&FILES);
        let schema = folder.load("invoices").unwrap();
        let properties: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        assert!(properties.contains(&"id".to_owned()));
        assert_eq!(folder.columns("invoices"), Some(properties));
        assert_eq!(folder.columns("nothing"), None);
    }
}
