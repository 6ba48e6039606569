//! Schema loaders: a stream's schema, from the manifest, from a file beside it, or from the API.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::dynamic_schema::DynamicSchema;
use super::manifest::Node;
use super::part::{BuildRetriever, Builder, Part};
use super::placed::Text;
use crate::protocol::Failure;
use crate::streams::Fetcher;

/// The source of a stream's schema.
#[derive(Debug)]
pub(super) struct SchemaSource {
    kind: Kind,
    place: String,
}

#[derive(Debug)]
enum Kind {
    /// `InlineSchemaLoader`. `None` is the empty schema.
    Inline(Option<Node>),
    /// `JsonFileSchemaLoader`, or no loader at all.
    File(Option<Box<Text>>, Names),
    /// `DynamicSchemaLoader`.
    Dynamic(Box<DynamicSchema>),
    /// A list of loaders: their properties are merged.
    Several(Vec<SchemaSource>),
}

/// The default names of a schema's file.
#[derive(Debug)]
struct Names(Vec<String>);

/// A schema, and a warning about it.
#[derive(Debug, PartialEq)]
pub(super) struct Schema {
    /// The schema. Empty if none was found.
    pub(super) schema: Map<String, Value>,
    /// The reason why it is empty.
    pub(super) note: Option<String>,
}

impl SchemaSource {
    /// The source of a stream's schema: its `schema_loader`. `retriever` builds the list that describes one in the API.
    pub(super) fn build(builder: &Builder<'_>, stream: &Part<'_>, retriever: &mut BuildRetriever<'_>) -> Option<Self> {
        let mut names = Vec::new();
        let from_parameters = builder.parameters(stream).get("name").and_then(Value::as_str).map(str::to_owned);
        for name in [from_parameters.as_deref(), stream.text("name")].into_iter().flatten() {
            names.push(name.to_owned());
        }
        match stream.field("schema_loader") {
            None => Some(Self { kind: Kind::File(None, Names(names)), place: builder.place(stream) }),
            Some(loader) => Self::of(builder, &loader, &names, retriever),
        }
    }

    fn of(
        builder: &Builder<'_>,
        part: &Part<'_>,
        names: &[String],
        retriever: &mut BuildRetriever<'_>,
    ) -> Option<Self> {
        let place = builder.place(part);
        if part.node.as_list().is_some() {
            let all: Vec<Option<Self>> =
                part.items().map(|loader| Self::of(builder, &loader, names, retriever)).collect();
            return Some(Self { kind: Kind::Several(all.into_iter().collect::<Option<_>>()?), place });
        }
        let kind = match part.kind() {
            "InlineSchemaLoader" => Kind::Inline(part.field("schema").map(|schema| schema.node.clone())),
            "JsonFileSchemaLoader" => {
                let path = part.present("file_path");
                let path = match path {
                    Some(path) => Some(Box::new(builder.text(&path, &[])?)),
                    None => None,
                };
                Kind::File(path, Names(names.to_owned()))
            }
            "DynamicSchemaLoader" => Kind::Dynamic(Box::new(DynamicSchema::build(builder, part, retriever)?)),
            kind => {
                builder.refuse(part, &format!("the schema loader {kind}"));
                return None;
            }
        };
        Some(Self { kind, place })
    }

    /// Whether it comes from the API.
    pub(super) fn is_asked_for(&self) -> bool {
        match &self.kind {
            Kind::Dynamic(_) => true,
            Kind::Several(sources) => sources.iter().any(Self::is_asked_for),
            Kind::Inline(_) | Kind::File(..) => false,
        }
    }

    /// The schema. `folder` is the folder of the manifest's file, if it is a file. Without a `fetcher`, a schema from
    /// the API is a failure.
    ///
    /// # Errors
    /// If a template cannot be evaluated, a file is not a schema, a loader of several has no properties, or the API
    /// does not give the schema.
    pub(super) fn load(&self, folder: Option<&Path>, fetcher: Option<&Fetcher<'_>>) -> Result<Schema, Failure> {
        match &self.kind {
            Kind::Inline(schema) => {
                let schema = schema.as_ref().map(Node::to_json);
                Ok(Schema { schema: object(schema.unwrap_or_default()).unwrap_or_default(), note: None })
            }
            Kind::File(path, names) => {
                let path = path.as_ref().map(|path| path.literal(&[])).transpose()?.map(|path| path.to_text());
                self.file(folder, path.as_deref(), names)
            }
            Kind::Dynamic(schema) => match fetcher {
                Some(fetcher) => Ok(Schema { schema: schema.load(fetcher)?, note: None }),
                None => Err(Failure::system(format!("{}: the API was not asked for this schema.", self.place))),
            },
            Kind::Several(sources) => {
                let mut properties = Map::new();
                for source in sources {
                    let mut loaded = source.load(folder, fetcher)?;
                    let Some(Value::Object(mut own)) = loaded.schema.remove("properties") else {
                        return Err(Failure::config(format!(
                            "{}: the schema has no properties, which each of several loaders needs. Add them, or leave \
                             the loader out.",
                            source.place
                        )));
                    };
                    // Its properties come before the known ones, which keep their meaning.
                    for (name, schema) in properties {
                        match own.get_mut(&name) {
                            Some(place) => *place = schema,
                            None => _ = own.insert(name, schema),
                        }
                    }
                    properties = own;
                }
                let schema = json!({
                    "$schema": "http://json-schema.org/draft-07/schema#",
                    "type": ["null", "object"],
                    "properties": properties
                });
                Ok(Schema { schema: object(schema).unwrap_or_default(), note: None })
            }
        }
    }

    fn file(&self, folder: Option<&Path>, path: Option<&str>, names: &Names) -> Result<Schema, Failure> {
        let candidates = candidates(path, names);
        for candidate in &candidates {
            let Some(file) = folder.map(|folder| folder.join(candidate)) else { break };
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let schema = serde_json::from_str(&text).ok().and_then(object);
            return match schema {
                Some(schema) => Ok(Schema { schema, note: None }),
                None => Err(Failure::config(format!(
                    "{}: the schema in {} is not a JSON object. Correct the file.",
                    self.place,
                    candidate.display()
                ))),
            };
        }
        let wanted = candidates.first().map(|path| path.display().to_string());
        let wanted = wanted.unwrap_or_else(|| "schemas/NAME.json".to_owned());
        let note = format!("{}: there is no schema: the manifest has none, and no file {wanted}.", self.place);
        Ok(Schema { schema: Map::new(), note: Some(note) })
    }
}

/// Where a schema's file may be, from the manifest's folder: at its path; at its path in the Python package of the
/// manifest, which the first step names; in `schemas/`.
fn candidates(path: Option<&str>, names: &Names) -> Vec<PathBuf> {
    // A path cannot lead out of the folder.
    let is_inside = |path: &PathBuf| path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let mut all = Vec::new();
    if let Some(path) = path {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        all.push(PathBuf::from(path));
        if let Some((_, inside)) = path.split_once('/') {
            all.push(PathBuf::from(inside));
        }
    }
    all.extend(names.0.iter().map(|name| Path::new("schemas").join(format!("{name}.json"))));
    all.retain(is_inside);
    all
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// The primary key of a stream, each part as the path to a field. Empty without one.
pub(super) fn primary_key(builder: &Builder<'_>, stream: &Part<'_>) -> Option<Vec<Vec<String>>> {
    let Some(key) = stream.field("primary_key") else { return Some(Vec::new()) };
    if let Some(name) = key.node.as_text() {
        return Some(vec![vec![name.to_owned()]]);
    }
    let mut parts = Vec::new();
    for part in key.items() {
        let path: Option<Vec<String>> = match part.node.as_list() {
            None => part.node.as_text().map(|name| vec![name.to_owned()]),
            // Airbyte's runtime does not support nested fields in a primary key.
            Some([only]) => only.as_text().map(|name| vec![name.to_owned()]),
            Some(_) => None,
        };
        let Some(path) = path else {
            builder.error(&part, "a part of a primary key has to be the name of one field");
            return None;
        };
        parts.push(path);
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::build;
    use super::*;

    fn loaded(stream: &str, folder: Option<&Path>) -> Result<Schema, String> {
        let source = build(stream, json!({}), |builder, part| SchemaSource::build(builder, part, &mut |_| None))?;
        source.unwrap().load(folder, None).map_err(|failure| failure.to_string())
    }

    #[test]
    fn an_inline_schema_is_used_as_written() {
        let stream = "{name: s, schema_loader: {type: InlineSchemaLoader, schema: {type: object, odd: 1, properties: {type: {}}}}}";
        let schema = loaded(stream, None).unwrap();
        assert_eq!(Value::Object(schema.schema), json!({"type": "object", "odd": 1, "properties": {"type": {}}}));
        assert_eq!(loaded("{name: s, schema_loader: {type: InlineSchemaLoader}}", None).unwrap().schema, Map::new());
    }

    #[test]
    fn a_file_is_found_beside_the_manifest_and_a_missing_one_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("schemas")).unwrap();
        std::fs::write(folder.path().join("schemas/s.json"), r#"{"type":"object"}"#).unwrap();
        std::fs::write(folder.path().join("schemas/bad.json"), "[1]").unwrap();
        std::fs::write(folder.path().join("x.json"), "{}").unwrap();
        let load = |stream: &str| loaded(stream, Some(folder.path()));
        let object = json!({"type": "object"}).as_object().cloned().unwrap();
        for stream in [
            "{name: s}",
            "{name: s, schema_loader: {type: JsonFileSchemaLoader}}",
            "{name: t, schema_loader: {type: JsonFileSchemaLoader, file_path: './source_x/schemas/s.json'}}",
            "{type: DeclarativeStream, name: t, $parameters: {name: s}}",
        ] {
            assert_eq!(load(stream).unwrap(), Schema { schema: object.clone(), note: None }, "{stream}");
        }
        let missing = load("{name: u}").unwrap();
        assert!(missing.schema.is_empty() && missing.note.unwrap().contains("schemas/u.json"));
        let outside = load("{name: u, schema_loader: {type: JsonFileSchemaLoader, file_path: schemas/../../x.json}}");
        assert!(outside.unwrap().schema.is_empty());
        assert!(load("{name: bad}").unwrap_err().contains("bad.json"));
        assert!(loaded("{name: s}", None).unwrap().note.is_some());
    }

    #[test]
    fn of_several_loaders_the_first_wins_and_later_ones_come_before() {
        let stream = "name: s
schema_loader:
- {type: InlineSchemaLoader, schema: {properties: {a: {type: string}, b: {type: integer}}}}
- {type: InlineSchemaLoader, schema: {properties: {b: {type: number}, c: {type: boolean}}}}
";
        let schema = loaded(stream, None).unwrap().schema;
        let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["b", "c", "a"]);
        assert_eq!(schema["properties"]["b"], json!({"type": "integer"}));
        let without = "{name: s, schema_loader: [{type: InlineSchemaLoader, schema: {type: object}}]}";
        assert!(loaded(without, None).unwrap_err().contains("schema_loader[0]"));
        let custom = loaded("{name: s, schema_loader: {type: CustomSchemaLoader}}", None).unwrap_err();
        assert!(custom.contains("CustomSchemaLoader"), "{custom}");
    }

    #[test]
    fn a_primary_key_has_three_shapes() {
        let key = |text: &str| build(&format!("{{primary_key: {text}}}"), json!({}), primary_key);
        for (text, paths) in [
            ("id", json!([["id"]])),
            ("[a, b]", json!([["a"], ["b"]])),
            ("[[a], [b]]", json!([["a"], ["b"]])),
            ("''", json!([[""]])),
            ("[]", json!([])),
            ("null", json!([])),
        ] {
            assert_eq!(json!(key(text).unwrap().unwrap()), paths, "{text}");
        }
        assert!(key("[[a, b]]").unwrap_err().contains("primary_key[0]"));
    }
}
