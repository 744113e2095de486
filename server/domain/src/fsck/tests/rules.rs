//! Each rule that SQL can see is broken once, alone, in records in which everything has happened; the rule must name it.
//! The damage is rolled back, so that each one is found on its own account. A rule without damage here fails the test.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use keywarden_model::{Alias, ClaimRules, Dialect, EnvironmentId, RevokeReason, Role, Scopes, SecretKind};
use keywarden_store::fsck::{self, Rule};
use keywarden_store::{Engine, Store, StoreError, WriteError, sql};
use keywarden_vault::{Purpose, SecretBytes, SecretString};

use super::Furnished;
use crate::cast::both_engines;
use crate::environments::{NewEnvironment, Terms};
use crate::exchange::{Exchange, shelf::Issuer};
use crate::keys::{ImportKey, ImportedValue, NewKey, Overlap, Place, Question, Route};
use crate::people::Browser;
use crate::people::tests as people;
use crate::roles::{Grant, Holder};
use crate::secrets::{
    About, Address, MOST_PASSPHRASES, MadeShare, NewShare, NewValue, PutSecret, ShareLife, Validity, Which,
};
use crate::teams::NewTeam;
use crate::workloads::WorkloadQuery;
use crate::{Once, Op, Source, trust};

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

/// Everything happens that leaves rows, by use-cases alone.
async fn live(it: &Furnished) {
    let (house, domain) = (&it.house, &it.house.domain);
    let ada = people::set_up(house).await;
    let pay = domain.project(&ada.op(house), "pay").await.unwrap().id;
    let live = NewEnvironment {
        slug: "live".parse().unwrap(),
        name: "Live".parse().unwrap(),
        label: "live".parse().unwrap(),
        terms: Terms::new(None, None).unwrap(),
    };
    let live = domain.create_environment(&ada.op(house), pay, live).await.unwrap();
    let bob = people::join(house, &ada, "Bob", Role::Issuer, Some(pay), 2).await;
    let cleo = people::join(house, &ada, "Cleo", Role::Auditor, None, 3).await;
    domain.deactivate_user(&ada.op(house), cleo.person.id).await.unwrap();
    domain.invite(&ada.op(house), &people::named("Dan"), Role::Admin, None).await.unwrap();
    domain.operator_recover(&house.operator(Role::Owner), bob.person.id).await.unwrap();
    let code = people::codes(house, &bob).await.remove(0);
    let _back = domain.use_recovery_code(&people::nobody(house), &people::typed(&code)).await.unwrap();
    second_passkey(it, &ada).await;
    domain.keep_post(&ada.op(house), "/keys", &SecretBytes::copy_of(b"a=b")).await.unwrap();
    let (browser, _) = Browser::fresh(domain.env());
    domain.start_sign_in(&people::nobody(house), browser).await.unwrap();
    domain.start_device(&people::nobody(house)).await.unwrap();

    let team = NewTeam { slug: "payers".parse().unwrap(), name: "Payers".parse().unwrap() };
    let team = domain.create_team(&ada.op(house), team).await.unwrap();
    let grant = Grant { holder: Holder::Team(team), role: Role::Viewer, project: Some(pay) };
    domain.grant_role(&ada.op(house), grant).await.unwrap();
    domain.revoke_service_token(&ada.op(house), it.token.parse().unwrap()).await.unwrap();
    exchanges(it, &ada).await;

    let named = |name: &str| NewKey::named(Place::Environment(live), name.parse().unwrap());
    let rated = NewKey {
        rate_limit: Some(keywarden_model::RateLimit::new(100, 60).unwrap()),
        tags: keywarden_model::Tags::parse(["team=payments"]).unwrap(),
        ..named("Rated")
    };
    let once = Op { once: Some(Once::new("idempotency-1", &[b"issue"]).unwrap()), ..ada.op(house) };
    let rated = domain.issue_key(&once, rated).await.unwrap();
    let held = ImportKey {
        key: named("Held"),
        value: ImportedValue::Value(SecretString::new("sk-Legacy-4f9a1c77e2".to_owned())),
        last_day: house.now() + TimeDelta::days(30),
    };
    let held = domain.import_key(&ada.op(house), held).await.unwrap();
    domain.rotate_key(&ada.op(house), rated.id, Overlap::For(TimeDelta::hours(1))).await.unwrap();
    for name in ["Still", "Gone", "Again"] {
        let key = domain.issue_key(&ada.op(house), named(name)).await.unwrap().id;
        domain.suspend_key(&ada.op(house), key, "").await.unwrap();
        match name {
            "Again" => domain.resume_key(&ada.op(house), key).await.unwrap(),
            "Gone" => domain.revoke_key(&ada.op(house), key, RevokeReason::Superseded, "").await.unwrap(),
            _ => {}
        }
    }
    domain.bulk_revoke(&ada.op(house), vec![held], RevokeReason::KeyCompromise, "").await.unwrap();
    let question = Question {
        presented: rated.value.expose(),
        scopes: &Scopes::default(),
        ip: None,
        caller: Some("shop"),
        route: Route::Verify,
    };
    assert!(domain.verify_key(&house.operator(Role::Owner), &question).await.unwrap().valid());
    secrets(it, &ada, live).await;
    shares(it, &ada, live).await;
    templates(it, &ada, live).await;
    let seal = "software:acme".parse().unwrap();
    domain.offer_seal(&domain.shell_op(), &seal).await.unwrap();
    domain.name_project_seal(&ada.op(house), pay, Some(&seal)).await.unwrap();
    domain.flush_usage().await.unwrap();
    domain.flush_verify_counts().await.unwrap();
    domain.flush_decisions().await.unwrap();
}

/// Secrets in every state.
async fn secrets(it: &Furnished, ada: &people::Somebody, live: EnvironmentId) {
    let (house, domain) = (&it.house, &it.house.domain);
    let put = async |path: &str, text: &str, label: Option<&str>| {
        let bytes = SecretBytes::copy_of(text.as_bytes());
        let put = PutSecret {
            value: NewValue::new(SecretKind::Text, None, bytes).unwrap(),
            label: label.map(|it| it.parse().unwrap()),
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        let place = Place::Environment(live);
        domain.put_secret(&ada.op(house), &place, &path.parse().unwrap(), put).await.unwrap().id
    };
    let kept = put("db/password", "one", None).await;
    put("db/password", "two", None).await;
    put("db/password", "three", Some("pending")).await;
    domain.label_secret(&ada.op(house), kept, None, &"blue".parse().unwrap(), 1).await.unwrap();
    for (dialect, name) in
        [(Dialect::Azure, "DB-Password"), (Dialect::VaultKv2, "db/password"), (Dialect::Aws, "db")]
    {
        let alias = Alias::new(dialect, name).unwrap();
        domain.alias_secret(&ada.op(house), kept, None, &alias).await.unwrap();
    }
    domain.unalias_secret(&ada.op(house), kept, None, Dialect::Aws).await.unwrap();
    domain.disable_secret_version(&ada.op(house), kept, 3).await.unwrap();
    domain.destroy_secret_version(&ada.op(house), kept, 1).await.unwrap();
    let read = domain.read_secret(&ada.op(house), &Address::Id(kept), &Which::default()).await.unwrap();
    assert_eq!(read.value.expose(), b"two");
    put("never/in/force", "x", Some("pending")).await;
    let one_by_one = put("mail/token", "one", None).await;
    for text in ["two", "three", "four"] {
        put("mail/token", text, None).await;
    }
    for number in 1..4 {
        domain.delete_secret_version(&ada.op(house), one_by_one, number).await.unwrap();
        if number == 1 {
            let mut later = domain.system_op("purge-secrets");
            later.now += TimeDelta::days(30);
            assert_eq!(domain.purge_secret_versions(&later).await.unwrap(), 1);
        }
    }
    domain.restore_secret_version(&ada.op(house), one_by_one, 2).await.unwrap();
    let pay = domain.project(&ada.op(house), "pay").await.unwrap().id;
    domain.rotate_project_key(&ada.op(house), pay).await.unwrap();
    domain.rotate_data_key(&ada.op(house), kept).await.unwrap();
    domain.rotate_keyring_key(&ada.op(house), Purpose::ProjectKey, &it.seals).await.unwrap();
    assert_eq!(domain.rewrap().await.unwrap(), 2);
    domain.rotate_seal_key(&ada.op(house), &it.seals[0].describe().id).await.unwrap();
    for path in ["purged", "deleted", "restored", "emptied", "purged-early"] {
        let id = put(path, path, None).await;
        let alias = Alias::new(Dialect::Gcp, path).unwrap();
        domain.alias_secret(&ada.op(house), id, None, &alias).await.unwrap();
        domain.delete_secret(&ada.op(house), &Address::Id(id), None).await.unwrap();
        match path {
            "restored" => domain.restore_secret(&ada.op(house), id).await.unwrap(),
            "purged-early" => domain.purge_secret(&ada.op(house), id).await.unwrap(),
            "emptied" => {
                domain.destroy_secret_version(&ada.op(house), id, 1).await.unwrap();
                domain.restore_secret(&ada.op(house), id).await.unwrap();
            }
            "purged" => {
                let mut later = domain.system_op("purge-secrets");
                later.now += TimeDelta::days(30);
                assert_eq!(domain.purge_secrets(&later).await.unwrap(), 1);
            }
            _ => {}
        }
    }
}

/// Links to a value: open, opened, guessed at, withdrawn and expired.
async fn shares(it: &Furnished, ada: &people::Somebody, live: EnvironmentId) {
    let (house, domain) = (&it.house, &it.house.domain);
    let at = Address::Path { place: Place::Environment(live), path: "db/password".parse().unwrap() };
    let id = domain.secret(&ada.op(house), &at).await.unwrap().secret.id;
    let make = async |recipient| {
        let new = NewShare { version: 2, recipient, life: ShareLife::Day };
        domain.share_secret(&ada.op(house), id, new).await.unwrap()
    };
    let value = |made: &MadeShare| made.url().rsplit('/').next().unwrap().to_owned();
    make(Some(ada.person.id)).await;
    make(None).await;
    let opened = make(None).await;
    let passphrase = SecretString::new(opened.passphrase().unwrap().to_owned());
    domain.open_share(&people::nobody(house), &value(&opened), Some(&passphrase)).await.unwrap();
    let guessed = make(None).await;
    for _ in 0..MOST_PASSPHRASES {
        domain.open_share(&people::nobody(house), &value(&guessed), Some(&passphrase)).await.unwrap_err();
    }
    let withdrawn = make(None).await.id;
    domain.withdraw_share(&ada.op(house), id, withdrawn).await.unwrap();
    let new = NewShare { version: 2, recipient: None, life: ShareLife::Hour };
    domain.share_secret(&ada.op(house), id, new).await.unwrap();
    let mut later = domain.system_op("purge-secrets");
    later.now += TimeDelta::hours(1);
    assert_eq!(domain.expire_shares(&later).await.unwrap(), 1);
}

/// A version that refers to two of the others, and one that did and is destroyed.
async fn templates(it: &Furnished, ada: &people::Somebody, live: EnvironmentId) {
    let (house, domain) = (&it.house, &it.house.domain);
    let (place, path) = (Place::Environment(live), "app/url".parse().unwrap());
    for text in ["${pay/live/db/password}", "db:${pay/live/db/password}@${pay/live/mail/token}"] {
        let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(text.as_bytes())).unwrap();
        let put = PutSecret {
            value: value.into_template().unwrap(),
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        domain.put_secret(&ada.op(house), &place, &path, put).await.unwrap();
    }
    let address = Address::Path { place, path };
    let read = domain.read_secret(&ada.op(house), &address, &Which::default()).await.unwrap();
    assert_eq!(read.value.expose(), b"db:two@four");
    domain.destroy_secret_version(&ada.op(house), read.id, 1).await.unwrap();
}

/// A rule that let a token in, and one that was deleted.
async fn exchanges(it: &Furnished, ada: &people::Somebody) {
    let (house, domain) = (&it.house, &it.house.domain);
    let query = WorkloadQuery { limit: 1, ..WorkloadQuery::default() };
    let workload = domain.workloads(&ada.op(house), &query).await.unwrap().workloads.remove(0).id;
    let issuer = Issuer::new("https://issuer.example", "k1", 7);
    issuer.publish(&house.shelf);
    let terms = |claims: &str| trust::Terms {
        issuer: issuer.url.parse().unwrap(),
        audience: "keywarden".parse().unwrap(),
        claims: ClaimRules::from_lines(claims).unwrap(),
        keys: trust::Keys::Discovered,
        single_use: true,
    };
    domain.create_trust_rule(&ada.op(house), workload, terms("sub=shop")).await.unwrap();
    let gone = domain.create_trust_rule(&ada.op(house), workload, terms("sub=gone")).await.unwrap();
    domain.delete_trust_rule(&ada.op(house), workload, gone).await.unwrap();
    let now = house.now().timestamp();
    let claims = serde_json::json!({ "iss": issuer.url, "aud": "keywarden", "sub": "shop", "iat": now, "exp": now + 60 });
    let (token, request) = (issuer.sign(&claims), domain.env().id(house.now()));
    domain.exchange(&Source::default(), request, Exchange { token: &token, workload: None }).await.unwrap();
}

async fn second_passkey(it: &Furnished, ada: &people::Somebody) {
    let (house, domain) = (&it.house, &it.house.domain);
    // Its own instant tells it from the passkey that came with its person.
    house.clock.advance(std::time::Duration::from_secs(1));
    let started = domain.start_add_passkey(&ada.op(house), &people::named("Added")).await.unwrap();
    let mut soft = crate::passkeys::soft::SoftAuthenticator::new(9);
    let answer = people::made(&mut soft, &started.options);
    let name = people::named("Second");
    domain.finish_add_passkey(&ada.op(house), started.ceremony, &answer, &name).await.unwrap();
}

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

#[tokio::test]
async fn a_sealed_row_in_anothers_place_is_found_whatever_holds_it() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        // Of two sealed rows under the same key each gets the other's envelope: every column is in order.
        for (table, swap) in [
            (
                "sessions",
                "UPDATE sessions SET sealed = (SELECT o.sealed FROM sessions o WHERE o.id <> sessions.id
                          ORDER BY o.id LIMIT 1)",
            ),
            (
                "subjects",
                "UPDATE subjects SET sealed_key = (SELECT o.sealed_key FROM subjects o
                          WHERE o.id <> subjects.id ORDER BY o.id LIMIT 1)",
            ),
            (
                "pending_posts",
                "UPDATE pending_posts SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "ceremonies",
                "UPDATE ceremonies SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "device_grants",
                "UPDATE device_grants SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "project_keys",
                "UPDATE project_keys SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "unseen_codes",
                "UPDATE unseen_codes SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "idempotency",
                "UPDATE idempotency SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
        ] {
            it.damage(move || sql(swap)).await;
            let found = it.look().await.findings;
            let told = found.iter().any(|it| it.check == "sealed-row" && it.thing.starts_with(table));
            assert!(told, "{table}: {found:#?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_secrets_value_that_is_not_what_its_row_says_is_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        let shorter = "UPDATE secret_versions SET size = size - 1 WHERE state = 'enabled'";
        it.finds("secret-value", move || sql(shorter)).await;
        it.damage(|| sql("UPDATE secret_versions SET size = size + 1 WHERE state = 'enabled'")).await;
        assert!(it.look().await.is_clean());
        // Two versions under the same key, each with the other's envelopes.
        let swap = "UPDATE secret_versions SET
             wrapped_key = (SELECT o.wrapped_key FROM secret_versions o
                            WHERE o.id <> secret_versions.id AND o.wrapped_key IS NOT NULL ORDER BY o.id LIMIT 1),
             ciphertext = (SELECT o.ciphertext FROM secret_versions o
                           WHERE o.id <> secret_versions.id AND o.ciphertext IS NOT NULL ORDER BY o.id LIMIT 1)
             WHERE state <> 'destroyed'";
        it.finds("secret-value", move || sql(swap)).await;
    })
    .await;
}

#[tokio::test]
async fn a_template_that_refers_to_other_things_than_its_rows_say_is_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        let moved = "UPDATE secret_references SET position = position + 7";
        it.damage(move || sql(moved)).await;
        assert!(it.look().await.is_clean(), "their order is what counts");
        let other = "UPDATE secret_references SET path = 'db/other' WHERE position = 7";
        it.finds("secret-references", move || sql(other)).await;
    })
    .await;
}

#[tokio::test]
async fn a_fingerprint_of_another_value_is_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        let other = "UPDATE secret_versions SET fingerprint = $1 WHERE state <> 'destroyed'";
        it.finds("secret-value", move || sql(other).bind(vec![7; 32])).await;
    })
    .await;
}
