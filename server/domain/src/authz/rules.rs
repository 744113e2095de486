//! The policies in force, and asking them.

use std::fmt;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision as Cedar, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema,
};

use super::principal::Who;
use super::{Action, Principal, Resource, Target, entities};
use crate::Fault;

/// A set of policies, parsed and checked against the schema.
pub struct Rules {
    authorizer: Authorizer,
    policies: PolicySet,
    types: Types,
}

/// Type names, parsed once.
pub(super) struct Types {
    pub action: EntityTypeName,
    pub api_key: EntityTypeName,
    pub environment: EntityTypeName,
    pub operator: EntityTypeName,
    pub organization: EntityTypeName,
    pub organization_role: EntityTypeName,
    pub person: EntityTypeName,
    pub project: EntityTypeName,
    pub project_role: EntityTypeName,
    pub secret: EntityTypeName,
    pub team: EntityTypeName,
    pub workload: EntityTypeName,
}

/// What was asked, and what the policies said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who asked.
    pub who: Who,
    /// To do what.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// The only circumstance that policies ask for: the session was opened by a recovery code.
    pub recovering: bool,
    /// Yes or no.
    pub allowed: bool,
    /// The ids of the policies that made it so.
    pub policies: Vec<String>,
}

/// The schema's text: the entities, and the actions from the table.
pub(super) fn schema_text() -> String {
    use std::fmt::Write as _;
    let mut text = String::from(include_str!("schema.cedarschema"));
    for group in Action::all_groups() {
        let _ = writeln!(text, "action \"{group}\";");
    }
    for action in Action::ALL {
        let groups: Vec<_> = action.groups().map(|group| format!("\"{group}\"")).collect();
        let groups = if groups.is_empty() { String::new() } else { format!(" in [{}]", groups.join(", ")) };
        let _ = writeln!(
            text,
            "action \"{}\"{groups} appliesTo {{ principal: [Person, Workload, Operator], resource: [{}], \
             context: {{ recovering: Bool }} }};",
            action.name(),
            action.kind().types().join(", ")
        );
    }
    text
}

impl Rules {
    /// The built-in roles.
    pub fn builtin() -> Result<Self, Fault> {
        Self::parse(include_str!("builtin.cedar"))
    }

    /// Policies from text, each named by its `@id`: Cedar itself would call them `policy0`, `policy1`, and so on.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let broken = |what: &str, cause: String| Fault::Unexpected(format!("{what}: {cause}"));
        let parsed = PolicySet::from_str(text).map_err(|it| broken("policies", it.to_string()))?;
        let mut policies = PolicySet::new();
        for policy in parsed.policies() {
            let id = policy.annotation("id").unwrap_or_default();
            policies
                .add(policy.new_id(PolicyId::new(id)))
                .map_err(|it| broken("policies", it.to_string()))?;
        }
        let name = |text: &str| EntityTypeName::from_str(text).map_err(|it| broken(text, it.to_string()));
        Ok(Self {
            authorizer: Authorizer::new(),
            policies,
            types: Types {
                action: name("Action")?,
                api_key: name("ApiKey")?,
                environment: name("Environment")?,
                operator: name("Operator")?,
                organization: name("Organization")?,
                organization_role: name("OrganizationRole")?,
                person: name("Person")?,
                project: name("Project")?,
                project_role: name("ProjectRole")?,
                secret: name("Secret")?,
                team: name("Team")?,
                workload: name("Workload")?,
            },
        })
    }

    /// The schema that every policy must fit.
    pub fn schema() -> Result<Schema, Fault> {
        let (schema, _) = Schema::from_cedarschema_str(&schema_text())
            .map_err(|cause| Fault::Unexpected(format!("schema: {cause}")))?;
        Ok(schema)
    }

    /// The policies, for showing and checking.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    #[cfg(test)]
    pub(super) fn types(&self) -> &Types {
        &self.types
    }

    /// Decides. Anything that goes wrong is a no.
    pub fn decide(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        recovering: bool,
    ) -> Decision {
        let (allowed, policies) = self.ask(principal, action, target, recovering).unwrap_or_else(|cause| {
            tracing::error!(cause, action = action.name(), "a decision could not be made, so it is no");
            (false, Vec::new())
        });
        let (who, resource) = (principal.who.clone(), target.resource);
        Decision { who, action, resource, recovering, allowed, policies }
    }

    fn ask(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        recovering: bool,
    ) -> Result<(bool, Vec<String>), String> {
        let Some(who) = entities::principal_uid(&self.types, &principal.who) else {
            return Ok((false, Vec::new()));
        };
        if !action.kind().types().contains(&target.resource.type_name()) {
            return Err(format!("`{}` is not done to {:?}", action.name(), target.resource));
        }
        let context =
            Context::from_pairs([("recovering".to_owned(), RestrictedExpression::new_bool(recovering))])
                .map_err(|it| it.to_string())?;
        let request = Request::new(
            who,
            self.types.uid(&self.types.action, action.name()),
            entities::resource_uid(&self.types, &target.resource),
            context,
            None,
        )
        .map_err(|it| it.to_string())?;
        let entities =
            entities::gather(&self.types, principal, action, target).map_err(|it| it.to_string())?;
        let response = self.authorizer.is_authorized(&request, &self.policies, &entities);
        // Cedar skips a policy that fails: if it was a guard, what is left may say yes.
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let mut policies: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
        policies.sort_unstable();
        Ok((response.decision() == Cedar::Allow, policies))
    }
}

impl Types {
    #[expect(clippy::unused_self, reason = "reads as a part of the type names")]
    pub(super) fn uid(&self, name: &EntityTypeName, id: impl fmt::Display) -> EntityUid {
        EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id.to_string()))
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rules")
    }
}
