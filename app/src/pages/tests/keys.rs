//! What pages of keys promise: a value is seen once, a stranger sees nothing, a rotation can be finished.

use keywarden_domain::{
    cast::{Player, Stage as Project},
    keys::{Issued, NewKey, Place},
};
use keywarden_model::Role;

use super::{Stage, person};

/// A project, an issuer in it, and somebody who holds nothing.
async fn cast() -> (Stage, Project, Player, Player) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let bob = stage.cast.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    (stage, pay, bob, mallory)
}

async fn issued(stage: &Stage, pay: &Project, by: &Player, name: &str) -> Issued {
    let new = NewKey::named(Place::Environment(pay.live), name.parse().unwrap());
    stage.cast.domain.issue_key(&by.op(), new).await.unwrap()
}

/// What stands between two texts, the first time.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split(before)
        .nth(1)
        .unwrap_or_else(|| panic!("no `{before}` in {page}"))
        .split(after)
        .next()
        .unwrap()
}

#[tokio::test]
async fn a_value_is_in_the_answer_that_made_it_and_in_no_other_page() {
    let (stage, pay, bob, _) = cast().await;
    let body = format!(
        "idempotency_key=0123456789abcdef&environment={}&name=checkout&expiry=90&rate_window=60&scopes=orders:read",
        pay.live
    );
    let made = stage.post(person(&bob), "/keys/new", &body).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.response.headers()["cache-control"], "no-store");
    let value = between(&made.body, "value=\"kwk_live_", "\"");
    assert_eq!(made.body.matches(value).count(), 1, "once, so that nothing else carries it away");

    let id = between(&made.body, "href=\"/keys/key_", "\"");
    let page = format!("/keys/key_{id}");
    for path in ["", "?tab=drain", "?tab=audit", "/edit", "/rotate", "/suspend", "/revoke"] {
        let shown = stage.get(person(&bob), &format!("{page}{path}")).await;
        assert_eq!(shown.status, 200, "{path}");
        assert!(shown.body.contains("checkout") && !shown.body.contains(value), "{path}");
    }
    let listed = stage.get(person(&bob), "/keys").await;
    assert!(listed.body.contains(&page) && !listed.body.contains(value), "{}", listed.body);

    let searched = stage.get(person(&bob), &format!("/keys?q=kwk_live_{value}&state=active")).await;
    assert_eq!(searched.status, 303);
    assert!(searched.to.starts_with("/keys?state=active&q=kwk_live_"), "{}", searched.to);
    assert!(!searched.to.contains(value), "{}", searched.to);
    let found = stage.get(person(&bob), &searched.to).await;
    assert!(found.status == 200 && found.body.contains(&page), "{}", found.body);
}

#[tokio::test]
async fn a_form_that_came_again_leads_to_its_key_and_shows_no_value() {
    let (stage, pay, bob, _) = cast().await;
    let body = format!(
        "idempotency_key=0123456789abcdef&environment={}&name=checkout&expiry=90&rate_window=60",
        pay.live
    );
    let made = stage.post(person(&bob), "/keys/new", &body).await;
    let id = between(&made.body, "href=\"/keys/key_", "\"");
    let again = stage.post(person(&bob), "/keys/new", &body).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains(&format!("/keys/key_{id}")), "{}", again.body);
    assert!(!again.body.contains("kwk_live_"), "{}", again.body);
}

#[tokio::test]
async fn a_form_that_came_again_with_other_content_issues_nothing() {
    let (stage, pay, bob, _) = cast().await;
    let body = |name| {
        let environment = pay.live;
        format!(
            "idempotency_key=0123456789abcdef&environment={environment}&name={name}&expiry=90&rate_window=60"
        )
    };
    assert_eq!(stage.post(person(&bob), "/keys/new", &body("checkout")).await.status, 200);
    let other = stage.post(person(&bob), "/keys/new", &body("refunds")).await;
    assert_eq!(other.status, 409);
    assert!(!other.body.contains("kwk_live_"));
    assert!(!stage.get(person(&bob), "/keys").await.body.contains("refunds"));
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_says_where_it_is_wrong() {
    let (stage, pay, bob, _) = cast().await;
    issued(&stage, &pay, &bob, "checkout").await;
    for (typed, wrong) in [
        ("name=Checkout&expiry=90", "field-name-error"),
        ("name=other&expiry=longest&scopes=Orders", "field-scopes-error"),
        ("name=other&expiry=date&expires_at=2099-01-01T00:00", "field-expires_at-error"),
        ("name=other&expiry=date", "field-expires_at-error"),
        ("name=other", "field-expiry-error"),
    ] {
        let body = format!("environment={}&description=typed+by+hand&rate_window=60&{typed}", pay.live);
        let came = stage.post(person(&bob), "/keys/new", &body).await;
        assert_eq!(came.status, 422, "{typed}");
        assert!(came.body.contains("typed by hand") && came.body.contains(wrong), "{typed}: {}", came.body);
    }
}

#[tokio::test]
async fn to_a_stranger_there_is_no_key() {
    let (stage, pay, bob, mallory) = cast().await;
    let key = issued(&stage, &pay, &bob, "checkout").await;
    let page = format!("/keys/{}", key.id);
    for path in ["", "/edit", "/resume", "/revoke", "/rotate", "/suspend"] {
        let came = stage.get(person(&mallory), &format!("{page}{path}")).await;
        assert_eq!(came.status, 404, "{path}");
        assert!(!came.body.contains("checkout"), "{path}");
    }
    for (path, body) in [
        ("edit", "name=mine&row_version=1&rate_window=60"),
        ("resume", ""),
        ("revoke", "reason=superseded"),
        ("rotate", "overlap=0"),
        ("suspend", ""),
    ] {
        let came = stage.post(person(&mallory), &format!("{page}/{path}"), body).await;
        assert_eq!(came.status, 404, "{path}");
    }
    assert!(!stage.get(person(&mallory), "/keys").await.body.contains("checkout"));
    assert_eq!(stage.get(person(&bob), &page).await.status, 200);
}

#[tokio::test]
async fn after_a_rotation_the_old_value_can_be_extended_and_stopped() {
    let (stage, pay, bob, _) = cast().await;
    let key = issued(&stage, &pay, &bob, "checkout").await;
    let page = format!("/keys/{}", key.id);
    let rotated = stage.post(person(&bob), &format!("{page}/rotate"), "overlap=86400").await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert!(rotated.body.contains("value=\"kwk_live_") && !rotated.body.contains(key.value.expose()));

    let board = stage.get(person(&bob), &format!("{page}?tab=drain")).await.body;
    let old = format!("{page}/values/{}", between(&board, "/values/", "/"));
    let ask = stage.get(person(&bob), &format!("{old}/extend")).await;
    assert_eq!(ask.status, 200);
    let later = between(between(&ask.body, "id=\"field-until\"", "/>"), "value=\"", "\"").to_owned();
    let late = stage.post(person(&bob), &format!("{old}/extend"), "until=2099-01-01T00:00").await;
    assert_eq!(late.status, 422);
    let extended = stage.post(person(&bob), &format!("{old}/extend"), &format!("until={later}")).await;
    assert_eq!((extended.status.as_u16(), extended.to), (303, format!("{page}?tab=drain")));

    assert_eq!(stage.get(person(&bob), &format!("{old}/stop")).await.status, 200);
    let unsaid = stage.post(person(&bob), &format!("{old}/stop"), "why=superseded").await;
    assert_eq!(unsaid.status, 422, "only what the form offers");
    let stopped = stage.post(person(&bob), &format!("{old}/stop"), "why=key-compromise").await;
    assert_eq!((stopped.status.as_u16(), stopped.to), (303, format!("{page}?tab=drain")));
    let board = stage.get(person(&bob), &format!("{page}?tab=drain")).await.body;
    assert!(!board.contains("/values/"), "{board}");
}

#[tokio::test]
async fn a_key_is_suspended_resumed_edited_and_revoked() {
    let (stage, pay, bob, _) = cast().await;
    let key = issued(&stage, &pay, &bob, "checkout").await;
    let page = format!("/keys/{}", key.id);
    let edit = stage.get(person(&bob), &format!("{page}/edit")).await.body;
    let version = between(between(&edit, "name=\"row_version\"", "/>"), "value=\"", "\"").to_owned();
    let expires = between(between(&edit, "id=\"field-expires_at\"", "/>"), "value=\"", "\"").to_owned();
    let body = format!("row_version={version}&name=till&expires_at={expires}&rate_limit=7&rate_window=60");
    let saved = stage.post(person(&bob), &format!("{page}/edit"), &body).await;
    assert_eq!((saved.status.as_u16(), saved.to), (303, page.clone()), "{}", saved.body);
    let stale = stage.post(person(&bob), &format!("{page}/edit"), &body.replace("till", "desk")).await;
    assert_eq!(stale.status, 422, "somebody changed it meanwhile");

    for (verb, body, state) in [
        ("suspend", "reason=audit", "data-state=\"suspended\""),
        ("resume", "", "data-state=\"active\""),
        ("revoke", "reason=key-compromise&note=found+in+a+log", "data-state=\"compromised\""),
    ] {
        let done = stage.post(person(&bob), &format!("{page}/{verb}"), body).await;
        assert_eq!((done.status.as_u16(), done.to), (303, page.clone()), "{verb}: {}", done.body);
        let shown = stage.get(person(&bob), &page).await.body;
        assert!(shown.contains(state) && shown.contains("till"), "{verb}: {shown}");
    }
    assert_eq!(stage.post(person(&bob), &format!("{page}/revoke"), "reason=superseded").await.status, 422);
}

#[tokio::test]
async fn many_keys_are_revoked_after_they_were_seen() {
    let (stage, pay, bob, _) = cast().await;
    for name in ["till-1", "till-2", "desk"] {
        issued(&stage, &pay, &bob, name).await;
    }
    let nothing = stage.get(person(&bob), "/keys/revoke").await.body;
    assert!(!nothing.contains("name=\"ids\""), "no filter, no keys: {nothing}");
    let preview = stage.get(person(&bob), "/keys/revoke?q=till").await.body;
    let ids = between(between(&preview, "name=\"ids\"", "/>"), "value=\"", "\"").to_owned();
    assert_eq!(ids.split(' ').count(), 2, "{ids}");
    let body = format!("ids={}&reason=superseded", ids.replace(' ', "+"));
    let done = stage.post(person(&bob), "/keys/revoke?q=till", &body).await;
    assert_eq!((done.status.as_u16(), done.to.as_str()), (303, "/keys"), "{}", done.body);
    let standing = stage.get(person(&bob), "/keys?state=active").await.body;
    assert!(standing.contains("desk") && !standing.contains("till-"), "{standing}");
}

#[tokio::test]
async fn an_imported_value_is_not_shown_again() {
    let (stage, pay, bob, _) = cast().await;
    let value = "legacy-0123456789-abcdef";
    let body = |day| {
        let environment = pay.test;
        format!(
            "environment={environment}&value={value}&last_day={day}&name=legacy&expiry=longest&rate_window=60"
        )
    };
    let refused = stage.post(person(&bob), "/keys/import", &body("2001-01-01T00:00")).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("field-last_day-error") && !refused.body.contains(value),
        "{}",
        refused.body
    );
    let done = stage.post(person(&bob), "/keys/import", &body("2090-01-01T00:00")).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let shown = stage.get(person(&bob), &done.to).await;
    assert!(shown.body.contains("legacy") && !shown.body.contains(value), "{}", shown.body);
}

#[tokio::test]
async fn a_leaked_value_is_told_to_whom_it_concerns_and_echoed_to_nobody() {
    let (stage, pay, bob, mallory) = cast().await;
    let key = issued(&stage, &pay, &bob, "checkout").await;
    for (player, knows) in [(&bob, true), (&mallory, false)] {
        let body = format!("value=Bearer+{}", key.value.expose());
        let came = stage.post(person(player), "/leaks", &body).await;
        assert_eq!(came.status, 200);
        assert_eq!(came.body.contains(&format!("/keys/{}", key.id)), knows, "{}", player.name);
        assert!(!came.body.contains(key.value.expose()), "{}", player.name);
    }
    let more = "There is more here that is yours to act on";
    let other = issued(&stage, &pay, &bob, "payouts").await;
    for (texts, all) in [([&key, &key], true), ([&key, &other], false)] {
        let body = format!("value={}+{}", texts[0].value.expose(), texts[1].value.expose());
        let came = stage.post(person(&bob), "/leaks", &body).await.body;
        assert!(came.contains(&format!("/keys/{}", key.id)) && came.contains(more) != all, "{came}");
    }
    assert_eq!(stage.post(person(&bob), "/leaks", "value=").await.status, 422);
    let guessable = stage.post(person(&bob), "/leaks", "value=hunter2").await.body;
    assert!(guessable.contains("It could be guessed") && !guessable.contains("hunter2"), "{guessable}");
}

/// What ends an old value spares the current one: a rotation would end that in its place.
#[tokio::test]
async fn an_old_value_that_leaked_is_stopped_alone() {
    let (stage, pay, bob, _) = cast().await;
    let key = issued(&stage, &pay, &bob, "checkout").await;
    let page = format!("/keys/{}", key.id);
    let body = format!("value={}", key.value.expose());
    let current = stage.post(person(&bob), "/leaks", &body).await.body;
    assert!(current.contains(&format!("{page}/rotate")) && current.contains(&format!("{page}/revoke")));
    assert!(!current.contains(&format!("{page}/values/")), "{current}");
    stage.post(person(&bob), &format!("{page}/rotate"), "overlap=86400").await;
    let old = stage.post(person(&bob), "/leaks", &body).await.body;
    let stop = between(&old, &format!("href=\"{page}/values/"), "\"").to_owned();
    assert!(stop.ends_with("/stop?why=key-compromise"), "{stop}");
    assert!(!old.contains(&format!("{page}/rotate")) && !old.contains(&format!("{page}/revoke")), "{old}");
    let stop = format!("{page}/values/{stop}");
    let ask = stage.get(person(&bob), &stop).await.body;
    let chosen = between(&ask, "value=\"key-compromise\"", ">");
    assert!(chosen.contains("checked"), "{ask}");
    let done = stage.post(person(&bob), &stop, "why=key-compromise").await;
    assert_eq!(done.status, 303, "{}", done.body);
    let over = stage.post(person(&bob), "/leaks", &body).await.body;
    assert!(over.contains("does not work any more") && over.contains(&format!("href=\"{page}\"")), "{over}");
    for verb in ["values", "rotate", "revoke"] {
        assert!(!over.contains(&format!("{page}/{verb}")), "{verb}: {over}");
    }
}
