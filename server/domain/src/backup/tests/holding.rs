//! Which backups hold a value, and until when: by the schedule, and by what was made.

use std::time::Duration;

use super::Old;
use crate::backup::{Holding, Schedule};
use crate::cast::{House, both_engines};
use crate::secrets::Address;

const HOUR: Duration = Duration::from_hours(1);

impl Old {
    async fn holding(&self, house: &House, number: i64) -> Holding {
        let place = crate::keys::Place::Environment(self.pay.live);
        let address = Address::Path { place, path: "database/password".parse().unwrap() };
        let view = house.domain.secret(&self.alice.op(), &address).await.unwrap();
        let version = view.versions.iter().find(|it| it.number == number).unwrap();
        house.domain.backups_holding(&self.alice.op(), &view.secret, version).await.unwrap()
    }
}

#[tokio::test]
async fn the_last_backup_that_holds_a_value_goes_when_enough_newer_ones_were_made() {
    both_engines(async |house| {
        let mut old = Old::furnish(house).await;
        let folder = old.path("scheduled");
        std::fs::create_dir(&folder).unwrap();
        let house = old
            .house
            .neighbour_with(|settings| settings.backups = Some(Schedule { folder, every: HOUR, keep: 3 }))
            .await;
        let due =
            async || house.domain.back_up_if_due(&house.domain.system_op("make-backups")).await.unwrap();
        let none = Holding::default();
        assert_eq!(old.holding(&house, 1).await, none, "nothing was made yet");
        due().await;
        let first = old.house.now();
        let hours = |n: i32| Some(first + chrono::TimeDelta::hours(n.into()));
        assert_eq!(old.holding(&house, 1).await, Holding { scheduled: 1, until: hours(3), elsewhere: 0 });

        old.house.clock.advance(HOUR / 2);
        old.alice = old.alice.steps_up();
        let id = old.put("database/password", "next").await.id;
        house.domain.destroy_secret_version(&old.alice.op(), id, 1).await.unwrap();
        assert_eq!(old.holding(&house, 1).await, Holding { scheduled: 1, until: hours(3), elsewhere: 0 });
        assert_eq!(old.holding(&house, 2).await, none, "it came later");
        // One by hand, elsewhere, puts the next one off, as it does for the clock.
        old.house.clock.advance(HOUR / 4);
        old.back_up("by-hand.kwbackup").await;
        let by_hand = old.house.now();
        let after = |n: i32| Some(by_hand + chrono::TimeDelta::hours(n.into()));
        assert_eq!(old.holding(&house, 1).await, Holding { scheduled: 1, until: after(3), elsewhere: 0 });
        assert_eq!(old.holding(&house, 2).await, Holding { scheduled: 0, until: None, elsewhere: 1 });
        for n in 1..=3_usize {
            old.house.clock.advance(HOUR);
            due().await;
            let left = Holding { scheduled: 1, until: after(3), elsewhere: 0 };
            assert_eq!(old.holding(&house, 1).await, if n < 3 { left } else { none }, "after {n}");
            assert_eq!(old.holding(&house, 2).await.scheduled, n);
        }
        let there = std::fs::read_dir(old.path("scheduled")).unwrap().count();
        assert_eq!(there, 3, "the file of the first one is gone, as was said");
    })
    .await;
}

#[tokio::test]
async fn where_no_further_backup_is_made_nobody_knows_a_day() {
    both_engines(async |house| {
        let old = Old::furnish(house).await;
        old.back_up("one.kwbackup").await;
        let unset = old.holding(&old.house, 1).await;
        assert_eq!(unset, Holding { scheduled: 0, until: None, elsewhere: 1 }, "no folder is kept tidy");

        let folder = old.house.folder().to_owned();
        let set = |settings: &mut crate::Settings| {
            settings.backups = Some(Schedule { folder, every: HOUR, keep: 1 });
        };
        let house = old.house.neighbour_with(set).await;
        let day = Some(old.house.now() + chrono::TimeDelta::hours(1));
        assert_eq!(old.holding(&house, 1).await, Holding { scheduled: 1, until: day, elsewhere: 0 });
        old.house.clock.advance(HOUR * 5);
        assert_eq!(
            old.holding(&house, 1).await.until,
            Some(old.house.now()),
            "it is due, so it goes any time"
        );
        let shell = house.domain.shell_op();
        house.domain.remove_recipient(&shell, old.recovery.recipient().id()).await.unwrap();
        assert_eq!(old.holding(&house, 1).await, Holding { scheduled: 1, until: None, elsewhere: 0 });
    })
    .await;
}

#[tokio::test]
async fn whoever_may_not_see_the_secret_learns_nothing_of_backups() {
    both_engines(async |house| {
        let old = Old::furnish(house).await;
        old.back_up("one.kwbackup").await;
        let mallory = old.house.person("Mallory", &[]).await;
        let place = crate::keys::Place::Environment(old.pay.live);
        let address = Address::Path { place, path: "database/password".parse().unwrap() };
        let view = old.house.domain.secret(&old.alice.op(), &address).await.unwrap();
        let refused = old.house.domain.backups_holding(&mallory.op(), &view.secret, &view.versions[0]).await;
        assert!(matches!(refused, Err(crate::Refused::NotFound)), "{refused:?}");
    })
    .await;
}
