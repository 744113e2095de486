//! Each rule that SQL can see is broken once, alone, in records in which everything has happened; the rule must name it.
//! The damage is rolled back, so that each one is found on its own account. A rule without damage here fails the test.

use std::collections::BTreeSet;

use keywarden_store::fsck::{self, Rule};
use keywarden_store::{Engine, Store, StoreError, WriteError, sql};

use super::Furnished;
use super::live::live;
use crate::cast::both_engines;

/// A rule and what breaks it.
const DAMAGE: &[(&str, &[&str])] = &[
    // the house
    ("counter-behind", &["UPDATE change_counter SET authority = value + 1"]),
    ("change-unknown", &["UPDATE changes SET kind = 'gossip'"]),
    ("keyring-key-without-wrap", &["DELETE FROM keyring_wraps"]),
    ("keyring-key-without-event", &["DELETE FROM events WHERE action = 'keyring-key.generate'"]),
    ("keyring-event-without-key", &["DELETE FROM keyring_keys"]),
    ("seal-without-event", &["DELETE FROM events WHERE action = 'seal.add'"]),
    ("seal-event-without-seal", &["DELETE FROM seals"]),
    ("seal-without-wrap", &["DELETE FROM keyring_wraps"]),
    ("set-up-by-halves", &["UPDATE instance SET rp_id = NULL"]),
    (
        "keyring-key-destroyed-and-there",
        &["UPDATE events SET action = 'keyring-key.destroy' WHERE action = 'keyring-key.generate'"],
    ),
    ("uses-negative", &["UPDATE keyring_keys SET uses = -1"]),
    (
        "pin-attempt-impossible",
        &["INSERT INTO pin_attempts (token, salt, mark, refused, unclear, tried_at, changed_at)
           SELECT 'a token', substr(bytes, 1, 16), substr(bytes, 1, 3), 1, 0, 1, 1 FROM events LIMIT 1"],
    ),
    // backups
    (
        "recipient-without-event",
        &["INSERT INTO backup_recipients (id, name, text, added_at) VALUES ('rcp_1', 'Mallory', 'kwr1_', 1)"],
    ),
    (
        "backup-without-event",
        &["INSERT INTO backups (id, made_at, counter, file, size, digest, recipients)
           VALUES ('bkp_1', 1, 1, '/tmp/a', 1, '', '[]')"],
    ),
    (
        "drill-key-of-no-newest-backup",
        &[
            "INSERT INTO backups (id, made_at, counter, file, size, digest, recipients)
             VALUES ('bkp_1', 1, 1, '/tmp/a', 1, '', '[]'), ('bkp_2', 2, 1, '/tmp/b', 1, '', '[]')",
            "INSERT INTO drill_keys (id, recipient, sealed) SELECT 'bkp_1', 'rcp_1', bytes FROM events LIMIT 1",
            "INSERT INTO drill_keys (id, recipient, sealed) SELECT 'bkp_2', 'rcp_2', bytes FROM events LIMIT 1",
        ],
    ),
    (
        "drill-without-event",
        &[
            "INSERT INTO backups (id, made_at, counter, file, size, digest, recipients)
             VALUES ('bkp_1', 1, 1, '/tmp/a', 1, '', '[]')",
            "INSERT INTO drills (id, backup_id, state, asked_at) VALUES ('drl_1', 'bkp_1', 'asked', 1)",
        ],
    ),
    (
        "drill-ended-without-event",
        &[
            "INSERT INTO backups (id, made_at, counter, file, size, digest, recipients)
             VALUES ('bkp_1', 1, 1, '/tmp/a', 1, '', '[]')",
            "INSERT INTO drills (id, backup_id, state, asked_at) VALUES ('drl_1', 'bkp_1', 'passed', 1)",
        ],
    ),
    (
        "restore-without-event",
        &["INSERT INTO restores (id, made_at, digest, restored_at) VALUES ('rst_1', 1, '', 2)"],
    ),
    (
        "restore-accepted-without-event",
        &[
            "INSERT INTO restores (id, made_at, digest, restored_at, accepted_at) VALUES ('rst_1', 1, '', 2, 3)",
        ],
    ),
    (
        "restore-events-without-event",
        &[
            "INSERT INTO restores (id, made_at, digest, restored_at, events_until) VALUES ('rst_1', 1, '', 3, 2)",
        ],
    ),
    // projects
    ("project-without-event", &["DELETE FROM events WHERE action = 'project.create'"]),
    ("project-archived-without-event", &["UPDATE projects SET archived_at = 1"]),
    (
        "project-event-not-archived",
        &["UPDATE events SET action = 'project.archive' WHERE action = 'project.create'"],
    ),
    ("project-event-without-project", &["DELETE FROM projects"]),
    ("environment-without-event", &["DELETE FROM events WHERE action = 'environment.create'"]),
    ("environment-event-without-environment", &["DELETE FROM environments"]),
    ("environment-limits", &["UPDATE environments SET overlap_seconds = -1"]),
    // access for a while
    ("access-request-without-event", &["DELETE FROM events WHERE action = 'access.request'"]),
    ("access-request-state-unknown", &["UPDATE access_requests SET state = 'asleep'"]),
    ("access-approval-without-event", &["DELETE FROM events WHERE action = 'access.approve'"]),
    ("access-approved-by-asker", &["UPDATE access_requests SET behind = (SELECT approver FROM access_approvals LIMIT 1)"]),
    ("grant-without-approval", &["DELETE FROM access_approvals"]),
    ("grant-without-event", &["DELETE FROM events WHERE action = 'access.grant'"]),
    ("grant-otherwise-than-request", &["UPDATE access_grants SET role = 'admin'"]),
    ("grant-of-owner", &["UPDATE access_grants SET role = 'owner'"]),
    ("access-rule-without-event", &["DELETE FROM events WHERE action = 'access.set-rule'"]),
    // messages
    ("channel-without-event", &["DELETE FROM events WHERE action = 'channel.create'"]),
    ("channel-kind-unknown", &["UPDATE channels SET kind = 'pigeon'"]),
    ("message-without-event", &["UPDATE messages SET event_id = 'evt_x'"]),
    ("delivery-state-unknown", &["UPDATE deliveries SET state = 'asleep'"]),
    // standards
    ("standard-version-without-event", &["DELETE FROM events WHERE action = 'standard.draft'"]),
    ("standard-in-force-without-event", &["UPDATE standard_versions SET activated_at = 1 WHERE state = 'active'"]),
    ("standard-approved-by-author", &["UPDATE standard_versions SET approved_by = created_by"]),
    ("standard-approval-without-event", &["UPDATE standard_versions SET approved_at = 1, approved_by = 'usr_x'"]),
    ("standard-misnumbered", &["UPDATE standards SET numbered = 7"]),
    ("standard-state-unknown", &["UPDATE standard_versions SET state = 'asleep'"]),
    ("standard-out-of-scope", &["UPDATE standard_versions SET scope = 'prj_x'"]),
    // policies
    ("policy-version-without-event", &["DELETE FROM events WHERE action = 'policy.draft'"]),
    ("policy-decides-without-event", &["UPDATE policy_versions SET activated_at = 1 WHERE state = 'active'"]),
    ("policy-approved-by-author", &["UPDATE policy_versions SET approved_by = created_by"]),
    ("policy-approval-without-event", &["UPDATE policy_versions SET approved_at = 1, approved_by = 'usr_x'"]),
    (
        "policy-proof-without-event",
        &["INSERT INTO policy_proofs (policy_id, number, state, asked_at, asked_by, environments, compared, verdict, ended_at)
           SELECT policy_id, number, 'done', 1, 'usr_x', 1, 1, 'equivalent', 1 FROM policy_versions"],
    ),
    (
        "policy-proof-state",
        &["INSERT INTO policy_proofs (policy_id, number, state, asked_at, asked_by, environments, compared)
           SELECT policy_id, number, 'asleep', 1, 'usr_x', 0, 0 FROM policy_versions"],
    ),
    ("policy-misnumbered", &["UPDATE policies SET numbered = 7"]),
    ("policy-without-moment", &["UPDATE policy_versions SET starts_at = 1, due_by = 'usr_x'"]),
    ("policy-state-unknown", &["UPDATE policy_versions SET state = 'asleep'"]),
    ("policy-out-of-scope", &["UPDATE policies SET scope = 'prj_x'"]),
    ("policy-test-without-event", &["DELETE FROM events WHERE action = 'policy-test.save'"]),
    ("policy-test-out-of-scope", &["UPDATE policy_tests SET expected = 'perhaps'"]),
    // people
    ("person-without-event", &["DELETE FROM events WHERE action = 'user.join'"]),
    ("person-event-without-person", &["DELETE FROM users"]),
    ("person-state", &["UPDATE users SET state = 'asleep'"]),
    (
        "person-deactivated-otherwise",
        &["UPDATE users SET state = 'active', deactivated_at = NULL WHERE state = 'deactivated'"],
    ),
    ("person-without-passkey", &["DELETE FROM passkeys"]),
    ("house-without-owner", &["DELETE FROM role_bindings WHERE role = 'owner'"]),
    ("passkey-without-event", &["DELETE FROM events WHERE action = 'passkey.add'"]),
    ("passkey-removed-and-there", &["UPDATE events SET action = 'passkey.remove' WHERE action = 'passkey.add'"]),
    ("session-of-nobody", &["DELETE FROM users"]),
    ("session-times", &["UPDATE sessions SET expires_at = created_at"]),
    ("terminal-state", &["UPDATE device_grants SET state = 'approved'"]),
    ("team-without-event", &["DELETE FROM events WHERE action = 'team.create'"]),
    ("team-event-without-team", &["DELETE FROM teams"]),
    ("role-unknown", &["UPDATE role_bindings SET role = 'king'"]),
    ("role-of-nobody", &["UPDATE role_bindings SET principal_id = id"]),
    ("link-state", &["UPDATE one_time_links SET kind = 'magic'"]),
    ("link-without-event", &["DELETE FROM events WHERE action = 'user.invite'"]),
    ("link-used-without-event", &["DELETE FROM events WHERE action = 'user.join'"]),
    ("link-tag", &["UPDATE one_time_links SET mac_key_id = 'krk_gone'"]),
    ("recovery-codes-not-ten", &["DELETE FROM recovery_codes WHERE position = 3"]),
    ("recovery-code-used-without-event", &["UPDATE recovery_codes SET used_at = created_at"]),
    ("recovery-code-used-before", &["UPDATE recovery_codes SET used_at = created_at - 1"]),
    ("recovery-code-tag", &["UPDATE recovery_codes SET mac_key_id = 'krk_gone'"]),
    // machines
    ("workload-without-event", &["DELETE FROM events WHERE action = 'workload.create'"]),
    ("workload-event-without-workload", &["DELETE FROM workloads"]),
    ("workload-state", &["UPDATE workloads SET state = 'asleep'"]),
    (
        "workload-deactivated-without-event",
        &["UPDATE workloads SET state = 'deactivated', deactivated_at = 1"],
    ),
    (
        "workload-event-not-deactivated",
        &["UPDATE events SET action = 'workload.deactivate' WHERE action = 'workload.create'"],
    ),
    ("token-bearer", &["UPDATE service_tokens SET role = 'owner'"]),
    ("token-tag", &["UPDATE service_tokens SET mac_key_id = 'krk_gone'"]),
    ("token-without-event", &["DELETE FROM events WHERE action = 'service-token.issue'"]),
    ("token-event-without-token", &["DELETE FROM service_tokens"]),
    ("token-revoked-without-event", &["DELETE FROM events WHERE action = 'service-token.revoke'"]),
    ("token-event-not-revoked", &["UPDATE service_tokens SET revoked_at = NULL"]),
    ("trust-rule-without-event", &["DELETE FROM events WHERE action = 'trust-rule.create'"]),
    ("trust-rule-event-without-rule", &["DELETE FROM trust_rules"]),
    (
        "trust-rule-deleted",
        &["UPDATE events SET action = 'trust-rule.delete' WHERE action = 'trust-rule.create'"],
    ),
    ("trust-rule-keys", &["UPDATE trust_rules SET jwks_url = 'x', jwks = 'y'"]),
    (
        "exchange-lifetime",
        &["UPDATE service_tokens SET expires_at = created_at + 900000001 WHERE rule_id IS NOT NULL"],
    ),
    // keys
    ("key-without-event", &["DELETE FROM events WHERE action IN ('key.issue', 'key.import')"]),
    ("key-event-without-key", &["DELETE FROM api_keys"]),
    ("key-revoked-without-event", &["DELETE FROM events WHERE action = 'key.revoke'"]),
    ("key-event-not-revoked", &["UPDATE api_keys SET revoked_at = NULL, revoke_reason = NULL"]),
    ("key-suspended-without-event", &["DELETE FROM events WHERE action = 'key.suspend'"]),
    ("key-suspension-without-event", &["UPDATE api_keys SET suspended_at = NULL"]),
    ("key-state", &["UPDATE api_keys SET revoke_reason = 'whim' WHERE revoked_at IS NOT NULL"]),
    ("key-elsewhere", &["UPDATE api_keys SET project_id = 'prj_gone'"]),
    ("key-of-nobody", &["UPDATE api_keys SET owner_id = 'usr_gone'"]),
    ("key-without-value", &["DELETE FROM key_values"]),
    ("key-with-two-values", &["UPDATE key_values SET superseded_at = NULL"]),
    ("value-more-than-events", &["DELETE FROM events WHERE action = 'key.rotate'"]),
    ("value-fewer-than-events", &["DELETE FROM key_values WHERE superseded_at IS NOT NULL"]),
    (
        "value-revoked-without-event",
        &["UPDATE key_values SET revoked_at = created_at, revoke_reason = 'key-compromise'"],
    ),
    ("value-destroyed-otherwise", &["UPDATE key_values SET destroyed_at = created_at"]),
    ("value-superseded-by-nothing", &["DELETE FROM key_values WHERE superseded_at IS NULL"]),
    ("value-superseded-for-ever", &["UPDATE key_values SET stops_at = NULL"]),
    ("value-imported-for-ever", &["UPDATE key_values SET stops_at = NULL"]),
    ("value-tag", &["UPDATE key_values SET mac_key_id = 'krk_gone'"]),
    ("value-state", &["UPDATE key_values SET revoked_at = 1"]),
    ("value-orphan", &["DELETE FROM api_keys"]),
    ("usage-orphan", &["UPDATE key_usage SET value_id = 'kvl_gone'"]),
    ("usage-counted", &["UPDATE key_usage SET uses = 0"]),
    ("rate-window-orphan", &["DELETE FROM api_keys"]),
    ("tag-orphan", &["DELETE FROM api_keys"]),
    // secrets
    ("secret-without-event", &["DELETE FROM events WHERE action = 'secret.create'"]),
    ("secret-event-without-secret", &["DELETE FROM secrets"]),
    ("secret-elsewhere", &["UPDATE secrets SET project_id = 'prj_gone'"]),
    ("secret-owner", &["UPDATE secrets SET owner_id = 'usr_gone'"]),
    ("secret-tag", &["INSERT INTO secret_tags (tag, secret_id, folded_tag) VALUES ('a', 'sec_gone', 'a')"]),
    ("secret-state", &["UPDATE secrets SET purge_at = NULL WHERE deleted_at IS NOT NULL"]),
    ("secret-deleted-otherwise", &["UPDATE secrets SET deleted_at = NULL, purge_at = NULL"]),
    ("secret-purged-otherwise", &["DELETE FROM events WHERE action = 'secret.purge'"]),
    ("secret-purged-and-there", &["UPDATE secrets SET purged_at = 1"]),
    ("secret-without-current", &["DELETE FROM secret_labels WHERE label = 'current'"]),
    ("secret-numbering", &["UPDATE secrets SET last_version = last_version + 1"]),
    ("secret-version-count", &["DELETE FROM events WHERE action = 'secret.put'"]),
    ("secret-version-orphan", &["DELETE FROM secrets"]),
    ("secret-version-state", &["UPDATE secret_versions SET state = 'asleep'"]),
    ("secret-version-deletion", &["UPDATE secret_versions SET restores_to = NULL WHERE state = 'soft-deleted'"]),
    ("secret-version-deleted-otherwise", &["DELETE FROM events WHERE action = 'secret.delete-version'"]),
    (
        "secret-current-deleted",
        &["UPDATE secret_labels SET number = (SELECT number FROM secret_versions v
           WHERE v.secret_id = secret_labels.secret_id AND v.state = 'soft-deleted')
           WHERE label = 'current' AND secret_id IN (SELECT secret_id FROM secret_versions WHERE state = 'soft-deleted')"],
    ),
    ("secret-version-validity", &["UPDATE secret_versions SET not_before = 2, expires_at = 2"]),
    ("secret-template-kind", &["UPDATE secret_versions SET kind = 'binary' WHERE template"]),
    ("secret-reference-orphan", &["UPDATE secret_versions SET template = (1 = 0) WHERE template"]),
    ("secret-history", &["DELETE FROM secret_history WHERE state = 'deleted'"]),
    (
        "secret-history-order",
        &["UPDATE secret_history SET at = at + 1
           WHERE seq < (SELECT max(h.seq) FROM secret_history h WHERE h.secret_id = secret_history.secret_id)"],
    ),
    (
        "secret-version-not-destroyed",
        &["UPDATE secret_versions SET fingerprint_key_id = 'krk_gone' WHERE state = 'destroyed'"],
    ),
    ("secret-version-without-value", &["UPDATE secret_versions SET wrapped_key = NULL"]),
    ("secret-version-key", &["UPDATE project_keys SET project_id = 'prj_gone'"]),
    ("secret-version-fingerprint", &["UPDATE secret_versions SET fingerprint_key_id = 'krk_gone'"]),
    (
        "secret-destroyed-without-event",
        &["DELETE FROM events WHERE action IN ('secret.destroy-version', 'secret.purge', 'secret.purge-version')"],
    ),
    ("secret-label", &["UPDATE secret_labels SET number = 99"]),
    ("secret-alias", &["UPDATE secret_aliases SET environment_id = 'env_gone'"]),
    ("secret-alias-name", &["UPDATE secret_aliases SET folded_name = name || '_' WHERE dialect = 'azure'"]),
    ("secret-alias-without-event", &["DELETE FROM events WHERE action = 'secret.alias'"]),
    ("share-state", &["UPDATE secret_shares SET passphrase_mac = NULL, passphrase_key_id = NULL WHERE recipient_id IS NULL"]),
    ("share-tries", &["UPDATE secret_shares SET tries = 5 WHERE state = 'open' AND recipient_id IS NULL"]),
    ("share-tag", &["UPDATE secret_shares SET passphrase_key_id = 'krk_gone' WHERE passphrase_key_id IS NOT NULL"]),
    ("share-without-event", &["DELETE FROM events WHERE action = 'secret.share'"]),
    (
        "share-ended-without-event",
        &["DELETE FROM events WHERE action = 'secret.open-share' AND outcome = 'allowed'"],
    ),
    ("project-key-orphan", &["DELETE FROM projects"]),
    ("project-key-without-event", &["DELETE FROM events WHERE action = 'project-key.generate'"]),
    ("project-key-event-without-key", &["DELETE FROM project_keys"]),
    ("project-key-uses", &["UPDATE project_keys SET uses = 0"]),
    (
        "project-key-destroyed-and-there",
        &["UPDATE events SET action = 'project-key.destroy' WHERE action = 'project-key.generate'"],
    ),
    ("project-key-not-one", &["UPDATE project_keys SET retired_at = 1"]),
    (
        "offered-seal-without-event",
        &["DELETE FROM events WHERE action = 'seal.offer'"],
    ),
    (
        "offered-seal-of-keyring",
        &["INSERT INTO seals (id, kind, label, protection, added_at)
           SELECT id, kind, label, protection, offered_at FROM offered_seals"],
    ),
    ("project-seal-unknown", &["DELETE FROM offered_seals"]),
    ("project-seal-without-event", &["DELETE FROM events WHERE action = 'project.name-seal'"]),
    ("project-seal-without-key", &["DELETE FROM project_keys"]),
    ("project-key-other-seal", &["UPDATE project_keys SET seal_id = NULL"]),
    ("rewrap-state", &["UPDATE rewraps SET done = total + 1"]),
    ("rewrap-left-behind", &["UPDATE rewraps SET from_key = to_key WHERE kind = 'data-keys'"]),
    (
        "rewrap-without-keys",
        &["UPDATE rewraps SET state = 'running', ended_at = NULL WHERE kind = 'data-keys'"],
    ),
    ("rewrap-without-event", &["DELETE FROM events WHERE action = 'rewrap.finish'"]),
    // the record
    ("event-outcome", &["UPDATE events SET outcome = 'perhaps'"]),
    ("personal-orphan", &["DELETE FROM events"]),
    ("subject-state", &["UPDATE subjects SET erased_at = 1"]),
    ("decision-counted", &["UPDATE decision_log SET times = 0"]),
    ("replay-state", &["UPDATE idempotency SET expires_at = created_at"]),
    ("replay-for-ever", &["UPDATE idempotency SET expires_at = created_at + 604800000001"]),
    // SQLite keeps what PostgreSQL refuses
    ("reference-broken", &["DELETE FROM api_keys"]),
];

/// Not to be broken from inside a transaction: the file's own pages.
const ELSEWHERE: &[&str] = &["page-damaged"];

/// What the rule finds once it is broken; nothing of the damage stays.
async fn broken(store: &Store, rule: Rule, damage: &'static [&'static str]) -> Result<Vec<String>, String> {
    let engine = store.engine();
    let looked = store.write_silently("damage that is rolled back", move |tx| {
        Box::pin(async move {
            let found = async {
                // Rows may go that others refer to.
                sql(match engine {
                    Engine::Postgres => "SET LOCAL session_replication_role = replica",
                    Engine::Sqlite => "PRAGMA defer_foreign_keys = ON",
                })
                .execute(tx)
                .await?;
                for statement in damage {
                    if sql(statement).execute(tx).await? == 0 {
                        return Ok(Err(format!("`{statement}` changed nothing")));
                    }
                }
                Ok::<_, StoreError>(Ok(fsck::offenders(tx, rule, 20).await?))
            };
            Err::<(), _>(found.await)
        })
    });
    match looked.await {
        Err(WriteError::Refused(Ok(found))) => found,
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn every_rule_names_the_row_that_breaks_it() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        let first = it.look().await;
        assert!(first.is_clean() && first.skipped.is_empty(), "{first:#?}");
        let mut kept = BTreeSet::new();
        for rule in fsck::rules(it.house.store.engine()) {
            if ELSEWHERE.contains(&rule.name) {
                continue;
            }
            let (_, damage) = *DAMAGE
                .iter()
                .find(|(name, _)| *name == rule.name)
                .unwrap_or_else(|| panic!("say in DAMAGE what breaks `{}`", rule.name));
            let found = broken(&it.house.store, rule, damage).await;
            assert!(found.as_ref().is_ok_and(|found| !found.is_empty()), "{}: {found:?}", rule.name);
            assert!(kept.insert(rule.name), "two rules are called `{}`", rule.name);
        }
        assert!(it.look().await.is_clean(), "the damage was rolled back");
    })
    .await;
}

#[tokio::test]
async fn a_page_that_rotted_is_found_or_cannot_be_read_at_all() {
    let house = crate::cast::House::new(Engine::Sqlite).await;
    let it = Furnished::new(house).await;
    live(&it).await;
    let copy = it.house.folder().join("rotten.db");
    let mut conn = it.house.store.read().await.unwrap();
    let into_the_file = sql("PRAGMA wal_checkpoint(TRUNCATE)").optional::<(i64, i64, i64)>(&mut conn).await;
    assert_eq!(into_the_file.unwrap().map(|(busy, ..)| busy), Some(0));
    std::fs::copy(it.house.store.path().unwrap(), &copy).unwrap();
    let sound = std::fs::read(&copy).unwrap();
    let (mut told, pages) = (0, sound.len() / 4096);
    assert!(pages > 20, "{pages} pages");
    for page in (2..pages).step_by(pages / 10) {
        let mut rotten = sound.clone();
        // The head of a b-tree page: its kind and how many cells it has.
        rotten[page * 4096..page * 4096 + 8].fill(0xA5);
        std::fs::write(&copy, rotten).unwrap();
        let store = Store::inspect(&keywarden_store::Location::Sqlite(copy.clone())).await;
        let Ok(store) = store else {
            told += 1;
            continue;
        };
        let rule = fsck::rules(Engine::Sqlite).find(|rule| rule.name == "page-damaged").unwrap();
        let mut conn = store.read().await.unwrap();
        let found = fsck::offenders(&mut conn, rule, 20).await;
        told += usize::from(found.is_err() || found.is_ok_and(|found| !found.is_empty()));
    }
    assert_eq!(told, (2..pages).step_by(pages / 10).count());
}
