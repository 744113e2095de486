use keywarden_model::slug::RESERVED;
use keywarden_model::{ApiKeyId, Name, Role, Slug};
use keywarden_store::sql;

use super::*;
use crate::audit::Query;
use crate::cast::{House, Player, Stage, both_engines};
use crate::environments::{
    CreateEnvironmentError, EditEnvironment, EditEnvironmentError, NewEnvironment, Terms,
};
use crate::keys::{NewKey, Place};
use crate::roles::{Grant, GrantRoleError, Holder};
use crate::workloads::{CreateWorkloadError, NewWorkload};
use crate::{Refused, cast::Machine};

fn new(slug: &str, name: &str) -> NewProject {
    NewProject { slug: slug.parse().unwrap(), name: name.parse().unwrap() }
}

fn environment(slug: &str, name: &str) -> NewEnvironment {
    NewEnvironment {
        slug: slug.parse().unwrap(),
        name: name.parse().unwrap(),
        label: "live".parse().unwrap(),
        terms: Terms::default(),
    }
}

async fn admin(house: &House) -> Player {
    house.person("Ada", &[(Role::Admin, None)]).await
}

async fn key(house: &House, stage: &Stage, owner: &Player, name: &str) -> ApiKeyId {
    let new = NewKey::named(Place::Environment(stage.live), name.parse().unwrap());
    house.domain.issue_key(&owner.op(), new).await.unwrap().id
}

#[tokio::test]
async fn a_project_is_made_shown_and_on_record() {
    both_engines(async |house| {
        let ada = admin(&house).await;
        let id = house.domain.create_project(&ada.op(), new("pay", "Payments")).await.unwrap();
        let shown = house.domain.project(&ada.op(), "pay").await.unwrap();
        assert_eq!((shown.id, shown.name.as_str(), shown.row_version), (id, "Payments", 1));
        assert_eq!(house.domain.project(&ada.op(), &id.to_string()).await.unwrap(), shown);
        let query = Query { resource: Some(id.to_string()), limit: 10, ..Query::default() };
        let events = house.domain.events(&ada.op(), &query).await.unwrap().events;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].action, "project.create");
        assert_eq!(events[0].canonical["changes"]["slug"]["to"], "pay");
        assert_eq!(events[0].personal[&ada.id.to_string()]["name"], "Payments");
        assert!(!events[0].canonical.to_string().contains("Payments"), "names are not in the open");
    })
    .await;
}

#[tokio::test]
async fn every_spelling_of_a_name_is_the_same_project_or_none() {
    both_engines(async |house| {
        let ada = admin(&house).await;
        house.domain.create_project(&ada.op(), new("pay", "Café Pay")).await.unwrap();
        let spellings = [
            "café pay",
            "CAFÉ PAY",
            " Café  Pay ",
            "Cafe\u{301} Pay",
            "Ｃafé\u{a0}Ｐay",
            "Café\tPay",
            "Caf\u{e9}\u{200b} Pay",
            "Café Pay\0",
            "Caf\u{e9}\u{200d} Pay",
            "\u{feff}Café Pay",
            "Café\u{202e} Pay",
            "café\u{2003}pay",
            "ＣＡＦÉ ＰＡＹ",
            "Café Pay\n",
        ];
        for (n, spelling) in spellings.iter().enumerate() {
            let Ok(name) = spelling.parse::<Name>() else { continue };
            let slug: Slug = format!("pay-{n}").parse().unwrap();
            let made = house.domain.create_project(&ada.op(), NewProject { slug, name }).await;
            assert!(matches!(made, Err(CreateProjectError::NameTaken)), "{spelling:?}: {made:?}");
        }
        let twin = house.domain.create_project(&ada.op(), new("pay", "Other")).await;
        assert!(matches!(twin, Err(CreateProjectError::SlugTaken)));
        let all = house.domain.projects(&ada.op(), &ProjectQuery::default()).await.unwrap();
        assert_eq!(all.projects.len(), 1, "a limit of 0 is one");
    })
    .await;
}

#[test]
fn no_spelling_of_a_reserved_word_is_a_slug() {
    for word in RESERVED {
        let upper = word.to_uppercase();
        for spelling in [
            word,
            &upper,
            &format!(" {word}"),
            &format!("{word}/"),
            &format!("{word}."),
            &format!("%72{word}"),
        ] {
            assert!(spelling.parse::<Slug>().is_err(), "{spelling}");
        }
    }
}

#[tokio::test]
async fn an_edit_names_the_version_it_saw() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        house.project("hr").await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let edit = |name: &str, row_version| EditProject { name: name.parse().unwrap(), row_version };
        house.domain.edit_project(&mia.op(), pay.id, edit("Payments", 1)).await.unwrap();
        let stale = house.domain.edit_project(&mia.op(), pay.id, edit("Billing", 1)).await;
        assert!(matches!(stale, Err(EditProjectError::ChangedMeanwhile)));
        let taken = house.domain.edit_project(&mia.op(), pay.id, edit("HR", 2)).await;
        assert!(matches!(taken, Err(EditProjectError::NameTaken)));
        house.domain.edit_project(&mia.op(), pay.id, edit("PAYMENTS", 2)).await.unwrap();
        assert_eq!(house.domain.project(&mia.op(), "pay").await.unwrap().name, "PAYMENTS");
    })
    .await;
}

#[tokio::test]
async fn lists_show_what_looking_one_by_one_shows() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let owner = house.person("Olga", &[(Role::Owner, None)]).await;
        let viewer = house.person("Victor", &[(Role::Viewer, Some(pay.id))]).await;
        let mallory = house.person("Mallory", &[]).await;
        let gate = house.workload("gate", Role::Verifier, Some(hr.id)).await;
        key(&house, &pay, &owner, "one").await;
        let query = ProjectQuery { limit: 50, ..ProjectQuery::default() };
        for (op, expected) in [
            (owner.op(), vec![("hr", Some(0)), ("pay", Some(1))]),
            (viewer.op(), vec![("pay", Some(1))]),
            (mallory.op(), vec![]),
            (gate.op(), vec![("hr", None)]),
        ] {
            let listed = house.domain.projects(&op, &query).await.unwrap().projects;
            let listed: Vec<_> = listed
                .iter()
                .map(|it| (it.project.slug.as_str(), it.keys.map(|keys| keys.counted)))
                .collect();
            assert_eq!(listed, expected);
            for slug in ["pay", "hr", "no-such"] {
                let shown = house.domain.project(&op, slug).await;
                assert_eq!(shown.is_ok(), listed.iter().any(|it| it.0 == slug), "{slug}");
                assert!(shown.is_ok() || matches!(shown, Err(Refused::NotFound)));
            }
        }
        let found = ProjectQuery { search: Some("PA".into()), ..query };
        let found = house.domain.projects(&owner.op(), &found).await.unwrap().projects;
        assert_eq!(found.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn pages_follow_one_another_without_gaps() {
    both_engines(async |house| {
        let ada = admin(&house).await;
        for slug in ["a", "b", "c", "d", "e"] {
            house.project(slug).await;
        }
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = ProjectQuery { after, limit: 2, ..ProjectQuery::default() };
            let page = house.domain.projects(&ada.op(), &query).await.unwrap();
            seen.extend(page.projects.into_iter().map(|it| it.project.slug));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    })
    .await;
}

#[tokio::test]
async fn a_project_in_use_is_not_archived_and_an_archived_one_is_closed() {
    both_engines(async |house| {
        let ada = admin(&house).await;
        let pay = house.project("pay").await;
        let one = key(&house, &pay, &ada, "one").await;
        let gate: Machine = house.workload("gate", Role::Verifier, Some(pay.id)).await;
        let archived = house.domain.archive_project(&ada.op(), pay.id).await;
        let Err(ArchiveProjectError::InUse { keys, workloads }) = archived else { panic!("{archived:?}") };
        assert_eq!((keys.counted, workloads.counted), (1, 1));
        let revoke = sql("UPDATE api_keys SET revoked_at = $1 WHERE id = $2").bind(house.now()).bind(one);
        house.put(vec![revoke]).await;
        let archived = house.domain.archive_project(&ada.op(), pay.id).await;
        assert!(
            matches!(archived, Err(ArchiveProjectError::InUse { workloads, .. }) if workloads.counted == 1)
        );
        house.domain.deactivate_workload(&ada.op(), gate.id).await.unwrap();
        house.domain.archive_project(&ada.op(), pay.id).await.unwrap();
        let again = house.domain.archive_project(&ada.op(), pay.id).await;
        assert!(matches!(again, Err(ArchiveProjectError::Archived)));

        let made =
            house.domain.create_environment(&ada.op(), pay.id, environment("staging", "Staging")).await;
        assert!(matches!(made, Err(CreateEnvironmentError::Archived)));
        let edit = EditEnvironment {
            name: "Live".parse().unwrap(),
            terms: Terms::default(),
            reads_need_reason: false,
            row_version: 1,
        };
        let edited = house.domain.edit_environment(&ada.op(), pay.live, edit).await;
        assert!(matches!(edited, Err(EditEnvironmentError::Archived)));
        let late =
            NewWorkload { name: "late".parse().unwrap(), project: Some(pay.id), role: Some(Role::Verifier) };
        let made = house.domain.create_workload(&ada.op(), late).await;
        assert!(matches!(made, Err(CreateWorkloadError::Archived)));
        let grant = Grant { holder: Holder::Person(ada.id), role: Role::Viewer, project: Some(pay.id) };
        let granted = house.domain.grant_role(&ada.op(), grant).await;
        assert!(matches!(granted, Err(GrantRoleError::Archived)));

        let query = ProjectQuery { limit: 10, ..ProjectQuery::default() };
        assert!(house.domain.projects(&ada.op(), &query).await.unwrap().projects.is_empty());
        let query = ProjectQuery { archived: true, ..query };
        assert_eq!(house.domain.projects(&ada.op(), &query).await.unwrap().projects.len(), 1);
        let twin = house.domain.create_project(&ada.op(), new("pay", "Another")).await;
        assert!(matches!(twin, Err(CreateProjectError::SlugTaken)), "a slug is never given twice");
    })
    .await;
}

#[tokio::test]
async fn environments_are_named_once_in_a_project_and_keep_slug_and_label() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id)), (Role::Manager, Some(hr.id))]).await;
        let domain = &house.domain;
        domain.create_environment(&mia.op(), pay.id, environment("staging", "Staging")).await.unwrap();
        domain.create_environment(&mia.op(), hr.id, environment("staging", "Staging")).await.unwrap();
        let twin = domain.create_environment(&mia.op(), pay.id, environment("staging-2", "STAGING")).await;
        assert!(matches!(twin, Err(CreateEnvironmentError::NameTaken)));
        let twin = domain.create_environment(&mia.op(), pay.id, environment("staging", "Other")).await;
        assert!(matches!(twin, Err(CreateEnvironmentError::SlugTaken)));
        let before = domain.environment(&mia.op(), pay.id, "staging").await.unwrap();
        let terms = Terms::new(Some(3_600), Some(0)).unwrap();
        let edit = EditEnvironment {
            name: "Stage".parse().unwrap(),
            terms,
            reads_need_reason: false,
            row_version: 1,
        };
        domain.edit_environment(&mia.op(), before.id, edit.clone()).await.unwrap();
        let after = domain.environment(&mia.op(), pay.id, &before.id.to_string()).await.unwrap();
        assert_eq!((after.slug, after.label), (before.slug, before.label));
        assert_eq!((after.max_lifetime_seconds, after.overlap_seconds), (Some(3_600), 0));
        let stale = domain.edit_environment(&mia.op(), before.id, edit).await;
        assert!(matches!(stale, Err(EditEnvironmentError::ChangedMeanwhile)));
        let foreign = domain.environment(&mia.op(), hr.id, &before.id.to_string()).await;
        assert!(matches!(foreign, Err(Refused::NotFound)), "another project's environment is not there");
    })
    .await;
}

async fn events(house: &House) -> i64 {
    let counted = sql("SELECT count(*) AS number FROM events");
    keywarden_store::count::number(counted, &mut house.store.read().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_belongs_to_another_project_is_not_there_and_stays_as_it_is() {
    both_engines(async |house| {
        let (pay, hr) = (house.project("pay").await, house.project("hr").await);
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let domain = &house.domain;
        let name: Name = "Taken over".parse().unwrap();
        let before = events(&house).await;

        let edit = EditProject { name: name.clone(), row_version: 1 };
        let edited = domain.edit_project(&mia.op(), hr.id, edit).await;
        assert!(matches!(edited, Err(EditProjectError::Refused(Refused::NotFound))));
        let archived = domain.archive_project(&mia.op(), hr.id).await;
        assert!(matches!(archived, Err(ArchiveProjectError::Refused(Refused::NotFound))));
        let made = domain.create_environment(&mia.op(), hr.id, environment("x", "X")).await;
        assert!(matches!(made, Err(CreateEnvironmentError::Refused(Refused::NotFound))));
        let edit =
            EditEnvironment { name, terms: Terms::default(), reads_need_reason: false, row_version: 1 };
        let edited = domain.edit_environment(&mia.op(), hr.live, edit).await;
        assert!(matches!(edited, Err(EditEnvironmentError::Refused(Refused::NotFound))));
        assert!(matches!(domain.environments(&mia.op(), hr.id).await, Err(Refused::NotFound)));
        assert!(matches!(domain.project_roles(&mia.op(), hr.id, None, 10).await, Err(Refused::NotFound)));
        let grant = Grant { holder: Holder::Person(mia.id), role: Role::Viewer, project: Some(hr.id) };
        let granted = domain.grant_role(&mia.op(), grant).await;
        assert!(matches!(granted, Err(GrantRoleError::Refused(Refused::NotFound))));
        let new =
            NewWorkload { name: "w".parse().unwrap(), project: Some(hr.id), role: Some(Role::Verifier) };
        let made = domain.create_workload(&mia.op(), new).await;
        assert!(matches!(made, Err(CreateWorkloadError::Refused(Refused::NotFound))));

        assert_eq!(events(&house).await, before);
        let untouched = house.person("Olga", &[(Role::Owner, None)]).await;
        assert_eq!(domain.project(&untouched.op(), "hr").await.unwrap().row_version, 1);
        assert_eq!(domain.environments(&untouched.op(), hr.id).await.unwrap().len(), 2);
    })
    .await;
}
