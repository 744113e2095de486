//! What is in force in an environment, and what is held against it there.

use chrono::{DateTime, Utc};
use keywarden_model::time::later;
use keywarden_model::{ProjectId, SecretLabel, StandardId};
use keywarden_store::{Conn, standards as rows};

use super::rules::{Breach, Demand, KeyStand, Rules, SecretStand};
use crate::keys::Key;
use crate::secrets::{Secret, SecretView};
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// A standard that is in force.
#[derive(Debug, Clone)]
pub struct Holding {
    /// Its id.
    pub standard: StandardId,
    /// What people call it.
    pub name: String,
    /// What it asks for; `None`: that cannot be read.
    pub rules: Option<Rules>,
}

/// All that are in force in one environment.
#[derive(Debug)]
pub(crate) struct InForce(Vec<Holding>);

impl InForce {
    /// As of the transaction, or of the connection.
    pub(crate) async fn of(
        conn: &mut Conn,
        project: ProjectId,
        slug: &str,
        label: &str,
    ) -> Result<Self, Fault> {
        let found = rows::in_force(conn, project).await?;
        let mut holding = Vec::with_capacity(found.len());
        for row in found {
            let rules = match serde_json::from_str::<Rules>(&row.rules) {
                Ok(rules) if !rules.are_about(slug, label) => continue,
                Ok(rules) => Some(rules),
                Err(cause) => {
                    let standard = row.standard_id.to_string();
                    tracing::error!(standard, %cause, "a standard in force cannot be read");
                    None
                }
            };
            holding.push(Holding { standard: row.standard_id, name: row.name, rules });
        }
        Ok(Self(holding))
    }

    /// How long keys live at most, in seconds: the strictest of these and of the environment's own limit.
    pub(crate) fn longest(&self, own: Option<i64>) -> Option<i64> {
        let days = self.0.iter().filter_map(|it| it.rules.as_ref()?.key_lifetime_days);
        days.map(|it| it.span().num_seconds()).chain(own).min()
    }

    /// Refuses to let a value work on for longer than a key with it as its newest one lives.
    pub(crate) fn hold_value(
        &self,
        made: DateTime<Utc>,
        before: Option<DateTime<Utc>>,
        until: DateTime<Utc>,
    ) -> Result<(), Breach> {
        if before.is_some_and(|end| until <= end) {
            return Ok(());
        }
        let late = |rules: &Rules| {
            let days = rules.key_lifetime_days.filter(|days| until > later(made, days.span()));
            days.map(|days| Demand::KeyLifetime { days: days.number() }).into_iter().collect()
        };
        self.first(late)
    }

    /// Refuses a key that is made, or what an edit changes about one to what it must not be: what stays as it was is reported,
    /// not refused.
    pub(crate) fn hold_key(
        &self,
        before: Option<&KeyStand<'_>>,
        after: &KeyStand<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), Breach> {
        let kept = |demand: &Demand, before: &KeyStand<'_>, had: &[Demand]| match demand {
            Demand::KeyLifetime { .. } => before.expires_at == after.expires_at,
            Demand::KeyName { .. } => before.name == after.name,
            Demand::Owner => before.of_team == after.of_team,
            other => had.contains(other),
        };
        if before == Some(after) {
            return Ok(());
        }
        self.first(|rules| {
            let had = before.map(|it| (it, rules.of_key(it, now)));
            let mut demands = rules.of_key(after, now);
            demands.retain(|it| !had.as_ref().is_some_and(|(before, had)| kept(it, before, had)));
            demands
        })
    }

    /// As [`InForce::hold_key`], of a secret. Its path never changes.
    pub(crate) fn hold_secret(
        &self,
        before: Option<&SecretStand<'_>>,
        after: &SecretStand<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), Breach> {
        if before == Some(after) {
            return Ok(());
        }
        self.first(|rules| {
            let had = before.map(|it| rules.of_secret(it, now)).unwrap_or_default();
            let mut demands = rules.of_secret(after, now);
            demands.retain(|it| !had.contains(it));
            demands
        })
    }

    fn first(&self, ask: impl Fn(&Rules) -> Vec<Demand>) -> Result<(), Breach> {
        let first = self.breaches(ask).into_iter().find(|it| !it.demand.is_of_time());
        first.map_or(Ok(()), Err)
    }

    fn breaches(&self, ask: impl Fn(&Rules) -> Vec<Demand>) -> Vec<Breach> {
        let of = |it: &Holding| {
            let (standard, name) = (it.standard, it.name.clone());
            let breach = move |demand| Breach { standard, name: name.clone(), demand };
            let demands = it.rules.as_ref().map_or_else(|| vec![Demand::Unreadable], &ask);
            demands.into_iter().map(breach).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }
}

impl Key {
    /// As standards see it, where its newest value was made then.
    pub(crate) fn stand(&self, since: DateTime<Utc>) -> KeyStand<'_> {
        KeyStand {
            name: self.name.as_str(),
            of_team: self.owner.is_team(),
            tags: &self.tags,
            scopes: &self.scopes,
            expires_at: self.expires_at,
            since,
        }
    }
}

impl Secret {
    /// As standards see it, where its current version was made then.
    pub(crate) fn stand(&self, since: Option<DateTime<Utc>>) -> SecretStand<'_> {
        SecretStand { path: self.path.as_str(), of_team: self.owner.is_team(), tags: &self.tags, since }
    }
}

impl Domain {
    /// What a key that the caller may see breaks. One that is revoked or has expired breaks nothing any more.
    pub async fn breaches_of_key(
        &self,
        op: &Op,
        key: &Key,
        since: DateTime<Utc>,
    ) -> Result<Vec<Breach>, Refused> {
        let _permit = self.authorize(op, Action::ViewKey, &key.resource()).await?;
        if key.revoked.is_some() || key.archived || key.expires_at.is_some_and(|end| end <= op.now) {
            return Ok(Vec::new());
        }
        let mut conn = self.store().read().await?;
        let held = InForce::of(&mut conn, key.project, &key.environment_slug, &key.label).await?;
        Ok(held.breaches(|rules| rules.of_key(&key.stand(since), op.now)))
    }

    /// What a secret that the caller may see breaks. One that is deleted breaks nothing any more.
    pub async fn breaches_of_secret(&self, op: &Op, view: &SecretView) -> Result<Vec<Breach>, Refused> {
        let secret = &view.secret;
        let _permit = self.authorize(op, Action::ViewSecret, &secret.resource()).await?;
        if secret.deletion.is_some() || secret.archived {
            return Ok(Vec::new());
        }
        let current = view.labels.iter().find(|(label, _)| label.as_str() == SecretLabel::CURRENT);
        let current = view.versions.iter().find(|it| current.is_some_and(|(_, number)| *number == it.number));
        let since = current.map(|it| it.created_at);
        let mut conn = self.store().read().await?;
        let place = keywarden_store::keys::place(&mut conn, secret.environment).await?;
        let place = place.ok_or(Refused::NotFound)?;
        let held = InForce::of(&mut conn, secret.project, &place.slug, &place.label).await?;
        Ok(held.breaches(|rules| rules.of_secret(&secret.stand(since), op.now)))
    }

    /// What is in force in an environment of a project that the caller may see.
    pub async fn standards_in_force(
        &self,
        op: &Op,
        project: ProjectId,
        slug: &str,
        label: &str,
    ) -> Result<Vec<Holding>, Refused> {
        let _permit = self.authorize(op, Action::ViewProject, &Resource::Project(project)).await?;
        let mut conn = self.store().read().await?;
        Ok(InForce::of(&mut conn, project, slug, label).await?.0)
    }
}
