//! Where a trial's records lie.

use std::{fmt, path::Path, process::Command, str::FromStr};

use anyhow::{Context as _, bail, ensure};
use url::Url;

use crate::{Result, node::Plan};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// A plan whose node keeps its records on this engine: in its folder, or in a new, empty database on `server`.
    pub fn plan(self, binary: &Path, folder: &Path, server: Option<&Url>) -> Result<Plan> {
        let plan = Plan::new(binary, folder.to_path_buf());
        match self {
            Self::Sqlite => Ok(plan),
            Self::Postgres => {
                let server =
                    server.context("name a PostgreSQL server: --postgres or KEYWARDEN_TEST_POSTGRES")?;
                Ok(plan.with("KEYWARDEN_DATABASE_URL", fresh(server)?))
            }
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Engine {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            _ => bail!("unknown engine `{text}`; write sqlite or postgres"),
        }
    }
}

/// Does `sql` in a database, by `psql`, and gives what it printed.
pub fn ask(database: &Url, sql: &str) -> Result<String> {
    let done = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
        .args(["--dbname", database.as_str(), "--command", sql])
        .output()
        .context("run psql")?;
    ensure!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// A new database on `server`.
pub fn fresh(server: &Url) -> Result<Url> {
    let name = format!("kw_trial_{:016x}", rand::random::<u64>());
    ask(server, &format!("CREATE DATABASE {name}"))?;
    let mut url = server.clone();
    url.set_path(&name);
    Ok(url)
}
