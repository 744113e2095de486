//! What becomes of posts: refused ones as typed, kept ones once.

use std::{fs, path::Path, time::Duration};

use keywarden_domain::{
    SecretBytes,
    audit::Query,
    cast::Held,
    keys::{NewKey, Place},
    passkeys::soft::SoftAuthenticator,
    roles::{Grant, Holder},
    secrets::{About, NewValue, PutSecret, Validity},
};
use keywarden_model::{Role, SecretKind};
use serde_json::json;

use super::{
    ORIGIN, Stage,
    entry::{opened, set_up},
    person,
};

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
    let mut authenticator = SoftAuthenticator::new(1);
    let ada = set_up(&stage, &mut authenticator).await;
    stage.cast.clock.advance(Duration::from_mins(6));
    let body = "name=Payments&slug=payments&idempotency_key=0123456789abcdef";
    let kept = stage.post(ada.clone(), "/teams/new", body).await;
    assert_eq!(kept.status, 303);
    let query = kept.to.strip_prefix("/step-up?").unwrap();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let post = pairs.find(|(name, _)| name == "post").unwrap().1.into_owned();
    assert!(query.ends_with("&to=%2Fteams%2Fnew"), "{query}");

    let page = stage.get(ada.clone(), &kept.to).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&format!("name=\"kept_post\" value=\"{post}\"")), "{}", page.body);
    assert!(page.body.contains("action=\"/teams/new\""));
    assert!(!page.body.contains("Payments"), "what was typed stays sealed");

    let resumed = format!("kept_post={post}");
    let mallory = stage.cast.person("Mallory", &[(Role::Owner, None)]).await;
    assert_eq!(stage.post(person(&mallory), "/teams/new", &resumed).await.status, 410, "another session");

    let waiting = json!({ "kept_post": post, "to": "/teams/new" });
    let started = stage.script(ada.clone(), "/step-up/start", &waiting).await.json();
    let credential = authenticator.get(ORIGIN, &started["publicKey"]).unwrap();
    let answer = json!({ "kept_post": post, "ceremony": started["ceremony"], "credential": credential });
    let stepped = stage.script(ada, "/step-up/finish", &answer).await;
    assert_eq!(stepped.json()["submit"], true, "{}", stepped.body);
    let fresh = opened(&stage, &stepped).await;
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

#[tokio::test]
async fn a_form_that_took_something_away_and_comes_again_leads_to_the_same_place() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let bob = stage.cast.person("Bob", &[]).await;
    let now = stage.cast.now();
    let held = |name| Held { name, synced: false, last_used_at: None, may_approve_after: now };
    stage.cast.holds(&alice, &[held("Key"), held("Spare")]).await;
    let own = stage.cast.domain.own_passkeys(&alice.op()).await.unwrap();
    let spare = own.iter().find(|it| it.name == "Spare").unwrap().id;
    let grant = Grant { holder: Holder::Person(bob.id), role: Role::Auditor, project: None };
    let role = stage.cast.domain.grant_role(&alice.op(), grant).await.unwrap();
    stage.cast.team("crew", &[bob.id], &[]).await;
    for (n, (path, to)) in [
        (format!("/account/passkeys/{spare}/remove"), "/account".to_owned()),
        (format!("/people/{}/roles/{role}/revoke", bob.id), format!("/people/{}", bob.id)),
        (format!("/teams/crew/members/{}/remove", bob.id), "/teams/crew".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        for _ in 0..2 {
            let form = format!("idempotency_key=0123456789abcdef{n}");
            let came = stage.post(person(&alice), &path, &form).await;
            assert_eq!((came.status.as_u16(), &came.to), (303, &to), "{path}: {}", came.body);
        }
        let other = stage.post(person(&alice), &path, "idempotency_key=another-form-of-ours").await;
        assert_eq!(other.status, 404, "{path}");
    }
}

#[tokio::test]
async fn where_something_is_shown_once_a_reload_leads_to_what_was_made() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let gate = stage.cast.workload("gate", Role::Verifier, Some(pay.id)).await;
    let new = NewKey::named(Place::Environment(pay.live), "checkout".parse().unwrap());
    let key = stage.cast.domain.issue_key(&alice.op(), new).await.unwrap().id;
    let issue = format!("environment={}&name=other&expiry=90&rate_window=60", pay.live);
    for (form, body, address) in [
        ("/keys/new".to_owned(), issue.as_str(), "/keys/key_".to_owned()),
        (format!("/keys/{key}/rotate"), "overlap=0", format!("/keys/{key}\"")),
        (format!("/workloads/{}/tokens/new", gate.id), "days=1", format!("/workloads/{}\"", gate.id)),
        ("/people/invite".to_owned(), "name=Bob&role=auditor", "/people/invitations\"".to_owned()),
        ("/account/recovery-codes".to_owned(), "", "/account\"".to_owned()),
    ] {
        let asked = stage.get(person(&alice), &form).await;
        assert_eq!(asked.status, 200, "{form}");
        assert!(!asked.body.contains("data-address"), "{form}: nothing was posted: {}", asked.body);
        let shown = stage.post(person(&alice), &form, body).await;
        assert_eq!(shown.status, 200, "{form}: {}", shown.body);
        assert!(shown.body.contains(&format!("data-address=\"{address}")), "{form}: {}", shown.body);
        let again = stage.get(person(&alice), address.trim_end_matches('"')).await;
        assert!(again.status == 200 || form == "/keys/new", "{form}: {}", again.body);
    }
    // What was refused is filled in again where it stands.
    let refused = stage.post(person(&alice), "/keys/new", "name=other").await;
    assert_eq!(refused.status, 422);
    assert!(!refused.body.contains("data-address"), "{}", refused.body);
}

/// What a page shows this once, by the id of the field that holds it.
fn value<'a>(page: &'a str, id: &str) -> &'a str {
    let (before, after) =
        page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no `{id}` in {page}"));
    if id == "codes" {
        let text = after.split_once('>').unwrap().1;
        return text.split(['<', '\n']).next().unwrap();
    }
    let tag = before.rfind("<input").unwrap();
    page[tag..].split("value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn a_form_that_made_a_value_and_comes_again_says_where_it_was_and_leads_to_what_helps() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None), (Role::Manager, Some(pay.id))]).await;
    let gate = stage.cast.workload("gate", Role::Verifier, Some(pay.id)).await;
    let new = NewKey::named(Place::Environment(pay.live), "checkout".parse().unwrap());
    let key = stage.cast.domain.issue_key(&alice.op(), new).await.unwrap().id;
    let put = PutSecret {
        value: NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"v")).unwrap(),
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    let place = Place::Environment(pay.live);
    let secret =
        stage.cast.domain.put_secret(&alice.op(), &place, &"db".parse().unwrap(), put).await.unwrap().id;
    let issue = format!("environment={}&name=other&expiry=90&rate_window=60", pay.live);
    let (tokens, codes) = (format!("/workloads/{}/tokens/", gate.id), "/account/recovery-codes");
    let share = format!("/secrets/{secret}/versions/1/share");
    let codes_again = ["Your new codes were in the first answer", codes];
    for (form, body, field, says) in [
        (
            "/keys/new".to_owned(),
            issue.as_str(),
            "secret",
            ["value of this key", "/rotate", "/revoke"].as_slice(),
        ),
        (format!("/keys/{key}/rotate"), "overlap=0", "secret", &["value of this key", "/rotate", "/revoke"]),
        (
            format!("{tokens}new"),
            "days=1",
            "secret",
            &["One token", &format!("{tokens}new"), &format!("{tokens}stk_")],
        ),
        (
            "/people/invite".to_owned(),
            "name=Bob&role=auditor",
            "link",
            &["One invitation", "/people/invite", "/withdraw"],
        ),
        (share.clone(), "who=passphrase&life=24h", "link", &["One link", &share, "/withdraw"]),
        (codes.to_owned(), "", "codes", &codes_again),
    ] {
        let body = format!("idempotency_key=0123456789abcdef-{}&{body}", form.len());
        let first = stage.post(person(&alice), &form, &body).await;
        assert_eq!(first.status, 200, "{form}: {}", first.body);
        let shown = value(&first.body, field);
        assert!(shown.len() > 10, "{form}: {shown}");
        let again = stage.post(person(&alice), &form, &body).await;
        assert_eq!(again.status, 409, "{form}");
        assert!(again.body.contains("This was done already"), "{form}: {}", again.body);
        assert!(!again.body.contains(shown), "{form}: {}", again.body);
        let main = again.body.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        for said in says {
            assert!(main.contains(said), "{form}: `{said}` in {main}");
        }
        let ways: Vec<_> = main.split("href=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
        assert!(ways.len() >= says.len() - 1, "{form}: {ways:?}");
        for way in ways.into_iter().filter(|way| way.starts_with('/')) {
            assert_eq!(stage.get(person(&alice), way).await.status, 200, "{form}: {way}");
        }
    }
}

#[tokio::test]
async fn whoever_shows_no_passkey_after_all_is_back_where_the_button_is() {
    let stage = Stage::new().await;
    let ada = set_up(&stage, &mut SoftAuthenticator::new(1)).await;
    let bob = stage.cast.person("Bob", &[]).await;
    stage.cast.clock.advance(Duration::from_mins(6));
    let path = format!("/people/{}/end-sessions", bob.id);
    let kept = stage.post(ada.clone(), &path, "").await;
    assert!(kept.to.starts_with("/step-up?post="), "{}", kept.to);
    let asked = stage.get(ada.clone(), &kept.to).await;
    assert!(asked.body.contains(&format!("href=\"{path}\"")), "{}", asked.body);
    let back = stage.get(ada.clone(), &path).await;
    assert_eq!((back.status.as_u16(), back.to), (303, format!("/people/{}", bob.id)));
    let there = stage.get(ada, &format!("/people/{}", bob.id)).await;
    assert_eq!(there.status, 200);
}

#[tokio::test]
async fn a_button_that_is_pressed_twice_acts_once() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    for _ in 0..2 {
        let came = stage
            .post(person(&alice), "/account/sessions/others/end", "idempotency_key=0123456789abcdef")
            .await;
        assert_eq!((came.status.as_u16(), came.to.as_str()), (303, "/account"), "{}", came.body);
    }
    let query = Query { action: Some("session.end-own".into()), limit: 10, ..Query::default() };
    assert_eq!(stage.cast.domain.events(&alice.op(), &query).await.unwrap().events.len(), 1);
}

/// What signs out or sets how the console looks may come as often as it likes, and a passkey signs but once.
#[test]
fn every_form_that_is_posted_has_an_idempotency_key() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                if !path.ends_with("gallery") && !path.ends_with("tests") {
                    folders.push(path);
                }
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            for form in source.split("<form").skip(1).map(|after| after.split("</form>").next().unwrap()) {
                let posted = form.contains("method=\"post\"");
                let known = ["IDEMPOTENCY_KEY", "data-passkey", "\"/sign-out\"", "\"/theme\"", "\"/locale\""];
                assert!(!posted || known.iter().any(|it| form.contains(it)), "{}: {form}", path.display());
                seen += usize::from(posted);
            }
        }
    }
    assert!(seen > 5, "{seen}");
}
