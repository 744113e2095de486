mod around;

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{Name, Role, SecretKind, StandardRule, Tags};

use super::*;
use crate::SecretBytes;
use crate::audit::Query;
use crate::authz::Owner;
use crate::cast::{House, Player, Stage, both_engines};
use crate::keys::{EditKeyError, IssueError, Issued, KeyPatch, NewKey, Place, TermError};
use crate::secrets::{
    About, Address, EditSecretError, NewValue, Put, PutError, PutSecret, ReadSecretError, SecretPatch,
    Validity, Which,
};

async fn owner(house: &House, name: &str) -> Player {
    house.person(name, &[(Role::Owner, None)]).await
}

fn rules(json: &str) -> Rules {
    serde_json::from_str(json).unwrap()
}

async fn drafted(house: &House, by: &Player, scope: PolicyScope, name: &str, json: &str) -> StandardId {
    let new =
        NewStandard { scope, name: name.parse().unwrap(), rules: rules(json), note: Description::default() };
    house.domain.draft_standard(&by.op(), new).await.unwrap()
}

async fn seen(house: &House, by: &Player, id: StandardId) -> i64 {
    house.domain.standard(&by.op(), id).await.unwrap().standard.row_version
}

async fn activated(
    house: &House,
    by: &Player,
    id: StandardId,
    number: i64,
) -> Result<StandardId, ChangeStandardError> {
    let row_version = seen(house, by, id).await;
    house.domain.activate_standard(&by.op(), id, number, row_version).await
}

async fn in_force(house: &House, by: &Player, json: &str) -> StandardId {
    let id = drafted(house, by, PolicyScope::Organization, "Ours", json).await;
    activated(house, by, id, 1).await.unwrap();
    id
}

async fn issued(house: &House, by: &Player, pay: &Stage, name: &str) -> Result<Issued, IssueError> {
    let new = NewKey::named(Place::Environment(pay.live), name.parse().unwrap());
    house.domain.issue_key(&by.op(), new).await
}

async fn put(house: &House, by: &Player, pay: &Stage, path: &str) -> Result<Put, PutError> {
    let value = SecretBytes::copy_of(b"hunter2");
    let put = PutSecret {
        value: NewValue::new(SecretKind::Text, None, value).unwrap(),
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    let place = Place::Environment(pay.live);
    house.domain.put_secret(&by.op(), &place, &path.parse().unwrap(), put).await
}

fn broken(refused: Result<Issued, IssueError>) -> StandardRule {
    match refused {
        Err(IssueError::Terms(TermError::Standard(breach))) => breach.demand.rule().unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn events(house: &House, by: &Player, id: StandardId) -> Vec<String> {
    let query = Query { resource: Some(id.to_string()), limit: 50, ..Query::default() };
    let mut found = house.domain.events(&by.op(), &query).await.unwrap().events;
    found.reverse();
    found.iter().map(|it| it.action.clone()).collect()
}

#[tokio::test]
async fn a_standard_refuses_from_when_it_is_in_force_until_it_ends() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        // Events of one instant have no order.
        let tick = || house.clock.advance(Duration::from_secs(1));
        let strict = r#"{"key_names":"pay-[a-z0-9-]+"}"#;
        let id = drafted(&house, &olga, PolicyScope::Organization, "Names", strict).await;
        issued(&house, &olga, &pay, "Checkout").await.unwrap();

        tick();
        activated(&house, &olga, id, 1).await.unwrap();
        let refused = issued(&house, &olga, &pay, "Books").await;
        assert!(refused.as_ref().unwrap_err().to_string().contains("`Names`"), "{refused:?}");
        assert_eq!(broken(refused), StandardRule::KeyName);
        issued(&house, &olga, &pay, "pay-books").await.unwrap();

        tick();
        let new = RedraftStandard {
            rules: rules(r#"{"key_names":"book-.*"}"#),
            note: Description::default(),
            row_version: seen(&house, &olga, id).await,
        };
        house.domain.redraft_standard(&olga.op(), id, new).await.unwrap();
        issued(&house, &olga, &pay, "pay-more").await.unwrap();
        tick();
        activated(&house, &olga, id, 2).await.unwrap();
        assert_eq!(broken(issued(&house, &olga, &pay, "pay-less").await), StandardRule::KeyName);

        tick();
        let row_version = seen(&house, &olga, id).await;
        house.domain.roll_back_standard(&olga.op(), id, 1, row_version).await.unwrap();
        issued(&house, &olga, &pay, "pay-less").await.unwrap();

        tick();
        let row_version = seen(&house, &olga, id).await;
        house.domain.end_standard(&olga.op(), id, row_version).await.unwrap();
        issued(&house, &olga, &pay, "Anything").await.unwrap();
        let row_version = seen(&house, &olga, id).await;
        let again = house.domain.end_standard(&olga.op(), id, row_version).await;
        assert!(matches!(again, Err(ChangeStandardError::NotInForce)), "{again:?}");

        let told = [
            "standard.draft",
            "standard.activate",
            "standard.draft",
            "standard.activate",
            "standard.roll-back",
            "standard.end",
        ];
        assert_eq!(events(&house, &olga, id).await, told);
        let found = house.domain.fsck(&[]).await.unwrap().findings;
        assert!(found.iter().all(|it| !it.check.starts_with("standard")), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn a_second_person_is_asked_for_as_with_policies() {
    both_engines(async |house| {
        let (olga, omar) = (owner(&house, "Olga").await, owner(&house, "Omar").await);
        house.domain.require_policy_review(&olga.op(), true).await.unwrap();
        let id = drafted(&house, &olga, PolicyScope::Organization, "Teams", r#"{"team_owner":true}"#).await;
        let alone = activated(&house, &olga, id, 1).await;
        assert!(matches!(alone, Err(ChangeStandardError::NeedsApproval)), "{alone:?}");
        let row_version = seen(&house, &olga, id).await;
        house.domain.submit_standard(&olga.op(), id, 1, row_version).await.unwrap();
        let row_version = seen(&house, &olga, id).await;
        let own = house.domain.approve_standard(&olga.op(), id, 1, row_version).await;
        assert!(matches!(own, Err(ChangeStandardError::OwnDraft)), "{own:?}");
        house.domain.approve_standard(&omar.op(), id, 1, row_version).await.unwrap();
        activated(&house, &olga, id, 1).await.unwrap();

        let row_version = seen(&house, &olga, id).await;
        house.domain.end_standard(&olga.op(), id, row_version).await.unwrap();
        assert!(house.domain.standard(&olga.op(), id).await.unwrap().active().is_some());
        let row_version = seen(&house, &olga, id).await;
        house.domain.end_standard(&omar.op(), id, row_version).await.unwrap();
        assert!(house.domain.standard(&olga.op(), id).await.unwrap().active().is_none());
    })
    .await;
}

#[tokio::test]
async fn none_comes_into_force_while_an_older_node_may_run() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        let id = drafted(&house, &olga, PolicyScope::Organization, "Teams", r#"{"team_owner":true}"#).await;
        let compatible = |version: i64| {
            keywarden_store::sql("UPDATE schema_info SET oldest_compatible = $1").bind(version)
        };
        house.put(vec![compatible(37)]).await;
        let refused = activated(&house, &olga, id, 1).await;
        assert!(matches!(refused, Err(ChangeStandardError::OlderNodes)), "{refused:?}");
        house.put(vec![compatible(38)]).await;
        activated(&house, &olga, id, 1).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn strangers_find_no_standard_and_a_projects_own_holds_there_alone() {
    both_engines(async |house| {
        let (olga, mallory) = (owner(&house, "Olga").await, house.person("Mallory", &[]).await);
        let (pay, shop) = (house.project("pay").await, house.project("shop").await);
        let mona = house.person("Mona", &[(Role::Manager, Some(pay.id))]).await;
        let scope = PolicyScope::Project(pay.id);
        let id = drafted(&house, &mona, scope, "Ours", r#"{"key_names":"pay-.*"}"#).await;
        activated(&house, &mona, id, 1).await.unwrap();
        assert_eq!(broken(issued(&house, &olga, &pay, "Books").await), StandardRule::KeyName);
        issued(&house, &olga, &shop, "Books").await.unwrap();
        let hidden = house.domain.standard(&mallory.op(), id).await;
        assert!(matches!(hidden, Err(Refused::NotFound)), "{hidden:?}");
        let list = StandardQuery { limit: 50, ..StandardQuery::default() };
        assert_eq!(house.domain.standards(&mallory.op(), &list).await.unwrap().standards.len(), 0);
        assert_eq!(house.domain.standards(&mona.op(), &list).await.unwrap().standards.len(), 1);
        // A manager writes nothing for all.
        let new = NewStandard {
            scope: PolicyScope::Organization,
            name: "All".parse().unwrap(),
            rules: rules(r#"{"team_owner":true}"#),
            note: Description::default(),
        };
        let refused = house.domain.draft_standard(&mona.op(), new).await;
        assert!(matches!(refused, Err(DraftStandardError::Refused(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn what_an_edit_leaves_as_it_was_is_not_refused_and_what_it_changes_is() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let id = issued(&house, &olga, &pay, "Checkout").await.unwrap().id;
        let strict =
            r#"{"key_names":"pay-.*","key_lifetime_days":30,"tags":["cost"],"approved_scopes":["refunds:*"]}"#;
        in_force(&house, &olga, strict).await;
        let edit = async |patch: KeyPatch| house.domain.edit_key(&olga.op(), id, None, patch).await;
        let refused = |done: Result<(), EditKeyError>| match done {
            Err(EditKeyError::Terms(TermError::Standard(breach))) => breach.demand.rule().unwrap(),
            other => panic!("{other:?}"),
        };
        let described = KeyPatch { description: Some("what for".parse().unwrap()), ..KeyPatch::default() };
        edit(described).await.unwrap();
        let other: Name = "Books".parse().unwrap();
        let renamed = KeyPatch { name: Some(other), ..KeyPatch::default() };
        assert_eq!(refused(edit(renamed).await), StandardRule::KeyName);
        let tagged = |tag: &str| KeyPatch { tags: Some(Tags::parse([tag]).unwrap()), ..KeyPatch::default() };
        // It had none before, and has none after: as it was.
        edit(tagged("team=payments")).await.unwrap();
        edit(tagged("cost=12")).await.unwrap();
        assert_eq!(refused(edit(tagged("team=payments")).await), StandardRule::Tag);
        let scoped = KeyPatch {
            scopes: Some(keywarden_model::Scopes::parse(["refunds:write"]).unwrap()),
            ..KeyPatch::default()
        };
        assert_eq!(refused(edit(scoped).await), StandardRule::Scope);
        let lives = |days: i64| KeyPatch {
            expires_at: Some(Some(olga.op().now + TimeDelta::days(days))),
            ..KeyPatch::default()
        };
        assert_eq!(refused(edit(lives(31)).await), StandardRule::KeyLifetime);
        edit(lives(30)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_stricter_of_a_standard_and_an_environment_holds() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        in_force(&house, &olga, r#"{"key_lifetime_days":7}"#).await;
        let id = issued(&house, &olga, &pay, "Checkout").await.unwrap().id;
        let key = house.domain.key(&olga.op(), id).await.unwrap().key;
        assert_eq!(key.expires_at, Some(key.created_at + TimeDelta::days(7)));
        let long = NewKey {
            expires_at: Some(olga.op().now + TimeDelta::days(8)),
            ..NewKey::named(Place::Environment(pay.live), "Books".parse().unwrap())
        };
        assert_eq!(broken(house.domain.issue_key(&olga.op(), long).await), StandardRule::KeyLifetime);
    })
    .await;
}

#[tokio::test]
async fn secrets_are_held_to_their_paths_owners_and_tags() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let team = house.team("payments", &[olga.id], &[]).await;
        let there = put(&house, &olga, &pay, "Password").await.unwrap();
        in_force(&house, &olga, r#"{"secret_names":"[a-z]+/[a-z]+","team_owner":true}"#).await;
        let named = put(&house, &olga, &pay, "Other").await;
        let Err(PutError::Standard(breach)) = named else { panic!("{named:?}") };
        assert_eq!(breach.demand.rule().unwrap(), StandardRule::Owner);

        // Another value makes nothing worse.
        put(&house, &olga, &pay, "Password").await.unwrap();
        let edit = async |owner: Owner| {
            let patch = SecretPatch { owner: Some(owner), ..SecretPatch::default() };
            house.domain.edit_secret(&olga.op(), there.id, None, patch).await
        };
        edit(Owner::Team(team)).await.unwrap();
        let back = edit(Owner::Person(olga.id)).await;
        assert!(matches!(back, Err(EditSecretError::Standard(_))), "{back:?}");
        let view = house.domain.secret(&olga.op(), &Address::Id(there.id)).await.unwrap();
        let breaks = house.domain.breaches_of_secret(&olga.op(), &view).await.unwrap();
        let rules: Vec<_> = breaks.iter().map(|it| it.demand.rule().unwrap()).collect();
        assert_eq!(rules, [StandardRule::SecretName]);
    })
    .await;
}

#[tokio::test]
async fn a_reason_is_asked_for_where_a_standard_does_though_the_environment_does_not() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let id = put(&house, &olga, &pay, "db/password").await.unwrap().id;
        let current = || Which::Label(keywarden_model::SecretLabel::current());
        let read = async || {
            let address = Address::Id(id);
            house.domain.read_secret(&olga.op(), &address, &current()).await
        };
        read().await.unwrap();
        let elsewhere = drafted(
            &house,
            &olga,
            PolicyScope::Organization,
            "Elsewhere",
            r#"{"environments":["staging"],"reads_need_reason":true}"#,
        )
        .await;
        activated(&house, &olga, elsewhere, 1).await.unwrap();
        read().await.unwrap();
        let here = in_force(&house, &olga, r#"{"environments":["live"],"reads_need_reason":true}"#).await;
        let refused = read().await;
        assert!(matches!(refused, Err(ReadSecretError::NoReason)), "{refused:?}");
        assert!(house.domain.secret(&olga.op(), &Address::Id(id)).await.unwrap().secret.reads_need_reason);
        let row_version = seen(&house, &olga, here).await;
        house.domain.end_standard(&olga.op(), here, row_version).await.unwrap();
        read().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_draft_reports_what_would_break_it_page_by_page_and_counts_it() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        for name in ["Checkout", "Books", "pay-good"] {
            issued(&house, &olga, &pay, name).await.unwrap();
        }
        put(&house, &olga, &pay, "Password").await.unwrap();
        let strict = r#"{"key_names":"pay-.*","secret_names":"[a-z]+/[a-z]+","reads_need_reason":true}"#;
        let id = drafted(&house, &olga, PolicyScope::Project(pay.id), "Ours", strict).await;
        let tally = house.domain.standard_tally(&olga.op(), id, 1).await.unwrap();
        assert_eq!((tally.keys, tally.secrets, tally.complete), (2, 1, true));
        assert!(tally.environments >= 1, "{tally:?}");

        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = house.domain.standard_report(&olga.op(), id, 1, after, 1).await.unwrap();
            assert!(page.found.len() <= 1);
            found.extend(page.found);
            after = page.next;
            if let Some(place) = after {
                assert_eq!(place.to_string().parse(), Ok(place));
            } else {
                break;
            }
        }
        assert_eq!(found.len(), usize::try_from(tally.all()).unwrap());
        let names: Vec<_> = found
            .iter()
            .filter_map(|it| match &it.thing {
                Thing::Key(_, name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names.len(), 2);
        assert!(names.contains(&"Checkout") && names.contains(&"Books"), "{names:?}");

        // In force, the environment asks for the reason: nothing of it breaks the standard.
        activated(&house, &olga, id, 1).await.unwrap();
        let tally = house.domain.standard_tally(&olga.op(), id, 1).await.unwrap();
        assert_eq!((tally.environments, tally.keys, tally.secrets), (0, 2, 1));
    })
    .await;
}

#[tokio::test]
async fn what_time_breaks_is_reported_and_refuses_nothing() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let id = issued(&house, &olga, &pay, "Checkout").await.unwrap().id;
        let standard = in_force(&house, &olga, r#"{"key_rotation_days":30}"#).await;
        let keys = async || house.domain.standard_tally(&olga.op(), standard, 1).await.unwrap().keys;
        assert_eq!(keys().await, 0);
        house.clock.advance(Duration::from_hours(31 * 24));
        let olga = olga.steps_up();
        assert_eq!(keys().await, 1);
        let patch = KeyPatch { description: Some("old".parse().unwrap()), ..KeyPatch::default() };
        house.domain.edit_key(&olga.op(), id, None, patch).await.unwrap();
        let view = house.domain.key(&olga.op(), id).await.unwrap();
        let since = view.values[0].created_at;
        let breaks = house.domain.breaches_of_key(&olga.op(), &view.key, since).await.unwrap();
        assert_eq!(breaks.len(), 1);
        assert_eq!(breaks[0].demand.rule().unwrap(), StandardRule::KeyRotation);
    })
    .await;
}

#[tokio::test]
async fn nothing_slips_in_while_a_standard_comes_into_force() {
    both_engines(async |house| {
        let (olga, pay) = (owner(&house, "Olga").await, house.project("pay").await);
        let id = drafted(&house, &olga, PolicyScope::Organization, "Ours", r#"{"key_names":"pay-.*"}"#).await;
        let names: Vec<String> = (0..8).map(|n| format!("Bad {n}")).collect();
        let all = names.iter().map(|name| issued(&house, &olga, &pay, name));
        let (turned, made) =
            tokio::join!(activated(&house, &olga, id, 1), futures_util::future::join_all(all));
        turned.unwrap();
        let made = made.into_iter().flatten().count();
        // Whatever was made was made before, and is told of; nothing is made after.
        let tally = house.domain.standard_tally(&olga.op(), id, 1).await.unwrap();
        assert_eq!(usize::try_from(tally.keys).unwrap(), made);
        assert_eq!(broken(issued(&house, &olga, &pay, "Bad at last").await), StandardRule::KeyName);
    })
    .await;
}

#[tokio::test]
async fn a_standard_asks_for_something_and_has_its_name_alone() {
    both_engines(async |house| {
        let olga = owner(&house, "Olga").await;
        drafted(&house, &olga, PolicyScope::Organization, "Teams", r#"{"team_owner":true}"#).await;
        let new = |name: &str, json: &str| NewStandard {
            scope: PolicyScope::Organization,
            name: name.parse().unwrap(),
            rules: rules(json),
            note: Description::default(),
        };
        let twin = house.domain.draft_standard(&olga.op(), new("TEAMS", r#"{"team_owner":true}"#)).await;
        assert!(matches!(twin, Err(DraftStandardError::NameTaken)), "{twin:?}");
        let empty = house.domain.draft_standard(&olga.op(), new("Nothing", "{}")).await;
        assert!(matches!(empty, Err(DraftStandardError::Empty)), "{empty:?}");
    })
    .await;
}
