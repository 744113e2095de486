//! A leak is often learned of after a backup, of a value that was revoked before it: then it is compromised, here and there.

use chrono::TimeDelta;
use keywarden_model::{KeyState, RevokeReason};

use super::each_way;
use super::lost::{Lost, apply, counts, file, findings};
use crate::backup::ApplyEvents;
use crate::keys::{NewKey, Overlap, Place};

#[tokio::test]
async fn a_revoked_value_that_became_compromised_after_the_backup_becomes_so_again() {
    each_way(async |old, new| {
        let (domain, alice) = (&old.house.domain, old.alice.steps_up());
        let named = NewKey::named(Place::Environment(old.pay.live), "Leaked".parse().unwrap());
        let key = domain.issue_key(&alice.op(), named).await.unwrap().id;
        domain.rotate_key(&alice.op(), key, Overlap::For(TimeDelta::days(1))).await.unwrap();
        let view = domain.key(&alice.op(), key).await.unwrap();
        let value = view.values.iter().find(|it| it.superseded_at.is_some()).unwrap().id;
        domain.stop_old_value(&alice.op(), key, value, Some(RevokeReason::Superseded)).await.unwrap();
        let lost = Lost::furnish(old).await;
        let (domain, leaked) = (&lost.old.house.domain, Some(RevokeReason::KeyCompromise));
        domain.stop_old_value(&lost.old.alice.op(), key, value, leaked).await.unwrap();

        let lines = file(&lost.exported().await);
        lost.restored(&new).await;
        let before = findings(&new).await;
        let state = async || {
            let view = new.domain.key(&lost.ada.op(), key).await.unwrap();
            view.values.iter().find(|it| it.id == value).unwrap().state
        };
        assert_eq!(state().await, KeyState::Deactivated);
        let report = apply(&new, lines.clone(), ApplyEvents::default()).await.unwrap();
        assert_eq!(counts(&report.applied), [("key.stop-old-value", 1)]);
        assert_eq!(state().await, KeyState::Compromised);
        let fresh: Vec<_> = findings(&new).await.into_iter().filter(|it| !before.contains(it)).collect();
        assert!(fresh.is_empty(), "{fresh:#?}");
        let again = apply(&new, lines, ApplyEvents::default()).await.unwrap();
        assert!(again.applied.is_empty(), "{again:#?}");
    })
    .await;
}
