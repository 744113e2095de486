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
        assert!(refused.body.contains("An owner or admin can give you a role"), "{}", refused.body);
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
