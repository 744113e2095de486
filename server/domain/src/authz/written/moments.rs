//! A policy without what it asks of the moment: for saying what could be at another one.

use cedar_policy::Policy;
use serde_json::Value;

use super::Checked;
use super::vocabulary::mentions;
use crate::Fault;

impl Checked {
    /// The same without the conditions that look at the circumstances. It fits wherever the policy itself fits at some
    /// moment, and perhaps elsewhere too: a condition that looks at the thing besides is left out as a whole.
    pub(crate) fn at_any_moment(&self) -> Result<Self, Fault> {
        let broken = |cause: String| Fault::Unexpected(format!("a policy without its moment: {cause}"));
        let mut json = self.policy.to_json().map_err(|it| broken(it.to_string()))?;
        let conditions: Vec<Value> =
            self.conditions.iter().filter(|it| !mentions(it, "context")).cloned().collect();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("conditions".to_owned(), Value::Array(conditions.clone()));
        }
        let id = self.policy.id().clone();
        let policy = Policy::from_json(Some(id), json).map_err(|it| broken(it.to_string()))?;
        Ok(Self { conditions, looks_at_context: false, policy, ..self.clone() })
    }

    /// The conditions that look at the circumstances, as Cedar's JSON writes them.
    pub(crate) fn of_the_moment(&self) -> Vec<&Value> {
        self.conditions.iter().filter(|it| mentions(it, "context")).collect()
    }
}
