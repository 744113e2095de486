//! People and workloads in a house, and what they hold.

use chrono::{DateTime, Utc};
use keywarden_model::{
    PasskeyId, ProjectId, RequestId, Role, RoleBindingId, ServiceTokenId, SessionId, TeamId, UserId,
    WorkloadId,
};
use keywarden_store::{Sql, sql};

use super::House;
use crate::{Actor, Env, LastRefusal, Once, Op, Person, Source};

/// A person in a session, whose passkey signed just now.
#[derive(Debug, Clone)]
pub struct Player {
    /// Who.
    pub id: UserId,
    /// The name.
    pub name: String,
    session: SessionId,
    passkey: PasskeyId,
    asserted_at: Option<DateTime<Utc>>,
    env: Env,
}

/// A passkey in somebody's account.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it leaves its device.
    pub synced: bool,
    /// When it last signed.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From when on it may approve.
    pub may_approve_after: DateTime<Utc>,
}

/// A workload with a token.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Which.
    pub id: WorkloadId,
    /// Its token's row.
    pub token: ServiceTokenId,
    env: Env,
}

impl House {
    /// An active person with roles, whose passkey signed just now.
    pub async fn person(&self, name: &str, roles: &[(Role, Option<ProjectId>)]) -> Player {
        let env = self.domain.env();
        let now = self.now();
        let id: UserId = env.id(now);
        let handle: [u8; 16] = env.bytes();
        let mut rows = vec![
            sql("INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, 'active', $5, 'cast', 1)")
            .bind(id)
            .bind(name)
            .bind(name.to_lowercase())
            .bind(handle)
            .bind(now),
        ];
        rows.extend(
            roles.iter().map(|(role, project)| self.binding("person", id.to_string(), *role, *project)),
        );
        self.put(rows).await;
        Player {
            id,
            name: name.into(),
            session: env.id(now),
            passkey: env.id(now),
            asserted_at: Some(now),
            env: env.clone(),
        }
    }

    /// Puts passkeys into a person's account; the first is the one that signed.
    pub async fn holds(&self, player: &Player, passkeys: &[Held<'_>]) {
        let (env, now) = (self.domain.env(), self.now());
        let ids = std::iter::once(player.passkey).chain(std::iter::repeat_with(|| env.id(now)));
        let rows = ids.zip(passkeys).map(|(id, held)| {
            sql("INSERT INTO passkeys (id, user_id, credential_id, name, credential, attestation, synced, created_at,
                                       last_used_at, may_approve_after, row_version)
                 VALUES ($1, $2, $3, $4, '{}', $5, $6, $7, $8, $9, 1)")
            .bind(id)
            .bind(player.id)
            .bind(env.bytes::<16>())
            .bind(held.name)
            .bind(env.bytes::<16>())
            .bind(held.synced)
            .bind(now)
            .bind(held.last_used_at)
            .bind(held.may_approve_after)
        });
        self.put(rows.collect()).await;
    }

    /// A workload with a role: in `project`, or in the organization.
    pub async fn workload(&self, name: &str, role: Role, project: Option<ProjectId>) -> Machine {
        let env = self.domain.env();
        let now = self.now();
        let id: WorkloadId = env.id(now);
        let row = sql("INSERT INTO workloads (id, name, folded_name, project_id, state, created_at, created_by, row_version)
                       VALUES ($1, $2, $3, $4, 'active', $5, 'cast', 1)")
            .bind(id)
            .bind(name)
            .bind(name.to_lowercase())
            .bind(project)
            .bind(now);
        self.put(vec![row, self.binding("workload", id.to_string(), role, project)]).await;
        Machine { id, token: env.id(now), env: env.clone() }
    }

    /// A team with members and roles.
    pub async fn team(&self, slug: &str, members: &[UserId], roles: &[(Role, Option<ProjectId>)]) -> TeamId {
        let now = self.now();
        let id: TeamId = self.domain.env().id(now);
        let mut rows = vec![
            sql("INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, $5, 'cast', 1)")
            .bind(id)
            .bind(slug)
            .bind(slug)
            .bind(slug)
            .bind(now),
        ];
        rows.extend(members.iter().map(|member| {
            sql("INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, $3)")
                .bind(id)
                .bind(*member)
                .bind(now)
        }));
        rows.extend(
            roles.iter().map(|(role, project)| self.binding("team", id.to_string(), *role, *project)),
        );
        self.put(rows).await;
        id
    }

    fn binding(&self, kind: &'static str, id: String, role: Role, project: Option<ProjectId>) -> Sql {
        let binding: RoleBindingId = self.domain.env().id(self.now());
        sql("INSERT INTO role_bindings (id, principal_kind, principal_id, role, project_id, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, 'cast')")
        .bind(binding)
        .bind(kind)
        .bind(id)
        .bind(role.to_string())
        .bind(project)
        .bind(self.now())
    }
}

impl Player {
    /// An operation of this person's, now.
    pub fn op(&self) -> Op {
        let person = Person {
            id: self.id,
            session: self.session,
            passkey: Some(self.passkey),
            asserted_at: self.asserted_at,
            synced: false,
            recovering: false,
        };
        operation(&self.env, Actor::Person(person))
    }

    /// As [`Player::op`], to be done once under this idempotency key.
    #[expect(clippy::expect_used, reason = "the cast is for tests: what fails here fails the test")]
    pub fn op_once(&self, key: &str, request: &[&[u8]]) -> Op {
        Op { once: Some(Once::new(key, request).expect("an idempotency key")), ..self.op() }
    }

    /// The same person, whose passkey signed just now.
    #[must_use]
    pub fn steps_up(&self) -> Self {
        Self { asserted_at: Some(self.env.now()), ..self.clone() }
    }

    /// The same person, whose passkey never signed in this session.
    #[must_use]
    pub fn without_step_up(&self) -> Self {
        Self { asserted_at: None, ..self.clone() }
    }
}

impl Machine {
    /// An operation of this workload's, now.
    pub fn op(&self) -> Op {
        operation(&self.env, Actor::Workload { id: self.id, token: self.token })
    }
}

pub(super) fn operation(env: &Env, actor: Actor) -> Op {
    let now = env.now();
    let source = Source { address: Some([192, 0, 2, 7].into()), agent: Some("cast/1".into()) };
    Op {
        actor,
        source,
        request: env.id::<RequestId>(now),
        now,
        once: None,
        reason: None,
        seen: None,
        refusal: LastRefusal::default(),
    }
}
