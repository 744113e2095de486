//! What wants attention, within what the caller may see: the facts of the home page.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, from_micros, later};
use keywarden_store::overview as rows;
use keywarden_store::workloads;

use crate::authz::{Owner, Reach};
use crate::projects::{Count, projects_in};
use crate::workloads::Workload;
use crate::{Action, Domain, Fault, Op, Refused};

/// How far ahead an end is worth telling of.
const SOON: TimeDelta = TimeDelta::days(14);
/// How long a key may lie unused before that is worth telling of.
const UNUSED: TimeDelta = TimeDelta::days(90);
/// How many of each are named.
const NAMED: u32 = 5;

/// Everything that wants attention.
#[derive(Debug)]
pub struct Overview {
    /// Keys that expire within 14 days.
    pub keys_expiring: Attention<KeyInBrief>,
    /// Keys older than 90 days that were not used for as long.
    pub keys_unused: Attention<KeyInBrief>,
    /// Keys whose owner is deactivated, or a team without an active member.
    pub keys_without_owner: Attention<KeyInBrief>,
    /// Keys whose old value was used after its rotation and still works.
    pub old_values_used: Attention<KeyInBrief>,
    /// Workloads with a token that ends within 14 days.
    pub tokens_expiring: Attention<Workload>,
}

/// One kind of thing that wants attention.
#[derive(Debug)]
pub struct Attention<T> {
    /// How many.
    pub count: Count,
    /// The most urgent few.
    pub first: Vec<T>,
    /// What makes the list of them: parameters of `/keys` or `/workloads`. Empty where there is no such filter; then
    /// each one named leads on.
    pub filter: &'static [(&'static str, &'static str)],
}

/// A key as the home page names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInBrief {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its project's slug.
    pub project_slug: String,
    /// Whose it is: the page that hands over what somebody owned is that person's.
    pub owner: Option<Owner>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<rows::Key> for KeyInBrief {
    fn from(row: rows::Key) -> Self {
        Self {
            id: row.id,
            name: row.name,
            project_slug: row.project_slug,
            owner: Owner::parse(&row.owner_id),
            expires_at: row.expires_at.map(from_micros),
            last_used_at: row.last_used_at.map(from_micros),
        }
    }
}

impl Domain {
    /// What wants the caller's attention.
    pub async fn overview(&self, op: &Op) -> Result<Overview, Refused> {
        let now = op.now;
        let seen = match self.reach(op, Action::ViewKey).await? {
            Reach::All => None,
            Reach::Part { projects, owners } => {
                Some((projects, owners.iter().map(ToString::to_string).collect()))
            }
        };
        let expiring = rows::About::Expiring(now, later(now, SOON));
        let unused = rows::About::Unused(now, earlier(now, UNUSED));
        Ok(Overview {
            keys_expiring: self.keys_about(expiring, &seen, &[("sort", "expires")]).await?,
            keys_unused: self
                .keys_about(unused, &seen, &[("unused", "90"), ("state", "active"), ("sort", "-last-used")])
                .await?,
            keys_without_owner: self.keys_about(rows::About::WithoutOwner(now), &seen, &[]).await?,
            old_values_used: self.keys_about(rows::About::OldValueUsed(now), &seen, &[]).await?,
            tokens_expiring: self.tokens_expiring(op).await?,
        })
    }

    async fn keys_about(
        &self,
        about: rows::About,
        seen: &rows::Seen,
        filter: &'static [(&'static str, &'static str)],
    ) -> Result<Attention<KeyInBrief>, Fault> {
        let mut conn = self.store().read().await?;
        let count = Count::of(rows::count(&mut conn, about, seen).await?);
        let first = rows::first(&mut conn, about, seen, NAMED.into()).await?;
        Ok(Attention { count, first: first.into_iter().map(KeyInBrief::from).collect(), filter })
    }

    async fn tokens_expiring(&self, op: &Op) -> Result<Attention<Workload>, Refused> {
        let filter = workloads::Filter {
            projects: projects_in(self.reach(op, Action::ViewWorkload).await?),
            token_ends_within: Some((op.now, later(op.now, SOON))),
            ..workloads::Filter::default()
        };
        let limit = u32::try_from(keywarden_store::count::COUNTED + 1).unwrap_or(u32::MAX);
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let found = workloads::list(&mut conn, &filter, limit).await?;
        let count = Count::of(i64::try_from(found.len()).unwrap_or(i64::MAX));
        let first = found.into_iter().take(NAMED as usize).map(Workload::try_from);
        let first = first.collect::<Result<_, _>>()?;
        Ok(Attention { count, first, filter: &[("token_ends_within_days", "14")] })
    }
}

#[cfg(test)]
mod tests {
    use keywarden_model::{ApiKeyId, KeyValueId, Role};
    use keywarden_store::{Sql, sql};

    use super::*;
    use crate::cast::{House, Stage, both_engines};
    use crate::workloads::TokenLifetime;

    struct Made<'a> {
        name: &'a str,
        owner: Owner,
        age_days: i64,
        expires_days: Option<i64>,
    }

    fn key(house: &House, stage: &Stage, made: &Made<'_>) -> (ApiKeyId, Sql) {
        let id = house.domain.env().id(house.now());
        let days = |n| house.now() + TimeDelta::days(n);
        let row = sql("INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind,
                                             owner_id, scopes, allowed_cidrs, tags, metadata, expires_at, imported,
                                             created_at, created_by, row_version)
                       VALUES ($1, $2, $3, $4, $5, '', $6, $7, '[]', '[]', '[]', '{}', $8, $9, $10, 'cast', 1)")
            .bind(id)
            .bind(stage.id)
            .bind(stage.live)
            .bind(made.name)
            .bind(made.name)
            .bind(made.owner.kind())
            .bind(made.owner.to_string())
            .bind(made.expires_days.map(days))
            .bind(false)
            .bind(days(-made.age_days));
        (id, row)
    }

    /// A value of a key; one that ended did so an hour ago.
    fn value(house: &House, key: ApiKeyId, ended: bool) -> Sql {
        let id: KeyValueId = house.domain.env().id(house.now());
        sql("INSERT INTO key_values (id, key_id, public_id, label, imported, mac_key_id, mac, created_at, created_by,
                                     stops_at)
             VALUES ($1, $2, $3, 'live', $4, 'krk', $5, $6, 'cast', $7)")
        .bind(id)
        .bind(key)
        .bind(format!("public of {id}"))
        .bind(false)
        .bind(vec![0_u8])
        .bind(house.now())
        .bind(ended.then(|| house.now() - TimeDelta::hours(1)))
    }

    #[tokio::test]
    async fn each_sees_what_wants_attention_among_what_they_may_see() {
        both_engines(async |house| {
            let (pay, hr) = (house.project("pay").await, house.project("hr").await);
            let olga = house.person("Olga", &[(Role::Owner, None)]).await;
            let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
            let gone = house.person("Gone", &[]).await;
            let kim = house.person("Kim", &[]).await;
            let empty = house.team("empty", &[], &[]).await;
            let mine = Owner::Person(mia.id);
            let made = [
                (&pay, Made { name: "soon", owner: mine, age_days: 1, expires_days: Some(14) }),
                (&pay, Made { name: "later", owner: mine, age_days: 1, expires_days: Some(15) }),
                (&pay, Made { name: "over", owner: mine, age_days: 200, expires_days: Some(-1) }),
                (&pay, Made { name: "idle", owner: mine, age_days: 91, expires_days: None }),
                (&pay, Made { name: "orphan", owner: Owner::Person(gone.id), age_days: 1, expires_days: None }),
                (&hr, Made { name: "nobody's", owner: Owner::Team(empty), age_days: 1, expires_days: None }),
                (&hr, Made { name: "kim's", owner: Owner::Person(kim.id), age_days: 1, expires_days: Some(1) }),
                (&pay, Made { name: "spent", owner: Owner::Person(gone.id), age_days: 91, expires_days: Some(5) }),
            ];
            let (ids, mut rows): (Vec<_>, Vec<_>) = made.iter().map(|(stage, made)| key(&house, stage, made)).unzip();
            rows.extend(ids.iter().zip(&made).map(|(id, (_, made))| value(&house, *id, made.name == "spent")));
            let value: KeyValueId = house.domain.env().id(house.now());
            rows.push(
                sql("INSERT INTO key_values (id, key_id, public_id, label, imported, mac_key_id, mac, created_at,
                                             created_by, superseded_at, stops_at, last_used_at)
                     VALUES ($1, $2, 'p', 'live', $3, 'krk', $4, $5, 'cast', $6, $7, $8)")
                .bind(value)
                .bind(ids[1])
                .bind(false)
                .bind(vec![0_u8])
                .bind(house.now())
                .bind(house.now() - TimeDelta::hours(2))
                .bind(house.now() + TimeDelta::hours(2))
                .bind(house.now() - TimeDelta::hours(1)),
            );
            rows.push(sql("UPDATE users SET state = 'deactivated' WHERE id = $1").bind(gone.id));
            house.put(rows).await;
            let gate = house.workload("gate", Role::Verifier, Some(pay.id)).await;
            house.domain.issue_service_token(&mia.op(), gate.id, TokenLifetime::from_seconds(3_600).unwrap()).await.unwrap();

            let names = |it: &Attention<KeyInBrief>| {
                assert_eq!(it.count.counted, it.first.len() as u64);
                it.first.iter().map(|it| it.name.clone()).collect::<Vec<_>>()
            };
            let all = house.domain.overview(&olga.op()).await.unwrap();
            assert_eq!(names(&all.keys_expiring), ["kim's", "soon"]);
            assert_eq!(names(&all.keys_unused), ["idle"]);
            assert_eq!(names(&all.keys_without_owner), ["orphan", "nobody's"]);
            assert_eq!(names(&all.old_values_used), ["later"]);
            assert_eq!(all.tokens_expiring.first[0].name, "gate");
            let hers = house.domain.overview(&mia.op()).await.unwrap();
            assert_eq!(names(&hers.keys_expiring), ["soon"]);
            assert_eq!(names(&hers.keys_without_owner), ["orphan"]);
            let own = house.domain.overview(&kim.op()).await.unwrap();
            assert_eq!(names(&own.keys_expiring), ["kim's"], "what one owns, wherever it lies");
            assert!(own.tokens_expiring.first.is_empty());
            house.clock.advance(std::time::Duration::from_hours(3));
            let all = house.domain.overview(&olga.steps_up().op()).await.unwrap();
            assert!(all.old_values_used.first.is_empty() && all.tokens_expiring.first.is_empty());
        })
        .await;
    }
}
