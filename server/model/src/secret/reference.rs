//! What a template refers to: `project/environment/path`, or a field of the JSON that is there, `…/path#database.user`.

use std::fmt;
use std::str::FromStr;

use super::{SecretPath, SecretPathError};
use crate::name::is_invisible;
use crate::slug::Slug;

/// Another secret, or a field of it, as it stands between `${` and `}`. A path that holds `#` or `}` cannot be referred to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The project's slug.
    pub project: Slug,
    /// The environment's.
    pub environment: Slug,
    /// Folders and name.
    pub path: SecretPath,
    /// A field of the object that its value is.
    pub field: Option<FieldPath>,
}

/// The name of a field of a JSON object; behind each dot the name of one within it: `database.user`. A name that holds a dot
/// cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(String);

/// Why a text is no reference. Says nothing of what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// What is behind `#` is no field.
    #[error(
        "write the names of fields behind `#`, with single dots between them: at most {} bytes",
        FieldPath::MAX
    )]
    Field,
    /// Too few parts, or a character out of place.
    #[error("write `${{project/environment/path}}`; for the two characters themselves, `$${{`")]
    Form,
    /// The path is none.
    #[error("path: {0}")]
    Path(SecretPathError),
    /// A project or an environment has no such slug.
    #[error("write the slugs of a project and of an environment, in lower case, before the path")]
    Slug,
}

impl FieldPath {
    /// The longest, in bytes.
    pub const MAX: usize = 256;

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names, the outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl FromStr for FieldPath {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let fits = |name: &str| !name.is_empty() && !name.chars().any(|c| is_invisible(c) || c == '}');
        if text.len() <= Self::MAX && text.split('.').all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReferenceError::Field)
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.contains('}') {
            return Err(ReferenceError::Form);
        }
        let (place, field) = match text.split_once('#') {
            Some((place, field)) => (place, Some(field.parse()?)),
            None => (text, None),
        };
        let mut parts = place.splitn(3, '/');
        let (Some(project), Some(environment), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(ReferenceError::Form);
        };
        let slug = |text: &str| text.parse().map_err(|_| ReferenceError::Slug);
        Ok(Self {
            project: slug(project)?,
            environment: slug(environment)?,
            path: path.parse().map_err(ReferenceError::Path)?,
            field,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.project, self.environment, self.path)?;
        match &self.field {
            Some(field) => write!(f, "#{field}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reference_has_a_place_a_path_and_perhaps_a_field() {
        let read: Reference = "pay/live/database/main url#primary.user".parse().unwrap();
        assert_eq!((read.project.as_str(), read.environment.as_str()), ("pay", "live"));
        assert_eq!(read.path.as_str(), "database/main url");
        assert_eq!(read.field.as_ref().unwrap().names().collect::<Vec<_>>(), ["primary", "user"]);
        assert_eq!("pay/live/a".parse::<Reference>().unwrap().field, None);
        for (wrong, why) in [
            ("", ReferenceError::Form),
            ("HOME", ReferenceError::Form),
            ("pay/live", ReferenceError::Form),
            ("pay/live/a}b", ReferenceError::Form),
            ("Pay/live/a", ReferenceError::Slug),
            ("pay//a", ReferenceError::Slug),
            (" pay/live/a", ReferenceError::Slug),
            ("pay/live/", ReferenceError::Path(SecretPathError::Empty)),
            ("pay/live/../a", ReferenceError::Path(SecretPathError::Dots)),
            ("pay/live/a ", ReferenceError::Path(SecretPathError::Untidy)),
            ("pay/live/a#", ReferenceError::Field),
            ("pay/live/a#b..c", ReferenceError::Field),
            ("pay/live/a#b\n", ReferenceError::Field),
        ] {
            assert_eq!(wrong.parse::<Reference>(), Err(why), "{wrong:?}");
        }
        let long = format!("pay/live/a#{}", "x".repeat(FieldPath::MAX + 1));
        assert_eq!(long.parse::<Reference>(), Err(ReferenceError::Field));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "[a-z]{1,3}/[a-z]{1,3}/[a-z/# .}]{1,12}|\\PC{0,24}") {
            if let Ok(read) = text.parse::<Reference>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
