//! Looking at a text before it is kept.

use crate::authz::{Checked, PolicyScope, TextError};
use crate::{Action, Domain, Op, Refused};

use super::resource;

impl Domain {
    /// What a text would be as a policy there, taken apart, or what is wrong with it and where. Nothing is kept.
    pub async fn check_policy(
        &self,
        op: &Op,
        scope: PolicyScope,
        text: &str,
    ) -> Result<Result<Checked, Vec<TextError>>, Refused> {
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        Ok(self.gate().check(scope, text))
    }
}
