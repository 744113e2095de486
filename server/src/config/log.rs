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
        EnvFilter::builder().parse(&level).map_err(|cause| values.refuse("log.level", cause.to_string()))?;
        Ok(Self { level, format: values.parse("log.format")? })
    }
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
