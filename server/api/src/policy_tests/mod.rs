//! Tests of policies: questions with the answers that are expected, saved or in a file.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod run;

use chrono::{DateTime, Utc};
use keywarden_domain::{
    Action, Domain, Op,
    authz::{PolicyScope, SignInMethod},
    permissions::{Case, PasskeyAge, Setting},
    policy_tests::{self, RunTestsError, SavePolicyTestError},
    roles::Holder,
};
use keywarden_model::time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    flaw::{Flaw, Flaws, INSTANT},
    problem::Problem,
};

/// A question to policies.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyCase {
    /// Who: `usr_…` or `wkl_…`.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    principal: String,
    /// What is done, by its stable name.
    #[schema(example = "project.create")]
    action: String,
    /// To which thing: its id, or `organization`.
    #[schema(example = "organization")]
    resource: String,
    /// When; otherwise at the moment of asking.
    #[schema(example = "2027-01-31T09:30:00Z")]
    at: Option<String>,
    /// From which address; otherwise none is known.
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// How many seconds ago the person showed their passkey, or `never`; otherwise 0.
    #[schema(example = "30")]
    passkey_age: Option<String>,
    /// How the person signed in: `passkey` or `recovery`; otherwise `passkey`.
    #[schema(example = "passkey")]
    method: Option<String>,
    /// Whether a reason is given for it; otherwise not.
    #[schema(example = false)]
    reason_given: Option<bool>,
}

impl PolicyCase {
    /// As the domain asks it; what is wrong is noted with the place of the case in the body.
    fn read(self, place: &str, flaws: &mut Flaws) -> Option<Case> {
        let mut note = |field: &str, why: &str| flaws.note(Flaw::at(format!("{place}/{field}"), why));
        let holder = Holder::parse(&self.principal).filter(|it| !matches!(it, Holder::Team(_)));
        if holder.is_none() {
            note("principal", "use the id of a person (`usr_…`) or a workload (`wkl_…`)");
        }
        let action = Action::named(&self.action);
        if action.is_none() {
            note("action", "this is no action: they are called like `key.issue`");
        }
        let mut setting = Setting { reason: self.reason_given.unwrap_or_default(), ..Setting::default() };
        if let Some(at) = self.at {
            setting.at = time::instant(&at);
            if setting.at.is_none() {
                note("at", INSTANT);
            }
        }
        if let Some(address) = self.address {
            setting.address = address.parse().ok();
            if setting.address.is_none() {
                note("address", "this is no address");
            }
        }
        if let Some(age) = self.passkey_age {
            match PasskeyAge::parse(&age) {
                Some(age) => setting.passkey = age,
                None => note("passkey_age", "use seconds, or `never`"),
            }
        }
        if let Some(method) = self.method {
            let people = |it: &SignInMethod| matches!(it, SignInMethod::Passkey | SignInMethod::Recovery);
            setting.method = SignInMethod::named(&method).filter(people);
            if setting.method.is_none() {
                note("method", "use `passkey` or `recovery`");
            }
        }
        Some(Case { holder: holder?, action: action?, thing: self.resource, setting })
    }
}

/// A saved test.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyTest {
    #[schema(example = "pts_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    #[schema(example = "Bob issues keys")]
    name: String,
    /// The project that it belongs to; absent for one of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    project: Option<String>,
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    principal: String,
    #[schema(example = "key.issue")]
    action: &'static str,
    /// The thing's id, or `organization`.
    #[schema(example = "organization")]
    resource: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// Seconds, or `never`.
    #[schema(example = "0")]
    passkey_age: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "passkey")]
    method: Option<&'static str>,
    /// Whether a reason is given for it.
    #[schema(example = false)]
    reason_given: bool,
    /// Whether the answer must be yes.
    #[schema(example = true)]
    allowed: bool,
    created_at: DateTime<Utc>,
    /// The id of who saved it.
    created_by: String,
}

impl From<policy_tests::PolicyTest> for PolicyTest {
    fn from(it: policy_tests::PolicyTest) -> Self {
        let Case { holder, action, thing, setting } = it.case;
        Self {
            id: it.id.to_string(),
            name: it.name,
            project: match it.scope {
                PolicyScope::Organization => None,
                PolicyScope::Project(id) => Some(id.to_string()),
            },
            principal: holder.to_string(),
            action: action.name(),
            resource: thing,
            at: setting.at,
            address: setting.address.map(|it| it.to_string()),
            passkey_age: setting.passkey.to_string(),
            method: setting.method.map(SignInMethod::as_str),
            reason_given: setting.reason,
            allowed: it.allowed,
            created_at: it.created_at,
            created_by: it.created_by,
        }
    }
}

/// Where tests belong: a project by its slug or id, or the organization.
async fn scope(domain: &Domain, op: &Op, project: Option<String>) -> Result<PolicyScope, Problem> {
    Ok(match project {
        None => PolicyScope::Organization,
        Some(project) => PolicyScope::Project(domain.project(op, &project).await?.id),
    })
}

impl From<SavePolicyTestError> for Problem {
    fn from(error: SavePolicyTestError) -> Self {
        match error {
            SavePolicyTestError::Archived | SavePolicyTestError::NameTaken | SavePolicyTestError::TooMany => {
                Self::conflict(error)
            }
            SavePolicyTestError::Elsewhere => Self::invalid(Flaw::at("/resource", error)),
            SavePolicyTestError::Refused(refused) => refused.into(),
        }
    }
}

impl From<RunTestsError> for Problem {
    fn from(error: RunTestsError) -> Self {
        match error {
            RunTestsError::Refused(refused) => refused.into(),
            RunTestsError::Text(at, errors) => {
                let mut flaws = Flaws::default();
                for error in errors {
                    flaws.note(Flaw::at(format!("/policies/{at}/text"), error));
                }
                flaws.problem()
            }
            RunTestsError::TooMany => Self::invalid(Flaw::at("/cases", error)),
            RunTestsError::Twice(at) => Self::invalid(Flaw::at(format!("/policies/{at}/name"), error)),
        }
    }
}
