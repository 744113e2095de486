//! What the schema says of types of entities: which attributes they have, and what those are. Whoever reasons about all requests at
//! once asks here, so that it follows the schema.

use std::collections::BTreeMap;
use std::fmt::Display;

use cedar_policy::SchemaFragment;
use serde_json::Value;

use super::rules::schema_text;
use crate::Fault;

/// Types of entities: for each the names of its attributes, with the names of their types.
#[derive(Debug)]
pub(crate) struct Shape(BTreeMap<String, BTreeMap<String, String>>);

impl Shape {
    /// Of the schema that every policy must fit.
    pub(crate) fn of_schema() -> Result<Self, Fault> {
        let broken = |cause: &dyn Display| Fault::Unexpected(format!("schema: {cause}"));
        let (fragment, _) = SchemaFragment::from_cedarschema_str(&schema_text()).map_err(|it| broken(&it))?;
        let json = fragment.to_json_value().map_err(|it| broken(&it))?;
        let types = json.get("").and_then(|it| it.get("entityTypes")).and_then(Value::as_object);
        let types = types.ok_or_else(|| broken(&"it has no types"))?;
        Ok(Self(types.iter().map(|(name, it)| (name.clone(), attributes(it))).collect()))
    }

    /// The type of an attribute, if there is one.
    pub(super) fn attribute(&self, kind: &str, name: &str) -> Option<&str> {
        self.0.get(kind)?.get(name).map(String::as_str)
    }

    /// The attributes of one type that are of another.
    pub(super) fn attributes_of(&self, kind: &str, of: &str) -> impl Iterator<Item = &str> {
        let all = self.0.get(kind).into_iter().flatten();
        all.filter(move |(_, it)| *it == of).map(|(name, _)| name.as_str())
    }
}

fn attributes(kind: &Value) -> BTreeMap<String, String> {
    let all = kind.pointer("/shape/attributes").and_then(Value::as_object);
    let named = all.into_iter().flatten().map(|(name, it)| {
        let text = |field: &str| it.get(field).and_then(Value::as_str);
        (name.clone(), text("name").or(text("type")).unwrap_or_default().to_owned())
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_known_by_what_they_are() {
        let shape = Shape::of_schema().unwrap();
        assert_eq!(shape.attribute("Secret", "environment"), Some("Environment"));
        assert_eq!(shape.attribute("Team", "project"), None);
        let roles: Vec<_> = shape.attributes_of("Project", "ProjectRole").collect();
        assert_eq!(roles, ["issuer", "manager", "reader", "verifier", "viewer"]);
    }
}
