//! Whom an event concerns, what they said they want to know, and what the bell counts.

use std::time::Duration;

use chrono::TimeDelta;
use keywarden_model::{AccessRequestId, ApiKeyId};
use keywarden_store::Written;

use super::*;
use crate::access::{NewRequest, Rule, Terms};
use crate::people::NoticeKind;

/// A key of somebody's in `pay`/`live` that was made now and expires then.
async fn key(
    house: &House,
    stage: &crate::cast::Stage,
    owner: (&'static str, String),
    lasts: TimeDelta,
) -> ApiKeyId {
    let (now, env) = (house.now(), house.domain.env());
    let id: ApiKeyId = env.id(now);
    let row = sql("INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind, owner_id,
                       scopes, allowed_cidrs, tags, metadata, expires_at, imported, created_at, created_by, row_version)
                   VALUES ($1, $2, $3, $4, $5, '', $6, $7, '[]', '[]', '[]', '{}', $8, FALSE, $9, 'cast', 1)")
        .bind(id)
        .bind(stage.id)
        .bind(stage.live)
        .bind(format!("key {id}"))
        .bind(id.to_string())
        .bind(owner.0)
        .bind(owner.1)
        .bind(now + lasts)
        .bind(now);
    house.put(vec![row]).await;
    id
}

async fn watch(house: &House) -> u64 {
    house.domain.watch_keys(&house.domain.system_op("watch-keys")).await.unwrap()
}

#[tokio::test]
async fn what_is_rolled_back_leaves_no_message_and_what_commits_has_one() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let id = hook(&house, &ada, HOOK).await.id;
        let op = house.domain.system_op("test");
        // The same event twice: its second row cannot be written, and nothing of all this is.
        let twice: Result<(), Refused> = house
            .domain
            .change_unasked(&op, "a test", &[], move |_, record| {
                Box::pin(async move {
                    let event = record.event("channel.test", "channel", id).finish()?;
                    Ok(Written::new((), event.clone()).and(event))
                })
            })
            .await;
        assert!(twice.is_err());
        assert_eq!(rows(&house, MESSAGES).await, 0);
        house.domain.test_channel(&ada.op(), id).await.unwrap();
        assert_eq!(rows(&house, MESSAGES).await, 1);
        // What is not told makes none.
        house.domain.pause_channel(&ada.op(), id).await.unwrap();
        assert_eq!(rows(&house, MESSAGES).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_keys_owner_is_told_thirty_seven_and_one_days_before_its_end_and_each_time_once() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let bob = house.person("Bob", &[]).await;
        let (cal, dee) = (house.person("Cal", &[]).await, house.person("Dee", &[]).await);
        let team = house.team("payments", &[cal.id, dee.id], &[]).await;
        let _long = key(&house, &pay, ("person", bob.id.to_string()), TimeDelta::days(40)).await;
        let _teams = key(&house, &pay, ("team", team.to_string()), TimeDelta::days(40)).await;
        let _short = key(&house, &pay, ("person", bob.id.to_string()), TimeDelta::hours(6)).await;
        assert_eq!(watch(&house).await, 0, "one that lives for hours is not told of at its beginning");
        for (days, told) in [(9, 0), (2, 2), (10, 0), (13, 2), (5, 2)] {
            house.clock.advance(Duration::from_hours(days * 24));
            assert_eq!(watch(&house).await, told, "after {days} more days");
            assert_eq!(watch(&house).await, 0, "once");
        }
        assert_eq!(route(&house).await, 6);
        for who in [&bob, &cal, &dee] {
            assert_eq!(house.domain.unread_notices(&who.op()).await.unwrap(), 3, "{}", who.name);
        }
        let page = house.domain.notices(&bob.op(), true, None, 10).await.unwrap();
        let newest = &page.notices[0];
        assert_eq!(newest.kind, NoticeKind::Message(MessageKind::KeyExpiry));
        let told = newest.told.as_ref().unwrap();
        assert_eq!((told.event.as_str(), &told.facts["days"]), ("key.expires-soon", &serde_json::json!(1)));
        assert!(told.name.starts_with("key key_"));
    })
    .await;
}

#[tokio::test]
async fn the_bell_counts_what_is_not_read_and_each_persons_apart() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let (bob, eve) = (house.person("Bob", &[]).await, house.person("Eve", &[]).await);
        for _ in 0..3 {
            key(&house, &pay, ("person", bob.id.to_string()), TimeDelta::days(32)).await;
        }
        house.clock.advance(Duration::from_hours(3 * 24));
        watch(&house).await;
        route(&house).await;
        let unread = async |who: &Player| house.domain.unread_notices(&who.op()).await.unwrap();
        assert_eq!((unread(&bob).await, unread(&eve).await), (3, 0));
        let all = house.domain.notices(&bob.op(), false, None, 2).await.unwrap();
        assert_eq!(all.notices.len(), 2);
        let older = house.domain.notices(&bob.op(), false, all.next, 2).await.unwrap();
        assert_eq!((older.notices.len(), older.next), (1, None));
        // Somebody else's is not there.
        let others = house.domain.dismiss_notice(&eve.op(), all.notices[0].id).await;
        assert!(matches!(others, Err(Refused::NotFound)));
        house.domain.dismiss_notice(&bob.op(), all.notices[0].id).await.unwrap();
        assert_eq!(unread(&bob).await, 2);
        house.domain.dismiss_notices(&bob.op(), all.notices[1].id).await.unwrap();
        assert_eq!(unread(&bob).await, 0);
        assert!(house.domain.notices(&bob.op(), true, None, 10).await.unwrap().notices.is_empty());
        let read = house.domain.notices(&bob.op(), false, None, 10).await.unwrap().notices;
        assert!(read.len() == 3 && read.iter().all(|it| it.read_at.is_some()), "read ones stay");
    })
    .await;
}

#[tokio::test]
async fn who_is_silent_is_not_told_but_an_owner_is_of_what_endangers_the_house() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let own = new(ChannelOwner::Person(ada.id), ChannelKind::Mail, "ada@example.com", &[]);
        house.domain.create_channel(&ada.op(), own).await.unwrap();
        let org = new(ChannelOwner::Organization, ChannelKind::Slack, OTHER, &[MessageKind::Backup]);
        let org = house.domain.create_channel(&ada.op(), org).await.unwrap().id;
        let silent = BTreeSet::from([MessageKind::KeyExpiry, MessageKind::Backup, MessageKind::Seal]);
        house.domain.choose_messages(&ada.op(), silent).await.unwrap();
        let choices = house.domain.message_choices(&ada.op()).await.unwrap();
        assert!(choices.owner && !choices.may_silence(MessageKind::Seal));
        assert_eq!(
            choices.silenced,
            BTreeSet::from([MessageKind::KeyExpiry]),
            "she cannot be silent about the rest"
        );
        key(&house, &pay, ("person", ada.id.to_string()), TimeDelta::days(32)).await;
        house.clock.advance(Duration::from_hours(3 * 24));
        let op = house.domain.system_op("make-backups");
        assert_eq!(watch(&house).await, 1);
        house.domain.tell_of_failed_backup(&op).await.unwrap();
        house.domain.tell_of_failed_backup(&op).await.unwrap();
        assert_eq!(route(&house).await, 2, "the backup is told of once a day");
        attempt(&house).await;
        let notices = house.domain.notices(&ada.op(), true, None, 10).await.unwrap().notices;
        let kinds: Vec<_> = notices.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [NoticeKind::Message(MessageKind::Backup)]);
        let subjects: Vec<_> = house.tray.letters().into_iter().map(|it| it.subject).collect();
        assert_eq!(subjects, ["A backup was not made"]);
        // The organization's channel listens to backups alone.
        assert_eq!(house.tray.posts().len(), 1);
        assert_eq!(of(&house, &ada, org).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_for_access_is_told_to_whoever_can_answer_it_and_its_answer_to_whoever_asked() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let (bob, eve) = (house.person("Bob", &[]).await, house.person("Eve", &[]).await);
        let terms = Terms {
            lasts: TimeDelta::hours(1),
            reason: "INC-7".parse().unwrap(),
            ticket: "".parse().unwrap(),
        };
        let wanted = |project: &str| NewRequest {
            role: Role::Manager,
            project: Some(project.into()),
            holder: None,
            terms: terms.clone(),
        };
        let unread = async || {
            let mut counts = Vec::new();
            for who in [&ada, &mia, &bob, &eve] {
                counts.push(house.domain.unread_notices(&who.op()).await.unwrap());
            }
            counts
        };
        let id = house.domain.request_access(&bob.op(), wanted("pay")).await.unwrap();
        // Nobody can answer this one, and nobody is told.
        house.domain.request_access(&bob.op(), wanted("nowhere")).await.unwrap();
        assert_eq!(route(&house).await, 2);
        assert_eq!(unread().await, [1, 1, 0, 0]);
        house.domain.deny_access(&mia.op(), id, "Not today.".parse().unwrap()).await.unwrap();
        assert_eq!(route(&house).await, 1);
        assert_eq!(unread().await, [1, 1, 1, 0]);
    })
    .await;
}

#[tokio::test]
async fn what_becomes_of_a_request_does_not_tell_whether_there_is_such_a_project() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let bob = house.person("Bob", &[]).await;
        hook(&house, &ada, HOOK).await;
        let own = new(ChannelOwner::Person(bob.id), ChannelKind::Mail, "bob@example.com", &[]);
        house.domain.create_channel(&bob.op(), own).await.unwrap();
        let terms = Terms {
            lasts: TimeDelta::hours(1),
            reason: "INC-7".parse().unwrap(),
            ticket: "".parse().unwrap(),
        };
        let mut ids = Vec::new();
        for project in ["pay", "nowhere", "pay"] {
            let (project, terms) = (Some(project.to_owned()), terms.clone());
            let wanted = NewRequest { role: Role::Manager, project, holder: None, terms };
            ids.push(house.domain.request_access(&bob.op(), wanted).await.unwrap());
        }
        house.domain.deny_access(&mia.op(), ids[2], "Not today.".parse().unwrap()).await.unwrap();
        house.clock.advance(Rule::built_in().unanswered().to_std().unwrap() + Duration::from_secs(1));
        assert_eq!(house.domain.end_due_access(&house.domain.system_op("end-access")).await.unwrap(), 2);
        route(&house).await;
        while attempt(&house).await > 0 {}
        let letters = house.tray.letters();
        let read = |id: &AccessRequestId| {
            let id = id.to_string();
            let letter =
                letters.iter().find(|it| it.to.as_str() == "bob@example.com" && it.text.contains(&id));
            let letter = letter.unwrap();
            (letter.subject.clone(), letter.text.replace(&id, "ID"), letter.html.replace(&id, "ID"))
        };
        assert_eq!(read(&ids[0]), read(&ids[1]));
        let (subject, text, _) = read(&ids[2]);
        assert!(!format!("{subject} {text}").to_lowercase().contains("pay"), "{subject} {text}");
        // Nor do programs read it.
        let posts = house.tray.posts();
        let posts = posts.iter().map(|it| serde_json::from_slice::<serde_json::Value>(&it.body).unwrap());
        let of_end = |it: &serde_json::Value| {
            it["type"] == "dev.keywarden.access.expire.v1" || it["type"] == "dev.keywarden.access.deny.v1"
        };
        let places: Vec<_> = posts.filter(of_end).map(|it| it["data"]["project"].clone()).collect();
        assert_eq!(places, vec![serde_json::Value::Null; 3]);
    })
    .await;
}

#[tokio::test]
async fn what_is_three_months_old_goes_and_what_waits_stays() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        let (gone, stays) = (hook(&house, &ada, HOOK).await.id, hook(&house, &ada, OTHER).await.id);
        house.tray.answers(OTHER, Answer::Fails(CarryError::passing("503")));
        for id in [gone, stays] {
            house.domain.test_channel(&ada.op(), id).await.unwrap();
        }
        house.domain.tell_of_failed_backup(&house.domain.system_op("x")).await.unwrap();
        route(&house).await;
        attempt(&house).await;
        house.clock.advance(Duration::from_hours(91 * 24));
        for _ in 0..2 {
            house.domain.sweep(&house.domain.system_op("sweep")).await.unwrap();
        }
        let left = rows(&house, "SELECT count(*) AS number FROM deliveries").await;
        assert_eq!((left, rows(&house, MESSAGES).await), (3, 2), "what failed, and what waits behind it");
        assert_eq!(rows(&house, "SELECT count(*) AS number FROM notices").await, 0);
    })
    .await;
}
