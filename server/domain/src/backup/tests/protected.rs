//! Purge protection after a restore: a file of events destroys nothing there before a window is over, whoever wrote it.

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::VersionState;
use serde_json::json;

use super::lost::{Lost, apply, counts, file, findings, line};
use super::{New, Old, each_way};
use crate::backup::ApplyEvents;
use crate::environments::Retention;
use crate::secrets::{Address, SecretView};

const KEPT: &str = "purge protection keeps it until its window is over, and nobody reads it meanwhile";

impl Lost {
    /// As [`Lost::furnish`], with an environment that keeps what is deleted for ten days.
    async fn protected(old: Old) -> Self {
        let domain = &old.house.domain;
        let environment = domain.environment(&old.alice.op(), old.pay.id, "live").await.unwrap();
        let retention = Retention::new(10, true).unwrap();
        domain
            .keep_secrets(&old.alice.op(), environment.id, retention, environment.row_version)
            .await
            .unwrap();
        Self::furnish(old).await
    }

    async fn secret(&self, new: &New, path: &str) -> SecretView {
        let at = Address::Id(self.secrets[path]);
        new.domain.secret(&self.ada.op(), &at).await.unwrap()
    }

    /// The id of a version, as events name it.
    async fn version(&self, path: &str, number: i64) -> String {
        let at = Address::Id(self.secrets[path]);
        let view = self.old.house.domain.secret(&self.ada.op(), &at).await.unwrap();
        view.versions.iter().find(|it| it.number == number).unwrap().id.to_string()
    }
}

fn state(view: &SecretView, number: i64) -> VersionState {
    view.versions.iter().find(|it| it.number == number).unwrap().state
}

#[tokio::test]
async fn no_event_destroys_under_purge_protection_before_a_window_is_over() {
    each_way(async |old, new| {
        let lost = Lost::protected(old).await;
        let now = lost.old.house.now();
        let of = |path: &str| lost.secrets[path].to_string();
        let facts = async |path: &str, number: i64| json!({ "version": number, "version_id": lost.version(path, number).await });
        let mut lines = lost.exported().await;
        let past = json!({ "purge_at": now - TimeDelta::days(1) });
        lines.extend([
            line(1, now, "secret.destroy-version", &of("old-destroyed"), &facts("old-destroyed", 1).await),
            // What is current cannot be deleted by itself.
            line(2, now, "secret.destroy-version", &of("current-destroyed"), &facts("current-destroyed", 1).await),
            line(3, now, "secret.purge-version", &of("disabled"), &facts("disabled", 1).await),
            line(4, now, "secret.delete", &of("deleted"), &past),
            line(5, now, "secret.purge", &of("deleted"), &json!({})),
            line(6, now, "secret.purge", &of("current-deleted"), &json!({})),
        ]);
        lost.restored(&new).await;
        let before = findings(&new).await;
        let how = ApplyEvents { accept_gap: true, complete_until: None };
        let report = apply(&new, file(&lines), how).await.unwrap();
        assert_eq!(counts(&report.applied), [("secret.delete", 1)]);
        let kept = |what: &str| format!("{what}: {KEPT}");
        let told = counts(&report.kept);
        assert!(told.contains(&(kept("secret.destroy-version").as_str(), 2)), "{told:?}");
        assert!(told.contains(&(kept("secret.purge-version").as_str(), 1)), "{told:?}");
        assert!(told.contains(&(kept("secret.purge").as_str(), 1)), "{told:?}");
        assert_eq!(told.iter().map(|(_, count)| count).sum::<u64>(), 5, "and the one that was deleted here: {told:?}");
        assert!(!report.accepted, "somebody has to see to it");

        let least = new.house.now() + TimeDelta::days(10);
        let destroyed = lost.secret(&new, "old-destroyed").await;
        let deletion = destroyed.versions.iter().find(|it| it.number == 1).unwrap().deletion.unwrap();
        assert_eq!((state(&destroyed, 1), deletion.purge_at), (VersionState::SoftDeleted, least));
        assert_eq!(state(&lost.secret(&new, "current-destroyed").await, 1), VersionState::Disabled);
        assert_eq!(state(&lost.secret(&new, "disabled").await, 1), VersionState::SoftDeleted);
        for path in ["deleted", "current-deleted"] {
            let deletion = lost.secret(&new, path).await.secret.deletion.unwrap();
            assert_eq!(deletion.purge_at, least, "{path}: not at the instant that the file says");
        }
        let fresh: Vec<_> = findings(&new).await.into_iter().filter(|it| !before.contains(it)).collect();
        assert!(fresh.is_empty(), "{fresh:#?}");

        // The clock destroys them, as it would have; and events that come once more find that.
        new.house.clock.advance(Duration::from_hours(10 * 24));
        new.domain.unseal(&new.seals).await.unwrap();
        let job = new.domain.system_op("purge-secrets");
        assert_eq!(new.domain.purge_secret_versions(&job).await.unwrap(), 2);
        let again = apply(&new, file(&lines), how).await.unwrap();
        let told = counts(&again.applied);
        assert_eq!(told, [("secret.purge", 2)], "a window that began here is over: {again:#?}");
        assert!(again.done.contains_key("secret.purge-version"), "{again:#?}");
    })
    .await;
}

#[tokio::test]
async fn without_protection_and_after_a_window_events_destroy_as_they_did() {
    each_way(async |old, new| {
        let lost = Lost::furnish(old).await;
        let now = lost.old.house.now();
        let id = lost.version("old-destroyed", 1).await;
        let mut lines = lost.exported().await;
        let of = |path: &str| lost.secrets[path].to_string();
        lines.extend([
            line(
                1,
                now,
                "secret.purge-version",
                &of("old-destroyed"),
                &json!({ "version": 1, "version_id": id }),
            ),
            line(2, now, "secret.purge", &of("deleted"), &json!({})),
        ]);
        lost.restored(&new).await;
        let report = apply(&new, file(&lines), ApplyEvents::default()).await.unwrap();
        assert_eq!(counts(&report.applied), [("secret.purge", 1), ("secret.purge-version", 1)]);
        assert!(report.kept.is_empty(), "{report:#?}");
        assert_eq!(state(&lost.secret(&new, "old-destroyed").await, 1), VersionState::Destroyed);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_destroyed_within_its_window_is_destroyed_again_where_nothing_protects_it() {
    each_way(async |old, new| {
        let lost = Lost::furnish(old).await;
        let now = lost.old.house.now();
        let id = lost.secrets["deleted"].to_string();
        let mut lines = lost.exported().await;
        let window = json!({ "purge_at": now + TimeDelta::days(30) });
        lines.push(line(1, now, "secret.delete", &id, &window));
        lost.restored(&new).await;
        let before = findings(&new).await;
        let report = apply(&new, file(&lines), ApplyEvents::default()).await.unwrap();
        assert_eq!(counts(&report.applied), [("secret.delete", 1)]);
        lines.push(line(2, now, "secret.purge", &id, &json!({})));
        let report = apply(&new, file(&lines), ApplyEvents::default()).await.unwrap();
        assert_eq!(counts(&report.applied), [("secret.purge", 1)]);
        assert!(report.kept.is_empty(), "{report:#?}");
        let fresh: Vec<_> = findings(&new).await.into_iter().filter(|it| !before.contains(it)).collect();
        assert!(fresh.is_empty(), "{fresh:#?}");
    })
    .await;
}
