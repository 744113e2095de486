//! Every sealed row opens in its place. What only a caller's own key opens is looked at from outside: it must name a
//! keyring key of its purpose.

use keywarden_store::fsck::{self, Kind, Sealed};
use keywarden_vault::{KeyBody, OpenError, Purpose};

use super::{Findings, PAGE};
use crate::audit::subject_context;
use crate::backup::drill_key_context;
use crate::{Domain, Fault};

const KINDS: [Kind; 9] = [
    Kind::Ceremonies,
    Kind::DeviceGrants,
    Kind::DrillKeys,
    Kind::Idempotency,
    Kind::PendingPosts,
    Kind::ProjectKeys,
    Kind::Sessions,
    Kind::Subjects,
    Kind::UnseenCodes,
];

impl Domain {
    pub(super) async fn check_sealed(&self, findings: &mut Findings) -> Result<(), Fault> {
        for kind in KINDS {
            let mut after: Option<Sealed> = None;
            loop {
                let page = fsck::sealed(&mut self.store().read().await?, kind, after.as_ref(), PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.clone());
                for row in page {
                    findings.opened = findings.opened.saturating_add(1);
                    if let Err(cause) = self.try_open(kind, &row) {
                        let says = format!("does not open: {cause}");
                        findings.found("sealed-row", format!("{} {}", kind.table(), row.id), says);
                    }
                }
            }
        }
        Ok(())
    }

    fn try_open(&self, kind: Kind, row: &Sealed) -> Result<(), OpenError> {
        let open = |purpose, context: &[u8]| self.keyring().open(purpose, context, &row.sealed).map(drop);
        match kind {
            Kind::Subjects => open(Purpose::Personal, &subject_context(&row.id)),
            Kind::DrillKeys => open(Purpose::BackupDrill, &drill_key_context(&row.id)),
            Kind::Idempotency => only_authentic(open(Purpose::Idempotency, &[])),
            Kind::Ceremonies | Kind::DeviceGrants | Kind::PendingPosts | Kind::Sessions => {
                let context = format!("{}.sealed/{}/{}", kind.table(), row.id, row.bound);
                open(Purpose::Session, context.as_bytes())
            }
            Kind::ProjectKeys => {
                let mut bound = row.bound.splitn(3, '/');
                let (Some(project), Some(named), Some(seal)) = (bound.next(), bound.next(), bound.next())
                else {
                    return Err(OpenError::Malformed);
                };
                if keywarden_vault::envelope::key_id(&row.sealed)? != named {
                    return Err(OpenError::UnknownKey(named.into()));
                }
                let (id, project) =
                    row.id.parse().ok().zip(project.parse().ok()).ok_or(OpenError::Malformed)?;
                // What the project's own seal wrapped is opened with its values, if that one is at hand.
                match KeyBody::seal_of(self.keyring(), id, project, &row.sealed)?.unwrap_or_default() {
                    under if under == seal => Ok(()),
                    _ => Err(OpenError::Malformed),
                }
            }
            Kind::UnseenCodes => open(Purpose::Session, format!("unseen_codes.sealed/{}", row.id).as_bytes()),
        }
    }
}

/// Under another context the right key cannot open it either; everything else is wrong with the envelope itself.
fn only_authentic(opened: Result<(), OpenError>) -> Result<(), OpenError> {
    match opened {
        Err(OpenError::AuthenticationFailed) => Ok(()),
        other => other,
    }
}
