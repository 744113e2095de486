//! Policies that people write: one statement of Cedar text each, checked before it can decide anything.
//!
//! What a text may speak of is what can be told truly of every decision, lists included: the schema's attributes of the
//! thing and its tags, the principal's teams and roles, and the circumstances. What the schema knows and a decision does not load (where
//! a workload belongs that asks, the teams of a thing's owner) is refused here, and so is what a list could not follow: see
//! [`vocabulary`] and [`lists`].
//!
//! **Invariants:** a text that passes names no built-in policy, has no slots, and allows nothing that
//! [`Action::is_grantable`] keeps back. Its id is the policy's own, never one from the text.

mod asks;
mod bounds;
mod lists;
mod moments;
mod vocabulary;

use std::collections::BTreeSet;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    ActionConstraint, Effect, Policy, PolicyId, PolicySet, PrincipalConstraint, ResourceConstraint,
    ValidationMode, Validator,
};
use keywarden_model::{PolicyEffect, ProjectId};
use serde_json::Value;

use super::{Action, Asks};

pub use bounds::LONGEST;
pub(crate) use bounds::within as bounded;

/// Where a policy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyScope {
    /// Everywhere.
    Organization,
    /// For what lies in one project.
    Project(ProjectId),
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {says}")]
pub struct TextError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong, and what to do.
    pub says: String,
}

impl TextError {
    /// At a byte of the text.
    fn at(text: &str, byte: usize, says: impl Into<String>) -> Self {
        let before = text.get(..text.floor_char_boundary(byte)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: small(line), column: small(column), says: says.into() }
    }

    fn of(text: &str, error: DetailedError) -> Self {
        let at = error.source_locations.first().map_or(0, |it| it.loc.start);
        let help = error.help.map(|help| format!(": {help}")).unwrap_or_default();
        Self::at(text, at, format!("{}{help}", error.message))
    }
}

/// A text that may decide, taken apart.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it does where it fits.
    pub effect: PolicyEffect,
    /// Who it is about: the head of the text, as Cedar's JSON writes it.
    pub principal: Value,
    /// To which things, in the same way.
    pub resource: Value,
    /// Which actions it is about, one by one, in the order of the table.
    pub actions: Vec<Action>,
    /// Its conditions: `when` and `unless`, as Cedar's JSON writes them.
    pub conditions: Vec<Value>,
    /// What it looks at besides what every decision knows.
    pub asks: Asks,
    /// Whether a condition looks at the circumstances.
    pub looks_at_context: bool,
    /// The projects that its head names.
    pub projects: BTreeSet<ProjectId>,
    pub(super) policy: Policy,
}

/// Reads a text and looks whether it may decide there.
pub fn check(validator: &Validator, scope: PolicyScope, text: &str) -> Result<Checked, Vec<TextError>> {
    bounds::within(text).map_err(|error| vec![error])?;
    let policy = statement(text)?;
    let unwritable = |cause: String| vec![TextError::at(text, 0, format!("this cannot be kept: {cause}"))];
    let json = policy.to_json().map_err(|it| unwritable(it.to_string()))?;
    let mut errors = fits(validator, &policy, text);
    if policy.annotation("id").is_some() {
        let says = "leave out `@id`: a policy is called by its own id";
        errors.push(TextError::at(text, place(text, "@id"), says));
    }
    let actions = actions(&policy);
    if errors.is_empty() {
        let head = place(text, "permit").min(place(text, "forbid"));
        let mut refuse = |says: String| errors.push(TextError::at(text, head, says));
        vocabulary::known(&json).into_iter().for_each(&mut refuse);
        may_speak(scope, &policy, &actions).into_iter().for_each(&mut refuse);
        lists::follows(scope, &policy, &json, &actions).into_iter().for_each(&mut refuse);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let part = |name: &str| json.get(name).cloned().unwrap_or(Value::Null);
    let conditions = part("conditions").as_array().cloned().unwrap_or_default();
    Ok(Checked {
        effect: effect(&policy),
        principal: part("principal"),
        resource: part("resource"),
        actions,
        asks: asks::of(&conditions),
        looks_at_context: conditions.iter().any(|it| vocabulary::mentions(it, "context")),
        conditions,
        projects: lists::projects(&policy),
        policy,
    })
}

impl Checked {
    /// Whether asking it may fail: a sum or a product may be more than there is room for.
    pub(super) fn can_fail(&self) -> bool {
        self.conditions.iter().any(vocabulary::can_fail)
    }

    /// The policy under an id of ours.
    pub(super) fn under(&self, id: &str) -> Policy {
        self.policy.new_id(PolicyId::new(id))
    }

    /// Whom its head names, if that is one person, team, role or machine.
    pub(super) fn holder(&self) -> Option<cedar_policy::EntityUid> {
        match self.policy.principal_constraint() {
            PrincipalConstraint::Eq(uid)
            | PrincipalConstraint::In(uid)
            | PrincipalConstraint::IsIn(_, uid) => Some(uid),
            PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
        }
    }

    /// Where the thing must lie, or which it must be, if its head says so and every decision knows it of the thing
    /// ([`super::entities::places`]).
    pub(super) fn place(&self) -> Option<cedar_policy::EntityUid> {
        let known = |uid: &cedar_policy::EntityUid| {
            ["Environment", "Project"].contains(&uid.type_name().to_string().as_str())
        };
        match self.policy.resource_constraint() {
            ResourceConstraint::Eq(uid) => Some(uid),
            ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid) => Some(uid).filter(known),
            ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
        }
    }
}

fn effect(policy: &Policy) -> PolicyEffect {
    match policy.effect() {
        Effect::Forbid => PolicyEffect::Forbid,
        Effect::Permit => PolicyEffect::Permit,
    }
}

/// The one statement of the text.
fn statement(text: &str) -> Result<Policy, Vec<TextError>> {
    let set = text.parse::<PolicySet>().map_err(|error: cedar_policy::ParseErrors| {
        let mut told = vec![TextError::of(text, DetailedError::from(&error))];
        told.extend(error.iter().skip(1).map(|it| TextError::of(text, DetailedError::from(it))));
        told
    })?;
    let refuse = |says: &str| Err(vec![TextError::at(text, 0, says)]);
    if let Some(template) = set.templates().next() {
        let slot = template.to_cedar();
        let slot = if slot.contains("?principal") { "?principal" } else { "?resource" };
        let says = "name somebody or something here: a policy has no slots";
        return Err(vec![TextError::at(text, place(text, slot), says)]);
    }
    let mut policies = set.policies();
    match (policies.next(), policies.next()) {
        (Some(one), None) => Ok(one.clone()),
        (None, _) => refuse("write one statement: `permit` or `forbid`"),
        (Some(_), Some(_)) => refuse("write one statement only: each policy is one `permit` or `forbid`"),
    }
}

/// What the schema says against it.
fn fits(validator: &Validator, policy: &Policy, text: &str) -> Vec<TextError> {
    let set = match PolicySet::from_policies([policy.clone()]) {
        Ok(set) => set,
        Err(cause) => return vec![TextError::at(text, 0, cause.to_string())],
    };
    let result = validator.validate(&set, ValidationMode::Strict);
    let errors = result.validation_errors().map(|it| TextError::of(text, DetailedError::from(it)));
    // A policy that can never fit, or a name that looks like another: whoever wrote it meant something else.
    let warnings = result.validation_warnings().map(|it| TextError::of(text, DetailedError::from(it)));
    errors.chain(warnings).collect()
}

/// Every action that the head lets it be about.
pub(super) fn actions(policy: &Policy) -> Vec<Action> {
    let names: Option<Vec<String>> = match policy.action_constraint() {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(uid) => Some(vec![uid.id().unescaped().to_owned()]),
        ActionConstraint::In(uids) => Some(uids.iter().map(|uid| uid.id().unescaped().to_owned()).collect()),
    };
    let named = |action: &Action| {
        let is = |name: &String| name == action.name() || action.groups().any(|group| group == name);
        names.as_ref().is_none_or(|names| names.iter().any(is))
    };
    Action::ALL.iter().copied().filter(named).collect()
}

/// Whether such a policy may be about these actions there.
fn may_speak(scope: PolicyScope, policy: &Policy, actions: &[Action]) -> Vec<String> {
    let list =
        |which: Vec<Action>| which.iter().map(|it| format!("`{}`", it.name())).collect::<Vec<_>>().join(", ");
    let mut errors = Vec::new();
    let permits = policy.effect() == Effect::Permit;
    let kept: Vec<_> = actions.iter().copied().filter(|it| permits && !it.is_grantable()).collect();
    if !kept.is_empty() {
        errors.push(format!("name the actions that it allows: only the built-in roles allow {}", list(kept)));
    }
    if let PolicyScope::Project(project) = scope {
        let beyond: Vec<_> = actions.iter().copied().filter(|it| !it.is_of_projects()).collect();
        if !beyond.is_empty() {
            errors.push(format!("name the actions: a project's policy says nothing about {}", list(beyond)));
        }
        if lists::projects(policy).iter().any(|named| *named != project) {
            errors.push("leave out the other project: a project's policy holds in its own alone".to_owned());
        }
    }
    if actions.is_empty() {
        errors.push("name an action: without one it is about nothing".to_owned());
    }
    errors
}

/// Where a word stands first; the beginning where it does not.
fn place(text: &str, word: &str) -> usize {
    text.find(word).unwrap_or(if word.starts_with('@') { 0 } else { text.len() })
}
