//! A refusal, opened by those who may know why.

use chrono::{DateTime, Utc};
use keywarden_store::names;

use super::Who;
use super::refusal::{Answer, Asked, Told};
use crate::authz::{self, Circumstances, Considered, InForce, Principal, Target};
use crate::permissions::{Enough, Thing, WrittenPolicies};
use crate::{Action, Domain, Fault, Op, Refused};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who asked: a typed id, `shell` or `nobody`.
    pub who: String,
    /// What they are called now.
    pub name: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// What was asked of the policies; `None` where nothing was, because nothing is there.
    pub question: Option<Question>,
}

/// What was asked, and how it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// To do what.
    pub action: Action,
    /// The thing's id, or `organization`.
    pub thing_id: String,
    /// The thing; `None` if there is no such thing.
    pub thing: Option<Thing>,
    /// The moment, as the policies saw it: when, from where, how and how lately they had signed in.
    pub circumstances: Circumstances,
    /// How it was answered.
    pub answer: Answer,
    /// Since then somebody's roles, teams or standing changed, or policies did: what follows is how the same question, of the
    /// same moment, would be decided now.
    pub changed: bool,
    /// What the policies say now.
    pub allowed: bool,
    /// The policies that speak of it, and what each comes to.
    pub considered: Vec<Considered>,
    /// Those among them that people wrote.
    pub written: WrittenPolicies,
    /// Of the roles that would be enough, the one that allows the least besides; only where the answer is no.
    pub enough: Option<Enough>,
}

impl Domain {
    /// Opens a refusal by its id, for those who may see why. To all others it is as if there were none, whatever it is about:
    /// their answer must not tell what they were not told.
    pub async fn decision(&self, op: &Op, id: &str) -> Result<Refusal, Refused> {
        let sight = self.explains(op).await.map_err(hidden)?;
        let told = self.told_by(id, op.now).ok_or(Refused::NotFound)?;
        let now = self.counter().await?;
        let in_force = self.gate().in_force(self.store(), now).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let thing = match &told.asked {
            Some(asked) => Thing::find(&mut conn, &asked.thing.id()).await?,
            None => None,
        };
        if !sight.covers(thing.as_ref().and_then(|it| it.resource.project())) {
            return Err(Refused::NotFound);
        }
        let (who, id) = principal(&told);
        let name = names::of(&mut conn, [id.as_str()]).await.map_err(Fault::from)?.remove(&id);
        let mut question = match told.asked {
            None => None,
            Some(asked) => {
                let who = (who, id.as_str());
                Some(self.explain_refusal(&mut conn, who, (told.at, op.now), asked, thing, &in_force).await?)
            }
        };
        drop(conn);
        if let (Some(question), Some(asked)) = (&mut question, told.asked) {
            question.changed = now.authority > asked.counter;
            let names = question.considered.iter().map(|it| it.policy.as_str());
            let written = self.written(op, names).await?;
            question.written = written;
        }
        Ok(Refusal { who: id, name, at: told.at, question })
    }

    async fn explain_refusal(
        &self,
        conn: &mut keywarden_store::Conn,
        (who, id): (authz::Who, &str),
        (at, now): (DateTime<Utc>, DateTime<Utc>),
        asked: Asked,
        thing: Option<Thing>,
        in_force: &InForce,
    ) -> Result<Question, Refused> {
        let Asked { action, thing: subject, around, answer, .. } = asked;
        let circumstances = around.circumstances(at);
        let mut question = Question {
            action,
            thing_id: subject.id(),
            thing,
            circumstances: circumstances.clone(),
            answer,
            changed: false,
            allowed: false,
            considered: Vec::new(),
            written: WrittenPolicies::new(),
            enough: None,
        };
        let Some(thing) = question.thing.as_ref().filter(|it| action.applies_to(&it.resource)) else {
            return Ok(question);
        };
        let (principal, active) = match &who {
            authz::Who::Person(_) | authz::Who::Workload(_) => {
                let principal = self.gate().principal_of(conn, who, id, now).await?;
                let active = principal.who != authz::Who::Nobody;
                (principal, active)
            }
            // What an operator's token may do is known by its holder alone; nobody holds nothing.
            authz::Who::Operator(_) | authz::Who::Nobody => (Principal::bare(who), false),
        };
        let target = Target::as_asked(conn, in_force, action, thing.resource).await?;
        let explainer = self.gate().explainer(in_force);
        question.allowed = explainer.decide(&principal, action, &target, &circumstances).allowed;
        question.considered = explainer.considered(&principal, action, &target, &circumstances);
        if active && !question.allowed {
            let workload = matches!(principal.who, authz::Who::Workload(_));
            let may_hold = |role, _| !(workload && role == keywarden_model::Role::Owner);
            let enough = explainer.smallest_role(&principal, action, &target, &circumstances, may_hold);
            question.enough =
                enough.map(|(role, project)| Enough { role, project: project.and(thing.project.clone()) });
        }
        Ok(question)
    }
}

fn hidden(refused: Refused) -> Refused {
    match refused {
        Refused::Forbidden(_) => Refused::NotFound,
        other => other,
    }
}

fn principal(told: &Told) -> (authz::Who, String) {
    match told.who {
        Who::Nobody => (authz::Who::Nobody, "nobody".into()),
        Who::Operator(None) => (authz::Who::Operator("shell".into()), "shell".into()),
        Who::Operator(Some(token)) => (authz::Who::Operator(token.to_string()), token.to_string()),
        Who::Person(id) => (authz::Who::Person(id), id.to_string()),
        Who::Workload(id) => (authz::Who::Workload(id), id.to_string()),
    }
}
