//! Removing what has had its day. Silent: nothing that is removed here is anybody's decision.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, micros};
use keywarden_store::sweep::Sweep;
use keywarden_store::{StoreError, WriteError, idempotency};

use crate::once::SECRET_KEPT;
use crate::tokens::silent;
use crate::{Domain, Fault, Op};

/// Rows in one write.
const BATCH: u32 = 1_000;
/// For how long a sweep goes on: the rest is for the next one.
const LONGEST: Duration = Duration::from_mins(1);

impl Domain {
    /// Sweeps until nothing is left, or for a minute; says how many rows went. A job calls it every ten minutes, on any number of
    /// nodes.
    pub async fn sweep(&self, op: &Op) -> Result<u64, Fault> {
        let began = self.env().monotonic();
        let mut gone = self.sweep_idempotency(op.now).await?;
        let mut due = Sweep::ALL.to_vec();
        // A batch of each in turn: what there is much of keeps nothing else waiting.
        while !due.is_empty() && self.env().monotonic().saturating_duration_since(began) < LONGEST {
            let mut left = Vec::new();
            for kind in due {
                let before = before(kind, op.now);
                let swept = self.store().write_silently("what has had its day", move |tx| {
                    Box::pin(async move { kind.run(tx, before, BATCH.into()).await })
                });
                let swept = swept.await.map_err(silent)?;
                gone = gone.saturating_add(swept);
                if swept >= u64::from(BATCH) {
                    left.push(kind);
                }
            }
            due = left;
        }
        Ok(gone)
    }

    async fn sweep_idempotency(&self, now: DateTime<Utc>) -> Result<u64, Fault> {
        let swept = self.store().write_silently("replays that are not recognised any more", move |tx| {
            Box::pin(async move { idempotency::sweep(tx, earlier(now, SECRET_KEPT), now).await })
        });
        swept.await.map_err(|error: WriteError<StoreError>| silent(error))
    }
}

/// Before when a kind has had its day, in the unit that it is kept in.
fn before(kind: Sweep, now: DateTime<Utc>) -> i64 {
    match kind {
        Sweep::Ceremonies
        | Sweep::DeviceGrants
        | Sweep::PendingPosts
        | Sweep::PurgedAliases
        | Sweep::Sessions
        | Sweep::UnseenCodes => micros(now),
        // Every node reads the counter each 250 ms; one that slept longer forgets everything. A token is refused by its own
        // expiry before its mark goes.
        Sweep::Changes | Sweep::ExchangedTokens => micros(earlier(now, TimeDelta::hours(1))),
        // For a day, what a rule let in can still be told from what it did not.
        Sweep::ExchangedServiceTokens => micros(earlier(now, TimeDelta::days(1))),
        // Of links, pages still tell for as long that one lapsed.
        Sweep::Decisions | Sweep::OneTimeLinks | Sweep::Shares => micros(earlier(now, TimeDelta::days(30))),
        // Windows are at most a day long.
        Sweep::RateWindows => earlier(now, TimeDelta::days(2)).timestamp(),
        // A key that is told of 30 days before its end is not told of anew.
        Sweep::Deliveries | Sweep::Messages | Sweep::Notices => micros(earlier(now, TimeDelta::days(90))),
        Sweep::Usage => earlier(now, TimeDelta::days(400)).timestamp().div_euclid(3_600),
    }
}

#[cfg(test)]
mod tests {
    use keywarden_store::{count::number, sql};

    use super::*;
    use crate::cast::{House, both_engines};

    async fn left(house: &House, text: &'static str) -> i64 {
        number(sql(text), &mut house.store.read().await.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn what_has_had_its_day_goes_and_the_rest_stays() {
        both_engines(async |house| {
            let now = house.now();
            let ceremony = |n: i64, expires: DateTime<Utc>| {
                sql("INSERT INTO ceremonies (id, kind, bound_to, sealed, created_at, expires_at)
                     VALUES ($1, 'sign-in', 'x', $2, $3, $4)")
                .bind(format!("cer_{n}"))
                .bind(vec![0_u8])
                .bind(now)
                .bind(expires)
            };
            // More than one batch of the first kind.
            let mut rows: Vec<_> = (0..1_500).map(|n| ceremony(n, now)).collect();
            rows.push(ceremony(9_999, now + TimeDelta::minutes(5)));
            let usage = |hour: i64| {
                sql("INSERT INTO key_usage (value_id, hour, address, agent, workload_id, outcome, key_id, uses,
                                            first_at, last_at)
                     VALUES ('v', $1, 'a', '', 'w', 'valid', 'k', 1, 0, 0)")
                .bind(hour)
            };
            let window = |start: i64| {
                sql("INSERT INTO rate_reserves (key_id, window_start, window_seconds, reserved) VALUES ('k', $1, 60, 1)").bind(start)
            };
            let hour = now.timestamp() / 3_600;
            let day = 24 * 3_600;
            rows.extend([usage(hour - 401 * 24), usage(hour - 399 * 24)]);
            rows.extend([window(now.timestamp() - 3 * day), window(now.timestamp() - day)]);
            let waiting = |table: &'static str, id: &'static str, expires: DateTime<Utc>| {
                sql(table).bind(id).bind(vec![0_u8]).bind(now).bind(expires)
            };
            const CODES: &str =
                "INSERT INTO unseen_codes (session_id, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4)";
            const POSTS: &str = "INSERT INTO pending_posts (id, session_id, sealed, created_at, expires_at)
                                 VALUES ($1, 'ses_1', $2, $3, $4)";
            for table in [CODES, POSTS] {
                rows.push(waiting(table, "old", now));
                rows.push(waiting(table, "new", now + TimeDelta::minutes(5)));
            }
            house.put(rows).await;
            let mut op = house.domain.system_op("sweep");
            op.now += TimeDelta::seconds(1);
            assert_eq!(house.domain.sweep(&op).await.unwrap(), 1_504);
            assert_eq!(left(&house, "SELECT count(*) AS number FROM unseen_codes").await, 1);
            assert_eq!(left(&house, "SELECT count(*) AS number FROM pending_posts").await, 1);
            assert_eq!(left(&house, "SELECT count(*) AS number FROM ceremonies").await, 1);
            assert_eq!(left(&house, "SELECT count(*) AS number FROM key_usage").await, 1);
            assert_eq!(left(&house, "SELECT count(*) AS number FROM rate_reserves").await, 1);
            assert!(left(&house, "SELECT count(*) AS number FROM changes").await > 0);
            op.now += TimeDelta::minutes(61);
            house.domain.sweep(&op).await.unwrap();
            assert_eq!(left(&house, "SELECT count(*) AS number FROM changes").await, 0);
        })
        .await;
    }

    #[tokio::test]
    async fn a_sweep_goes_on_until_nothing_is_left_however_much_there_is() {
        both_engines(async |house| {
            let old = "INSERT INTO key_usage (value_id, hour, address, agent, workload_id, outcome, key_id, uses, first_at, last_at)
                       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 52000)
                       SELECT 'v' || i, 0, 'a', '', 'w', 'valid', 'k', 1, 0, 0 FROM n";
            house.put(vec![sql(old)]).await;
            assert_eq!(house.domain.sweep(&house.domain.system_op("sweep")).await.unwrap(), 52_000);
            assert_eq!(left(&house, "SELECT count(*) AS number FROM key_usage").await, 0);
        })
        .await;
    }
}
