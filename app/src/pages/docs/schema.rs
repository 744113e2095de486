//! JSON schemas as people read them: a table of fields, a short word for each type.

use serde_json::Value;

/// How deep fields of fields are shown.
const DEEPEST: usize = 3;

/// One field of a body or an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// `key.name`: with the fields it is in.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) about: String,
}

/// The schema itself, references followed.
pub(super) fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..8 {
        let Some(pointer) = schema["$ref"].as_str().and_then(|it| it.strip_prefix('#')) else { break };
        let Some(found) = document.pointer(pointer) else { break };
        schema = found;
    }
    schema
}

/// The fields of an object, and of objects in it.
pub(super) fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(document, schema, "", 0, &mut fields);
    fields
}

fn collect(document: &Value, schema: &Value, within: &str, depth: usize, fields: &mut Vec<Field>) {
    let schema = resolved(document, schema);
    if let Some(parts) = schema["allOf"].as_array() {
        for part in parts {
            collect(document, part, within, depth, fields);
        }
    }
    let needed: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let full = format!("{within}{name}");
        fields.push(Field {
            kind: kind(document, field),
            required: needed.contains(&name.as_str()),
            about: about(document, field),
            name: full.clone(),
        });
        if depth < DEEPEST {
            let item = resolved(document, field);
            let inner = if item["items"].is_object() { &item["items"] } else { item };
            collect(document, inner, &format!("{full}."), depth.saturating_add(1), fields);
        }
    }
}

fn about(document: &Value, field: &Value) -> String {
    let own = field["description"].as_str();
    own.or_else(|| resolved(document, field)["description"].as_str()).unwrap_or_default().to_owned()
}

/// `string (date-time)`, `list of string`, `active | suspended`.
pub(super) fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolved(document, schema);
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(plain).collect::<Vec<_>>().join(" | ");
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(parts) = schema[choice].as_array() {
            return parts.iter().map(|part| kind(document, part)).collect::<Vec<_>>().join(" | ");
        }
    }
    let name = match &schema["type"] {
        Value::Array(types) => types.iter().map(plain).collect::<Vec<_>>().join(" | "),
        Value::String(name) if name == "array" => format!("list of {}", kind(document, &schema["items"])),
        Value::String(name) => name.clone(),
        _ => "object".into(),
    };
    match schema["format"].as_str() {
        Some(format) => format!("{name} ({format})"),
        None => name,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_and_fields_carry_where_they_are() {
        let document = json!({ "components": { "schemas": {
            "Key": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "string", "description": "Its id." },
                "owner": { "$ref": "#/components/schemas/Owner" },
                "tags": { "type": "array", "items": { "type": "string" } },
            }},
            "Owner": { "type": "object", "description": "Whose it is.", "properties": {
                "kind": { "enum": ["person", "team"] },
                "since": { "type": ["string", "null"], "format": "date-time" },
            }},
        }}});
        let found = fields(&document, &json!({ "$ref": "#/components/schemas/Key" }));
        let said: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.kind.as_str(), it.required)).collect();
        assert_eq!(
            said,
            [
                ("id", "string", true),
                ("owner", "object", false),
                ("owner.kind", "person | team", false),
                ("owner.since", "string | null (date-time)", false),
                ("tags", "list of string", false),
            ]
        );
        assert_eq!(found[1].about, "Whose it is.");
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let document = json!({ "components": { "schemas": { "Tree": { "properties": {
            "branch": { "$ref": "#/components/schemas/Tree" } } } } } });
        assert_eq!(fields(&document, &json!({ "$ref": "#/components/schemas/Tree" })).len(), DEEPEST + 1);
        let circle = json!({ "a": { "$ref": "#/a" } });
        assert_eq!(kind(&circle, &circle["a"]), "object");
    }
}
