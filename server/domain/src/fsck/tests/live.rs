//! A house in which everything has happened that leaves rows.

use chrono::TimeDelta;
use keywarden_model::{
    Alias, ClaimRules, Dialect, EnvironmentId, ProjectId, RevokeReason, Role, Scopes, SecretKind,
};
use keywarden_vault::{Purpose, SecretBytes, SecretString};

use super::Furnished;
use crate::access::{self, NewRequest, Rule};
use crate::authz::PolicyScope;
use crate::environments::{NewEnvironment, Terms};
use crate::exchange::{Exchange, shelf::Issuer};
use crate::keys::{ImportKey, ImportedValue, NewKey, Overlap, Place, Question, Route};
use crate::messages::{ChannelOwner, Kinds, NewChannel, Target};
use crate::people::Browser;
use crate::people::tests as people;
use crate::permissions::{Case, Setting};
use crate::policy::{Activate, NewPolicy};
use crate::policy_tests::NewPolicyTest;
use crate::roles::{Grant, Holder};
use crate::secrets::{
    About, Address, MOST_PASSPHRASES, MadeShare, NewShare, NewValue, PutSecret, ShareLife, Validity, Which,
};
use crate::standards::NewStandard;
use crate::teams::NewTeam;
use crate::workloads::WorkloadQuery;
use crate::{Action, Actor, Once, Op, Source, trust};

/// Everything happens that leaves rows, by use-cases alone.
pub(super) async fn live(it: &Furnished) {
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

    let rule = NewPolicy {
        scope: PolicyScope::Organization,
        name: "No imports on Sundays".parse().unwrap(),
        text:
            r#"forbid (principal, action == Action::"key.import", resource) when { context.weekday == 7 };"#
                .into(),
        note: "a day of rest".parse().unwrap(),
    };
    let rule = domain.draft_policy(&ada.op(house), rule).await.unwrap();
    let decide = Activate { version: 1, at: None, row_version: 1 };
    domain.activate_policy(&ada.op(house), rule, decide).await.unwrap();
    let case = Case {
        holder: Holder::Person(ada.person.id),
        action: Action::CreateProject,
        thing: "organization".into(),
        setting: Setting::default(),
    };
    let name = "Owners make projects".parse().unwrap();
    let test = NewPolicyTest { scope: PolicyScope::Organization, name, case, allowed: true };
    domain.save_policy_test(&ada.op(house), test).await.unwrap();
    let standard = NewStandard {
        scope: PolicyScope::Organization,
        name: "Keys are rotated in time".parse().unwrap(),
        rules: serde_json::from_str(r#"{"key_rotation_days":3650,"environments":["live"]}"#).unwrap(),
        note: "agreed in May".parse().unwrap(),
    };
    let standard = domain.draft_standard(&ada.op(house), standard).await.unwrap();
    domain.activate_standard(&ada.op(house), standard, 1, 1).await.unwrap();

    let channel = NewChannel {
        owner: ChannelOwner::Organization,
        name: "Duty".parse().unwrap(),
        target: Target::parse(keywarden_model::ChannelKind::Webhook, "https://hooks.example.com/in").unwrap(),
        kinds: Kinds::default(),
    };
    let channel = domain.create_channel(&ada.op(house), channel).await.unwrap();
    domain.test_channel(&ada.op(house), channel.id).await.unwrap();
    domain.route_messages(&domain.system_op("route-messages")).await.unwrap();

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
    access(it, &ada, pay).await;
}

/// A role that was held for a while, and one that is; a rule; what was denied.
async fn access(it: &Furnished, ada: &people::Somebody, pay: ProjectId) {
    let (house, domain) = (&it.house, &it.house.domain);
    let eve = people::join(house, ada, "Eve", Role::Viewer, Some(pay), 11).await;
    // No passkey approves in its first day.
    house.clock.advance(std::time::Duration::from_hours(25));
    let mut soft = ada.soft.clone();
    let mut ada = ada.person.clone();
    ada.asserted_at = Some(house.now());
    let ada = || house.op(Actor::Person(ada.clone()));
    let rule = Rule::built_in();
    domain.set_access_rule(&ada(), PolicyScope::Organization, Some(rule), 0).await.unwrap();
    for (n, role) in [Role::Issuer, Role::Manager, Role::Verifier].into_iter().enumerate() {
        // Each has an instant of its own.
        house.clock.advance(std::time::Duration::from_secs(1));
        let terms = access::Terms {
            lasts: TimeDelta::hours(1),
            reason: "INC-7: payments fail".parse().unwrap(),
            ticket: "INC-7".parse().unwrap(),
        };
        let new = NewRequest { role, project: Some("pay".into()), holder: None, terms };
        let id = domain.request_access(&eve.op(house), new).await.unwrap();
        if n == 2 {
            domain.deny_access(&ada(), id, "not needed".parse().unwrap()).await.unwrap();
            continue;
        }
        let started = domain.start_access_approval(&ada(), id).await.unwrap();
        let answer = people::got(&mut soft, &started.options);
        domain.finish_access_approval(&ada(), id, started.ceremony, &answer).await.unwrap();
        if n == 0 {
            let shown = domain.access_request(&eve.op(house), id).await.unwrap();
            domain.give_back_access(&eve.op(house), shown.grant.unwrap().id).await.unwrap();
        }
    }
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
