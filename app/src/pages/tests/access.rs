//! Access for a while, as people ask for it, look at it and end it.

use keywarden_domain::cast::{Held, Player};
use keywarden_model::Role;

use super::{Stage, person};

fn body(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn asks(stage: &Stage, who: &Player, key: &str) -> String {
    let fields = [
        ("idempotency_key", key),
        ("role", "manager"),
        ("project", "pay"),
        ("lasts", "2"),
        ("reason", "<b>INC-7</b>"),
        ("ticket", "INC-7"),
    ];
    let done = stage.post(person(who), "/access/new", &body(&fields)).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(done.to.starts_with("/access/requests/acr_"), "{}", done.to);
    done.to
}

#[tokio::test]
async fn a_request_is_filled_in_from_the_address_asked_for_changed_and_withdrawn() {
    let stage = Stage::new().await;
    stage.cast.project("pay").await;
    let dev = stage.cast.person("Dev", &[]).await;
    let form = stage.get(person(&dev), "/access/new?role=manager&project=pay").await;
    assert_eq!(form.status, 200);
    assert!(form.body.contains("value=\"pay\""), "{}", form.body);
    let wrong = [("idempotency_key", "aaaaaaaaaaaaaaaa"), ("role", "manager"), ("lasts", "long")];
    let wrong = stage.post(person(&dev), "/access/new", &body(&wrong)).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(wrong.body.contains("Write hours or minutes"), "{}", wrong.body);
    let here = asks(&stage, &dev, "bbbbbbbbbbbbbbbb").await;
    let shown = stage.get(person(&dev), &here).await;
    assert!(shown.body.contains("&lt;b&gt;INC-7&lt;/b&gt;"), "{}", shown.body);
    assert!(shown.body.contains("2 hours") && shown.body.contains("Nobody has signed yet"), "{}", shown.body);
    assert!(!shown.body.contains(&format!("{here}/approve")), "{}", shown.body);

    let edit = [("idempotency_key", "cccccccccccccccc"), ("lasts", "30 min"), ("reason", "INC-7 again")];
    let edited = stage.post(person(&dev), &format!("{here}/edit"), &body(&edit)).await;
    assert_eq!((edited.status.as_u16(), edited.to.as_str()), (303, here.as_str()), "{}", edited.body);
    let listed = stage.get(person(&dev), "/access").await;
    assert!(listed.body.contains("Manager in pay") && listed.body.contains("30 minutes"), "{}", listed.body);
    let key = [("idempotency_key", "dddddddddddddddd")];
    let withdrawn = stage.post(person(&dev), &format!("{here}/withdraw"), &body(&key)).await;
    assert_eq!(withdrawn.status, 303, "{}", withdrawn.body);
    assert!(stage.get(person(&dev), &here).await.body.contains("Withdrawn"));
}

#[tokio::test]
async fn what_waits_is_counted_and_denied_in_words() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let dev = stage.cast.person("Dev", &[]).await;
    let mia = stage.cast.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
    let here = asks(&stage, &dev, "aaaaaaaaaaaaaaaa").await;
    let home = stage.get(person(&mia), "/").await;
    assert!(home.body.contains("1 waits for you"), "{}", home.body);
    let inbox = stage.get(person(&mia), "/access/inbox").await;
    assert!(inbox.body.contains(&here), "{}", inbox.body);
    let mute = stage.post(person(&mia), &format!("{here}/deny"), &body(&[("words", "")])).await;
    assert_eq!(mute.status, 422, "{}", mute.body);
    let words = [("idempotency_key", "bbbbbbbbbbbbbbbb"), ("words", "ask on Monday")];
    let denied = stage.post(person(&mia), &format!("{here}/deny"), &body(&words)).await;
    assert_eq!(denied.status, 303, "{}", denied.body);
    let shown = stage.get(person(&dev), &here).await;
    assert!(shown.body.contains("ask on Monday") && shown.body.contains("Denied"), "{}", shown.body);
    assert!(!stage.get(person(&mia), "/").await.body.contains("waits for you"));
    // Whoever has no part in it finds nothing.
    let stranger = stage.cast.person("Stranger", &[]).await;
    assert_eq!(stage.get(person(&stranger), &here).await.status, 404);
}

#[tokio::test]
async fn an_approver_sees_the_text_that_is_signed_or_why_they_cannot_sign() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let dev = stage.cast.person("Dev", &[]).await;
    let mia = stage.cast.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
    let here = asks(&stage, &dev, "aaaaaaaaaaaaaaaa").await;
    let now = stage.cast.now();
    stage
        .cast
        .holds(&mia, &[Held { name: "Key", synced: false, last_used_at: None, may_approve_after: now }])
        .await;
    let early = stage.get(person(&mia), &here).await;
    assert!(early.body.contains("approves nothing in its first 24 hours"), "{}", early.body);
    assert_eq!(stage.get(person(&mia), &format!("{here}/approve")).await.status, 303);
    stage.cast.put_by(&["UPDATE passkeys SET created_at = 0"]).await;
    let shown = stage.get(person(&mia), &here).await;
    assert!(shown.body.contains(&format!("{here}/approve")), "{}", shown.body);
    let sign = stage.get(person(&mia), &format!("{here}/approve")).await;
    assert_eq!(sign.status, 200);
    for said in [
        "You sign this text",
        "&lt;b&gt;INC-7&lt;/b&gt;",
        "2 hours",
        "Mia",
        "Dev",
        "https://keys.example.com",
    ] {
        assert!(sign.body.contains(said), "{said}: {}", sign.body);
    }
    assert!(sign.body.contains("keywarden/access-approval"), "the exact bytes: {}", sign.body);
    assert!(!sign.body.contains("class=\"framed\""), "it stands alone");
    // A session elsewhere finishes nothing.
    let finish = stage
        .script(
            person(&mia),
            &format!("{here}/approve/finish"),
            &serde_json::json!({ "ceremony": "cer_01JDB2W1N9F6Q3R8T5V7X9Z0AB", "credential": {} }),
        )
        .await;
    assert_eq!(finish.status, 422, "{}", finish.body);
}

/// What was asked for is held for an hour, as if somebody had signed it.
async fn grants(stage: &Stage) {
    stage
        .cast
        .put_by(&[
            "INSERT INTO access_grants (id, request_id, project_id, scope, role, holder_kind, holder_id, starts_at, ends_at)
             SELECT 'grt_01JDB2W1N9F6Q3R8T5V7X9Z0AB', id, project_id, scope, role, holder_kind, holder_id, created_at,
                    created_at + 3600000000 FROM access_requests",
            "UPDATE access_requests SET state = 'active'",
            "UPDATE change_counter SET value = value + 1, authority = value + 1",
        ])
        .await;
    // What was remembered before is asked for again.
    stage.cast.clock.advance(std::time::Duration::from_secs(2));
}

#[tokio::test]
async fn a_held_role_stands_on_every_page_until_it_is_given_back() {
    let stage = Stage::new().await;
    stage.cast.project("pay").await;
    let dev = stage.cast.person("Dev", &[]).await;
    let here = asks(&stage, &dev, "aaaaaaaaaaaaaaaa").await;
    grants(&stage).await;
    let home = stage.get(person(&dev), "/").await;
    assert!(home.body.contains("Elevated: Manager in pay until"), "{}", home.body);
    let back = "/access/grants/grt_01JDB2W1N9F6Q3R8T5V7X9Z0AB/give-back";
    assert!(home.body.contains(back), "{}", home.body);
    assert_eq!(stage.get(person(&dev), back).await.status, 200);
    let given = stage.post(person(&dev), back, &body(&[("idempotency_key", "bbbbbbbbbbbbbbbb")])).await;
    assert_eq!(given.status, 303, "{}", given.body);
    assert!(!stage.get(person(&dev), "/").await.body.contains("Elevated"));
    assert!(stage.get(person(&dev), &here).await.body.contains("Given back"));
}

#[tokio::test]
async fn who_approves_is_said_by_who_may_and_a_refusal_leads_to_asking() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let mia = stage.cast.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
    let form = stage.get(person(&olga), "/access/rules?project=pay").await;
    assert!(form.body.contains("What stands here is built in"), "{}", form.body);
    let fields = [
        ("idempotency_key", "aaaaaaaaaaaaaaaa"),
        ("newest", "0"),
        ("approvers", "2"),
        ("longest", "4"),
        ("unanswered", "24"),
        ("strength", "device-bound"),
        ("only", ""),
    ];
    let saved = stage.post(person(&olga), "/access/rules?project=pay", &body(&fields)).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let seen = stage.get(person(&mia), "/access/rules?project=pay").await;
    assert!(seen.body.contains("This project has a rule of its own"), "{}", seen.body);
    assert!(!seen.body.contains("Save the rule"), "whoever approves does not say how many it takes");
    let drop = [("idempotency_key", "bbbbbbbbbbbbbbbb"), ("newest", "1"), ("drop", "1")];
    let dropped = stage.post(person(&olga), "/access/rules?project=pay", &body(&drop)).await;
    assert_eq!(dropped.status, 303, "{}", dropped.body);

    let dev = stage.cast.person("Dev", &[]).await;
    let hidden = stage.get(person(&dev), "/projects/pay").await;
    assert_eq!(hidden.status, 404);
    assert!(hidden.body.contains("href=\"/access/new?project=pay\""), "{}", hidden.body);
}
