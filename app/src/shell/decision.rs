//! By which id those who may know find why this operation was refused.

use keywarden_domain::{Domain, LastRefusal};

/// Makes the id when it is needed; there is none on pages that no operation stands behind.
#[derive(Clone, Debug, Default)]
pub struct Decision(Option<(Domain, LastRefusal)>);

impl Decision {
    /// Of what the operation is refused.
    pub(crate) fn of(domain: Domain, refusal: LastRefusal) -> Self {
        Self(Some((domain, refusal)))
    }

    /// The id of what was refused last.
    pub(crate) fn id(&self) -> Option<String> {
        let (domain, refusal) = self.0.as_ref()?;
        domain.decision_id(refusal)
    }
}
