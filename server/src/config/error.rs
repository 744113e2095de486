use std::path::PathBuf;

use super::source::Origin;

/// Why the configuration was refused. Each says which setting, from where, and what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("give either {first} or {second}, not both")]
    Both { first: String, second: String },
    #[error("{0}")]
    Conflict(String),
    #[error("cannot read {path} that {origin} names: {cause}")]
    FileUnreadable { path: PathBuf, origin: Origin, cause: std::io::Error },
    #[error("{path} is not TOML: {cause}")]
    Syntax { path: PathBuf, cause: String },
    #[error("unknown setting `{key}` in {path}{near}", near = did_you_mean(.near.as_deref()))]
    UnknownKey { key: String, path: PathBuf, near: Option<String> },
    #[error("unknown variable `{name}`{near}; `keywarden config` lists the known ones", near = did_you_mean(.near.as_deref()))]
    UnknownVariable { name: String, near: Option<String> },
    #[error("{key} from {origin}: {why}")]
    Value { key: &'static str, origin: Origin, why: String },
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default()
}
