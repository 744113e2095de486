//! The values of last time, for when the server is away: in a file that only its user may read, sealed under a key of its
//! own and bound to server, project, environment and choice, so that no other place's file is taken for this one's.

use std::{io::ErrorKind, path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use keywarden_domain::Env;
use keywarden_vault::{CacheError, CacheKey, SecretBytes};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    client::{CACHE_KEY_FILE, ClientError, Value, Variable},
    commands::{
        Failure, shown_at,
        wanted::{Values, Wanted},
    },
    config::Span,
    wire,
};

#[derive(Debug, clap::Args)]
pub(super) struct CacheArguments {
    /// Keep the values in this file, encrypted, and start with them when the server is away
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// The key of that file, made by `keywarden cache-key`
    #[arg(long, value_name = "FILE", env = CACHE_KEY_FILE)]
    cache_key_file: Option<PathBuf>,
    /// How old values may be that the program starts with: `90s`, `15m`, `24h`, `7d`
    #[arg(long, value_name = "SPAN", default_value = "24h", requires = "cache")]
    cache_max_age: Span,
}

/// Why values that are kept are of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UselessError {
    #[error("they are of {}, which is still to come: is this machine's clock right?", shown_at(*.0))]
    Future(DateTime<Utc>),
    #[error("nothing is kept there yet")]
    Nothing,
    #[error("they are {} old, and `--cache-max-age` says {}", span(*.age), span(*.limit))]
    Old { age: Duration, limit: Duration },
    #[error(transparent)]
    Sealed(CacheError),
    #[error("they are written as this version does not read them")]
    Unreadable,
}

/// A file of kept values.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    key: CacheKey,
    /// What the file is bound to.
    context: Vec<u8>,
    limit: Duration,
    env: Env,
}

/// Clocks of one machine after a restart differ by less.
const CLOCKS: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// What is in the file. No `Debug`: it is secret.
#[derive(Serialize, Deserialize)]
struct Kept {
    at: DateTime<Utc>,
    values: Vec<KeptValue>,
}

#[derive(Serialize, Deserialize)]
struct KeptValue {
    name: String,
    path: String,
    binary: bool,
    tag: Option<String>,
    value: Zeroizing<String>,
}

impl CacheArguments {
    /// The cache, if one is wanted; without its key there is none.
    pub(super) fn open(self, wanted: &Wanted) -> Result<Option<Cache>, Failure> {
        let Some(path) = self.cache else { return Ok(None) };
        let key = self.cache_key_file.ok_or(Failure::Usage(
            "--cache needs a key: make one with `keywarden cache-key --to FILE`, and name it by --cache-key-file or KEYWARDEN_CACHE_KEY_FILE",
        ))?;
        let mut only = wanted.only().to_vec();
        only.sort();
        only.dedup();
        let server = wanted.server()?;
        let bound = (
            server.as_str().trim_end_matches('/'),
            &wanted.project,
            &wanted.environment,
            wanted.folder(),
            only,
        );
        let context =
            serde_json::to_vec(&bound).map_err(|cause| Failure::io("name the cache")(cause.into()))?;
        let (_, env) = wire::world()?;
        Ok(Some(Cache { path, key: CacheKey::load(&key)?, context, limit: self.cache_max_age.0, env }))
    }
}

impl Cache {
    /// Keeps what the server just gave.
    pub(super) fn keep(&self, values: &Values) -> Result<(), CacheError> {
        let values = values.iter().map(|(variable, value)| KeptValue {
            name: variable.name.clone(),
            path: variable.path.clone(),
            binary: value.is_binary,
            tag: value.tag.clone(),
            value: Zeroizing::new(STANDARD.encode(value.bytes.expose())),
        });
        let kept = Kept { at: self.env.now(), values: values.collect() };
        let text = serde_json::to_vec(&kept).map_err(std::io::Error::from)?;
        let text = SecretBytes::new(text);
        self.key.write(&self.path, &self.context, text.expose(), &mut self.env.fork())
    }

    /// The values that are kept, in the place of those that could not be had; says so, or why not.
    pub(super) fn instead(&self, cause: ClientError) -> Result<Values, Failure> {
        match self.read() {
            Ok((values, at, age)) => {
                eprintln!(
                    "keywarden: {cause}; the program starts with old values: of {}, {} ago",
                    shown_at(at),
                    span(age)
                );
                Ok(values)
            }
            Err(why) => Err(Failure::Kept { cause, path: self.path.clone(), why }),
        }
    }

    fn read(&self) -> Result<(Values, DateTime<Utc>, Duration), UselessError> {
        let text = self.key.read(&self.path, &self.context).map_err(|error| match error {
            CacheError::Io(cause) if cause.kind() == ErrorKind::NotFound => UselessError::Nothing,
            other => UselessError::Sealed(other),
        })?;
        let kept: Kept = serde_json::from_slice(text.expose()).map_err(|_| UselessError::Unreadable)?;
        let now = self.env.now();
        if kept.at - now > CLOCKS {
            return Err(UselessError::Future(kept.at));
        }
        let age = (now - kept.at).to_std().unwrap_or_default();
        if age > self.limit {
            return Err(UselessError::Old { age, limit: self.limit });
        }
        let values: Result<Values, _> = kept.values.into_iter().map(KeptValue::read).collect();
        Ok((values?, kept.at, age))
    }
}

impl KeptValue {
    fn read(self) -> Result<(Variable, Arc<Value>), UselessError> {
        let bytes = STANDARD.decode(self.value.as_bytes()).map_err(|_| UselessError::Unreadable)?;
        let value = Value { bytes: SecretBytes::new(bytes), is_binary: self.binary, tag: self.tag };
        Ok((Variable { name: self.name, path: self.path }, Arc::new(value)))
    }
}

/// In the largest unit of which there are two or more.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    [("d", seconds / 86_400), ("h", seconds / 3_600), ("m", seconds / 60)]
        .into_iter()
        .find(|(_, count)| *count >= 2)
        .map_or_else(|| format!("{seconds}s"), |(name, count)| format!("{count}{name}"))
}

#[cfg(test)]
mod tests {
    use keywarden_domain::env::MockClock;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A cache in `folder`, for `context`, at a time.
    fn cache(folder: &std::path::Path, context: &str, now: &str) -> Cache {
        let env = Env::seeded(Arc::new(MockClock::at(at(now))), 7);
        let key = folder.join("key");
        if !key.exists() {
            CacheKey::create(&key, &mut env.fork()).unwrap();
        }
        Cache {
            path: folder.join("cache"),
            key: CacheKey::load(&key).unwrap(),
            context: context.into(),
            limit: Duration::from_hours(24),
            env,
        }
    }

    fn values() -> Values {
        let of = |name: &str, bytes: &[u8], is_binary| {
            let value =
                Value { bytes: SecretBytes::copy_of(bytes), is_binary, tag: Some("\"sev_1\"".into()) };
            (Variable { name: name.into(), path: name.to_lowercase() }, Arc::new(value))
        };
        vec![of("URL", b"postgres://hunter2", false), of("KEYSTORE", &[0, 159, 255], true)]
    }

    #[test]
    fn what_is_kept_comes_back_whole_for_as_long_as_it_may() {
        let folder = tempfile::tempdir().unwrap();
        cache(folder.path(), "pay/live", "2026-11-29T12:00:00Z").keep(&values()).unwrap();
        let text = std::fs::read(folder.path().join("cache")).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("hunter2"));
        let read = |context: &str, now: &str| cache(folder.path(), context, now).read();
        let (kept, _, age) = read("pay/live", "2026-11-30T12:00:00Z").unwrap();
        assert!(super::super::source::same(&kept, &values()));
        assert_eq!((kept[0].1.tag.as_deref(), span(age)), (Some("\"sev_1\""), "24h".into()));
        let old = read("pay/live", "2026-11-30T12:00:01Z").unwrap_err();
        assert_eq!(old.to_string(), "they are 24h old, and `--cache-max-age` says 24h");
        let future = read("pay/live", "2026-11-29T11:50:00Z").unwrap_err();
        assert!(matches!(future, UselessError::Future(_)), "{future}");
        let foreign = read("pay/test", "2026-11-29T12:00:00Z").unwrap_err();
        assert!(foreign.to_string().contains("another server, project, environment"), "{foreign}");
        std::fs::remove_file(folder.path().join("cache")).unwrap();
        assert!(matches!(read("pay/live", "2026-11-29T12:00:00Z"), Err(UselessError::Nothing)));
    }

    #[test]
    fn a_span_is_told_in_one_unit() {
        for (seconds, told) in
            [(0, "0s"), (119, "119s"), (120, "2m"), (7_199, "119m"), (7_200, "2h"), (172_800, "2d")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
    }
}
