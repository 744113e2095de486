//! Letting a terminal in: what its person sees first, and what comes of their word.

use chrono::{DateTime, Utc};
use keywarden_domain::{
    Actor, Op,
    cast::{Held, Player},
    people::APPROVES_AFTER,
};
use keywarden_model::KeptForStranger;

use super::{Stage, person};

async fn starts(stage: &Stage) -> (String, String) {
    let op: Op = stage.cast.op(Actor::Nobody);
    let started = stage.cast.domain.start_device(&op).await.unwrap();
    (started.device_code.expose().to_owned(), started.user_code.expose().to_owned())
}

async fn ada(stage: &Stage) -> Player {
    holding(stage, stage.cast.now()).await
}

/// Ada, whose passkey may approve from this instant on.
async fn holding(stage: &Stage, may_approve_after: DateTime<Utc>) -> Player {
    let ada = stage.cast.person("Ada", &[]).await;
    let passkey = Held { name: "Key", synced: false, last_used_at: None, may_approve_after };
    stage.cast.holds(&ada, &[passkey]).await;
    ada
}

fn form(code: &str, decision: &str) -> String {
    format!("idempotency_key=0123456789abcdef&user_code={code}&decision={decision}")
}

async fn is_in(stage: &Stage, device: &str) -> bool {
    stage.cast.domain.redeem_device(&stage.cast.op(Actor::Nobody), device).await.is_ok()
}

#[tokio::test]
async fn a_person_sees_where_the_terminal_is_and_lets_it_in() {
    let stage = Stage::new().await;
    let ada = ada(&stage).await;
    let (device, code) = starts(&stage).await;
    let empty = stage.get(person(&ada), "/device").await;
    assert_eq!(empty.status, 200);
    assert!(empty.body.contains("name=\"user_code\"") && !empty.body.contains("name=\"decision\""));
    let typed = code.to_lowercase().replace('-', "+");
    let found = stage.post(person(&ada), "/device", &format!("user_code={typed}")).await;
    let shown = format!("/device?user_code={code}");
    assert_eq!((found.status.as_u16(), found.to.as_str()), (303, shown.as_str()));
    let page = stage.get(person(&ada), &shown).await;
    assert_eq!(page.status, 200);
    for told in [code.as_str(), "192.0.2.7", "cast/1", "at most 8 hours", "began this yourself"] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    assert!(!page.body.contains(&device));
    let done = stage.post(person(&ada), &shown, &form(&code, "approve")).await;
    assert_eq!((done.status.as_u16(), done.to.as_str()), (303, "/account#sessions"), "{}", done.body);
    let twice = stage.post(person(&ada), &shown, &form(&code, "approve")).await;
    assert_eq!(twice.status, 303, "the same form again is the same word");
    assert!(is_in(&stage, &device).await);
    let account = stage.get(person(&ada), "/account").await;
    assert!(account.body.contains("Terminal"), "{}", account.body);
}

#[tokio::test]
async fn a_terminal_that_is_kept_out_or_unknown_comes_to_nothing() {
    let stage = Stage::new().await;
    let ada = ada(&stage).await;
    let (device, code) = starts(&stage).await;
    let path = format!("/device?user_code={code}");
    let refused = stage.post(person(&ada), &path, &form(&code, "refuse")).await;
    assert_eq!(refused.status, 303, "{}", refused.body);
    assert!(!is_in(&stage, &device).await);
    assert_eq!(stage.get(person(&ada), &path).await.status, 404);
    let late = form(&code, "approve").replace("0123456789abcdef", "fedcba9876543210");
    let late = stage.post(person(&ada), &path, &late).await;
    assert_eq!(late.status, 422);
    assert!(late.response.extensions().get::<KeptForStranger>().is_some(), "guesses are counted");
    assert!(late.body.contains("No terminal waits with this code"), "{}", late.body);
    for wrong in ["", "WDJB-MJHT", "%3Cb%3E", &"W".repeat(500)] {
        let came = stage.post(person(&ada), "/device", &format!("user_code={wrong}")).await;
        assert_eq!(came.status, 422, "{wrong}");
        assert!(!came.body.contains("<b>"), "{}", came.body);
    }
}

#[tokio::test]
async fn letting_in_waits_for_a_fresh_passkey_and_nobody_else_is_asked() {
    let stage = Stage::new().await;
    let ada = ada(&stage).await;
    let (device, code) = starts(&stage).await;
    let path = format!("/device?user_code={code}");
    let nobody = stage.get(Actor::Nobody, &path).await;
    assert!(nobody.to.starts_with("/sign-in?next=%2Fdevice"), "{}", nobody.to);
    let stale = stage.post(person(&ada.without_step_up()), &path, &form(&code, "approve")).await;
    assert!(stale.to.starts_with("/step-up?post="), "{}", stale.to);
    assert!(!is_in(&stage, &device).await);
    let read = stage.get(person(&ada.without_step_up()), &path).await;
    assert_eq!(read.status, 200, "looking needs none");
}

#[tokio::test]
async fn a_new_passkey_is_told_from_when_on_it_lets_terminals_in() {
    let stage = Stage::new().await;
    let may_approve_after = stage.cast.now() + APPROVES_AFTER;
    let ada = holding(&stage, may_approve_after).await;
    let (device, code) = starts(&stage).await;
    let path = format!("/device?user_code={code}");
    let told = may_approve_after.format("lets terminals in from %-d %b %H:%M UTC").to_string();
    let page = stage.get(person(&ada), &path).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&told), "{told}: {}", page.body);
    assert!(!page.body.contains("value=\"approve\"") && page.body.contains("value=\"refuse\""));
    let early = stage.post(person(&ada), &path, &form(&code, "approve")).await;
    assert_eq!(early.status, 422, "{}", early.body);
    assert!(early.body.contains(&told), "{told}: {}", early.body);
    assert!(!is_in(&stage, &device).await);
}
