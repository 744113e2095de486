//! A refusal, opened by those who may know why.

use chrono::{DateTime, Utc};
use keywarden_store::names;

use super::Who;
use super::refusal::{Answer, Asked, Told};
use crate::authz::{self, Considered, Principal, Target};
use crate::permissions::{Enough, Thing};
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
    /// The session was opened by a recovery code or link.
    pub recovering: bool,
    /// How it was answered.
    pub answer: Answer,
    /// Since then somebody's roles, teams or standing changed: what follows is how it would be decided now.
    pub changed: bool,
    /// What the policies say now.
    pub allowed: bool,
    /// The policies that speak of it, and what each comes to.
    pub considered: Vec<Considered>,
    /// Of the roles that would be enough, the one that allows the least besides; only where the answer is no.
    pub enough: Option<Enough>,
}

impl Domain {
    /// Opens a refusal by its id, for those who may see why. To all others it is as if there were none, whatever it is about:
    /// their answer must not tell what they were not told.
    pub async fn decision(&self, op: &Op, id: &str) -> Result<Refusal, Refused> {
        let sight = self.explains(op).await.map_err(hidden)?;
        let told = self.told_by(id, op.now).ok_or(Refused::NotFound)?;
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
        let question = match told.asked {
            None => None,
            Some(asked) => Some(self.explain_refusal(&mut conn, who, &id, asked, thing).await?),
        };
        Ok(Refusal { who: id, name, at: told.at, question })
    }

    async fn explain_refusal(
        &self,
        conn: &mut keywarden_store::Conn,
        who: authz::Who,
        id: &str,
        asked: Asked,
        thing: Option<Thing>,
    ) -> Result<Question, Refused> {
        let Asked { action, thing: subject, recovering, answer, counter } = asked;
        let changed = self.counter().await?.authority > counter;
        let mut question = Question {
            action,
            thing_id: subject.id(),
            thing,
            recovering,
            answer,
            changed,
            allowed: false,
            considered: Vec::new(),
            enough: None,
        };
        let Some(thing) = question.thing.as_ref().filter(|it| action.applies_to(&it.resource)) else {
            return Ok(question);
        };
        let (principal, active) = match &who {
            authz::Who::Person(_) | authz::Who::Workload(_) => {
                let principal = self.gate().principal_of(conn, who, id).await?;
                let active = principal.who != authz::Who::Nobody;
                (principal, active)
            }
            // What an operator's token may do is known by its holder alone; nobody holds nothing.
            authz::Who::Operator(_) | authz::Who::Nobody => (Principal::bare(who), false),
        };
        let target = Target::as_asked(conn, action, thing.resource).await?;
        let rules = self.gate().rules();
        question.allowed = rules.decide(&principal, action, &target, recovering).allowed;
        question.considered = rules.considered(&principal, action, &target, recovering);
        if active && !question.allowed {
            let workload = matches!(principal.who, authz::Who::Workload(_));
            let may_hold = |role, _| !(workload && role == keywarden_model::Role::Owner);
            let enough = rules.smallest_role(&principal, action, &target, recovering, may_hold);
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
