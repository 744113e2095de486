//! What pages promise of aliases: each system's names are its own, a name is one secret's, and it goes as it came.

use keywarden_model::Role;

use super::{
    person,
    secrets::{cast, put},
};

#[tokio::test]
async fn a_secret_gets_a_name_in_another_system_keeps_it_and_loses_it() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/main password", b"hunter2").await;
    let page = format!("/secrets/{}", secret.id);
    let form = format!("{page}/aliases/azure");
    let look = async |path: &str| stage.get(person(&bob), path).await.body;
    let panel = async || {
        let whole = look(&page).await;
        whole.split("id=\"aliases\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned()
    };
    let offered = panel().await;
    assert!(offered.contains("It has none.") && offered.contains("Name it for another system"), "{offered}");
    assert_eq!((offered.matches("/aliases/").count(), offered.contains("<table")), (5, false), "{offered}");
    assert!(offered.contains(&format!("href=\"{form}\"")), "{offered}");
    assert!(!stage.get(person(&vera), &page).await.body.contains("id=\"aliases\""), "she can name nothing");
    let body = |n: u8, name: &str, seen: i64| {
        format!("idempotency_key=aaaaaaaaaaaaaa{n:02}&name={name}&row_version={seen}")
    };
    let post = async |body: String| {
        let came = stage.post(person(&bob), &form, &body).await;
        (came.status.as_u16(), came.body)
    };
    let seen = async || {
        let field = look(&form).await;
        let value = field.split("name=\"row_version\"").nth(1).unwrap().split('"').nth(1).unwrap().to_owned();
        value.parse::<i64>().unwrap()
    };
    assert!(!look(&form).await.contains("db/main password\""), "Azure has no such name");
    for (n, name) in [(1, "db/password"), (2, "db_password"), (3, "")] {
        let (status, refused) = post(body(n, name, seen().await)).await;
        assert!(status == 422 && refused.contains("field-name-error"), "{name:?}: {refused}");
    }
    assert_eq!(post(body(4, "Db-Password", seen().await)).await.0, 303);
    let named = panel().await;
    assert!(named.contains(">Db-Password<") && !named.contains("It has none."), "{named}");
    assert_eq!(named.matches("<tr").count(), 2, "one name below its heading, four systems to come: {named}");
    assert_eq!(named.matches("<li").count(), 4, "{named}");
    assert!(look(&form).await.contains("value=\"Db-Password\""));
    assert_eq!(post(body(5, "Other", 1)).await.0, 422, "it was changed since");

    let other = put(&stage, &pay, &bob, "other", b"x").await;
    let twin = format!("/secrets/{}/aliases/azure", other.id);
    let came = stage.post(person(&bob), &twin, &body(6, "DB-PASSWORD", 1)).await;
    assert!(came.status == 422 && came.body.contains("field-name-error"), "{}", came.body);

    let seen_by_vera = stage.get(person(&vera), &page).await.body;
    assert!(seen_by_vera.contains(">Db-Password<") && !seen_by_vera.contains(&form), "{seen_by_vera}");
    let refused = stage.post(person(&vera), &form, &body(7, "Hers", seen().await)).await;
    assert_eq!(refused.status, 403);
    for at in [form.clone(), format!("{page}/aliases/pigeon"), format!("{page}/aliases/AWS")] {
        let stranger = stage.get(person(&mallory), &at).await;
        assert_eq!(stranger.status, 404, "{at}");
    }
    assert_eq!(stage.get(person(&bob), &format!("{page}/aliases/pigeon")).await.status, 404);

    let taken_away = body(8, "", seen().await);
    for _ in 0..2 {
        let came = stage.post(person(&bob), &form, &taken_away).await;
        assert_eq!((came.status.as_u16(), &came.to), (303, &page), "a form that comes twice: {}", came.body);
    }
    assert_eq!(post(body(9, "", seen().await)).await.0, 422, "there is none any more");
    assert!(!look(&page).await.contains("Db-Password"));
    let told = look(&format!("{page}?tab=audit")).await;
    assert_eq!(told.matches(">secret.alias<").count(), 2, "{told}");
}

#[tokio::test]
async fn a_path_that_could_be_the_name_is_offered_and_not_given_by_itself() {
    let (stage, pay, [bob, ..]) = cast().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let secret = put(&stage, &pay, &bob, "db/password", b"hunter2").await;
    let page = format!("/secrets/{}", secret.id);
    for (dialect, offers) in [("aws", true), ("vault-kv2", true), ("azure", false), ("gcp", false)] {
        let form = stage.get(person(&olga), &format!("{page}/aliases/{dialect}")).await.body;
        assert_eq!(form.contains("value=\"db/password\""), offers, "{dialect}: {form}");
    }
    let view = stage.get(person(&olga), &page).await.body;
    assert!(!view.contains("<code translate=\"no\">db/password</code>") && view.contains("none"), "{view}");
}
