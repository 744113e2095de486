//! What people are told, and by which ways: bell, notices, choices, channels, deliveries.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use keywarden_domain::{
    keys::{NewKey, Place},
    messages::{CarryError, tray::Answer},
};
use keywarden_model::Role;

use super::{Stage, person};

const HOOK: &str = "https%3A%2F%2Fhooks.example.com%2Fin%2Fs3cr3t";

/// As the jobs do.
async fn carry(stage: &Stage) {
    let domain = &stage.cast.domain;
    domain.route_messages(&domain.system_op("route-messages")).await.unwrap();
    let op = domain.system_op("deliver-messages");
    for claimed in domain.claim_deliveries(&op, &BTreeSet::new(), 64).await.unwrap() {
        domain.deliver(&op, &claimed).await.unwrap();
    }
}

/// A webhook of the organization's; its page's address.
async fn hook(stage: &Stage, who: &keywarden_domain::cast::Player) -> String {
    let body = format!("idempotency_key=aaaaaaaaaaaaaaaa&whose=organization&name=Duty&way=webhook&to={HOOK}");
    let made = stage.post(person(who), "/channels/new", &body).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.body.matches("whsec_").count(), 1, "shown once: {}", made.body);
    let list = stage.get(person(who), "/channels").await;
    assert!(list.body.contains("hooks.example.com") && !list.body.contains("s3cr3t"), "{}", list.body);
    let at = list.body.find("/channels/chn_").unwrap();
    list.body[at..].split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_bell_counts_and_each_notice_leads_to_its_page_and_is_read() {
    let stage = Stage::new().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let empty = stage.get(person(&olga), "/notices").await;
    assert!(empty.body.contains("Nothing to read") && !empty.body.contains("bell-count"), "{}", empty.body);
    let pay = stage.cast.project("pay").await;
    let key = NewKey::named(Place::Environment(pay.test), "Checkout".parse().unwrap());
    let ends = Some(stage.cast.now() + TimeDelta::days(40));
    let domain = &stage.cast.domain;
    let key = domain.issue_key(&olga.op(), NewKey { expires_at: ends, ..key }).await.unwrap().id;
    stage.cast.clock.advance(std::time::Duration::from_hours(24 * 11));
    domain.watch_keys(&domain.system_op("watch-keys")).await.unwrap();
    carry(&stage).await;
    let shown = stage.get(person(&olga), "/notices").await;
    assert!(shown.body.contains("class=\"bell-count\">1</span>"), "{}", shown.body);
    assert!(shown.body.contains("aria-label=\"Notices: 1 unread\""), "{}", shown.body);
    assert!(shown.body.contains("stops working within 30 days."), "{}", shown.body);
    assert!(shown.body.contains(&format!("<a href=\"/keys/{key}\">Look at the key</a>")), "{}", shown.body);
    let at = shown.body.find("/notices/ntc_").unwrap();
    let dismiss = shown.body[at..].split('"').next().unwrap();
    let body = "idempotency_key=bbbbbbbbbbbbbbbb&back=%2Fnotices";
    let read = stage.post(person(&olga), dismiss, body).await;
    assert_eq!((read.status.as_u16(), read.to.as_str()), (303, "/notices"));
    let after = stage.get(person(&olga), "/notices").await;
    assert!(after.body.contains("Nothing to read") && !after.body.contains("bell-count"), "{}", after.body);
    let all = stage.get(person(&olga), "/notices?show=all").await;
    assert!(all.body.contains("stops working within 30 days."), "{}", all.body);
}

#[tokio::test]
async fn a_channel_is_added_tested_paused_rotated_and_deleted() {
    let stage = Stage::new().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let here = hook(&stage, &olga).await;
    let post = async |at: &str, key: &str| {
        let body = format!("idempotency_key={key}{key}{key}{key}");
        stage.post(person(&olga), &format!("{here}/{at}"), &body).await
    };
    assert_eq!(post("test", "cccc").await.status, 303);
    stage.cast.tray.answers(
        "https://hooks.example.com/in/s3cr3t",
        Answer::Fails(CarryError::for_good("hooks.example.com answers 410 Gone")),
    );
    carry(&stage).await;
    let dead = stage.get(person(&olga), &format!("{here}?state=dead")).await;
    assert!(dead.body.contains("hooks.example.com answers 410 Gone"), "{}", dead.body);
    assert!(dead.body.contains("Try all dead ones again"), "{}", dead.body);
    stage.cast.tray.takes("https://hooks.example.com/in/s3cr3t");
    assert_eq!(post("deliveries/retry", "dddd").await.status, 303);
    carry(&stage).await;
    let done = stage.get(person(&olga), &format!("{here}?state=dead")).await;
    assert!(done.body.contains("None in this state"), "{}", done.body);
    let rotated = post("secret", "eeee").await;
    assert_eq!((rotated.status.as_u16(), rotated.body.matches("whsec_").count()), (200, 1));
    assert_eq!(post("pause", "ffff").await.status, 303);
    let paused = stage.get(person(&olga), &here).await;
    assert!(paused.body.contains("Let it go on") && !paused.body.contains("Send a test"), "{}", paused.body);
    assert_eq!(post("delete", "gggg").await.to, "/channels");
    assert_eq!(stage.get(person(&olga), &here).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_channel_is_told_at_its_field_and_others_see_none_of_it() {
    let stage = Stage::new().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let body = "idempotency_key=aaaaaaaaaaaaaaaa&whose=organization&name=Duty&way=mail&to=ops%40example.com%0D%0ABcc%3A+x%40y.example";
    let refused = stage.post(person(&olga), "/channels/new", body).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Write an address such as ops@example.com."), "{}", refused.body);
    let here = hook(&stage, &olga).await;
    assert_eq!(stage.get(person(&mallory), &here).await.status, 404);
    let list = stage.get(person(&mallory), "/channels").await;
    assert!(list.status == 200 && !list.body.contains("hooks.example.com"), "{}", list.body);
    let theirs = "idempotency_key=bbbbbbbbbbbbbbbb&whose=organization&name=Mine&way=slack&to=https%3A%2F%2Fx.example%2F";
    assert_eq!(stage.post(person(&mallory), "/channels/new", theirs).await.status, 403);
}

#[tokio::test]
async fn an_owner_is_not_asked_about_what_they_are_told_anyway() {
    let stage = Stage::new().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let hers = stage.get(person(&olga), "/notices/choices").await.body;
    let theirs = stage.get(person(&mallory), "/notices/choices").await.body;
    assert!(!hers.contains("value=\"seal\"") && theirs.contains("value=\"seal\""), "{hers}");
    let body = "idempotency_key=aaaaaaaaaaaaaaaa&tell%5B%5D=rotation";
    let saved = stage.post(person(&olga), "/notices/choices", body).await;
    assert_eq!((saved.status.as_u16(), saved.to.as_str()), (303, "/notices/choices"), "{}", saved.body);
    let choices = stage.cast.domain.message_choices(&olga.op()).await.unwrap();
    assert!(
        choices.silenced.len() == 2 && !choices.silenced.contains(&keywarden_model::MessageKind::Rotation)
    );
}
