//! The JSON Schema of the configuration, for editors: made from the registry.

use super::registry::{Absent, Form, Key, Rows, Shape, Table};
use contract::status::ExtraStatus;
use serde_json::{Map, Value, json};
use toml::de::DeValue;

/// The schema as a document.
pub(super) fn document(rows: Rows) -> Value {
    let mut schema = table(rows, Table::Top);
    if let Value::Object(members) = &mut schema {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("title".to_owned(), json!("The configuration of Fairgate"));
    }
    schema
}

fn table(rows: Rows, table: Table) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in rows.of(table) {
        if matches!(key.absent, Absent::Required) {
            required.push(json!(key.name));
        }
        properties.insert(key.name.to_owned(), property(key));
    }
    for child in table.children() {
        // A table with required keys may still be left out as a whole: only then are they.
        if child == Table::Plan {
            required.push(json!(child.name()));
        }
        let inner = self::table(rows, child);
        let value = match child.form() {
            Form::Once => inner,
            Form::Named => json!({
                "type": "object",
                "description": child.meaning(),
                "minProperties": 1,
                "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,64}$" },
                "additionalProperties": inner,
            }),
            Form::Many => json!({ "type": "array", "description": child.meaning(), "items": inner }),
        };
        properties.insert(child.name().to_owned(), value);
    }
    let mut schema = json!({
        "type": "object",
        "description": table.meaning(),
        "properties": properties,
        "additionalProperties": false,
    });
    if let Value::Object(members) = &mut schema
        && !required.is_empty()
    {
        members.insert("required".to_owned(), Value::Array(required));
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = match key.shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Words(words) => json!({ "type": "string", "enum": words }),
        Shape::Whole { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::WholeOf(numbers) => json!({ "type": "integer", "enum": numbers }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Duration { .. } => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }),
        Shape::Size { least, most } => json!({ "anyOf": [
            { "type": "integer", "minimum": least, "maximum": most },
            { "type": "string", "pattern": "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)$" },
        ]}),
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Statuses => {
            let numbers: Vec<u16> = ExtraStatus::ALL.iter().map(|extra| extra.number()).collect();
            json!({ "type": "array", "items": { "type": "integer", "enum": numbers }, "uniqueItems": true })
        }
        Shape::Numbers { least, most } => {
            json!({ "type": "array", "items": { "type": "integer", "minimum": least, "maximum": most } })
        }
        Shape::Scalars => {
            json!({ "type": "array", "items": { "type": ["string", "number", "boolean"] }, "minItems": 1 })
        }
        Shape::CountOrOff => json!({ "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": u32::MAX },
            { "const": "off" },
        ]}),
    };
    if let Value::Object(members) = &mut schema {
        let description = match key.absent {
            Absent::Means(without) => format!("{} If it is not set: {without}.", key.meaning),
            Absent::Required | Absent::Default(_) => key.meaning.to_owned(),
        };
        members.insert("description".to_owned(), json!(description));
        if let Absent::Default(text) = key.absent {
            members.insert("default".to_owned(), plain(text));
        }
        members.insert("examples".to_owned(), json!([plain(key.example)]));
    }
    schema
}

/// A TOML value of the registry as JSON.
fn plain(text: &str) -> Value {
    DeValue::parse(text).map_or(Value::Null, |value| convert(value.get_ref()))
}

fn convert(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => json!(super::typed::integer(number)),
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().ok()),
        DeValue::Boolean(boolean) => json!(boolean),
        DeValue::Array(items) => items.iter().map(|item| convert(item.get_ref())).collect(),
        // The registry has neither dates nor tables as values.
        DeValue::Datetime(_) | DeValue::Table(_) => Value::Null,
    }
}
