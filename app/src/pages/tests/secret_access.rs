//! Who may read a secret is told on its page, to whom it concerns.

use keywarden_domain::secrets::{Address, NewShare, ShareLife, Which};
use keywarden_model::Role;

use super::{
    person,
    secrets::{cast, put},
};

#[tokio::test]
async fn who_may_read_a_secret_is_told_with_the_roles_that_let_them() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let id = put(&stage, &pay, &bob, "db/password", b"hunter2").await.id;
    stage.cast.team("platform", &[mallory.id], &[(Role::Admin, None)]).await;
    stage.cast.workload("deployer", Role::Reader, Some(pay.id)).await;
    let page = format!("/secrets/{id}?tab=access");
    let told = stage.get(person(&vera), &page).await;
    assert_eq!(told.status, 200);
    for words in ["Manager in pay", "Reader in pay", "Admin, through the team platform", "deployer", "Bob"] {
        assert!(told.body.contains(words), "{words}: {}", told.body);
    }
    let table = told.body.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    assert!(!table.contains("Vera"), "who only sees it is not among those who read it");
    assert!(!told.body.contains("action=secret.read"), "a viewer is not led to a record that is not theirs");
    let told = stage.get(person(&bob), &page).await.body;
    let readings = format!("/audit?resource={id}&amp;action=secret.read,secret.open-share");
    assert!(told.contains(&readings), "{told}");
}

#[tokio::test]
async fn who_did_read_a_secret_is_found_also_if_it_was_by_a_link() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    let id = put(&stage, &pay, &bob, "db/password", b"hunter2").await.id;
    let domain = &stage.cast.domain;
    let there = Address::Id(id);
    domain.read_secret(&bob.op(), &there, &Which::default()).await.unwrap();
    let link = NewShare { version: 1, recipient: Some(vera.id), life: ShareLife::Day };
    let made = domain.share_secret(&bob.op(), id, link).await.unwrap();
    let value = made.url().rsplit('/').next().unwrap().to_owned();
    domain.open_share(&vera.op(), &value, None).await.unwrap();
    let page = stage.get(person(&bob), &format!("/secrets/{id}?tab=access")).await.body;
    let link = page.split("href=\"").find(|it| it.starts_with("/audit?")).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let found = stage.get(person(&bob), &link).await;
    assert_eq!(found.status, 200);
    let rows = found.body.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    let times = |action: &str| rows.matches(&format!(">{action}<")).count();
    assert_eq!((times("secret.read"), times("secret.open-share")), (1, 1), "{rows}");
    assert!(times("secret.put") == 0 && times("secret.create") == 0 && times("secret.share") == 0, "{rows}");
    // Narrowed further, it still looks for both.
    let chosen = "<option value=\"secret.read,secret.open-share\" selected";
    assert!(found.body.contains(chosen), "{}", found.body);
}

#[tokio::test]
async fn a_deleted_secret_says_that_nobody_reads_it() {
    let (stage, pay, [bob, ..]) = cast().await;
    let id = put(&stage, &pay, &bob, "db/password", b"hunter2").await.id;
    let page = format!("/secrets/{id}?tab=access");
    let before = stage.get(person(&bob), &page).await.body;
    assert!(!before.contains("Nobody reads a deleted secret"));
    let gone = stage.post(person(&bob), &format!("/secrets/{id}/delete"), "current=1").await;
    assert_eq!(gone.status, 303, "{}", gone.body);
    let after = stage.get(person(&bob), &page).await.body;
    assert!(after.contains("Nobody reads a deleted secret"), "{after}");
}
