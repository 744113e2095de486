//! From a secret's path to an environment variable.

use std::collections::BTreeMap;

use keywarden_domain::secrets::files::variable;

/// A secret and the variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) path: String,
}

/// Two secrets that would be one variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{first}` and `{second}` would both be the variable {name}: choose one by --only, or rename one")]
pub(crate) struct VariablesError {
    name: String,
    first: String,
    second: String,
}

/// A variable for each path, named after what stands behind `folder`: `database/pass-word` is `DATABASE_PASS_WORD`.
pub(crate) fn named(paths: &[String], folder: Option<&str>) -> Result<Vec<Variable>, VariablesError> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for path in paths {
        let below = folder.and_then(|folder| path.strip_prefix(folder)?.strip_prefix('/')).unwrap_or(path);
        let name = variable(below);
        if let Some(first) = all.insert(name.clone(), path.clone()) {
            return Err(VariablesError { name, first, second: path.clone() });
        }
    }
    Ok(all.into_iter().map(|(name, path)| Variable { name, path }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str], folder: Option<&str>) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|&path| path.to_owned()).collect();
        named(&paths, folder).unwrap().into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn a_variable_is_named_after_its_path() {
        assert_eq!(names(&["database/pass-word", "3ds.key"], None), ["DATABASE_PASS_WORD", "_3DS_KEY"]);
        assert_eq!(
            names(&["database/url", "database/replica/url"], Some("database")),
            ["REPLICA_URL", "URL"]
        );
        assert_eq!(names(&["databases/url"], Some("database")), ["DATABASES_URL"]);
        assert_eq!(names(&["schlüssel"], None), ["SCHL_SSEL"]);
    }

    #[test]
    fn two_secrets_are_never_one_variable() {
        let paths = ["a/b".to_owned(), "a-b".to_owned()];
        let error = named(&paths, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a/b` and `a-b` would both be the variable A_B: choose one by --only, or rename one"
        );
    }
}
