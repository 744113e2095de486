//! What becomes of posts: refused ones as typed, kept ones once.

use std::time::Duration;

use keywarden_model::Role;

use super::{Stage, person};

#[tokio::test]
async fn a_refused_form_comes_back_with_422_and_as_typed() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let came = stage.post(person(&alice), "/teams/new", "name=Payments+%26+more&slug=NOT+a+slug").await;
    assert_eq!(came.status, 422);
    assert!(came.body.contains("value=\"Payments &amp; more\""), "{}", came.body);
    assert!(came.body.contains("value=\"NOT a slug\""), "{}", came.body);
    assert!(came.body.contains("aria-invalid=\"true\""));
}

#[tokio::test]
async fn a_post_that_needs_a_fresh_passkey_is_kept_and_done_once() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    stage.cast.clock.advance(Duration::from_mins(6));
    let body = "name=Payments&slug=payments&idempotency_key=0123456789abcdef";
    let kept = stage.post(person(&alice), "/teams/new", body).await;
    assert_eq!(kept.status, 303);
    let query = kept.to.strip_prefix("/step-up?").unwrap();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let post = pairs.find(|(name, _)| name == "post").unwrap().1.into_owned();
    assert!(query.ends_with("&to=%2Fteams%2Fnew"), "{query}");

    let page = stage.get(person(&alice), &kept.to).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&format!("name=\"kept_post\" value=\"{post}\"")), "{}", page.body);
    assert!(page.body.contains("action=\"/teams/new\""));
    assert!(!page.body.contains("Payments"), "what was typed stays sealed");

    let resumed = format!("kept_post={post}");
    let mallory = stage.cast.person("Mallory", &[(Role::Owner, None)]).await;
    assert_eq!(stage.post(person(&mallory), "/teams/new", &resumed).await.status, 410, "another session");

    let fresh = person(&alice.steps_up());
    let done = stage.post(fresh.clone(), "/teams/new", &resumed).await;
    assert_eq!((done.status.as_u16(), done.to.as_str()), (303, "/teams/payments"));
    let again = stage.post(fresh.clone(), "/teams/new", &resumed).await;
    assert_eq!(again.status, 410);
    let shown = stage.get(fresh, "/teams/payments").await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("Payments"));
}

#[tokio::test]
async fn a_kept_post_goes_nowhere_else() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    stage.cast.clock.advance(Duration::from_mins(6));
    let kept = stage.post(person(&alice), "/teams/new", "name=Payments&slug=payments").await;
    let post = kept.to.split(['=', '&']).nth(1).unwrap().to_owned();
    let fresh = person(&alice.steps_up());
    let astray = stage.post(fresh.clone(), "/people/invite", &format!("kept_post={post}")).await;
    assert_eq!(astray.status, 410);
    assert_eq!(stage.get(fresh, "/teams/payments").await.status, 404);
}

#[tokio::test]
async fn the_same_form_twice_is_one_team() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let body = "name=Payments&slug=payments&idempotency_key=0123456789abcdef";
    for _ in 0..2 {
        let came = stage.post(person(&alice), "/teams/new", body).await;
        assert_eq!((came.status.as_u16(), came.to.as_str()), (303, "/teams/payments"));
    }
    let other = stage.post(person(&alice), "/teams/new", &body.replace("Payments", "Others")).await;
    assert_eq!(other.status, 409, "the key was used for other content");
}
