use std::path::{Path, PathBuf};

use url::Url;

use super::{error::ConfigError, source::Values, value::Secret};

/// Which engine keeps the records.
#[derive(Debug)]
pub enum Database {
    /// The whole URL, password included.
    Postgres(Secret),
    Sqlite(PathBuf),
}

impl Database {
    /// A scheme that is not known is refused, and so is an empty text: a slip must never mean an empty SQLite file.
    pub(super) fn read(values: &Values, data_dir: &Path) -> Result<Self, ConfigError> {
        if values.is_blank("database.url") {
            return Err(
                values.refuse("database.url", "it is empty: leave it out for SQLite in the data folder")
            );
        }
        match values.optional::<String>("database.url")? {
            None => Ok(Self::Sqlite(data_dir.join("keywarden.db"))),
            Some(text) => Self::parse(&text).map_err(|why| values.refuse("database.url", why)),
        }
    }

    /// Parses `postgres://…`, `postgresql://…`, `sqlite:path` or `sqlite://path`. The error never repeats the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Url::parse(text).map_err(|cause| format!("not a URL: {cause}"))?;
                Ok(Self::Postgres(Secret::new(text.into())))
            }
            Some(("sqlite", path)) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
                    return Err("write `sqlite://` and the path of a file".into());
                }
                Ok(Self::Sqlite(path.into()))
            }
            Some((scheme, rest)) if rest.starts_with("//") => {
                Err(format!("unknown scheme `{scheme}`; write `postgres://…` or `sqlite://…`"))
            }
            _ => Err("not a URL; write `postgres://…` or `sqlite://…`".into()),
        }
    }

    pub fn engine(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Sqlite(_) => "SQLite",
        }
    }

    /// The URL without its password.
    pub fn shown(&self) -> String {
        match self {
            Self::Postgres(url) => without_password(url.expose()),
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
        }
    }
}

fn without_password(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return "(not shown)".into() };
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "(not shown)".into();
    }
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| {
            let value = if name.contains("password") { "***".into() } else { value.into_owned() };
            (name.into_owned(), value)
        })
        .collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_left_out_wherever_it_stands() {
        let shown = |text| Database::parse(text).unwrap().shown();
        assert_eq!(shown("postgres://kw:hunter2@db/keys"), "postgres://kw:***@db/keys");
        assert!(!shown("postgres://db/keys?user=kw&password=hunter2").contains("hunter2"));
    }

    #[test]
    fn an_unknown_scheme_is_refused_by_name_and_its_text_is_not_repeated() {
        for (text, scheme) in [("postgress://kw:hunter2@db", "postgress"), ("mysql://kw:hunter2@db", "mysql")]
        {
            let why = Database::parse(text).unwrap_err();
            assert!(why.contains(scheme) && !why.contains("hunter2"), "{why}");
        }
        for text in ["", "keywarden.db", "sqlite:", "sqlite::memory:", "postgres:db"] {
            assert!(Database::parse(text).is_err(), "{text}");
        }
    }
}
