use std::str::FromStr;

use tracing_subscriber::EnvFilter;

use super::{error::ConfigError, source::Values};

/// What is logged, and how it looks.
#[derive(Debug, Clone)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Auto,
    Json,
    Text,
}

impl Log {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let level: String = values.parse("log.level")?;
        check(&level).map_err(|why| values.refuse("log.level", why))?;
        Ok(Self { level, format: values.parse("log.format")? })
    }
}

/// Whether a filter can be made of a level. Its parser panics at some texts that are not ASCII.
pub(super) fn check(level: &str) -> Result<(), String> {
    if !level.is_ascii() {
        return Err("write it in ASCII, as in `info` or `warn,keywarden=debug`".into());
    }
    EnvFilter::builder().parse(level).map(drop).map_err(|cause| cause.to_string())
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(format!("unknown format `{text}`; write auto, json or text")),
        }
    }
}
