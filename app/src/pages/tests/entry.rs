//! Coming in, with an authenticator made of software.

use std::time::Duration;

use keywarden_domain::{Actor, Person, passkeys::soft::SoftAuthenticator, people::SessionChange};
use keywarden_model::{KeptForStranger, Role};
use serde_json::{Value, json};

use super::{Came, ORIGIN, Stage, person};

impl Came {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether the door counts it against the address.
    fn counts(&self) -> bool {
        self.response.extensions().get::<KeptForStranger>().is_some()
    }
}

/// Who is behind the session that this answer opened.
pub(super) async fn opened(stage: &Stage, came: &Came) -> Actor {
    let Some(SessionChange::Opened(key)) = came.response.extensions().get() else { panic!("no session") };
    let person = stage.cast.domain.resolve_session(key, stage.cast.now()).await.unwrap();
    Actor::Person(person.unwrap())
}

/// Sets the house up as Ada, of Engines.
pub(super) async fn set_up(stage: &Stage, authenticator: &mut SoftAuthenticator) -> Actor {
    let op = stage.cast.op(Actor::System("start"));
    let link = stage.cast.domain.open_setup(&op).await.unwrap();
    let path = link.url.expose().strip_prefix(ORIGIN).unwrap().to_owned();
    let page = stage.get(Actor::Nobody, &path).await;
    assert_eq!(page.status, 200);
    let mut typed = json!({ "organization": "Engines", "name": "Ada", "passkey": "Key" });
    let started = stage.script(Actor::Nobody, &format!("{path}/start"), &typed).await.json();
    typed["ceremony"] = started["ceremony"].clone();
    typed["credential"] = authenticator.create(ORIGIN, &started["publicKey"]).unwrap();
    let done = stage.script(Actor::Nobody, &format!("{path}/finish"), &typed).await;
    assert_eq!(done.json()["location"], "/welcome", "{}", done.body);
    assert_eq!(stage.get(Actor::Nobody, &path).await.status, 404, "the link served once");
    opened(stage, &done).await
}

#[tokio::test]
async fn the_first_owner_comes_in_and_sees_the_codes_once() {
    let stage = Stage::new().await;
    let ada = set_up(&stage, &mut SoftAuthenticator::new(1)).await;
    assert_eq!(stage.get(ada.clone(), "/welcome").await.status, 200);
    let shown = stage.post(ada.clone(), "/welcome/codes", "").await;
    let codes = shown.body.split("<code id=\"codes\" translate=\"no\">").nth(1).unwrap();
    assert_eq!(codes.split("</code>").next().unwrap().lines().count(), 10);
    let again = stage.post(ada.clone(), "/welcome/codes", "").await;
    assert!(!again.body.contains("<code id=\"codes\""));
    let account = stage.get(ada, "/account").await;
    assert_eq!(account.status, 200);
    assert!(account.body.contains("Ada") && account.body.contains("Owner"));
}

#[tokio::test]
async fn where_no_passkey_works_the_page_says_so() {
    for origin in ["https://192.0.2.1", "http://keys.example.com"] {
        let cast = Stage::new().await.cast.neighbour_with(|settings| settings.origin = origin.into()).await;
        let there = Stage::of(cast);
        let link = there.cast.domain.open_setup(&there.cast.op(Actor::System("start"))).await.unwrap();
        let path = link.url.expose().strip_prefix(origin).unwrap();
        assert_eq!(there.get(Actor::Nobody, path).await.status, 200);
        let typed = json!({ "organization": "Engines", "name": "Ada", "passkey": "Key" });
        for (path, typed) in [(format!("{path}/start"), typed), ("/sign-in/start".to_owned(), json!({}))] {
            let came = there.script(Actor::Nobody, &path, &typed).await;
            assert_eq!(came.status, 503, "{path}: {}", came.body);
            assert!(came.json()["error"].as_str().unwrap().contains("keywarden doctor"), "{}", came.body);
        }
    }
}

#[tokio::test]
async fn pages_that_ask_for_a_passkey_or_a_code_fetch_no_browser_side() {
    let stage = Stage::new().await;
    let of = |url: &str| url.strip_prefix(ORIGIN).unwrap().to_owned();
    let bare = async |actor: Actor, path: &str| {
        let came = stage.get(actor, path).await;
        assert_eq!(came.status, 200, "{path}");
        assert!(!came.body.contains("islands") && !came.body.contains("wasm"), "{path}: {}", came.body);
    };
    let setup = stage.cast.domain.open_setup(&stage.cast.op(Actor::System("start"))).await.unwrap();
    bare(Actor::Nobody, &of(setup.url.expose())).await;
    let ada = stage.cast.person("Ada", &[(Role::Owner, None)]).await;
    let bob = "Bob".parse().unwrap();
    let invited = stage.cast.domain.invite(&ada.op(), &bob, Role::Auditor, None).await.unwrap();
    bare(Actor::Nobody, &of(invited.url.expose())).await;
    for path in ["/sign-in", "/sign-in?next=%2Fkeys", "/recover"] {
        bare(Actor::Nobody, path).await;
    }
    let framed = stage.get(person(&ada), "/account").await;
    assert!(framed.body.contains("islands"), "what is looked for is nowhere");
    let stage = Stage::new().await;
    let ada = set_up(&stage, &mut SoftAuthenticator::new(1)).await;
    for path in ["/step-up", "/step-up?to=%2Fkeys", "/step-up?post=kpt_x&to=%2Fkeys"] {
        let came = stage.get(ada.clone(), path).await;
        assert!(came.status == 200 && came.body.contains("data-passkey=\"get\""), "{path}: {}", came.body);
        assert!(!came.body.contains("islands") && !came.body.contains("wasm"), "{path}: {}", came.body);
    }
}

#[tokio::test]
async fn signing_in_leads_to_where_it_was_asked_and_never_elsewhere() {
    let stage = Stage::new().await;
    let mut authenticator = SoftAuthenticator::new(1);
    set_up(&stage, &mut authenticator).await;
    for (next, to) in [("/keys?state=active", "/keys?state=active"), ("//evil.example", "/")] {
        let started = stage.script(Actor::Nobody, "/sign-in/start", &json!({ "next": next })).await.json();
        let credential = authenticator.get(ORIGIN, &started["publicKey"]).unwrap();
        let answer = json!({ "next": next, "ceremony": started["ceremony"], "credential": credential });
        let done = stage.script(Actor::Nobody, "/sign-in/finish", &answer).await;
        assert_eq!(done.json()["location"], to, "{}", done.body);
        assert!(matches!(opened(&stage, &done).await, Actor::Person(_)));
        let replayed = stage.script(Actor::Nobody, "/sign-in/finish", &answer).await;
        assert_eq!(replayed.status, 422);
        assert!(replayed.counts(), "a ceremony that is none");
        assert!(replayed.response.extensions().get::<SessionChange>().is_none());
    }
}

#[tokio::test]
async fn a_wrong_code_is_refused_and_not_shown_again() {
    let stage = Stage::new().await;
    set_up(&stage, &mut SoftAuthenticator::new(1)).await;
    let typed = "7K2QFM-9XM4TB-01C0DE-ABCDEF";
    let came = stage.post(Actor::Nobody, "/recover", &format!("code={typed}")).await;
    assert_eq!(came.status, 422);
    assert!(!came.body.contains(typed));
    assert!(came.counts(), "codes are guessed at");
    let nothing = stage.post(Actor::Nobody, "/recover", "code=").await;
    assert!(nothing.status == 422 && !nothing.counts(), "nothing was guessed");
}

#[tokio::test]
async fn a_link_that_is_none_counts_against_whoever_tries_it_and_so_does_each_ceremony() {
    let stage = Stage::new().await;
    let link = stage.cast.domain.open_setup(&stage.cast.op(Actor::System("start"))).await.unwrap();
    let good = link.url.expose().strip_prefix(ORIGIN).unwrap().to_owned();
    assert!(!stage.get(Actor::Nobody, &good).await.counts());
    for path in ["/setup/kwl_guess", "/join/kwl_guess", "/recover/kwl_guess"] {
        let came = stage.get(Actor::Nobody, path).await;
        assert!(came.status == 404 && came.counts(), "{path}: {}", came.status);
    }
    let posted = stage.post(Actor::Nobody, "/recover/kwl_guess", "").await;
    assert!(posted.status == 404 && posted.counts());
    let typed = json!({ "organization": "Engines", "name": "Ada", "passkey": "Key" });
    let begun = stage.script(Actor::Nobody, &format!("{good}/start"), &typed).await;
    assert!(begun.status == 200 && begun.counts(), "what is kept for a stranger costs them: {}", begun.body);
    let joined = stage.script(Actor::Nobody, "/join/kwl_guess/start", &typed).await;
    assert!(joined.status == 422 && joined.counts(), "{}", joined.body);
}

#[tokio::test]
async fn a_code_lets_in_to_enrol_and_the_new_passkey_makes_the_session_whole() {
    let stage = Stage::new().await;
    let ada = set_up(&stage, &mut SoftAuthenticator::new(1)).await;
    let shown = stage.post(ada, "/welcome/codes", "").await;
    let codes = shown.body.split("<code id=\"codes\" translate=\"no\">").nth(1).unwrap();
    let code = codes.lines().next().unwrap();
    let came = stage.post(Actor::Nobody, "/recover", &format!("code={code}")).await;
    assert_eq!((came.status.as_u16(), came.to.as_str()), (303, "/enrol"));
    let recovering = opened(&stage, &came).await;
    let mut fresh = SoftAuthenticator::new(2);
    let mut typed = json!({ "passkey": "New key" });
    let started = stage.script(recovering.clone(), "/enrol/start", &typed).await.json();
    typed["ceremony"] = started["ceremony"].clone();
    typed["credential"] = fresh.create(ORIGIN, &started["publicKey"]).unwrap();
    let done = stage.script(recovering, "/enrol/finish", &typed).await;
    assert_eq!(done.json()["location"], "/account", "{}", done.body);
    let whole = opened(&stage, &done).await;
    let account = stage.get(whole, "/account").await;
    assert_eq!(account.status, 200);
    assert!(account.body.contains("New key"));
}

#[tokio::test]
async fn a_page_that_asks_for_a_passkey_runs_nothing_but_its_script() {
    let stage = Stage::new().await;
    let alice = set_up(&stage, &mut SoftAuthenticator::new(1)).await;
    let usual = stage.get(alice.clone(), "/account").await;
    assert!(usual.body.contains("data-islands"), "{}", usual.body);
    for path in ["/step-up", "/account/passkeys/new"] {
        let came = stage.get(alice.clone(), path).await;
        assert!(came.status == 200 && came.body.contains("data-passkey"), "{path}: {}", came.body);
        assert!(!came.body.contains("data-islands"), "{path}: {}", came.body);
    }
}

#[tokio::test]
async fn stepping_up_asks_by_name_for_the_passkey_of_the_session_and_takes_no_other() {
    let stage = Stage::new().await;
    let (mut first, mut second) = (SoftAuthenticator::new(1), SoftAuthenticator::new(2));
    let ada = set_up(&stage, &mut first).await;
    let mut typed = json!({ "passkey": "In the safe" });
    let started = stage.script(ada.clone(), "/account/passkeys/start", &typed).await.json();
    typed["ceremony"] = started["ceremony"].clone();
    typed["credential"] = second.create(ORIGIN, &started["publicKey"]).unwrap();
    let added = stage.script(ada.clone(), "/account/passkeys/finish", &typed).await;
    assert_eq!(added.status, 200, "{}", added.body);

    let page = stage.get(ada.clone(), "/step-up?to=%2Fkeys").await;
    assert!(page.body.contains("Use the passkey Key:"), "{}", page.body);
    assert!(!page.body.contains("safe"), "{}", page.body);
    let shows = async |actor: &Actor, soft: &mut SoftAuthenticator| {
        let started = stage.script(actor.clone(), "/step-up/start", &json!({ "to": "/keys" })).await.json();
        let mut options = started["publicKey"].clone();
        options["allowCredentials"] = json!([]);
        let credential = soft.get(ORIGIN, &options).unwrap();
        let answer = json!({ "to": "/keys", "ceremony": started["ceremony"], "credential": credential });
        stage.script(actor.clone(), "/step-up/finish", &answer).await
    };
    let another = shows(&ada, &mut second).await;
    assert_eq!(another.status, 401, "{}", another.body);
    assert!(another.json()["error"].as_str().unwrap().contains("not the passkey that you signed in with"));
    assert!(another.response.extensions().get::<SessionChange>().is_none());
    let own = shows(&ada, &mut first).await;
    assert_eq!(own.json()["location"], "/keys", "{}", own.body);
    let ada = opened(&stage, &own).await;

    // What asks for it when it has just been removed.
    let Actor::Person(known) = &ada else { panic!("nobody") };
    let domain = &stage.cast.domain;
    let passkeys = domain.own_passkeys(&stage.cast.op(ada.clone())).await.unwrap();
    let other = passkeys.iter().find(|it| it.name == "In the safe").unwrap();
    let by_other = Actor::Person(Person { passkey: Some(other.id), ..known.clone() });
    domain.remove_passkey(&stage.cast.op(by_other), known.passkey.unwrap()).await.unwrap();
    let page = stage.get(ada.clone(), "/step-up?to=%2Fkeys").await;
    assert_eq!((page.status.as_u16(), page.to.as_str()), (303, "/sign-in?next=%2Fkeys"));
    assert!(matches!(page.response.extensions().get(), Some(SessionChange::Ended)));
    let begun = stage.script(ada, "/step-up/start", &json!({ "to": "/keys" })).await;
    assert_eq!(begun.status, 401, "{}", begun.body);
    assert!(begun.json()["error"].as_str().unwrap().contains("was removed from your account"));
}

#[tokio::test]
async fn the_name_of_a_new_passkey_waits_while_the_old_one_is_shown() {
    let stage = Stage::new().await;
    let (mut first, mut second) = (SoftAuthenticator::new(1), SoftAuthenticator::new(2));
    let ada = set_up(&stage, &mut first).await;
    stage.cast.clock.advance(Duration::from_secs(4 * 60 + 50));
    let mut typed = json!({ "passkey": "Büro & <safe>" });
    let sent = stage.script(ada.clone(), "/account/passkeys/start", &typed).await;
    let location = sent.json()["location"].as_str().unwrap().to_owned();
    assert!(location.starts_with("/step-up?to="), "{}", sent.body);

    let page = stage.get(ada.clone(), &location).await;
    let to = page.body.split("name=\"to\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(to.starts_with("/account/passkeys/new?passkey="), "{to}");
    let started = stage.script(ada.clone(), "/step-up/start", &json!({ "to": to })).await.json();
    let credential = first.get(ORIGIN, &started["publicKey"]).unwrap();
    let answer = json!({ "to": to, "ceremony": started["ceremony"], "credential": credential });
    let shown = stage.script(ada, "/step-up/finish", &answer).await;
    assert_eq!(shown.json()["location"], to.as_str(), "{}", shown.body);
    let ada = opened(&stage, &shown).await;

    let form = stage.get(ada.clone(), &to).await;
    assert!(form.body.contains("value=\"Büro &amp; &lt;safe&gt;\""), "{}", form.body);
    let started = stage.script(ada.clone(), "/account/passkeys/start", &typed).await.json();
    typed["ceremony"] = started["ceremony"].clone();
    typed["credential"] = second.create(ORIGIN, &started["publicKey"]).unwrap();
    let added = stage.script(ada, "/account/passkeys/finish", &typed).await;
    assert_eq!(added.json()["location"], "/account", "{}", added.body);
}

/// Older servers let a session go on without its passkey.
#[tokio::test]
async fn a_session_without_its_passkey_ends_where_it_would_show_it() {
    let stage = Stage::new().await;
    let ada = set_up(&stage, &mut SoftAuthenticator::new(1)).await;
    let Actor::Person(known) = ada.clone() else { panic!("nobody") };
    let without = Actor::Person(Person { passkey: None, ..known });
    let sessions =
        async || stage.cast.domain.list_own_sessions(&stage.cast.op(ada.clone())).await.unwrap().len();
    assert_eq!(sessions().await, 1);
    for _ in 0..2 {
        let page = stage.get(without.clone(), "/step-up?post=kpt_x&to=%2Fkeys").await;
        assert_eq!((page.status.as_u16(), page.to.as_str()), (303, "/sign-in?next=%2Fkeys"), "{}", page.body);
        assert!(matches!(page.response.extensions().get(), Some(SessionChange::Ended)));
        assert_eq!(sessions().await, 0);
    }
}

#[tokio::test]
async fn the_passkey_of_the_session_is_removed_from_another_one() {
    let stage = Stage::new().await;
    let (mut first, mut second) = (SoftAuthenticator::new(1), SoftAuthenticator::new(2));
    let ada = set_up(&stage, &mut first).await;
    let mut typed = json!({ "passkey": "In the safe" });
    let started = stage.script(ada.clone(), "/account/passkeys/start", &typed).await.json();
    typed["ceremony"] = started["ceremony"].clone();
    typed["credential"] = second.create(ORIGIN, &started["publicKey"]).unwrap();
    stage.script(ada.clone(), "/account/passkeys/finish", &typed).await;
    let own = stage.cast.domain.own_passkeys(&stage.cast.op(ada.clone())).await.unwrap();
    let remove = ["Key", "In the safe"].map(|name| {
        let passkey = own.iter().find(|it| it.name == name).unwrap();
        format!("/account/passkeys/{}/remove", passkey.id)
    });

    let asked = stage.get(ada.clone(), &remove[0]).await;
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("You are signed in with this passkey"), "{}", asked.body);
    let refused = stage.post(ada.clone(), &remove[0], "").await;
    assert!(refused.status == 409 && refused.body.contains("You are signed in with this passkey"));
    let asked = stage.get(ada.clone(), &remove[1]).await;
    assert!(asked.body.contains("Every session that it opened ends at once."), "{}", asked.body);
    let removed = stage.post(ada, &remove[1], "").await;
    assert_eq!((removed.status.as_u16(), removed.to.as_str()), (303, "/account"), "{}", removed.body);
}
