//! Simulations that people saved with the answer they expect of the policies. They are asked again before anything comes to
//! decide: what fails a test does not.
//!
//! A test belongs where policies do: to the organization or to one project, about things of which it asks. Whoever drafts
//! policies there saves and deletes them, whoever sees policies there sees how they come out. Saving one takes the sight of who
//! may do what, too, so that nobody learns by a test what the simulator would not tell them.
//!
//! **Invariant:** what decides passes the tests of its own scope, and fails no test of another scope that passed before.

mod delete;
mod list;
mod run;
mod save;
#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, Utc};
use keywarden_model::PolicyTestId;
use keywarden_model::time::from_micros;
use keywarden_store::policy_tests as rows;
use serde_json::{Map, Value};

use crate::authz::{PolicyScope, SignInMethod};
use crate::permissions::{Case, PasskeyAge, Setting};
use crate::roles::Holder;
use crate::{Action, Fault};

pub(crate) use run::Failing;
pub use run::{MOST_CASES, MOST_TEXTS, Outcome, PolicyText, Ran, RunTestsError};
pub use save::{NewPolicyTest, SavePolicyTestError};

/// A saved question and the answer that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTest {
    /// Its id.
    pub id: PolicyTestId,
    /// Where it belongs.
    pub scope: PolicyScope,
    /// What people call it; unique in its scope.
    pub name: String,
    /// What is asked.
    pub case: Case,
    /// Whether the answer must be yes.
    pub allowed: bool,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
    /// By whom: an actor's id.
    pub created_by: String,
}

impl TryFrom<rows::PolicyTest> for PolicyTest {
    type Error = Fault;
    fn try_from(row: rows::PolicyTest) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::Damaged(format!("policy_tests {}: {what}", row.id));
        let scope = match row.project_id.as_deref() {
            None => PolicyScope::Organization,
            Some(id) => PolicyScope::Project(id.parse().map_err(|_| damaged("project"))?),
        };
        let case = Case {
            holder: Holder::parse(&row.principal).ok_or_else(|| damaged("principal"))?,
            action: Action::named(&row.action).ok_or_else(|| damaged("action"))?,
            setting: read(&row.circumstances).ok_or_else(|| damaged("circumstances"))?,
            thing: row.resource.clone(),
        };
        let allowed = match row.expected.as_str() {
            ALLOWED => true,
            REFUSED => false,
            _ => return Err(damaged("expected")),
        };
        let created_at = from_micros(row.created_at);
        Ok(Self { id: row.id, scope, name: row.name, case, allowed, created_at, created_by: row.created_by })
    }
}

const ALLOWED: &str = "allowed";
const REFUSED: &str = "refused";
/// Of a reason: which one makes no difference.
const GIVEN: &str = "given";

fn expected(allowed: bool) -> &'static str {
    if allowed { ALLOWED } else { REFUSED }
}

/// A moment as it is stored: what is left open is not there.
fn written(setting: &Setting) -> String {
    let mut fields = Map::new();
    let mut put = |name: &str, value: String| {
        fields.insert(name.to_owned(), value.into());
    };
    if let Some(at) = setting.at {
        put("at", at.to_rfc3339_opts(SecondsFormat::Micros, true));
    }
    if let Some(address) = setting.address {
        put("address", address.to_string());
    }
    if setting.passkey != PasskeyAge::default() {
        put("passkey_age", setting.passkey.to_string());
    }
    if let Some(method) = setting.method {
        put("method", method.as_str().to_owned());
    }
    if setting.reason {
        put("reason", GIVEN.to_owned());
    }
    Value::Object(fields).to_string()
}

fn read(text: &str) -> Option<Setting> {
    let mut setting = Setting::default();
    for (name, value) in serde_json::from_str::<Map<String, Value>>(text).ok()? {
        let value = value.as_str()?;
        match name.as_str() {
            "address" => setting.address = Some(value.parse().ok()?),
            "at" => setting.at = Some(value.parse().ok()?),
            "method" => setting.method = Some(SignInMethod::named(value)?),
            "passkey_age" => setting.passkey = PasskeyAge::parse(value)?,
            "reason" if value == GIVEN => setting.reason = true,
            _ => return None,
        }
    }
    Some(setting)
}
