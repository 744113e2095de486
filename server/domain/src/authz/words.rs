//! The words that a policy may have, as the schema has them: for whoever writes one as text.

use cedar_policy::SchemaFragment;
use serde_json::{Map, Value};

use super::rules::schema_text;
use crate::Fault;

/// What a word names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// What an action is called: `secret.read`.
    Action(String),
    /// Something that is known of the moment, and its Cedar type: `passkeyAge`, `Long`.
    Context(String, String),
    /// A thing that there is one of by its name: `OrganizationRole`, `owner`.
    Named(String, String),
    /// Something that is known of things of a type, and its Cedar type: `ApiKey`, `ownerTeam`, `Team`.
    Of(String, String, String),
    /// A type of people, machines or things.
    Type(String),
}

/// All of them, each once, in order.
pub fn words() -> Result<Vec<Word>, Fault> {
    let wrong = |cause: String| Fault::Unexpected(format!("schema: {cause}"));
    let (fragment, _) =
        SchemaFragment::from_cedarschema_str(&schema_text()).map_err(|cause| wrong(cause.to_string()))?;
    let json = fragment.to_json_value().map_err(|cause| wrong(cause.to_string()))?;
    let empty = Map::new();
    let within = |name: &str| {
        let part = json.get("").and_then(|it| it.get(name));
        part.and_then(Value::as_object).unwrap_or(&empty)
    };
    let mut words: Vec<Word> = within("actions").keys().cloned().map(Word::Action).collect();
    // The clock is the only thing that no policy can name.
    for (name, kind) in within("entityTypes").iter().filter(|(name, _)| *name != "Clock") {
        words.push(Word::Type(name.clone()));
        for member in kind.get("enum").and_then(Value::as_array).into_iter().flatten() {
            words.extend(member.as_str().map(|it| Word::Named(name.clone(), it.to_owned())));
        }
        let attributes = kind.get("shape").map(attributes).unwrap_or_default();
        words.extend(attributes.into_iter().map(|(it, kind)| Word::Of(name.clone(), it, kind)));
    }
    if let Some(moment) = within("commonTypes").get("Circumstances") {
        words.extend(attributes(moment).into_iter().map(|(it, kind)| Word::Context(it, kind)));
    }
    words.sort();
    Ok(words)
}

/// What a record has, and of what type each is.
fn attributes(record: &Value) -> Vec<(String, String)> {
    let all = record.get("attributes").and_then(Value::as_object);
    all.into_iter().flatten().map(|(name, of)| (name.clone(), kind(of))).collect()
}

/// The name of a type; of a set, what it is a set of.
fn kind(of: &Value) -> String {
    let text = |name: &str| of.get(name).and_then(Value::as_str);
    match (text("type"), text("name")) {
        (Some("Set"), _) => {
            of.get("element").map(kind).map_or_else(|| "Set".to_owned(), |it| format!("Set<{it}>"))
        }
        (_, Some(name)) | (Some(name), None) => name.to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_told_word_by_word() {
        let all = words().unwrap();
        for word in [
            Word::Action("secret.read".into()),
            Word::Context("passkeyAge".into(), "Long".into()),
            Word::Context("address".into(), "ipaddr".into()),
            Word::Named("OrganizationRole".into(), "owner".into()),
            Word::Of("ApiKey".into(), "ownerTeam".into(), "Team".into()),
            Word::Type("Workload".into()),
            Word::Of("Secret".into(), "ownerPerson".into(), "Person".into()),
            Word::Of("Environment".into(), "slug".into(), "String".into()),
            Word::Context("clock".into(), "Clock".into()),
        ] {
            assert!(all.contains(&word), "{word:?}: {all:#?}");
        }
        let mut once = all.clone();
        once.dedup();
        assert_eq!(once, all);
    }
}
