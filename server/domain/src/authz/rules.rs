//! The policies in force, and asking them.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision as Cedar, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema,
};

use super::principal::Who;
use super::written::actions;
use super::{Action, Circumstances, InForce, Principal, Resource, Target, clock, entities};
use crate::Fault;

/// A set of policies, parsed and checked against the schema.
pub struct Rules {
    authorizer: Authorizer,
    policies: PolicySet,
    /// Those that are about an action: the others say nothing of it, and cannot fail.
    about: HashMap<Action, PolicySet>,
    types: Types,
}

/// Type names, parsed once.
pub(super) struct Types {
    pub action: EntityTypeName,
    pub api_key: EntityTypeName,
    pub clock: EntityTypeName,
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
    /// The only circumstance that built-in policies ask for: the session was opened by a recovery code.
    pub recovering: bool,
    /// All of them, where policies that people wrote were asked besides.
    pub circumstances: Option<Circumstances>,
    /// Yes or no.
    pub allowed: bool,
    /// The ids of the policies that made it so.
    pub policies: Vec<String>,
}

/// The schema's text: the entities, the circumstances, and the actions from the table. What people write is held to somewhat
/// less: see `written/vocabulary.rs`.
pub fn schema_text() -> String {
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
             context: Circumstances }};",
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
        let mut about: HashMap<_, PolicySet> = HashMap::new();
        for policy in policies.policies() {
            for action in actions(policy) {
                let set = about.entry(action).or_default();
                set.add(policy.clone()).map_err(|it| broken("policies", it.to_string()))?;
            }
        }
        let name = |text: &str| EntityTypeName::from_str(text).map_err(|it| broken(text, it.to_string()));
        Ok(Self {
            authorizer: Authorizer::new(),
            policies,
            about,
            types: Types {
                action: name("Action")?,
                api_key: name("ApiKey")?,
                clock: name("Clock")?,
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

    pub(super) fn types(&self) -> &Types {
        &self.types
    }

    /// Decides by these policies alone. Anything that goes wrong is a no.
    pub fn decide(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        recovering: bool,
    ) -> Decision {
        let counted = principal.counted(action);
        let answer = self.ask(&counted, action, target, recovering);
        decision(&counted, action, target, recovering, None, answer)
    }

    /// Decides by these policies and by what people wrote. Anything that goes wrong is a no.
    pub(crate) fn decide_with(
        &self,
        in_force: &InForce,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
    ) -> Decision {
        let counted = principal.counted(action);
        let principal = &*counted;
        let recovering = circumstances.recovering;
        let project = target.resource.project();
        if let Some(name) = in_force.is_blind(action, project) {
            let blind = Err(format!("policy `{name}` cannot be asked"));
            return decision(principal, action, target, recovering, Some(circumstances), blind);
        }
        if in_force.slices(action, project).next().is_none() {
            return self.decide(principal, action, target, recovering);
        }
        let answer = self.prepare(in_force, principal, action, target, circumstances).and_then(|prepared| {
            prepared.map_or(Ok(Answer::Silent), |prepared| self.ask_all(in_force, &prepared, action, target))
        });
        decision(principal, action, target, recovering, Some(circumstances), answer)
    }

    fn ask(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        recovering: bool,
    ) -> Result<Answer, String> {
        let context =
            Context::from_pairs([("recovering".to_owned(), RestrictedExpression::new_bool(recovering))])
                .map_err(|it| it.to_string())?;
        let Some((request, entities)) = self.question(principal, action, target, context)? else {
            return Ok(Answer::Silent);
        };
        self.put(self.about(action), &request, &entities)
    }

    fn about(&self, action: Action) -> &PolicySet {
        self.about.get(&action).unwrap_or(&self.policies)
    }

    /// Everything that is the same for all sets that a question is put to; `None`: nobody asks.
    pub(super) fn prepare(
        &self,
        in_force: &InForce,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
    ) -> Result<Option<Prepared>, String> {
        let question = self.question_to(in_force, principal, action, target, circumstances)?;
        Ok(question.map(|(request, entities)| {
            let holders = entities::holders(&self.types, principal).map(Some);
            let mut holders: Vec<_> = std::iter::once(None).chain(holders).collect();
            // A role that somebody holds twice asks its policies once.
            holders.sort_unstable();
            holders.dedup();
            let places = entities::places(&self.types, &target.resource).map(Some);
            Prepared { request, entities, holders, places: std::iter::once(None).chain(places).collect() }
        }))
    }

    /// What the built-in policies say and, where that is no error, those that people wrote: whatever allows it, one forbid
    /// is a no.
    pub(super) fn ask_all(
        &self,
        in_force: &InForce,
        prepared: &Prepared,
        action: Action,
        target: &Target,
    ) -> Result<Answer, String> {
        let Prepared { request, entities, holders, places } = prepared;
        let over_owners = target.owner && !action.is_read();
        let mut answer = self.put(self.about(action), request, entities)?;
        for slice in in_force.slices(action, target.resource.project()) {
            let may_allow = !over_owners && action.is_grantable();
            let permits = slice.permits.about(holders, places).filter(|_| may_allow);
            for set in slice.forbids.about(holders, places).chain(permits) {
                answer = answer.and(self.put(set, request, entities)?);
            }
        }
        Ok(answer)
    }

    /// The question as these policies are asked it, with what the clock shows wherever one of them asks; `None`: nobody asks.
    pub(super) fn question_to(
        &self,
        in_force: &InForce,
        principal: &Principal,
        action: Action,
        target: &Target,
        circumstances: &Circumstances,
    ) -> Result<Option<(Request, Entities)>, String> {
        if target.facts.is_none() && in_force.asks_of(action, &target.resource) {
            return Err("what a policy asks of the thing was not read".to_owned());
        }
        let context = circumstances.context(&self.types)?;
        let Some((request, entities)) = self.question(principal, action, target, context)? else {
            return Ok(None);
        };
        let slices = in_force.slices(action, target.resource.project());
        let mut zones = slices.flat_map(|it| &it.asks.zones).peekable();
        if zones.peek().is_none() {
            return Ok(Some((request, entities)));
        }
        let clock = clock::entity(&self.types, zones, circumstances.now).map_err(|it| it.to_string())?;
        let entities = entities.upsert_entities([clock], None).map_err(|it| it.to_string())?;
        Ok(Some((request, entities)))
    }

    /// A moment as policies see it, with the clock that they find in it.
    pub(crate) fn moment<'a>(
        &self,
        circumstances: &Circumstances,
        zones: impl Iterator<Item = &'a String>,
    ) -> Result<(Context, Entity), String> {
        let context = circumstances.context(&self.types)?;
        let clock = clock::entity(&self.types, zones, circumstances.now).map_err(|it| it.to_string())?;
        Ok((context, clock))
    }

    /// The question as Cedar is asked it; `None`: nobody asks.
    fn question(
        &self,
        principal: &Principal,
        action: Action,
        target: &Target,
        context: Context,
    ) -> Result<Option<(Request, Entities)>, String> {
        let Some(who) = entities::principal_uid(&self.types, &principal.who) else {
            return Ok(None);
        };
        if !action.kind().types().contains(&target.resource.type_name()) {
            return Err(format!("`{}` is not done to {:?}", action.name(), target.resource));
        }
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
        Ok(Some((request, entities)))
    }

    pub(super) fn put(
        &self,
        policies: &PolicySet,
        request: &Request,
        entities: &Entities,
    ) -> Result<Answer, String> {
        let response = self.authorizer.is_authorized(request, policies, entities);
        // Cedar skips a policy that fails: if it was a guard, what is left may say yes.
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let reasons: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
        Ok(match (response.decision(), reasons.is_empty()) {
            (Cedar::Allow, _) => Answer::Allowed(reasons),
            (Cedar::Deny, true) => Answer::Silent,
            (Cedar::Deny, false) => Answer::Forbidden(reasons),
        })
    }
}

/// A question, taken apart once for all the sets that it is put to.
pub(super) struct Prepared {
    request: Request,
    entities: Entities,
    /// Whom heads can name so that they fit whoever asks; `None` is whoever they do not name.
    holders: Vec<Option<EntityUid>>,
    /// The same of the thing.
    places: Vec<Option<EntityUid>>,
}

/// What a set of policies says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Yes, by these.
    Allowed(Vec<String>),
    /// No, by these.
    Forbidden(Vec<String>),
    /// Nothing, which is a no.
    Silent,
}

impl Answer {
    /// What two sets say together, as one set of all of them would.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Forbidden(one), Self::Forbidden(other)) => Self::Forbidden([one, other].concat()),
            (Self::Forbidden(one), _) | (_, Self::Forbidden(one)) => Self::Forbidden(one),
            (Self::Allowed(one), Self::Allowed(other)) => Self::Allowed([one, other].concat()),
            (Self::Allowed(one), Self::Silent) | (Self::Silent, Self::Allowed(one)) => Self::Allowed(one),
            (Self::Silent, Self::Silent) => Self::Silent,
        }
    }
}

fn decision(
    principal: &Principal,
    action: Action,
    target: &Target,
    recovering: bool,
    circumstances: Option<&Circumstances>,
    answer: Result<Answer, String>,
) -> Decision {
    let (allowed, mut policies) = match answer {
        Ok(Answer::Allowed(reasons)) => (true, reasons),
        Ok(Answer::Forbidden(reasons)) => (false, reasons),
        Ok(Answer::Silent) => (false, Vec::new()),
        Err(cause) => {
            tracing::error!(cause, action = action.name(), "a decision could not be made, so it is no");
            (false, Vec::new())
        }
    };
    policies.sort_unstable();
    let (who, resource) = (principal.who.clone(), target.resource);
    let circumstances = circumstances.cloned();
    Decision { who, action, resource, recovering, circumstances, allowed, policies }
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
