//! From the OpenAPI document to what the page shows.

use serde_json::Value;

use super::schema::{self, Field};

/// Operations that belong together.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) operations: Vec<Operation>,
}

/// One endpoint and method.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its anchor.
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) about: String,
    pub(super) open: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) about: String,
}

/// What is sent, or what comes back.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) media: String,
    pub(super) fields: Vec<Field>,
    pub(super) example: Option<String>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) about: String,
    pub(super) body: Option<Body>,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Everything by tag, in the document's own order. What has no known tag comes last.
pub(super) fn tags(document: &Value) -> Vec<Tag> {
    let mut tags: Vec<Tag> = list(&document["tags"])
        .map(|tag| Tag { name: text(&tag["name"]), about: text(&tag["description"]), operations: Vec::new() })
        .collect();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let name = operation.pointer("/tags/0").map(text).unwrap_or_default();
            let read = read(document, path, method, item, operation);
            match tags.iter_mut().find(|tag| tag.name == name) {
                Some(tag) => tag.operations.push(read),
                None => tags.push(Tag { name, about: String::new(), operations: vec![read] }),
            }
        }
    }
    tags.retain(|tag| !tag.operations.is_empty());
    tags
}

fn read(document: &Value, path: &str, method: &str, item: &Value, operation: &Value) -> Operation {
    let parameters = list(&item["parameters"])
        .chain(list(&operation["parameters"]))
        .map(|it| {
            let it = schema::resolved(document, it);
            Parameter {
                name: text(&it["name"]),
                place: text(&it["in"]),
                kind: schema::kind(document, &it["schema"]),
                required: it["required"].as_bool().unwrap_or_default(),
                about: text(&it["description"]),
            }
        })
        .collect();
    let answers = operation["responses"].as_object().into_iter().flatten().map(|(status, answer)| {
        let answer = schema::resolved(document, answer);
        let body = body(document, &answer["content"]).filter(|_| status.starts_with('2'));
        Answer { status: status.clone(), about: text(&answer["description"]), body }
    });
    Operation {
        id: anchor(method, path),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        about: text(&operation["description"]),
        open: operation["security"].as_array().is_some_and(Vec::is_empty),
        parameters,
        body: body(document, &schema::resolved(document, &operation["requestBody"])["content"]),
        answers: answers.collect(),
    }
}

fn body(document: &Value, content: &Value) -> Option<Body> {
    let (media, content) = content.as_object()?.iter().next()?;
    let example = [
        &content["example"],
        content["examples"]
            .as_object()
            .and_then(|all| all.values().next())
            .map_or(&Value::Null, |it| &it["value"]),
        &schema::resolved(document, &content["schema"])["example"],
    ];
    let example = example.into_iter().find(|it| !it.is_null());
    Some(Body {
        media: media.clone(),
        fields: schema::fields(document, &content["schema"]),
        example: example.and_then(|it| serde_json::to_string_pretty(it).ok()),
    })
}

/// `post-api-v1-keys-id-rotate`.
fn anchor(method: &str, path: &str) -> String {
    let mut anchor = method.to_owned();
    for word in path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        anchor.push('-');
        anchor.push_str(word);
    }
    anchor
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_come_by_tag_with_what_they_take_and_give() {
        let document = json!({
            "tags": [{ "name": "Keys", "description": "API keys." }, { "name": "Empty" }],
            "paths": { "/api/v1/keys/{id}/rotate": { "post": {
                "tags": ["Keys"], "summary": "Rotate", "security": [],
                "parameters": [{ "$ref": "#/components/parameters/Id" }],
                "requestBody": { "content": { "application/json": {
                    "schema": { "properties": { "overlap_seconds": { "type": "integer" } } },
                    "example": { "overlap_seconds": 60 } } } },
                "responses": { "200": { "description": "Done" }, "404": { "$ref": "#/components/responses/404" } },
            } } },
            "components": {
                "parameters": { "Id": { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } } },
                "responses": { "404": { "description": "Not found (`not-found`)" } },
            },
        });
        let tags = tags(&document);
        assert_eq!(tags.len(), 1);
        let rotate = &tags[0].operations[0];
        assert_eq!(rotate.id, "post-api-v1-keys-id-rotate");
        assert!(rotate.open);
        assert_eq!((rotate.parameters[0].name.as_str(), rotate.parameters[0].required), ("id", true));
        let body = rotate.body.as_ref().unwrap();
        assert_eq!(body.fields[0].name, "overlap_seconds");
        assert!(body.example.as_ref().unwrap().contains("60"));
        assert_eq!(rotate.answers[1].about, "Not found (`not-found`)");
    }
}
