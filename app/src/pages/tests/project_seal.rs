//! A project's own seal on its pages: told, chosen, taken away, and missed.

use keywarden_domain::cast::{Engine, House as Cast};
use keywarden_model::Role;

use super::{Stage, person};

const KEY: &str = "/projects/pay/key";
const SEAL: &str = "/projects/pay/key/seal";

fn form(seal: &str) -> String {
    format!("idempotency_key=0123456789abcdef{seal}&seal=software%3A{seal}")
}

#[tokio::test]
async fn a_seal_is_chosen_on_the_projects_key_page_by_those_who_may_and_its_absence_is_told() {
    let (cast, _) = Cast::new(Engine::Sqlite).await.with_project_seals(&["acme"]).await;
    let stage = Stage::of(cast);
    let pay = stage.cast.project("pay").await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let manager = stage.cast.person("Mae", &[(Role::Manager, Some(pay.id))]).await;
    let before = stage.get(person(&alice), KEY).await.body;
    assert!(before.contains("No seal of its own") && !before.contains(SEAL), "{before}");
    let none = stage.get(person(&alice), SEAL).await.body;
    assert!(none.contains("There is no seal to choose") && !none.contains("name=\"seal\""), "{none}");

    let domain = &stage.cast.domain;
    domain.offer_seal(&domain.shell_op(), &"software:acme".parse().unwrap()).await.unwrap();
    let page = stage.get(person(&alice), SEAL).await.body;
    for said in ["software:acme", "is lost for good", "No backup and no recovery key"] {
        assert!(page.contains(said), "`{said}` is not in {page}");
    }
    assert!(!stage.get(person(&manager), KEY).await.body.contains(SEAL));
    for refused in
        [stage.get(person(&manager), SEAL).await, stage.post(person(&manager), SEAL, &form("acme")).await]
    {
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("An owner or admin chooses it"), "{}", refused.body);
        let ways = refused.body.matches(&format!("href=\"{KEY}\"")).count();
        assert!(ways > 1, "beside the crumbs, a way on: {}", refused.body);
    }
    let wrong = stage.post(person(&alice), SEAL, &form("zeta")).await;
    assert_eq!(wrong.status.as_u16(), 422);
    assert!(wrong.body.contains("Choose one of these seals."), "{}", wrong.body);
    let named = stage.post(person(&alice), SEAL, &form("acme")).await;
    assert_eq!((named.status.as_u16(), named.to.as_str()), (303, KEY), "{}", named.body);
    let after = stage.get(person(&manager), KEY).await.body;
    assert!(after.contains("software:acme") && after.contains("Answers"), "{after}");
    let tree = stage.get(person(&alice), "/system/keys").await.body;
    assert!(tree.contains("Seals of projects") && tree.contains("software:acme"), "{tree}");

    let file = stage.cast.folder().join("acme");
    std::fs::rename(&file, file.with_extension("hidden")).unwrap();
    domain.observe_project_seals().await;
    let away = stage.get(person(&alice), KEY).await.body;
    assert!(away.contains("Away since") && away.contains("API keys go on"), "{away}");
    stage.cast.keyring.custody().zeroize();
    let taken = stage.post(person(&alice), SEAL, "idempotency_key=0123456789abcdef0&seal=none").await;
    assert_eq!(taken.status.as_u16(), 503);
    assert!(taken.body.contains("the seal software:acme answers"), "{}", taken.body);

    std::fs::rename(file.with_extension("hidden"), &file).unwrap();
    domain.observe_project_seals().await;
    let taken = stage.post(person(&alice), SEAL, "idempotency_key=0123456789abcdef1&seal=none").await;
    assert_eq!((taken.status.as_u16(), taken.to.as_str()), (303, KEY));
    assert!(stage.get(person(&alice), KEY).await.body.contains("No seal of its own"));
}

#[tokio::test]
async fn a_seal_of_projects_gets_a_new_key_and_loses_its_old_one_on_pages_of_its_own() {
    const OFFERED: &str = "/system/keys/offered/software%3Aacme";
    let (cast, _) = Cast::new(Engine::Sqlite).await.with_project_seals(&["acme"]).await;
    let stage = Stage::of(cast);
    let pay = stage.cast.project("pay").await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let manager = stage.cast.person("Mae", &[(Role::Manager, Some(pay.id))]).await;
    let domain = &stage.cast.domain;
    let rotate = format!("{OFFERED}/rotate");
    assert_eq!(stage.get(person(&alice), &rotate).await.status.as_u16(), 404);
    domain.offer_seal(&domain.shell_op(), &"software:acme".parse().unwrap()).await.unwrap();
    let tree = stage.get(person(&alice), "/system/keys").await.body;
    assert!(tree.contains("Keys in seals of projects") && !tree.contains(OFFERED), "{tree}");
    let unnamed = stage.post(person(&alice), &rotate, "idempotency_key=0123456789abcdef2").await;
    assert_eq!(unnamed.status.as_u16(), 422);
    assert!(unnamed.body.contains("No project names this seal."), "{}", unnamed.body);

    assert_eq!(stage.post(person(&alice), SEAL, &form("acme")).await.status.as_u16(), 303);
    let tree = stage.get(person(&alice), "/system/keys").await.body;
    assert!(tree.contains(&rotate) && tree.contains("Wraps 1 key of a project"), "{tree}");
    let page = stage.get(person(&alice), &rotate).await.body;
    assert!(page.contains("Rotate the key of software:acme") && page.contains("It wraps 1 key"), "{page}");
    for path in [&rotate, &format!("{OFFERED}/1/destroy")] {
        let refused = stage.post(person(&manager), path, "name=software%3Aacme").await.status.as_u16();
        assert!(matches!(refused, 403 | 404), "{path}: {refused}");
    }
    let done = stage.post(person(&alice), &rotate, "idempotency_key=0123456789abcdef3").await;
    assert_eq!((done.status.as_u16(), done.to.as_str()), (303, "/system/keys"), "{}", done.body);

    let destroy = format!("{OFFERED}/1/destroy");
    let tree = stage.get(person(&alice), "/system/keys").await.body;
    assert!(tree.contains(&destroy) && tree.contains(&rotate), "{tree}");
    assert_eq!(stage.get(person(&alice), &format!("{OFFERED}/7/destroy")).await.status.as_u16(), 404);
    let wrong = stage.post(person(&alice), &destroy, "idempotency_key=0123456789abcdef4&name=acme").await;
    assert_eq!(wrong.status.as_u16(), 422);
    let named = "idempotency_key=0123456789abcdef5&name=software%3Aacme";
    for time in ["once", "a form that comes twice"] {
        let done = stage.post(person(&alice), &destroy, named).await;
        assert_eq!((done.status.as_u16(), done.to.as_str()), (303, "/system/keys"), "{time}: {}", done.body);
    }
    let tree = stage.get(person(&alice), "/system/keys").await.body;
    assert!(!tree.contains(&destroy) && tree.contains(&rotate), "{tree}");
}
