//! Who is led where.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use keywarden_domain::{Actor, Person};
use keywarden_model::{ProblemKind, Role, TypedId as _, UserId};

use super::{Came, Stage, person};

#[tokio::test]
async fn nobody_is_led_to_sign_in_and_back() {
    let stage = Stage::new().await;
    for path in ["/account", "/people?q=a&state=active", "/teams/new", "/account/recovery-codes"] {
        let came = stage.get(Actor::Nobody, path).await;
        assert_eq!(came.status, 303, "{path}");
        let query = came.to.strip_prefix("/sign-in?next=").unwrap();
        let next = form_urlencoded::parse(format!("next={query}").as_bytes()).next().unwrap().1.into_owned();
        assert_eq!(next, path);
    }
    let posted = stage.post(Actor::Nobody, "/teams/new", "name=a").await;
    assert_eq!(posted.to, "/sign-in?next=%2F");
}

#[tokio::test]
async fn a_recovering_session_reaches_nothing_but_the_new_passkey_and_the_way_out() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let Actor::Person(whole) = person(&alice) else { unreachable!() };
    let recovering = Actor::Person(Person { recovering: true, passkey: None, asserted_at: None, ..whole });
    for path in ["/account", "/people", "/teams", "/account/passkeys/new", "/step-up"] {
        let came = stage.get(recovering.clone(), path).await;
        assert_eq!((came.status.as_u16(), came.to.as_str()), (303, "/enrol"), "{path}");
    }
    let came = stage.get(recovering.clone(), "/enrol").await;
    assert_eq!(came.status, 200);
    assert!(came.body.contains("action=\"/sign-out\""));
    assert!(!came.body.contains("class=\"framed\""), "no navigation leads anywhere");
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_seen_look_alike() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let ghost: UserId = UserId::from_parts(stage.cast.now(), 7);
    let mut pages = Vec::new();
    for id in [alice.id, ghost] {
        let came = stage.get(person(&mallory), &format!("/people/{id}/hand-over")).await;
        assert_eq!(came.status, 404);
        pages.push(came.body.replace(&id.to_string(), "ID"));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn whoever_may_see_but_not_do_is_told_what_is_missing() {
    let stage = Stage::new().await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let came = stage.post(person(&mallory), "/teams/new", "name=Payments&slug=payments").await;
    assert_eq!(came.status, 403);
    assert!(came.body.contains("team.create"), "{}", came.body);
}

#[tokio::test]
async fn every_kind_of_problem_has_its_anchor_with_cause_and_remedy() {
    let stage = Stage::new().await;
    let page = stage.get(Actor::Nobody, "/api/docs/problems").await;
    assert_eq!(page.status, 200);
    for kind in ProblemKind::ALL {
        let address = kind.address();
        let anchor = address.strip_prefix("/api/docs/problems#").unwrap();
        let (_, after) = page.body.split_once(&format!("id=\"{anchor}\"")).expect(anchor);
        let item = after.split("</div>").next().unwrap();
        for said in [kind.title(), kind.cause(), kind.remedy()] {
            let shown = leptos_escaped(said);
            assert!(item.contains(&shown), "{anchor}: {shown}");
        }
    }
}

/// Text as a page holds it.
fn leptos_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Addresses of pages, as their source names them; something stands for each parameter.
fn addresses() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages")];
    let mut all = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let text = fs::read_to_string(entry).unwrap();
            let named =
                text.split(".route(").skip(1).filter_map(|after| after.trim_start().strip_prefix('"'));
            let named =
                named.filter_map(|after| Some(after.split_once('"')?.0)).filter(|it| it.starts_with('/'));
            all.extend(named.map(|address| address.replace(['{', '}'], "")));
        }
    }
    all.into_iter().collect()
}

#[tokio::test]
async fn what_strangers_find_at_every_address() {
    let stage = Stage::new().await;
    stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mut seen = String::new();
    for path in addresses() {
        let read = stage.get(Actor::Nobody, &path).await;
        let posted = stage.post(Actor::Nobody, &path, "name=a").await;
        let told = |came: &Came| format!("{} {}", came.status.as_u16(), came.to);
        writeln!(seen, "{path}: GET {}, POST {}", told(&read).trim_end(), told(&posted).trim_end()).unwrap();
    }
    insta::assert_snapshot!(seen);
}
