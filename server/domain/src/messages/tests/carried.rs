//! How deliveries go: again and later, dead, alive again; one slow receiver beside a good one; two nodes.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::{join, select};
use serde_json::Value;

use super::*;
use crate::messages::tray::Arrived;

/// What Standard Webhooks says a receiver does, by another implementation of HMAC.
fn is_signed_by(post: &Arrived, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!(
        "{}.{}.{}",
        post.headers["webhook-id"],
        post.headers["webhook-timestamp"],
        String::from_utf8(post.body.clone()).unwrap()
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
    let wanted = format!("v1,{}", STANDARD.encode(tag.as_ref()));
    post.headers["webhook-signature"].split(' ').any(|it| it == wanted)
}

#[tokio::test]
async fn a_webhook_gets_a_cloud_event_that_is_signed_by_its_secret() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let made = hook(&house, &ada, HOOK).await;
        let secret = made.secret.unwrap();
        house.domain.test_channel(&ada.op(), made.id).await.unwrap();
        assert_eq!((route(&house).await, attempt(&house).await), (1, 1));
        let posts = house.tray.posts();
        assert_eq!((posts.len(), posts[0].url.as_str()), (1, HOOK));
        assert!(is_signed_by(&posts[0], secret.expose()));
        assert_eq!(posts[0].headers["webhook-timestamp"], house.now().timestamp().to_string());
        assert_eq!(posts[0].content_type, "application/cloudevents+json");
        let event: Value = serde_json::from_slice(&posts[0].body).unwrap();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["source"], "https://keys.example.com");
        assert_eq!(event["type"], "dev.keywarden.channel.test.v1");
        assert_eq!(event["id"], posts[0].headers["webhook-id"].as_str());
        assert_eq!(event["subject"], made.id.to_string());
        assert_eq!(event["data"]["actor"]["name"], "Ada");
        assert_eq!(event["data"]["title"], "A test of a channel");
        let delivered = of(&house, &ada, made.id).await;
        assert_eq!((delivered[0].state, delivered[0].attempts), (DeliveryState::Delivered, 1));
        assert_eq!(attempt(&house).await, 0, "nothing is left");
    })
    .await;
}

#[tokio::test]
async fn for_a_day_after_a_rotation_both_secrets_sign_and_then_the_new_one_alone() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let made = hook(&house, &ada, HOOK).await;
        let (old, id) = (made.secret.unwrap(), made.id);
        let fresh = house.domain.rotate_channel_secret(&ada.op(), id).await.unwrap().secret.unwrap();
        let sent = async |ada: &Player| {
            house.domain.test_channel(&ada.op(), id).await.unwrap();
            route(&house).await;
            attempt(&house).await;
            let post = house.tray.posts().pop().unwrap();
            (is_signed_by(&post, old.expose()), is_signed_by(&post, fresh.expose()))
        };
        assert_eq!(sent(&ada).await, (true, true));
        house.clock.advance(Duration::from_hours(24));
        assert_eq!(sent(&ada.steps_up()).await, (false, true));
    })
    .await;
}

#[tokio::test]
async fn what_fails_is_tried_later_and_later_then_is_dead_and_lives_again_by_a_word() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let made = hook(&house, &ada, HOOK).await;
        house.domain.test_channel(&ada.op(), made.id).await.unwrap();
        route(&house).await;
        house.tray.answers(HOOK, Answer::Fails(CarryError::passing("hooks.example.com answers 503")));
        let mut before = Duration::ZERO;
        for made_attempts in 1..12 {
            assert_eq!(attempt(&house).await, 1);
            assert_eq!(attempt(&house).await, 0, "not before its time");
            let delivery = of(&house, &ada, made.id).await.pop().unwrap();
            assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Waiting, made_attempts));
            assert_eq!(delivery.error.as_deref(), Some("hooks.example.com answers 503"));
            let pause = delivery.due_at.signed_duration_since(house.now()).to_std().unwrap();
            assert!(pause * 5 > before * 4, "{pause:?} after {before:?}");
            before = pause;
            house.clock.advance(pause);
        }
        attempt(&house).await;
        let ada = ada.steps_up();
        let dead = of(&house, &ada, made.id).await.pop().unwrap();
        assert_eq!((dead.state, dead.attempts), (DeliveryState::Dead, 12));
        house.clock.advance(Duration::from_hours(240));
        assert_eq!(attempt(&house).await, 0, "nobody tries by themselves");
        let gave_up =
            rows(&house, "SELECT count(*) AS number FROM events WHERE action = 'delivery.give-up'").await;
        assert_eq!(gave_up, 1);

        house.tray.takes(HOOK);
        let ada = ada.steps_up();
        assert_eq!(house.domain.channel(&ada.op(), made.id).await.unwrap().dead, 1);
        house.domain.retry_delivery(&ada.op(), dead.id).await.unwrap();
        assert!(matches!(house.domain.retry_delivery(&ada.op(), dead.id).await, Err(Refused::NotFound)));
        assert_eq!(attempt(&house).await, 1);
        let delivered = of(&house, &ada, made.id).await.pop().unwrap();
        assert_eq!((delivered.state, delivered.attempts), (DeliveryState::Delivered, 1));
        assert_eq!(house.tray.posts()[0].headers["webhook-id"], delivered.message.to_string());

        // All that are dead at once.
        house.domain.test_channel(&ada.op(), made.id).await.unwrap();
        route(&house).await;
        house.tray.answers(HOOK, Answer::Fails(CarryError::for_good("hooks.example.com answers 410 Gone")));
        attempt(&house).await;
        assert_eq!(of(&house, &ada, made.id).await[0].state, DeliveryState::Dead, "it is not asked again");
        house.tray.takes(HOOK);
        house.domain.retry_deliveries(&ada.op(), made.id).await.unwrap();
        assert_eq!(attempt(&house).await, 1);
        assert_eq!(house.tray.posts().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn who_hangs_keeps_nobody_else_waiting() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let (slow, good) = (hook(&house, &ada, HOOK).await, hook(&house, &ada, OTHER).await);
        house.tray.answers(HOOK, Answer::Hangs);
        let op = house.domain.system_op("deliver-messages");
        for _ in 0..3 {
            for channel in [slow.id, good.id] {
                house.domain.test_channel(&ada.op(), channel).await.unwrap();
            }
        }
        route(&house).await;
        let claimed = house.domain.claim_deliveries(&op, &BTreeSet::new(), 64).await.unwrap();
        assert_eq!(claimed.len(), 2, "one of each channel");
        let hanging = claimed.iter().find(|it| it.channel == slow.id).unwrap();
        let going = claimed.iter().find(|it| it.channel == good.id).unwrap();
        let busy = BTreeSet::from([slow.id]);
        let rest = async {
            house.domain.deliver(&op, going).await.unwrap();
            for _ in 0..2 {
                let next = house.domain.claim_deliveries(&op, &busy, 64).await.unwrap();
                assert!(next.iter().all(|it| it.channel == good.id) && next.len() == 1, "{next:?}");
                house.domain.deliver(&op, &next[0]).await.unwrap();
            }
        };
        let hangs = Box::pin(house.domain.deliver(&op, hanging));
        assert!(
            matches!(select(hangs, Box::pin(rest)).await, futures_util::future::Either::Right(_)),
            "the good one is through while the other hangs"
        );
        assert_eq!(house.tray.posts().iter().filter(|it| it.url == OTHER).count(), 3);
        assert!(of(&house, &ada, slow.id).await.iter().all(|it| it.state == DeliveryState::Waiting));
    })
    .await;
}

#[tokio::test]
async fn of_two_nodes_one_delivers_and_the_other_takes_up_what_is_left_lying() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let neighbour = house.neighbour().await;
        let made = hook(&house, &ada, HOOK).await;
        house.domain.test_channel(&ada.op(), made.id).await.unwrap();
        let (here, there) = join(route(&house), route(&neighbour)).await;
        assert_eq!(here + there, 1, "one of them says whom it concerns");
        let (op, theirs) = (house.domain.system_op("a"), neighbour.domain.system_op("b"));
        let none = BTreeSet::new();
        let (here, there) = join(
            house.domain.claim_deliveries(&op, &none, 64),
            neighbour.domain.claim_deliveries(&theirs, &none, 64),
        )
        .await;
        let mut claimed: Vec<_> = here.unwrap().into_iter().chain(there.unwrap()).collect();
        assert_eq!(claimed.len(), 1);
        let lost = claimed.pop().unwrap();
        // Whoever had it in hand is gone; after a while it is anybody's.
        house.clock.advance(Duration::from_mins(3));
        let theirs = neighbour.domain.system_op("b");
        let again = neighbour.domain.claim_deliveries(&theirs, &none, 64).await.unwrap();
        assert_eq!(again.len(), 1);
        neighbour.domain.deliver(&theirs, &again[0]).await.unwrap();
        assert_eq!(house.tray.posts().len(), 1);
        // The first comes back late: what it did is not taken for the other's.
        house.domain.deliver(&house.domain.system_op("a"), &lost).await.unwrap();
        let delivered = of(&house, &ada.steps_up(), made.id).await;
        assert_eq!((delivered[0].state, delivered[0].attempts), (DeliveryState::Delivered, 1));
    })
    .await;
}

#[tokio::test]
async fn mail_and_slack_say_the_same_in_their_own_ways() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let own = ChannelOwner::Person(ada.id);
        let mail = new(own, ChannelKind::Mail, "ada@example.com", &[]);
        let mail = house.domain.create_channel(&ada.op(), mail).await.unwrap();
        let slack = new(ChannelOwner::Organization, ChannelKind::Slack, OTHER, &[]);
        let slack = house.domain.create_channel(&ada.op(), slack).await.unwrap();
        assert!(mail.secret.is_none() && slack.secret.is_none());
        for id in [mail.id, slack.id] {
            house.domain.test_channel(&ada.op(), id).await.unwrap();
        }
        route(&house).await;
        assert_eq!(attempt(&house).await, 2);
        let letter = house.tray.letters().pop().unwrap();
        assert_eq!((letter.to.as_str(), letter.subject.as_str()), ("ada@example.com", "A test of a channel"));
        insta::assert_snapshot!("mail_text", letter.text);
        insta::assert_snapshot!("mail_html", letter.html);
        let post = house.tray.posts().pop().unwrap();
        assert!(post.headers.is_empty());
        insta::assert_snapshot!("slack", String::from_utf8(post.body).unwrap());
    })
    .await;
}
