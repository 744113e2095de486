//! Two versions of a secret for comparing: both values are read, and both readings are told.

use std::sync::Arc;

use keywarden_model::{SecretId, VersionState};
use keywarden_store::Written;
use keywarden_vault::{SecretBytes, SecretString};

use super::read::{ReadSecretError, Which, meant, open, reading};
use super::secret::{Address, Version};
use crate::once::Repeatable;
use crate::{Action, Domain, Op};

/// Two versions with their values.
#[derive(Debug)]
pub struct Compared {
    /// The one that was named first.
    pub before: (Version, SecretBytes),
    /// The other one.
    pub after: (Version, SecretBytes),
}

/// Values are never kept for a replay.
impl Repeatable for Compared {
    fn thing(&self) -> String {
        format!("{} {}", self.before.0.id, self.after.0.id)
    }
    fn again(_: &str, _: Option<SecretString>) -> Option<Self> {
        None
    }
}

impl Domain {
    /// Reads two versions of a secret. If one of them cannot be read, neither is.
    pub async fn compare_secret_versions(
        &self,
        op: &Op,
        id: SecretId,
        before: i64,
        after: i64,
    ) -> Result<Compared, ReadSecretError> {
        let resource = self.secret_as_resource(&Address::Id(id)).await?;
        let keyring = Arc::clone(self.keyring());
        self.change(op, Action::ReadSecret, &resource, &[], move |tx, record| {
            let keyring = Arc::clone(&keyring);
            Box::pin(async move {
                let mut read = Vec::with_capacity(2);
                let mut events = Vec::with_capacity(2);
                for (number, other) in [(before, after), (after, before)] {
                    let (secret, version) = meant(tx, &resource, &Which::Number(number)).await?;
                    version.readable(record.now())?;
                    let event = reading(&record, &secret, &version)?.fact("compared_with", other);
                    let value = open(tx, &keyring, &secret, &version).await?;
                    let shut = ReadSecretError::Shut { number, state: VersionState::Destroyed };
                    let value = value.ok_or(shut)?;
                    events.push(event.finish()?);
                    read.push((version, value));
                }
                let (Some(after), Some(before)) = (read.pop(), read.pop()) else {
                    return Err(crate::Fault::Unexpected("two versions were read".into()).into());
                };
                let mut events = events.into_iter();
                let Some(first) = events.next() else {
                    return Err(crate::Fault::Unexpected("two readings were told".into()).into());
                };
                Ok(Written::new(Compared { before, after }, first).and_all(events))
            })
        })
        .await
    }
}
