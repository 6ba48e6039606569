//! `DynamicSchemaLoader`: a schema that the API knows, made of its list of fields and the names of their types.

use std::ops::ControlFlow;

use serde_json::{Map, Value, json};

use super::field_path::FieldPath;
use super::manifest::nearest;
use super::part::{BuildRetriever, Builder, Part, flat};
use super::placed::Condition;
use super::selector::filter_of;
use super::template::{Json, Variable};
use super::transform::Transform;
use super::warnings::Warnings;
use crate::protocol::{Failure, LogLevel};
use crate::streams::{Fetcher, HttpStream, Record, for_each_record};

/// The names of types for schemas.
const TYPES: [&str; 11] = [
    "string",
    "boolean",
    "date",
    "timestamp_without_timezone",
    "timestamp_with_timezone",
    "time_without_timezone",
    "time_with_timezone",
    "integer",
    "number",
    "array",
    "object",
];

/// Loads a schema from the API.
pub(super) struct DynamicSchema {
    list: Box<dyn HttpStream>,
    fields: Option<FieldPath>,
    key: FieldPath,
    kind: Option<FieldPath>,
    types: Vec<TypesMap>,
    filter: Option<Condition>,
    transforms: Vec<Transform>,
    warnings: Warnings,
    place: String,
}

/// `TypesMap`.
struct TypesMap {
    /// The API's name of the type.
    current: Value,
    condition: Option<Condition>,
    target: Target,
}

/// A type for the schema.
enum Target {
    /// A name, or two of which one matches.
    Names(Value),
    /// `ComplexFieldType`.
    Complex(Complex),
}

struct Complex {
    name: String,
    items: Option<Box<Complex>>,
}

impl DynamicSchema {
    /// The loader that a part describes. `None` if it is faulty, or needs a component that does not run here; the
    /// builder notes both.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, retriever: &mut BuildRetriever<'_>) -> Option<Self> {
        let list = retriever(part);
        let identifier = part.field("schema_type_identifier")?;
        let path = |name: &str| flat(identifier.present(name).map(|path| FieldPath::build(builder, &path, &[])));
        let (fields, key, kind) = (path("schema_pointer"), path("key_pointer"), path("type_pointer"));
        let types = identifier.field("types_mapping");
        let types: Vec<_> = types.iter().flat_map(Part::items).map(|map| TypesMap::build(builder, &map)).collect();
        let filter = flat(part.field("schema_filter").map(|filter| filter_of(builder, &filter)));
        let transforms = Transform::list(builder, part.field("schema_transformations").as_ref());
        let Some(key) = key? else {
            builder.error(&identifier, "`key_pointer` is empty. Name the member that has the name of a field");
            return None;
        };
        Some(Self {
            list: list?,
            fields: fields?,
            key,
            kind: kind?,
            types: types.into_iter().collect::<Option<_>>()?,
            filter: filter?,
            transforms: transforms?,
            warnings: Warnings::default(),
            place: builder.place(part),
        })
    }

    /// The schema, as the API describes it now.
    ///
    /// # Errors
    /// If the API cannot be read, or its answer is not a list of fields with names and known types.
    pub(super) fn load(&self, fetcher: &Fetcher<'_>) -> anyhow::Result<Map<String, Value>> {
        let mut first = None;
        for_each_record(&*self.list, fetcher, &mut |_, record| {
            first = Some(record.text().into_owned());
            Ok(ControlFlow::Break(()))
        })?;
        let mut properties = Map::new();
        for field in self.listed(first.as_deref())? {
            let (name, schema) = self.property(&field)?;
            properties.insert(name, schema);
        }
        let properties = self.changed(self.filtered(properties)?)?;
        for warning in self.warnings.take() {
            fetcher.output().log(LogLevel::Warn, &format!("{}: {warning}", self.place))?;
        }
        let schema = json!({
            "$schema": "https://json-schema.org/draft-07/schema#",
            "type": "object",
            "additionalProperties": true,
            "properties": properties
        });
        let Value::Object(schema) = schema else { return Ok(Map::new()) };
        Ok(schema)
    }

    /// The descriptions of the fields.
    fn listed(&self, record: Option<&str>) -> Result<Vec<Value>, Failure> {
        let Some(record) = record.filter(|record| super::field_path::is_truthy(record)) else { return Ok(Vec::new()) };
        let found = match &self.fields {
            None => Some(record),
            Some(path) => path.one(record)?,
        };
        let (place, what) = match &self.fields {
            Some(path) => (path.place(), "there"),
            None => (self.place.as_str(), "in the record itself, because there is no `schema_pointer`"),
        };
        match found.map(self::parsed) {
            Some(Value::Array(fields)) => Ok(fields),
            Some(Value::Object(members)) if members.is_empty() => Ok(Vec::new()),
            Some(_) => Err(Failure::config(format!(
                "{place}: the API's answer has no list of fields {what}. Correct `schema_pointer`."
            ))),
            None => Err(Failure::config(format!(
                "{place}: the API's answer has nothing at this path, where its list of fields should be. Correct \
                 `schema_pointer`."
            ))),
        }
    }

    fn property(&self, field: &Value) -> Result<(String, Value), Failure> {
        let text = field.to_string();
        let Some(Value::String(name)) = self.key.one(&text)?.map(parsed) else {
            return Err(Failure::config(format!(
                "{}: a field of the API's list has no text at this path, where its name should be. Correct `key_pointer`.",
                self.key.place()
            )));
        };
        let kind = match &self.kind {
            Some(path) => path.one(&text)?.map(parsed),
            None => None,
        };
        let kind = kind.unwrap_or_else(|| "string".into());
        let schema = match self.meant(&kind, field)? {
            None => self.schema_of(&kind, &name)?,
            Some(Target::Names(names)) => self.schema_of(names, &name)?,
            Some(Target::Complex(complex)) => self.schema_of_complex(complex, &name)?,
        };
        Ok((name, schema))
    }

    /// The manifest's type for one of the API.
    fn meant(&self, kind: &Value, field: &Value) -> Result<Option<&Target>, Failure> {
        for map in self.types.iter().filter(|map| map.current == *kind) {
            let holds = match &map.condition {
                Some(condition) => condition.holds(&[("raw_schema", Variable::Json(Json::Tree(field)))])?,
                None => true,
            };
            if holds {
                return Ok(Some(&map.target));
            }
        }
        Ok(None)
    }

    fn schema_of(&self, kind: &Value, field: &str) -> Result<Value, Failure> {
        match kind {
            Value::String(name) => self.schema_named(name, field),
            Value::Array(names) => match &names[..] {
                [Value::String(one), Value::String(other)] => {
                    Ok(json!({"oneOf": [self.schema_named(one, field)?, self.schema_named(other, field)?]}))
                }
                _ => Err(self.no_type(field, "is a list, and not one of two names")),
            },
            _ => Err(self.no_type(field, "is neither a name nor a list of two")),
        }
    }

    fn schema_of_complex(&self, complex: &Complex, field: &str) -> Result<Value, Failure> {
        let mut schema = self.schema_named(&complex.name, field)?;
        if let (Some(items), Some(members)) = (&complex.items, schema.as_object_mut()) {
            members.insert("items".to_owned(), self.schema_of_complex(items, field)?);
        }
        Ok(schema)
    }

    fn schema_named(&self, name: &str, field: &str) -> Result<Value, Failure> {
        Ok(match name {
            "string" | "boolean" | "integer" | "number" | "array" | "object" => json!({"type": ["null", name]}),
            "date" => json!({"type": ["null", "string"], "format": "date"}),
            "timestamp_with_timezone" => json!({"type": ["null", "string"], "format": "date-time"}),
            "timestamp_without_timezone" => {
                json!({"type": ["null", "string"], "format": "date-time", "airbyte_type": name})
            }
            "time_with_timezone" | "time_without_timezone" => {
                json!({"type": ["null", "string"], "format": "time", "airbyte_type": name})
            }
            _ => {
                let near = nearest(name, TYPES).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
                return Err(self.no_type(field, &format!("is `{name}`, which is not a type of a schema{near}")));
            }
        })
    }

    fn no_type(&self, field: &str, what: &str) -> Failure {
        Failure::config(format!(
            "{}: the type of the field `{field}` {what}. Add a TypesMap that says which one is meant.",
            self.place
        ))
    }

    fn filtered(&self, properties: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
        let Some(filter) = &self.filter else { return Ok(properties) };
        let nothing = Value::Object(Map::new());
        let mut kept = Map::new();
        for (name, schema) in properties {
            let record = Value::Object(Map::from_iter([(name.clone(), schema.clone())]));
            let vars = [
                ("record", Variable::Json(Json::Tree(&record))),
                ("stream_slice", Variable::Json(Json::Tree(&nothing))),
                ("next_page_token", Variable::None),
            ];
            let holds = filter.holds_or(&vars, |failure| {
                self.warnings.add(format!("{} A field for which this fails is kept.", failure.message));
                true
            });
            if holds? {
                kept.insert(name, schema);
            }
        }
        Ok(kept)
    }

    fn changed(&self, properties: Map<String, Value>) -> Result<Value, Failure> {
        if self.transforms.is_empty() {
            return Ok(Value::Object(properties));
        }
        let mut record = Record::from_text(Value::Object(properties).to_string());
        let nothing = Value::Object(Map::new());
        let slice = || Variable::Json(Json::Tree(&nothing));
        self.transforms.iter().try_for_each(|transform| transform.apply(&mut record, slice(), &self.warnings))?;
        Ok(parsed(&record.text()))
    }
}

impl std::fmt::Debug for DynamicSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamicSchema").field("place", &self.place).finish_non_exhaustive()
    }
}

impl TypesMap {
    fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let condition = flat(part.field("condition").map(|condition| builder.condition(&condition, &["raw_schema"])))?;
        let target = part.field("target_type")?;
        let target = match target.node.as_map() {
            Some(_) => Target::Complex(Complex::build(builder, &target)?),
            None => Target::Names(target.node.to_json()),
        };
        Some(Self { current: part.field("current_type")?.node.to_json(), condition, target })
    }
}

impl Complex {
    fn build(builder: &Builder<'_>, part: &Part<'_>) -> Option<Self> {
        let name = part.text("field_type")?.to_owned();
        let items = match part.present("items") {
            None => None,
            Some(items) if name != "array" => {
                builder.error(&items, "only a field_type `array` has items");
                return None;
            }
            Some(items) => Some(Box::new(match items.node.as_text() {
                Some(name) => Self { name: name.to_owned(), items: None },
                None => Self::build(builder, &items)?,
            })),
        };
        Some(Self { name, items })
    }
}

/// A text of a response that was found to be JSON.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
