mod exact;
mod grants;
mod replay;

use std::time::Duration;

use keywarden_model::{Description, EnvironmentId, Role, SecretId, TeamId};
use keywarden_store::sql;

use super::super::{Activate, NewPolicy, Redraft};
use super::*;
use crate::cast::{House, Player, Stage, both_engines};
use crate::keys::{NewKey, Place};

async fn owner(house: &House) -> Player {
    house.person("Olga", &[(Role::Owner, None)]).await
}

async fn secrets(
    house: &House,
    project: ProjectId,
    environment: EnvironmentId,
    paths: &[&str],
) -> Vec<SecretId> {
    let (env, now) = (house.domain.env(), house.now());
    let ids: Vec<SecretId> = paths.iter().map(|_| env.id(now)).collect();
    let rows = ids.iter().zip(paths).map(|(id, path)| {
        sql("INSERT INTO secrets (id, project_id, environment_id, path, folded_path, description, tags, last_version,
                                  created_at, created_by, row_version)
             VALUES ($1, $2, $3, $4, $5, '', '[]', 0, $6, 'cast', 1)")
        .bind(*id)
        .bind(project)
        .bind(environment)
        .bind(*path)
        .bind(*path)
        .bind(now)
    });
    house.put(rows.collect()).await;
    ids
}

async fn drafted(house: &House, by: &Player, scope: PolicyScope, text: &str) -> PolicyId {
    let name = format!("Rule {}", house.domain.env().id::<PolicyId>(house.now()));
    let new = NewPolicy {
        scope,
        name: name.parse().unwrap(),
        text: text.to_owned(),
        note: "why not".parse().unwrap(),
    };
    house.domain.draft_policy(&by.op(), new).await.unwrap()
}

async fn activated(house: &House, by: &Player, id: PolicyId, version: i64) {
    let row_version = house.domain.policy(&by.op(), id).await.unwrap().policy.row_version;
    let what = Activate { version, at: None, row_version };
    house.domain.activate_policy(&by.op(), id, what).await.unwrap();
}

async fn difference(house: &House, by: &Player, id: PolicyId, change: PolicyChange) -> Difference {
    let page = RowPage { after: None, limit: 200 };
    house.domain.policy_difference(&by.op(), id, change, &page).await.unwrap()
}

fn told(difference: &Difference) -> Vec<(Change, When, &'static str, String, String)> {
    let rows = difference.rows.iter();
    rows.map(|it| (it.change, it.when, it.action.name(), it.who.id.clone(), it.thing.id.clone())).collect()
}

/// Everything that anybody may do, asked one by one.
async fn everything(
    house: &House,
    people: &[&Player],
    action: Action,
    things: &[Resource],
) -> Vec<(String, String)> {
    let mut may = Vec::new();
    for thing in things {
        for person in people {
            if house.domain.would(&person.op(), action, thing).await.unwrap() {
                may.push((person.id.to_string(), thing.name().1));
            }
        }
    }
    may.sort();
    may
}

fn resources(pay: &Stage, live: &[SecretId], test: &[SecretId]) -> Vec<Resource> {
    let secret = |id: &SecretId, environment| Resource::Secret { id: *id, project: pay.id, environment };
    let live = live.iter().map(|it| secret(it, pay.live));
    live.chain(test.iter().map(|it| secret(it, pay.test))).collect()
}

#[tokio::test]
async fn a_draft_says_who_gains_what_and_then_they_do() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let hr = house.project("hr").await;
        let olga = owner(&house).await;
        let (ann, ben) = (house.person("Ann", &[]).await, house.person("Ben", &[]).await);
        let rob = house.person("Rob", &[(Role::Reader, Some(pay.id))]).await;
        let team: TeamId = house.team("on-call", &[ann.id, ben.id, rob.id], &[]).await;
        let live = secrets(&house, pay.id, pay.live, &["a", "b", "c"]).await;
        let test = secrets(&house, pay.id, pay.test, &["d"]).await;
        secrets(&house, hr.id, hr.live, &["e"]).await;
        let text = format!(
            r#"permit (principal in Team::"{team}", action == Action::"secret.read", resource in Environment::"{}");"#,
            pay.live
        );
        let id = drafted(&house, &olga, PolicyScope::Organization, &text).await;
        let found = difference(&house, &olga, id, PolicyChange::Version(1)).await;
        let sum = Sum { people: 2, workloads: 0, things: 3, pairs: 6 };
        assert_eq!(found.sums, BTreeMap::from([((Change::Gained, When::Always), sum)]));
        assert!(found.left.nothing() && !found.moody, "{found:?}");
        assert_eq!((found.people, found.things), (4, 5));
        let [line] = &found.lines[..] else { panic!("{:?}", found.lines) };
        assert_eq!((line.action, line.kind, line.sum), (Action::ReadSecret, "secret", sum));
        let names = [&line.project, &line.environment].map(|it| it.as_ref().unwrap().name.clone().unwrap());
        assert_eq!(names, ["pay", "live"]);
        let mut rows: Vec<_> = told(&found).into_iter().map(|(_, _, _, who, thing)| (who, thing)).collect();
        rows.sort();

        let things = resources(&pay, &live, &test);
        let people = [&olga, &ann, &ben, &rob];
        let before = everything(&house, &people, Action::ReadSecret, &things).await;
        activated(&house, &olga, id, 1).await;
        let mut after = everything(&house, &people, Action::ReadSecret, &things).await;
        after.retain(|it| !before.contains(it));
        assert_eq!(rows, after, "what was said is what came");
        let names: Vec<_> = found.rows.iter().filter_map(|it| it.who.name.as_deref()).collect();
        assert!(names.len() == 6 && names.contains(&"Ann") && names.contains(&"Ben"), "{names:?}");

        assert!(difference(&house, &olga, id, PolicyChange::Version(1)).await.is_none());
        let gone = difference(&house, &olga, id, PolicyChange::Disabled).await;
        assert_eq!(gone.sums, BTreeMap::from([((Change::Lost, When::Always), sum)]));
    })
    .await;
}

#[tokio::test]
async fn a_forbid_takes_from_roles_and_owners_of_keys_alike() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let ann = house.person("Ann", &[]).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let machine = house.workload("deploy", Role::Issuer, Some(pay.id)).await;
        let mut keys = Vec::new();
        for (name, owner) in [("one", Some(crate::authz::Owner::Person(ann.id))), ("two", None)] {
            let mut key = NewKey::named(Place::Environment(pay.live), name.parse().unwrap());
            key.owner = owner;
            keys.push(house.domain.issue_key(&olga.op(), key).await.unwrap().id.to_string());
        }
        let text = r#"forbid (principal, action == Action::"key.rotate", resource) unless { principal in OrganizationRole::"owner" };"#;
        let id = drafted(&house, &olga, PolicyScope::Organization, text).await;
        let found = difference(&house, &olga, id, PolicyChange::Version(1)).await;
        let row = |who: String, key: &String| (Change::Lost, When::Always, "key.rotate", who, key.clone());
        let mut rows = vec![
            row(ann.id.to_string(), &keys[0]),
            row(mia.id.to_string(), &keys[0]),
            row(machine.id.to_string(), &keys[0]),
            row(mia.id.to_string(), &keys[1]),
            row(machine.id.to_string(), &keys[1]),
        ];
        rows.sort_by_key(|it| (it.4.clone(), it.3.clone()));
        assert_eq!(told(&found), rows);
        let sum = Sum { people: 2, workloads: 1, things: 2, pairs: 5 };
        assert_eq!(found.sums, BTreeMap::from([((Change::Lost, When::Always), sum)]));
        assert_eq!(found.lines[0].sum, sum, "one line, though what Ann loses is asked apart");

        let mut seen = Vec::new();
        let mut page = RowPage { after: None, limit: 2 };
        loop {
            let part = house.domain.policy_difference(&olga.op(), id, PolicyChange::Version(1), &page).await;
            let part = part.unwrap();
            assert_eq!(part.sums, found.sums);
            seen.extend(told(&part));
            let Some(next) = part.next else { break };
            page.after = Some(RowKey::parse(&next.to_string()).unwrap());
        }
        assert_eq!(seen, rows, "page by page");
    })
    .await;
}

#[tokio::test]
async fn what_hangs_on_the_moment_is_said_to() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let rob = house.person("Rob", &[(Role::Reader, Some(pay.id))]).await;
        let live = secrets(&house, pay.id, pay.live, &["a"]).await;
        let whose = |found: &Difference| {
            let rows = told(found).into_iter().filter(|it| it.3 == rob.id.to_string());
            rows.map(|it| (it.0, it.1, it.4)).collect::<Vec<_>>()
        };
        // 2027-01-15 is a Friday.
        let today = chrono::Datelike::weekday(&house.now()).number_from_monday();
        for (day, when) in [(today, When::AsAssumed), (today % 7 + 1, When::Otherwise)] {
            let text = format!(
                r#"forbid (principal, action == Action::"secret.read", resource) when {{ context.weekday == {day} }};"#
            );
            let id = drafted(&house, &olga, PolicyScope::Organization, &text).await;
            let found = difference(&house, &olga, id, PolicyChange::Version(1)).await;
            assert!(found.moody);
            assert_eq!(whose(&found), [(Change::Lost, when, live[0].to_string())]);
        }
        let address = r#"forbid (principal, action == Action::"secret.read", resource)
                         unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) };"#;
        let id = drafted(&house, &olga, PolicyScope::Organization, address).await;
        let found = difference(&house, &olga, id, PolicyChange::Version(1)).await;
        assert_eq!(whose(&found), [(Change::Lost, When::AsAssumed, live[0].to_string())]);

        // Another version that asks for the same moment, of one person less.
        activated(&house, &olga, id, 1).await;
        let redraft = Redraft {
            text: address.replace("principal,", &format!(r#"principal == Person::"{}","#, olga.id)),
            note: Description::default(),
            row_version: house.domain.policy(&olga.op(), id).await.unwrap().policy.row_version,
        };
        house.domain.redraft_policy(&olga.op(), id, redraft).await.unwrap();
        let found = difference(&house, &olga, id, PolicyChange::Version(2)).await;
        assert_eq!(whose(&found), [(Change::Gained, When::AsAssumed, live[0].to_string())]);
        let olgas = told(&found).into_iter().filter(|it| it.3 == olga.id.to_string()).count();
        assert_eq!(olgas, 0, "for her it asks for the same as before, whenever it is");
    })
    .await;
}

#[tokio::test]
async fn only_who_sees_all_that_is_told_is_told() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let olga = owner(&house).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let max = house.person("Max", &[(Role::Manager, Some(hr.id))]).await;
        let dev = house.person("Dev", &[]).await;
        secrets(&house, hr.id, hr.live, &["theirs"]).await;
        let here = secrets(&house, pay.id, pay.live, &["ours"]).await;
        let text = r#"forbid (principal, action == Action::"secret.put", resource);"#;
        let id = drafted(&house, &mia, PolicyScope::Project(pay.id), text).await;
        let found = difference(&house, &mia, id, PolicyChange::Version(1)).await;
        let things: Vec<_> = found.rows.iter().map(|it| it.thing.id.clone()).collect();
        assert_eq!(things, vec![here[0].to_string(); 2], "Olga and Mia, and nothing of another project");
        let asked = async |by: &Player, id| {
            house.domain.policy_difference(&by.op(), id, PolicyChange::Version(1), &RowPage::default()).await
        };
        for stranger in [&max, &dev] {
            let refused = asked(stranger, id).await;
            assert!(matches!(refused, Err(DifferenceError::Refused(Refused::NotFound))), "{refused:?}");
        }
        // Whoever may see policies and nothing else learns of no secret.
        let look = format!(
            r#"permit (principal == Person::"{}", action == Action::"policy.view", resource in Project::"{}");"#,
            dev.id, pay.id
        );
        let may_look = drafted(&house, &olga, PolicyScope::Organization, &look).await;
        activated(&house, &olga, may_look, 1).await;
        let refused = asked(&dev, id).await;
        let hidden = |refused: &Result<Difference, DifferenceError>, action| {
            matches!(refused, Err(DifferenceError::Refused(Refused::Forbidden(it))) if *it == action)
        };
        assert!(hidden(&refused, Action::ExplainPermissions), "{refused:?}");
        let explains = look.replace("policy.view", "permission.explain");
        let explains = drafted(&house, &olga, PolicyScope::Organization, &explains).await;
        activated(&house, &olga, explains, 1).await;
        let refused = asked(&dev, id).await;
        assert!(hidden(&refused, Action::ViewSecret), "{refused:?}");
        let none = house
            .domain
            .policy_difference(&olga.op(), id, PolicyChange::Version(7), &RowPage::default())
            .await;
        assert!(matches!(none, Err(DifferenceError::Refused(Refused::NotFound))), "{none:?}");
    })
    .await;
}

#[tokio::test]
async fn it_writes_nothing_and_says_the_same_later() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        secrets(&house, pay.id, pay.live, &["a", "b"]).await;
        let text =
            r#"forbid (principal, action in [Action::"secret.read", Action::"project.edit"], resource);"#;
        let id = drafted(&house, &olga, PolicyScope::Organization, text).await;
        let rows = house.rows().await;
        let first = difference(&house, &olga, id, PolicyChange::Version(1)).await;
        assert_eq!(house.rows().await, rows);
        house.clock.advance(Duration::from_mins(1));
        let again = difference(&house, &olga, id, PolicyChange::Version(1)).await;
        assert_eq!((first.rows, first.lines, first.sums), (again.rows, again.lines, again.sums));
    })
    .await;
}
