//! What is new in an environment, for as many watchers as there are.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{earlier, micros};
use keywarden_model::{EventId, ProjectId, TypedId};
use keywarden_store::Conn;
use keywarden_store::keys::Place as PlaceRow;
use keywarden_store::secrets::{self as rows, ChangeRow, TurnRow};

use super::{MOST, OVERLAP};
use crate::keys::Place;
use crate::{Domain, Fault, Refused};

/// What is shared is at most so much older than what a watcher heard: after more than that, a clock was set back.
const BEHIND: TimeDelta = TimeDelta::seconds(1);
/// A watcher that was told so long ago, or less, finds here what it lacks.
const REACH: TimeDelta = TimeDelta::seconds(10);

/// What was done in an environment, and what time did there, until an instant. It tells of no value, and whoever is told of it
/// must be allowed to see the environment's secrets.
#[derive(Debug)]
pub struct Recent {
    project: ProjectId,
    now: DateTime<Utc>,
    /// In the order of their ids.
    changes: Vec<ChangeRow>,
    /// In the order of their instants.
    turns: Vec<TurnRow>,
    /// There is more than was read.
    is_cut: bool,
}

impl Recent {
    /// What was done after this event, and what time did after this instant.
    pub(super) async fn read(
        conn: &mut Conn,
        place: &PlaceRow,
        (after, told_until): (EventId, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let most = MOST as usize;
        let mut changes = rows::changes_after(conn, place.environment_id, after, MOST + 1).await?;
        let referred = rows::referred_after(conn, place.environment_id, after, MOST + 1).await?;
        let between = (micros(told_until), micros(now));
        let turns = rows::turned_between(conn, place.environment_id, between, MOST + 1).await?;
        let is_cut = changes.len() > most || referred.len() > most || turns.len() > most;
        changes.extend(referred);
        changes.sort_by_key(|row| row.id);
        Ok(Self { project: place.project_id, now, changes, turns, is_cut })
    }

    pub(super) fn project(&self) -> ProjectId {
        self.project
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether a watcher lacks nothing else that was told until then, as far as this node's clock can say.
    pub(super) fn suffices(&self, until: DateTime<Utc>) -> bool {
        self.now - until <= REACH && until - self.now <= BEHIND
    }

    pub(super) fn changes_after(&self, after: EventId) -> &[ChangeRow] {
        let from = self.changes.partition_point(|row| row.id <= after);
        self.changes.get(from..).unwrap_or_default()
    }

    pub(super) fn turns_after(&self, told_until: DateTime<Utc>) -> &[TurnRow] {
        let told_until = micros(told_until);
        let from = self.turns.partition_point(|row| row.at <= told_until);
        self.turns.get(from..).unwrap_or_default()
    }
}

impl Domain {
    /// What is new there, whoever may hear of it: nothing is asked and nothing told yet.
    pub async fn recent_of_secrets(&self, place: &Place) -> Result<Recent, Refused> {
        let now = self.env().now();
        let place = self.place(place).await?;
        let since = earlier(now, REACH);
        let after = EventId::from_parts(earlier(since, OVERLAP), 0);
        Ok(Recent::read(&mut self.store().read().await?, &place, (after, since), now).await?)
    }
}

#[cfg(test)]
mod tests {
    use keywarden_model::EnvironmentId;
    use keywarden_model::time::from_micros;

    use super::super::{Look, PAUSE, SecretWatch};
    use super::*;

    fn recent(now: DateTime<Utc>, is_cut: bool) -> Recent {
        Recent { project: ProjectId::NIL, now, changes: Vec::new(), turns: Vec::new(), is_cut }
    }

    #[test]
    fn whoever_missed_something_hears_so_at_once_and_then_every_few_seconds_until_nothing_is_missed() {
        let began = from_micros(1_800_000_000_000_000);
        let mut watch = SecretWatch::new(Place::Environment(EnvironmentId::NIL), None, None);
        let mut hears = |seconds: i64, is_cut: bool| {
            let now = began + TimeDelta::seconds(seconds);
            watch.hear(&recent(now, is_cut), (EventId::NIL, now), false).unwrap() == Look::Resync
        };
        let pause = PAUSE.num_seconds();
        assert!(hears(0, true));
        assert!(!hears(1, true) && !hears(pause - 1, true));
        assert!(hears(pause, false), "what was missed meanwhile is owed");
        assert!(!hears(pause + 1, false) && !hears(10 * pause, false), "and said once");
        assert!(hears(10 * pause, true));
        assert!(hears(0, true), "a clock that was set back holds nothing off");
    }
}
