//! Other systems that secrets are moved in from while they run, and what comes of asking one.

use std::collections::HashMap;

use keywarden_domain::secrets::files::{FileFormat, Nested};
use keywarden_vault::SecretString;
use serde::Serialize;

use super::{ClientError, aws::AwsAccess, vault::VaultAccess};

/// Which system is read instead of a file, if any.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("running").args(["from_vault", "from_aws"]))]
pub(crate) struct Running {
    #[command(flatten)]
    vault: VaultAccess,
    #[command(flatten)]
    aws: AwsAccess,
    /// Only what lies below this path there; paths are told from it
    #[arg(long, value_name = "PATH", requires = "running")]
    below: Option<String>,
}

/// What was read there.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) format: FileFormat,
    /// All that is to be imported, as one file; `None`: there is nothing.
    pub(crate) content: Option<SecretString>,
    /// What is told of the rest.
    pub(crate) asides: Vec<Aside>,
    /// For each path of the file the name there, where that may be another one.
    pub(crate) names: HashMap<String, String>,
}

/// What is told of one secret there.
#[derive(Debug, Serialize)]
pub(crate) struct Aside {
    /// Its name there.
    pub(crate) name: String,
    pub(crate) outcome: Told,
    pub(crate) reason: String,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// It is not imported, as it should be.
    LeftOut,
    /// It is imported, but not all that is said of it.
    Note,
    /// It cannot be imported, and so nothing is.
    Refused,
}

impl Aside {
    pub(super) fn left_out(name: &str, reason: impl Into<String>) -> Self {
        Self { name: name.to_owned(), outcome: Told::LeftOut, reason: reason.into() }
    }

    pub(super) fn note(name: &str, reason: impl Into<String>) -> Self {
        Self { name: name.to_owned(), outcome: Told::Note, reason: reason.into() }
    }

    pub(super) fn refused(name: &str, reason: impl Into<String>) -> Self {
        Self { name: name.to_owned(), outcome: Told::Refused, reason: reason.into() }
    }
}

impl Running {
    /// What is there now. `None` if no system is named.
    pub(crate) async fn taken(&self, nested: Nested) -> Result<Option<Taken>, ClientError> {
        let below = self.below.as_deref();
        if self.aws.from_aws {
            return self.aws.taken(below, nested).await.map(Some);
        }
        let file = self.vault.file(below.unwrap_or_default()).await?;
        Ok(file.map(|file| Taken {
            format: FileFormat::Json,
            content: Some(file),
            asides: Vec::new(),
            names: HashMap::new(),
        }))
    }
}
