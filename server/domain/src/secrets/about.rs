//! What people say about a secret: what it is for, whose it is, how it is found.

use keywarden_model::{Description, Tags};
use keywarden_store::Tx;
use keywarden_store::secrets::Tagging;

use crate::authz::Owner;
use crate::{Fault, Refused};

/// What is said when a secret is made.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// What it is for.
    pub description: Description,
    /// For finding it.
    pub tags: Tags,
    /// Whose it is; `None`: the person's who makes it, or the team `operators`'.
    pub owner: Option<Owner>,
}

impl About {
    /// Whether nothing is said at all.
    pub fn is_empty(&self) -> bool {
        self.description.as_str().is_empty() && self.tags.is_empty() && self.owner.is_none()
    }
}

/// Tags as rows hold them.
pub(super) fn tagging(tags: &Tags) -> Result<Tagging, Fault> {
    let text = serde_json::to_string(tags).map_err(|cause| Fault::Unexpected(cause.to_string()))?;
    Ok(Tagging { text, each: tags.folded() })
}

/// Whether there is such a team or active person.
pub(super) async fn may_own(tx: &mut Tx, owner: Owner) -> Result<bool, Refused> {
    Ok(keywarden_store::keys::owner_is_active(tx, &owner.to_string()).await?)
}
