//! Who is asking: extractors that make the operation and fill the page's frame.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, request::Parts};
use keywarden_domain::{Actor, Domain, LastRefusal, Op, Source, authz::ASSERTION_AGE};
use keywarden_model::{RequestId, time::later};

use super::{House, Posted, Standing};
use crate::{
    render,
    shell::{Decision, Elevation, ProjectLink, Section, Shell, Visit, Who, encoded},
};

/// Where a person signs in.
pub(crate) const SIGN_IN: &str = "/sign-in";
/// Where a session that may only enrol a passkey leads.
pub(crate) const ENROL: &str = "/enrol";
/// Projects in the switcher, and one more to know that there are others.
const PROJECTS: u32 = 13;

/// Anybody, known or not; whoever it is, the frame is the bare one. For setup, invitations and recovery.
#[derive(Debug)]
pub struct Guest {
    /// The bare frame.
    pub shell: Shell,
    /// Nobody's operation.
    pub op: Op,
}

/// As [`Guest`], but the operation is that of whoever is signed in. For signing in, which replaces a session.
#[derive(Debug)]
pub struct Anybody {
    /// The bare frame.
    pub shell: Shell,
    /// The operation of the person, or of nobody.
    pub op: Op,
}

/// Anybody, for pages that are the same for everybody: in the whole frame for who is signed in, else in the bare one.
#[derive(Debug)]
pub struct Reader {
    /// The frame.
    pub shell: Shell,
}

/// Somebody signed in, perhaps by a recovery code: the session may enrol a passkey or end, and nothing else.
#[derive(Debug)]
pub struct Signed {
    /// The whole frame, or the bare one while recovering.
    pub shell: Shell,
    /// The person's operation.
    pub op: Op,
}

/// A person who is signed in. Everybody else is led to where they can be.
#[derive(Debug)]
pub struct Asking {
    /// The whole frame; the page sets its `section` and `project`.
    pub shell: Shell,
    /// The person's operation.
    pub op: Op,
}

impl Asking {
    /// Says in the frame where in the console this page is.
    #[must_use]
    pub fn at(mut self, section: Section) -> Self {
        self.shell.section = Some(section);
        self
    }

    /// The operation is done once, however often the form arrives, and for the reason that the form gives, if any. A form without a key was not made by a page of
    /// ours and is done as often as it comes.
    #[must_use]
    pub fn once(mut self, posted: &Posted) -> Self {
        self.op.once = posted.once();
        self.op.reason = posted.reason();
        self
    }
}

/// A request before it is said who asks.
struct Arrival {
    shell: Shell,
    actor: Actor,
    source: Source,
    request: RequestId,
    domain: Domain,
}

impl Arrival {
    async fn of(parts: &mut Parts, house: &House) -> Self {
        let visit = match Visit::from_request_parts(parts, house).await {
            Ok(visit) => visit,
            Err(never) => match never {},
        };
        let env = house.domain.env();
        let now = env.now();
        let seed = URL_SAFE_NO_PAD.encode(env.bytes::<16>());
        let mut shell = Shell::new(house.console, visit, now, seed);
        let Standing { condition, protection } = house.standing();
        shell.condition = condition;
        shell.protection = protection;
        // What a route without the session layer does not have: nobody, from nowhere.
        let extensions = &parts.extensions;
        Self {
            shell,
            actor: extensions.get().cloned().unwrap_or(Actor::Nobody),
            source: extensions.get().cloned().unwrap_or_default(),
            request: extensions.get().copied().unwrap_or_else(|| env.id(now)),
            domain: house.domain.clone(),
        }
    }

    /// The operation goes by the same instant as the frame.
    fn opened(self) -> (Shell, Op) {
        let Self { mut shell, actor, source, request, domain } = self;
        let refusal = LastRefusal::default();
        refusal.by(&actor, shell.now);
        shell.decision = Decision::of(domain, refusal.clone());
        let op = Op { actor, source, request, now: shell.now, once: None, reason: None, seen: None, refusal };
        (shell, op)
    }
}

/// To sign in, and then back here if there is a page to come back to.
fn sign_in(parts: &Parts, shell: &Shell) -> Response {
    let path = if parts.method == Method::GET { shell.path.as_str() } else { "/" };
    render::see_other(&format!("{SIGN_IN}?next={}", encoded(path)))
}

impl FromRequestParts<House> for Guest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Infallible> {
        let (shell, op) = Arrival { actor: Actor::Nobody, ..Arrival::of(parts, house).await }.opened();
        Ok(Self { shell, op })
    }
}

impl FromRequestParts<House> for Anybody {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Infallible> {
        let (shell, op) = Arrival::of(parts, house).await.opened();
        Ok(Self { shell, op })
    }
}

impl FromRequestParts<House> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Response> {
        let (mut shell, op) = Arrival::of(parts, house).await.opened();
        if op.actor.person().is_some_and(|person| !person.recovering) {
            house.dress(&mut shell, &op).await?;
        }
        Ok(Self { shell })
    }
}

impl FromRequestParts<House> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Response> {
        let (mut shell, op) = Arrival::of(parts, house).await.opened();
        match op.actor.person() {
            None => return Err(sign_in(parts, &shell)),
            Some(person) if person.recovering => {}
            Some(_) => house.dress(&mut shell, &op).await?,
        }
        Ok(Self { shell, op })
    }
}

impl FromRequestParts<House> for Asking {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Response> {
        let Signed { shell, op } = Signed::from_request_parts(parts, house).await?;
        match op.actor.person() {
            Some(person) if !person.recovering => Ok(Self { shell, op }),
            _ => Err(render::see_other(ENROL)),
        }
    }
}

impl House {
    /// Says in the frame who it is and which projects they reach.
    async fn dress(&self, shell: &mut Shell, op: &Op) -> Result<(), Response> {
        let known = async {
            let me = self.domain.me(op).await?;
            let projects = self.domain.projects_in_sight(op, PROJECTS).await?;
            let policies = self.domain.sees_policies(op).await?;
            let waiting = self.domain.access_waiting(op).await?;
            let held = self.domain.own_access(op).await?;
            let unread = self.domain.unread_notices(op).await?;
            Ok((me, projects, policies, (waiting, held), unread))
        };
        let (me, projects, policies, (waiting, held), unread) =
            known.await.map_err(|refused| render::refused(shell, refused))?;
        let detail = me.role.map_or(shell.text.role_member(), |role| shell.text.role(role));
        shell.proven_until = op
            .actor
            .person()
            .and_then(|person| person.asserted_at)
            .map(|at| later(at, ASSERTION_AGE))
            .filter(|until| *until > op.now);
        shell.who = Some(Who { name: me.name, detail: detail.to_owned() });
        shell.policies = policies;
        shell.access_waiting = waiting;
        let t = shell.text;
        shell.elevations = held
            .into_iter()
            .map(|it| Elevation {
                role: t.access_in(t.role(it.role), it.project.as_deref().unwrap_or(t.access_organization())),
                until: it.ends_at,
                give_back: format!("/access/grants/{}/give-back", it.id),
            })
            .collect();
        shell.unread = unread;
        shell.projects =
            projects.into_iter().map(|it| ProjectLink { slug: it.slug, name: it.name }).collect();
        Ok(())
    }
}
