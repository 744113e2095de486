mod facts;

use keywarden_model::{ApiKeyId, Description, PolicyId, Role, SecretId};
use keywarden_store::sql;

use super::*;
use crate::authz::{PolicyScope, SignInMethod};
use crate::cast::{House, Player, Stage, both_engines};
use crate::decisions::Answer;
use crate::policy::{Activate, NewPolicy};
use crate::roles::Holder;

/// As a page tells it: `Alice: manager in the project through sre`.
fn told(found: &WhoCan) -> Vec<String> {
    let path = |path: &Path| {
        let part = match path.part {
            Part::Itself => path.policies.join("+"),
            Part::OrganizationRole(role) => role.to_string(),
            Part::ProjectRole(role) => format!("{role} here"),
            Part::Team(_) => "member".into(),
            Part::Together => "together".into(),
        };
        let team = path.team.as_ref().map(|(_, name)| format!(" through {name}")).unwrap_or_default();
        format!("{part}{team}")
    };
    let paths = |it: &Entitled| it.paths.iter().map(path).collect::<Vec<_>>().join(", ");
    found.entitled.iter().map(|it| format!("{}: {}", it.name, paths(it))).collect()
}

/// Puts a key of this owner into the project's live environment.
async fn key(house: &House, stage: &Stage, owner: &str) -> ApiKeyId {
    let id: ApiKeyId = house.domain.env().id(house.now());
    house
        .put(vec![
            sql("INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind, owner_id,
                                       scopes, allowed_cidrs, tags, metadata, imported, created_at, created_by, row_version)
                 VALUES ($1, $2, $3, $4, $5, '', $6, $7, '[]', '[]', '[]', '{}', $8, $9, 'cast', 1)")
            .bind(id)
            .bind(stage.id)
            .bind(stage.live)
            .bind(id.to_string())
            .bind(id.to_string().to_lowercase())
            .bind(if owner.starts_with("usr_") { "person" } else { "team" })
            .bind(owner)
            .bind(false)
            .bind(house.now()),
        ])
        .await;
    id
}

struct Scene {
    pay: Stage,
    alice: Player,
    bob: Player,
    carol: Player,
    mallory: Player,
    key: ApiKeyId,
}

async fn scene(house: &House) -> Scene {
    let pay = house.project("pay").await;
    let other = house.project("other").await;
    let alice = house.person("Alice", &[(Role::Owner, None)]).await;
    let bob = house.person("Bob", &[(Role::Viewer, Some(pay.id)), (Role::Manager, Some(other.id))]).await;
    let carol = house.person("carol", &[(Role::Auditor, None)]).await;
    let eve = house.person("Eve", &[(Role::Manager, Some(pay.id))]).await;
    let mallory = house.person("Mallory", &[]).await;
    house.team("sre", &[carol.id, eve.id], &[(Role::Manager, Some(pay.id))]).await;
    house.workload("deployer", Role::Issuer, Some(pay.id)).await;
    let gone = house.workload("gone", Role::Manager, Some(pay.id)).await;
    let away = house.person("Away", &[(Role::Admin, None)]).await;
    house
        .put(vec![
            sql("UPDATE workloads SET state = 'deactivated' WHERE id = $1").bind(gone.id),
            sql("UPDATE users SET state = 'deactivated' WHERE id = $1").bind(away.id),
        ])
        .await;
    let key = key(house, &pay, &mallory.id.to_string()).await;
    Scene { pay, alice, bob, carol, mallory, key }
}

#[tokio::test]
async fn whoever_can_is_told_with_every_path_and_nobody_else() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let who = async |action, thing: &str| {
            told(&house.domain.who_can(&scene.alice.op(), action, thing).await.unwrap())
        };
        let live = scene.pay.live.to_string();
        assert_eq!(
            who(Action::IssueKey, &live).await,
            [
                "Alice: owner",
                "carol: manager here through sre",
                "deployer: issuer here",
                "Eve: manager here, manager here through sre",
            ]
        );
        // A key's owner may revoke it without any role.
        let revoke = who(Action::RevokeKey, &scene.key.to_string()).await;
        assert!(revoke.contains(&"Mallory: key-owner".to_owned()), "{revoke:?}");
        let team = house.team("night", &[scene.mallory.id], &[]).await;
        let theirs = key(&house, &scene.pay, &team.to_string()).await;
        let revoke = who(Action::RevokeKey, &theirs.to_string()).await;
        assert!(revoke.contains(&"Mallory: member through night".to_owned()), "{revoke:?}");
        // What anybody may do who is signed in is no matter of roles, and no workload's.
        let teams = who(Action::ViewTeams, "organization").await;
        assert!(teams.contains(&"Mallory: anybody-signed-in".to_owned()), "{teams:?}");
        assert!(!teams.iter().any(|it| it.starts_with("deployer")), "{teams:?}");
        // An admin is an admin over all but owners: asked about an owner, only the owner stays.
        let person = scene.alice.id.to_string();
        assert_eq!(who(Action::DeactivateUser, &person).await, ["Alice: owner"]);
    })
    .await;
}

/// The answer for a class of people is the answer that each of them gets.
#[tokio::test]
async fn what_is_told_is_what_happens() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let people = [&scene.alice, &scene.bob, &scene.carol, &scene.mallory];
        let things = [
            scene.key.to_string(),
            scene.pay.live.to_string(),
            scene.pay.id.to_string(),
            "organization".into(),
            scene.mallory.id.to_string(),
        ];
        let mut told = 0;
        for thing in &things {
            for action in Action::ALL {
                let Ok(found) = house.domain.who_can(&scene.alice.op(), *action, thing).await else {
                    continue;
                };
                for person in people {
                    let may = house.domain.would(&person.op(), *action, &found.thing.resource).await.unwrap();
                    let holder = Holder::Person(person.id);
                    let listed = found.entitled.iter().any(|it| it.holder == holder);
                    assert_eq!(listed, may, "{} {} {thing}", person.name, action.name());
                    let (thing, setting) = (thing.clone(), Setting::default());
                    let case = Case { holder, action: *action, thing, setting };
                    let op = scene.alice.op();
                    let simulated = house.domain.simulate(&op, &case, Under::InForce).await.unwrap();
                    assert_eq!(simulated.allowed, may, "{} {case:?}", person.name);
                    told += 1;
                }
            }
        }
        assert!(told > 200, "{told}");
    })
    .await;
}

#[tokio::test]
async fn only_those_entitled_look_and_a_manager_within_their_project() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let manager = house.person("Mona", &[(Role::Manager, Some(scene.pay.id))]).await;
        let other = house.project("elsewhere").await;
        let hidden = house.workload("hidden", Role::Viewer, Some(other.id)).await;
        let who = async |player: &Player, thing: String, action| {
            house.domain.who_can(&player.op(), action, &thing).await
        };
        let key = scene.key.to_string();
        assert!(who(&scene.carol, key.clone(), Action::ViewKey).await.is_ok(), "an auditor");
        assert!(who(&manager, key.clone(), Action::ViewKey).await.is_ok());
        for (player, thing, action) in [
            (&manager, other.live.to_string(), Action::IssueKey),
            (&manager, "organization".into(), Action::ViewSystem),
            (&manager, ApiKeyId::NIL.to_string(), Action::ViewKey),
            (&scene.alice, SecretId::NIL.to_string(), Action::ViewSecret),
            // The action is not done to such a thing.
            (&scene.alice, key.clone(), Action::ViewSecret),
        ] {
            let found = who(player, thing.clone(), action).await;
            assert!(matches!(found, Err(Refused::NotFound)), "{thing} {found:?}");
        }
        // Whoever may not look anywhere hears the same of what is there and what is not.
        let machine = house.workload("machine", Role::Viewer, Some(scene.pay.id)).await;
        // A machine sees no people, so it is not told who can what, whatever it manages.
        let manages = house.workload("manages", Role::Manager, Some(scene.pay.id)).await;
        let told = house.domain.who_can(&manages.op(), Action::ViewKey, &key).await;
        assert!(matches!(told, Err(Refused::Forbidden(Action::ViewUsers))), "{told:?}");
        for thing in [key.clone(), ApiKeyId::NIL.to_string(), "nonsense".into()] {
            for op in [scene.mallory.op(), machine.op()] {
                let found = house.domain.who_can(&op, Action::ViewKey, &thing).await;
                assert!(
                    matches!(found, Err(Refused::Forbidden(Action::ExplainPermissions))),
                    "{thing} {found:?}"
                );
            }
        }
        let of = async |player: &Player, holder| house.domain.permissions_of(&player.op(), holder).await;
        assert!(of(&scene.alice, Holder::Workload(hidden.id)).await.is_ok());
        assert!(matches!(of(&manager, Holder::Workload(hidden.id)).await, Err(Refused::NotFound)));
        let seen = of(&manager, Holder::Person(scene.alice.id)).await.unwrap();
        assert!(!seen.allowed.is_empty());
        assert!(
            seen.allowed.iter().all(|it| matches!(&it.place, Where::Project(id, _) if *id == scene.pay.id))
        );
    })
    .await;
}

#[tokio::test]
async fn what_somebody_can_do_is_told_by_place() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let of = async |holder| house.domain.permissions_of(&scene.alice.op(), holder).await.unwrap();
        let has = |found: &Permissions, action: Action, place: &str| {
            found.allowed.iter().any(|it| it.action == action && it.place.word() == place)
        };
        let bob = of(Holder::Person(scene.bob.id)).await;
        let managed = bob.allowed.iter().filter(|it| it.action == Action::IssueKey).collect::<Vec<_>>();
        assert_eq!(managed.len(), 1);
        assert!(matches!(&managed[0].place, Where::Project(_, name) if name == "other"));
        assert!(has(&bob, Action::RotateKey, "own-keys") && has(&bob, Action::AddPasskey, "own-account"));
        assert!(!has(&bob, Action::CreateProject, "organization"));
        let alice = of(Holder::Person(scene.alice.id)).await;
        assert!(
            has(&alice, Action::CreateProject, "organization")
                && has(&alice, Action::ReadSecret, "every-project")
        );
        assert!(
            !alice.allowed.iter().any(|it| matches!(it.place, Where::Project(..))),
            "all of it is everywhere"
        );
        assert_eq!(
            alice.only(Some("create")).allowed.iter().filter(|it| it.action == Action::ReadSecret).count(),
            0
        );
    })
    .await;
}

#[tokio::test]
async fn a_no_is_explained_by_conditions_and_the_smallest_role_and_becomes_a_yes_with_it() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let live = scene.pay.live.to_string();
        let asked = async |holder, action, setting| {
            let case = Case { holder, action, thing: live.clone(), setting };
            house.domain.simulate(&scene.alice.op(), &case, Under::InForce).await.unwrap()
        };
        let usual = Setting::default();
        let bob = Holder::Person(scene.bob.id);
        let no = asked(bob, Action::IssueKey, usual).await;
        assert!(!no.allowed && no.policies.is_empty() && no.active);
        let enough = no.enough.unwrap();
        assert_eq!((enough.role, enough.project.map(|it| it.1)), (Role::Issuer, Some("pay".into())));
        let conditions =
            |policy: &str| no.considered.iter().find(|it| it.policy == policy).map(|it| it.came_to.clone());
        let Some(CameTo::Conditions(failing)) = conditions("project-issuer") else {
            panic!("{:?}", no.considered)
        };
        assert!(failing[0].starts_with("when {") && failing[0].contains("issuer"), "{failing:?}");
        assert_eq!(conditions("owner-may-everything"), Some(CameTo::AnotherPrincipal));
        assert_eq!(conditions("auditor"), None, "it does not speak of issuing");
        let alice = asked(Holder::Person(scene.alice.id), Action::IssueKey, usual).await;
        assert!(alice.allowed && alice.enough.is_none() && !alice.needs_passkey);
        assert_eq!(alice.policies, ["owner-may-everything"]);
        let old = Setting { passkey: PasskeyAge::Seconds(301), ..usual };
        assert!(asked(Holder::Person(scene.alice.id), Action::IssueKey, old).await.needs_passkey);
        // No role helps against a policy that forbids.
        let recovering = Setting { method: Some(SignInMethod::Recovery), ..usual };
        let forbidden = asked(Holder::Person(scene.alice.id), Action::IssueKey, recovering).await;
        assert!(!forbidden.allowed && forbidden.enough.is_none());
        assert_eq!(forbidden.policies, ["recovering-may-only-enrol"]);
        assert!(forbidden.considered[0].forbids && forbidden.considered[0].came_to == CameTo::Applies);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_opened_on_any_node_by_those_entitled_and_by_nobody_else() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let project = Resource::Project(scene.pay.id);
        let op = scene.bob.op();
        let refused = house.domain.authorize(&op, Action::EditProject, &project).await;
        assert!(matches!(refused, Err(Refused::Forbidden(_))));
        let id = house.domain.decision_id(&op.refusal).unwrap();
        assert_ne!(Some(&id), house.domain.decision_id(&op.refusal).as_ref(), "no id comes twice");
        let neighbour = house.neighbour().await;
        for house in [&house, &neighbour] {
            let opened = house.domain.decision(&scene.carol.op(), &id).await.unwrap();
            assert_eq!((opened.name.as_deref(), opened.at), (Some("Bob"), op.now));
            let question = opened.question.unwrap();
            assert_eq!((question.action, question.answer), (Action::EditProject, Answer::Forbidden));
            assert_eq!(question.thing.unwrap().name, "pay");
            assert!(!question.changed && !question.allowed);
            assert_eq!(question.enough.unwrap().role, Role::Manager);
        }
        // The one who was refused learns nothing, nor does a manager of another project; and no id is guessed.
        for player in [&scene.bob, &scene.mallory] {
            let shut = house.domain.decision(&player.op(), &id).await;
            assert!(matches!(shut, Err(Refused::NotFound)), "{shut:?}");
        }
        let mut other = id.clone();
        other.replace_range(60..61, if &id[60..61] == "A" { "B" } else { "A" });
        for wrong in [other.as_str(), "dec_", "", "dec_AAAA"] {
            let shut = house.domain.decision(&scene.alice.op(), wrong).await;
            assert!(matches!(shut, Err(Refused::NotFound)), "{wrong}: {shut:?}");
        }
        // What changed since is said, and how it would be now.
        house.person("Zoe", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let later = house.domain.decision(&scene.alice.op(), &id).await.unwrap();
        assert!(later.question.unwrap().changed);
        house.clock.advance(std::time::Duration::from_hours(31 * 24));
        assert!(matches!(house.domain.decision(&scene.alice.op(), &id).await, Err(Refused::NotFound)));
    })
    .await;
}

/// Writes a policy down.
async fn drafted(house: &House, by: &Player, scope: PolicyScope, name: &str, text: String) -> PolicyId {
    let new = NewPolicy { scope, name: name.parse().unwrap(), text, note: Description::default() };
    house.domain.draft_policy(&by.op(), new).await.unwrap()
}

/// The same, and it decides.
async fn decides(house: &House, by: &Player, scope: PolicyScope, name: &str, text: String) -> PolicyId {
    let id = drafted(house, by, scope, name, text).await;
    let now = Activate { version: 1, at: None, row_version: 1 };
    house.domain.activate_policy(&by.op(), id, now).await.unwrap()
}

#[tokio::test]
async fn what_people_wrote_gives_and_takes_and_is_told_by_its_name() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let live = scene.pay.live.to_string();
        let who = async |action| house.domain.who_can(&scene.alice.op(), action, &live).await.unwrap();
        let night = house.team("night", &[scene.mallory.id], &[]).await;
        let here = PolicyScope::Project(scene.pay.id);
        let gives = decides(
            &house,
            &scene.alice,
            here,
            "Night shift",
            format!(r#"permit (principal in Team::"{night}", action == Action::"key.issue", resource);"#),
        )
        .await;
        let by = format!("{gives}@1");
        let found = who(Action::IssueKey).await;
        assert!(told(&found).contains(&"Mallory: member through night".to_owned()), "{:?}", told(&found));
        let mallory = found.entitled.iter().find(|it| it.name == "Mallory").unwrap();
        assert_eq!(mallory.paths[0].policies, std::slice::from_ref(&by));
        let named = &found.written[&by];
        assert_eq!((named.name.as_str(), named.version, named.viewable), ("Night shift", 1, true));
        assert!(!found.moody);
        // It holds in its own project alone.
        let other = house.project("third").await.live.to_string();
        let elsewhere = house.domain.who_can(&scene.alice.op(), Action::IssueKey, &other).await.unwrap();
        assert!(!told(&elsewhere).iter().any(|it| it.starts_with("Mallory")), "{:?}", told(&elsewhere));
        let held =
            house.domain.permissions_of(&scene.alice.op(), Holder::Person(scene.mallory.id)).await.unwrap();
        let issues: Vec<_> = held.allowed.iter().filter(|it| it.action == Action::IssueKey).collect();
        assert!(
            matches!(&issues[..], [one] if matches!(&one.place, Where::Project(_, name) if name == "pay")),
            "{issues:?}"
        );
        assert_eq!(held.written[&by].name, "Night shift");

        // One that forbids takes it from all but whom it lets, and looks at the moment.
        let office = r#"forbid (principal is Person, action == Action::"key.issue", resource)
                        unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) };"#;
        let takes =
            decides(&house, &scene.alice, PolicyScope::Organization, "From the office", office.into()).await;
        let found = who(Action::IssueKey).await;
        assert_eq!(told(&found), ["deployer: issuer here"]);
        assert!(found.moody);
        let ask = async |address: Option<&str>, by: &Player| {
            let setting = Setting { address: address.map(|it| it.parse().unwrap()), ..Setting::default() };
            let holder = Holder::Person(scene.mallory.id);
            let case = Case { holder, action: Action::IssueKey, thing: live.clone(), setting };
            house.domain.simulate(&by.op(), &case, Under::InForce).await.unwrap()
        };
        let no = ask(Some("198.51.100.1"), &scene.alice).await;
        assert_eq!((no.allowed, no.policies), (false, vec![format!("{takes}@1")]));
        assert_eq!(no.enough, None, "no role helps against it");
        assert!(ask(Some("192.0.2.9"), &scene.alice).await.allowed);
        // Whoever may explain in the project, and not see the organization's policies, is told the name alone.
        let eve = house.person("Manager", &[(Role::Manager, Some(scene.pay.id))]).await;
        let told = ask(None, &eve).await.written;
        assert_eq!(
            [&takes, &gives].map(|id| {
                let it = &told[&format!("{id}@1")];
                (it.name.as_str(), it.viewable)
            }),
            [("From the office", false), ("Night shift", true)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_draft_is_simulated_and_decides_nothing() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let text = format!(
            r#"forbid (principal == Person::"{}", action == Action::"team.create", resource);"#,
            scene.alice.id
        );
        let draft = drafted(&house, &scene.alice, PolicyScope::Organization, "No teams", text).await;
        let case = Case {
            holder: Holder::Person(scene.alice.id),
            action: Action::CreateTeam,
            thing: "organization".into(),
            setting: Setting::default(),
        };
        let ask = async |by: &Player, under| house.domain.simulate(&by.op(), &case, under).await;
        assert!(ask(&scene.alice, Under::InForce).await.unwrap().allowed);
        let with = ask(&scene.alice, Under::With(draft, 1)).await.unwrap();
        assert!(!with.allowed && with.written[&format!("{draft}@1")].name == "No teams");
        assert!(ask(&scene.alice, Under::InForce).await.unwrap().allowed);
        let none = ask(&scene.alice, Under::With(draft, 2)).await;
        assert!(matches!(none, Err(Refused::NotFound)), "{none:?}");
        // Whoever may not see it is told of no draft.
        let pay = scene.pay.id.to_string();
        let hidden = Case { action: Action::ViewProject, thing: pay, ..case.clone() };
        let eve = house.person("Manager", &[(Role::Manager, Some(scene.pay.id))]).await;
        assert!(house.domain.simulate(&eve.op(), &hidden, Under::InForce).await.is_ok());
        let hidden = house.domain.simulate(&eve.op(), &hidden, Under::With(draft, 1)).await;
        assert!(matches!(hidden, Err(Refused::NotFound)), "{hidden:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_by_a_written_policy_keeps_the_moment_and_names_the_clause() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let text = r#"forbid (principal, action == Action::"team.create", resource)
                      unless { context has passkeyAge && context.passkeyAge < 60 };"#;
        decides(&house, &scene.alice, PolicyScope::Organization, "Lately", text.into()).await;
        let mut op = scene.alice.op();
        op.source.address = Some("::ffff:192.0.2.7".parse().unwrap());
        if let crate::Actor::Person(person) = &mut op.actor {
            person.asserted_at = Some(op.now - chrono::TimeDelta::seconds(120));
        }
        let refused = house.domain.authorize(&op, Action::CreateTeam, &Resource::Organization).await;
        assert!(matches!(refused, Err(Refused::Forbidden(_))), "{refused:?}");
        let id = house.domain.decision_id(&op.refusal).unwrap();
        house.clock.advance(std::time::Duration::from_hours(1));
        let question = house.domain.decision(&scene.alice.op(), &id).await.unwrap().question.unwrap();
        let was = &question.circumstances;
        assert_eq!((was.now, was.passkey_age, was.method), (op.now, Some(120), SignInMethod::Passkey));
        assert_eq!(was.address, Some("192.0.2.7".parse().unwrap()));
        assert!(!question.allowed && !question.changed && question.enough.is_none());
        let (name, it) = question.written.iter().next().unwrap();
        assert_eq!(it.name, "Lately");
        let considered = question.considered.iter().find(|it| it.policy == *name).unwrap();
        assert!(considered.forbids && considered.came_to == CameTo::Applies, "{considered:?}");
    })
    .await;
}

/// Ten thousand people in two hundred teams, of which every fourth issues keys. How long it takes is printed, not judged.
#[tokio::test]
async fn ten_thousand_people_are_answered_at_once() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let alice = house.person("Alice", &[(Role::Owner, None)]).await;
        let (env, now) = (house.domain.env(), house.now());
        let mut teams = Vec::new();
        for n in 0..200 {
            let roles = [(Role::Issuer, Some(pay.id))];
            let roles: &[_] = if n % 4 == 0 { &roles } else { &[] };
            teams.push(house.team(&format!("team-{n}"), &[], roles).await);
        }
        let rows = (0..10_000).flat_map(|n| {
            let id: keywarden_model::UserId = env.id(now);
            let handle: [u8; 16] = env.bytes();
            let person =
                sql("INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, row_version)
                     VALUES ($1, $2, $3, $4, 'active', $5, 'cast', 1)")
                .bind(id)
                .bind(format!("Person {n}"))
                .bind(format!("person {n}"))
                .bind(handle)
                .bind(now);
            let member = sql("INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, $3)")
                .bind(teams[n % 200])
                .bind(id)
                .bind(now);
            [person, member]
        });
        house.put(rows.collect()).await;
        let began = std::time::Instant::now();
        let live = pay.live.to_string();
        let found = house.domain.who_can(&alice.op(), Action::IssueKey, &live).await.unwrap();
        println!("who can, of ten thousand: {:?}", began.elapsed());
        assert_eq!(found.entitled.len(), 2_501);
        let sought = Sought { name: Some("person 4444".into()), ..Sought::default() };
        assert_eq!(told(&found.only(&sought)), ["Person 4444: issuer here through team-44"]);
    })
    .await;
}

/// An id must not say which of the two it was.
#[tokio::test]
async fn what_is_hidden_and_what_is_not_there_have_ids_of_one_length() {
    both_engines(async |house| {
        let scene = scene(&house).await;
        let hidden = scene.mallory.op();
        let answer =
            house.domain.authorize(&hidden, Action::EditProject, &Resource::Project(scene.pay.id)).await;
        assert!(matches!(answer, Err(Refused::NotFound)));
        let nothing = scene.mallory.op();
        let ids = [&hidden, &nothing].map(|op| house.domain.decision_id(&op.refusal).unwrap());
        assert_eq!(ids[0].len(), ids[1].len());
        let opened = house.domain.decision(&scene.alice.op(), &ids[0]).await.unwrap();
        assert_eq!(opened.question.unwrap().answer, Answer::NotFound);
        assert!(house.domain.decision(&scene.alice.op(), &ids[1]).await.unwrap().question.is_none());
    })
    .await;
}

#[test]
fn a_page_goes_on_where_the_last_one_ended() {
    let somebody = |n: u128| {
        let id: keywarden_model::UserId =
            keywarden_model::TypedId::from_parts(chrono::DateTime::UNIX_EPOCH, n);
        Entitled::called(Holder::Person(id), &format!("Person {n}"))
    };
    let found = WhoCan {
        action: Action::ViewTeams,
        thing: Thing { resource: Resource::Organization, name: String::new(), project: None },
        entitled: (0..5).map(somebody).collect(),
        written: WrittenPolicies::new(),
        moody: false,
    };
    let (first, next) = found.page(None, 2);
    assert_eq!((first.len(), next), (2, Some(found.entitled[1].holder)));
    let (last, end) = found.page(Some(found.entitled[3].holder), 2);
    assert_eq!((last.len(), end), (1, None));
    let sought = Sought { name: Some("SON 3".into()), ..Sought::default() };
    assert_eq!(found.only(&sought).entitled.len(), 1);
}
