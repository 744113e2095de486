//! Saving a simulation with the answer that is expected.

use keywarden_model::{Name, PolicyTestId};
use keywarden_store::{StoreError, Written, policy_tests as rows, projects};

use super::{expected, written};
use crate::authz::PolicyScope;
use crate::permissions::{Case, Under};
use crate::policy::{project, resource};
use crate::refused::carries_refused;
use crate::{Action, Domain, Op, Refused};

/// Tests of the whole house: all of them are asked before a policy of the organization decides.
const AT_MOST: i64 = 500;

/// A test to be.
#[derive(Debug, Clone)]
pub struct NewPolicyTest {
    /// Where it belongs.
    pub scope: PolicyScope,
    /// What people call it.
    pub name: Name,
    /// What is asked.
    pub case: Case,
    /// Whether the answer must be yes.
    pub allowed: bool,
}

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum SavePolicyTestError {
    /// The project is archived.
    #[error("this project is archived: nothing new is made in it")]
    Archived,
    /// The thing lies elsewhere.
    #[error("a project's test is about something in that project")]
    Elsewhere,
    /// Another test of the scope has the name, perhaps spelled differently.
    #[error("another test here has this name: choose another")]
    NameTaken,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There are as many as there may be.
    #[error("there are five hundred tests: nothing can be added")]
    TooMany,
}
carries_refused!(SavePolicyTestError);

impl Domain {
    /// Saves a question that the caller may ask the simulator.
    pub async fn save_policy_test(
        &self,
        op: &Op,
        new: NewPolicyTest,
    ) -> Result<PolicyTestId, SavePolicyTestError> {
        let simulated = self.simulate(op, &new.case, Under::InForce).await?;
        if let PolicyScope::Project(project) = new.scope
            && simulated.thing.resource.project() != Some(project)
        {
            return Err(SavePolicyTestError::Elsewhere);
        }
        let id: PolicyTestId = self.fresh(op);
        let by = op.actor.id();
        self.change(op, Action::DraftPolicy, &resource(new.scope), &[], move |tx, record| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                let project = project(new.scope);
                if let Some(project) = project {
                    let home = projects::find(tx, project).await?.ok_or(Refused::NotFound)?;
                    if home.archived_at.is_some() {
                        return Err(SavePolicyTestError::Archived);
                    }
                }
                if rows::count(tx).await? >= AT_MOST {
                    return Err(SavePolicyTestError::TooMany);
                }
                let Case { holder, action, thing, setting } = &new.case;
                let row = rows::Insert {
                    id,
                    project,
                    name: &new.name,
                    principal: &holder.to_string(),
                    action: action.name(),
                    resource: thing,
                    circumstances: &written(setting),
                    expected: expected(new.allowed),
                    created_at: record.now(),
                    created_by: &by,
                };
                rows::insert(tx, row).await.map_err(|error| match error {
                    StoreError::Conflict(_) => SavePolicyTestError::NameTaken,
                    other => other.into(),
                })?;
                let event = record
                    .event("policy-test.save", "policy-test", id)
                    .project(project)
                    .fact("allowed", new.allowed)
                    .text("name", &new.name)
                    .finish()?;
                Ok(Written::new(id, event))
            })
        })
        .await
    }
}
