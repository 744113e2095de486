//! A house that is backed up, goes on and is lost, with what it told of that; and files of events, as programs write them.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use keywarden_model::{
    ApiKeyId, EventId, RevokeReason, Role, RoleBindingId, Scopes, SecretId, ServiceTokenId, TeamId,
    TypedId as _, VerifyCode,
};
use keywarden_vault::SecretString;
use serde_json::{Value, json};

use super::{New, Old};
use crate::Domain;
use crate::audit::Tally;
use crate::backup::{ApplyEvents, Backup, EventsError, EventsReport};
use crate::cast::{Machine, Player};
use crate::keys::{NewKey, Overlap, Place, Question, Route};
use crate::roles::{Grant, Holder};
use crate::secrets::Address;
use crate::workloads::TokenLifetime;

/// What a house holds before the backup beside what `Old` does.
pub(super) struct Lost {
    pub(super) old: Old,
    pub(super) ada: Player,
    pub(super) bob: Player,
    pub(super) robot: Machine,
    pub(super) keys: Vec<(ApiKeyId, SecretString)>,
    pub(super) token: ServiceTokenId,
    pub(super) team: TeamId,
    pub(super) binding: RoleBindingId,
    pub(super) secrets: BTreeMap<&'static str, SecretId>,
    pub(super) backup: Backup,
}

impl Lost {
    pub(super) fn furnish(old: Old) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            let domain = &old.house.domain;
            let ada = old.house.person("Ada", &[(Role::Owner, None)]).await;
            let bob = old.house.person("Bob", &[]).await;
            let robot = old.house.workload("robot", Role::Reader, Some(old.pay.id)).await;
            let team = old.house.team("crew", &[], &[(Role::Viewer, Some(old.pay.id))]).await;
            // By an event, as the removal will be: `fsck` holds the one against the other.
            domain.add_member(&ada.op(), team, bob.id).await.unwrap();
            let mut keys = Vec::new();
            for name in ["Revoked", "Suspended", "Rotated", "Kept"] {
                let new = NewKey::named(Place::Environment(old.pay.live), name.parse().unwrap());
                let issued = domain.issue_key(&old.alice.op(), new).await.unwrap();
                keys.push((issued.id, issued.value));
            }
            let lifetime = TokenLifetime::from_seconds(86_400).unwrap();
            let token = domain.issue_service_token(&ada.op(), robot.id, lifetime).await.unwrap().id;
            let grant =
                Grant { holder: Holder::Person(bob.id), role: Role::Manager, project: Some(old.pay.id) };
            let binding = domain.grant_role(&ada.op(), grant).await.unwrap();
            let mut secrets = BTreeMap::new();
            for path in ["disabled", "deleted", "old-destroyed", "current-destroyed", "current-deleted"] {
                secrets.insert(path, old.put(path, "one").await.id);
                if path != "current-destroyed" && path != "current-deleted" {
                    old.put(path, "two").await;
                }
            }
            old.house.clock.advance(Duration::from_secs(2));
            let backup = old.back_up("a.kwbackup").await;
            old.house.clock.advance(Duration::from_mins(1));
            let (ada, alice) = (ada.steps_up(), old.alice.steps_up());
            Self { old: Old { alice, ..old }, ada, bob, robot, keys, token, team, binding, secrets, backup }
        })
    }

    /// Takes away what can be taken away, and makes what did not exist.
    pub(super) async fn goes_on(&self) {
        let (domain, ada, alice) = (&self.old.house.domain, self.ada.op(), self.old.alice.op());
        let [revoked, suspended, rotated, _] = [0, 1, 2, 3].map(|n| self.keys[n].0);
        domain.revoke_key(&alice, revoked, RevokeReason::KeyCompromise, "leaked").await.unwrap();
        domain.suspend_key(&alice, suspended, "odd").await.unwrap();
        domain.rotate_key(&alice, rotated, Overlap::For(TimeDelta::zero())).await.unwrap();
        domain.revoke_service_token(&ada, self.token).await.unwrap();
        // Later than the token's: whatever is ended together is told by one of them.
        self.old.house.clock.advance(Duration::from_millis(1));
        let (ada, alice) = (self.ada.op(), self.old.alice.op());
        domain.deactivate_workload(&ada, self.robot.id).await.unwrap();
        domain.remove_member(&ada, self.team, self.bob.id).await.unwrap();
        domain.revoke_role(&ada, self.binding).await.unwrap();
        domain.deactivate_user(&ada, self.bob.id).await.unwrap();
        domain.disable_secret_version(&alice, self.secrets["disabled"], 2).await.unwrap();
        domain.delete_secret(&alice, &Address::Id(self.secrets["deleted"]), None).await.unwrap();
        domain.destroy_secret_version(&alice, self.secrets["old-destroyed"], 1).await.unwrap();
        // What is current in the backup is not any more when it goes.
        self.old.put("current-destroyed", "two").await;
        domain.destroy_secret_version(&alice, self.secrets["current-destroyed"], 1).await.unwrap();
        self.old.put("current-deleted", "two").await;
        domain.delete_secret_version(&alice, self.secrets["current-deleted"], 1).await.unwrap();
        let recipient = self.old.recovery.recipient().id();
        domain.remove_recipient(&domain.shell_op(), recipient).await.unwrap();

        let new = NewKey::named(Place::Environment(self.old.pay.live), "Later".parse().unwrap());
        domain.issue_key(&alice, new).await.unwrap();
        let grant = Grant {
            holder: Holder::Workload(self.old.gateway.id),
            role: Role::Reader,
            project: Some(self.old.pay.id),
        };
        domain.grant_role(&ada, grant).await.unwrap();
        self.old.put("later", "value").await;
        self.old.house.clock.advance(Duration::from_secs(5));
    }

    pub(super) async fn exported(&self) -> Vec<Vec<u8>> {
        exported(&self.old.house.domain).await
    }

    pub(super) async fn restored(&self, new: &New) {
        // The old house's clock is the world's: the new one is restored after all of it.
        let behind = self.old.house.now() - new.house.now() + TimeDelta::minutes(1);
        new.house.clock.advance(behind.to_std().unwrap());
        new.restore(&self.backup.file, self.old.key()).await.unwrap();
        new.domain.unseal(&new.seals).await.unwrap();
    }
}

pub(super) async fn exported(domain: &Domain) -> Vec<Vec<u8>> {
    let (shell, mut after, mut all) = (domain.shell_op(), None, Vec::new());
    loop {
        let page = domain.export_events(&shell, after).await.unwrap();
        all.extend(page.events);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// As `audit export` writes it, with a mark at its end.
pub(super) fn file(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut tally = Tally::default();
    for line in lines {
        tally.add(line);
    }
    let mark = tally.mark().to_line().into_bytes();
    lines.iter().chain([&mark]).flat_map(|line| [line.as_slice(), b"\n"].concat()).collect()
}

pub(super) async fn apply(new: &New, file: Vec<u8>, how: ApplyEvents) -> Result<EventsReport, EventsError> {
    new.domain.apply_events(&new.domain.shell_op(), vec![std::io::Cursor::new(file)], how).await
}

pub(super) async fn verified(domain: &Domain, gateway: &Machine, value: &SecretString) -> VerifyCode {
    domain.look().await.unwrap();
    let none = Scopes::default();
    let question =
        Question { presented: value.expose(), scopes: &none, ip: None, caller: None, route: Route::Verify };
    domain.verify_key(&gateway.op(), &question).await.unwrap().code
}

pub(super) async fn findings(it: &New) -> Vec<String> {
    let found = it.domain.fsck(&it.seals).await.unwrap();
    found.findings.iter().map(ToString::to_string).collect()
}

pub(super) fn counts(of: &BTreeMap<String, crate::backup::Named>) -> Vec<(&str, u64)> {
    of.iter().map(|(what, named)| (what.as_str(), named.count)).collect()
}

pub(super) fn parsed(line: &[u8]) -> Value {
    serde_json::from_slice(line).unwrap()
}

pub(super) fn is(line: &[u8], action: &str) -> bool {
    parsed(line)["action"] == action
}

pub(super) fn at(line: &[u8]) -> DateTime<Utc> {
    parsed(line)["at"].as_str().unwrap().parse().unwrap()
}

/// A line as another program could write it: for what takes long to bring about.
pub(super) fn line(n: u128, at: DateTime<Utc>, action: &str, thing: &str, facts: &Value) -> Vec<u8> {
    let id = EventId::from_parts(at, n);
    serde_json::to_vec(&json!({
        "v": 1, "id": id.to_string(), "at": at, "nonce": "AAAAAAAAAAAAAAAAAAAAAA",
        "actor": { "kind": "system", "id": "test" }, "action": action, "outcome": "allowed",
        "resource": { "kind": "any", "id": thing }, "request": "req_1", "facts": facts,
    }))
    .unwrap()
}
