//! Links to values, as people make, open and withdraw them: to open the page reads nothing, to press its button reads once.

use keywarden_domain::{
    Actor, SecretBytes,
    cast::{Player, Stage as Project},
    keys::Place,
    secrets::{About, NewValue, PutSecret, Validity},
};
use keywarden_model::{KeptForStranger, Role, SecretKind};

use super::{Stage, person};

const VALUE: &str = "hunter2-correct-horse";

/// A secret's page, its manager, one who only looks, and somebody who holds nothing.
async fn cast() -> (Stage, Project, String, [Player; 3]) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let bob = stage.cast.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let rita = stage.cast.person("Rita", &[]).await;
    let put = PutSecret {
        value: NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(VALUE.as_bytes())).unwrap(),
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    let (place, path) = (Place::Environment(pay.live), "db/password".parse().unwrap());
    let id = stage.cast.domain.put_secret(&bob.op(), &place, &path, put).await.unwrap().id;
    (stage, pay, format!("/secrets/{id}"), [bob, vera, rita])
}

fn form(more: &str) -> String {
    let key = more.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("idempotency_key={key:016x}&life=24h&{more}")
}

/// What a field of a page holds.
fn shown(page: &str, id: &str) -> String {
    let input = page.split("<input").find(|it| it.contains(&format!("id=\"{id}\"")));
    let value = input.and_then(|it| it.split("value=\"").nth(1)).and_then(|it| it.split('"').next());
    value.unwrap_or_else(|| panic!("no `{id}` in {page}")).to_owned()
}

/// Makes a link as Bob; its path, and its passphrase.
async fn make(stage: &Stage, page: &str, bob: &Player, who: &str) -> (String, Option<String>) {
    let made = stage.post(person(bob), &format!("{page}/versions/1/share"), &form(who)).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.response.headers()["cache-control"], "no-store");
    assert!(!made.body.contains(VALUE));
    let path = shown(&made.body, "link").strip_prefix("https://keys.example.com").unwrap().to_owned();
    let passphrase = made.body.contains("id=\"passphrase\"").then(|| shown(&made.body, "passphrase"));
    (path, passphrase)
}

#[tokio::test]
async fn a_link_shows_a_page_with_one_button_and_the_button_the_value_once() {
    let (stage, _, page, [bob, ..]) = cast().await;
    let (path, passphrase) = make(&stage, &page, &bob, "who=passphrase").await;
    let passphrase = passphrase.unwrap();
    for actor in [Actor::Nobody, person(&bob), Actor::Nobody] {
        let asked = stage.get(actor, &path).await;
        assert_eq!(asked.status, 200);
        assert!(asked.body.contains("name=\"passphrase\"") && !asked.body.contains(VALUE), "{}", asked.body);
        assert!(
            !asked.body.contains("password") && !asked.body.contains("Bob"),
            "nothing of what it leads to"
        );
    }
    let listed = stage.get(person(&bob), &page).await.body;
    assert!(listed.contains("Open links") && listed.contains("whoever has the passphrase"), "{listed}");
    assert!(!listed.contains(path.rsplit('/').next().unwrap()) && !listed.contains(&passphrase));

    let empty = stage.post(Actor::Nobody, &path, "passphrase=+").await;
    assert_eq!(empty.status, 422, "what was not tried is not counted");
    let wrong = stage.post(Actor::Nobody, &path, "passphrase=0000-0000-0000-0000").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("After 4 more wrong ones it is gone"), "{}", wrong.body);
    assert!(!wrong.body.contains("0000-0000") && !wrong.body.contains(VALUE), "{}", wrong.body);
    assert!(wrong.response.extensions().get::<KeptForStranger>().is_some(), "guesses are counted");

    let typed = format!("passphrase={}", passphrase.to_lowercase().replace('-', "+"));
    let opened = stage.post(Actor::Nobody, &path, &typed).await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    assert_eq!(opened.response.headers()["cache-control"], "no-store");
    assert_eq!(opened.body.matches(VALUE).count(), 1, "once: {}", opened.body);
    for came in [stage.post(Actor::Nobody, &path, &typed).await, stage.get(Actor::Nobody, &path).await] {
        assert_eq!(came.status, 404);
        assert!(!came.body.contains(VALUE) && came.body.contains("This link opens nothing"), "{}", came.body);
    }
    assert!(!stage.get(person(&bob), &page).await.body.contains("Open links"));
    let told = stage.get(person(&bob), &format!("{page}?tab=audit")).await.body;
    assert_eq!(told.matches(">secret.open-share<").count(), 2, "the wrong try, and the right one: {told}");
}

#[tokio::test]
async fn a_link_for_a_person_waits_for_their_session_and_their_passkey() {
    let (stage, _, page, [bob, vera, rita]) = cast().await;
    let (path, passphrase) = make(&stage, &page, &bob, &format!("who=person&recipient={}", rita.id)).await;
    assert_eq!(passphrase, None);
    let stranger = stage.get(Actor::Nobody, &path).await;
    let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    assert!(stranger.body.contains(&format!("/sign-in?next={next}")), "{}", stranger.body);
    assert!(!stranger.body.contains("Rita"), "{}", stranger.body);
    for other in [person(&vera), person(&bob)] {
        assert_eq!(stage.get(other.clone(), &path).await.status, 404);
        assert_eq!(stage.post(other, &path, "a=b").await.status, 404);
    }
    assert_eq!(stage.post(Actor::Nobody, &path, "a=b").await.status, 404);
    let asleep = stage.post(person(&rita.without_step_up()), &path, "a=b").await;
    assert!(asleep.to.starts_with("/step-up?post="), "{}", asleep.to);
    assert_eq!(stage.get(person(&rita), &path).await.status, 200, "looking reads nothing");
    let opened = stage.post(person(&rita), &path, "a=b").await;
    assert_eq!(opened.body.matches(VALUE).count(), 1, "{}", opened.body);
    assert_eq!(stage.post(person(&rita), &path, "a=b").await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_link_is_told_at_its_field() {
    let (stage, _, page, [bob, vera, rita]) = cast().await;
    let at = format!("{page}/versions/1/share");
    let asked = stage.get(person(&bob), &at).await;
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("Rita") && !asked.body.contains(VALUE), "{}", asked.body);
    for (more, says) in [
        ("who=", "Choose who opens it"),
        ("who=person", "Choose an active person"),
        ("who=person&recipient=usr_00000000000000000000000000", "Choose an active person"),
    ] {
        let came = stage.post(person(&bob), &at, &form(more)).await;
        assert_eq!(came.status, 422, "{more}");
        assert!(came.body.contains(says), "{more}: {}", came.body);
    }
    let lasting = form("who=passphrase").replace("life=24h", "life=30d");
    assert_eq!(stage.post(person(&bob), &at, &lasting).await.status, 422);
    assert_eq!(stage.post(person(&vera), &at, &form("who=passphrase&a=1")).await.status, 403);
    assert_eq!(stage.post(person(&rita), &at, &form("who=passphrase&a=2")).await.status, 404);
    let asleep = stage.post(person(&bob.without_step_up()), &at, &form("who=passphrase&a=3")).await;
    assert!(asleep.to.starts_with("/step-up?post="), "{}", asleep.to);
    let twice = form("who=passphrase&a=4");
    assert_eq!(stage.post(person(&bob), &at, &twice).await.status, 200);
    let again = stage.post(person(&bob), &at, &twice).await;
    assert_eq!(again.status, 409, "a reload shows nothing");
    assert!(!again.body.contains("kwt_share_"), "{}", again.body);
}

#[tokio::test]
async fn an_open_link_is_withdrawn_from_the_secrets_page() {
    let (stage, _, page, [bob, vera, rita]) = cast().await;
    let (path, _) = make(&stage, &page, &bob, &format!("who=person&recipient={}", rita.id)).await;
    let listed = stage.get(person(&bob), &page).await.body;
    let withdraw = listed.split("href=\"").find(|it| it.contains("/withdraw\"")).unwrap();
    let withdraw = withdraw.split('"').next().unwrap().to_owned();
    assert!(withdraw.starts_with(&format!("{page}/shares/shr_")), "{withdraw}");
    let seen = stage.get(person(&vera), &page).await.body;
    assert!(seen.contains("Rita") && !seen.contains("/withdraw"), "who may not is not asked: {seen}");
    assert_eq!(stage.post(person(&vera), &withdraw, &form("a=5")).await.status, 403);
    assert_eq!(stage.post(person(&rita), &withdraw, &form("a=6")).await.status, 404);
    assert!(stage.get(person(&bob), &withdraw).await.body.contains("It opens nothing from then on"));
    let done = stage.post(person(&bob.without_step_up()), &withdraw, &form("a=7")).await;
    assert_eq!((done.status.as_u16(), done.to.as_str()), (303, page.as_str()), "{}", done.body);
    assert_eq!(stage.get(person(&rita), &path).await.status, 404);
    assert_eq!(stage.get(person(&bob), &withdraw).await.status, 404);
}
