//! One-time links: one value, once, to whom it is for, for as long as their maker may read it.

use chrono::TimeDelta;
use futures_util::future::join_all;
use keywarden_model::{Role, SecretId, UserId};
use keywarden_vault::{Purpose, SecretString};

use super::{Scene, labelled, template};
use crate::cast::{Player, both_engines};
use crate::people::{LinkError, LinkKind, NoticeKind};
use crate::secrets::{
    Address, MOST_PASSPHRASES, MOST_SHARES, MadeShare, NewShare, OpenShareError, Opener, ReadSecretError,
    Revealed, ShareError, ShareLife,
};
use crate::{Actor, Op, Refused};

const VALUE: &str = "hunter2";

/// The part of a link that is its value.
fn token(made: &MadeShare) -> &str {
    made.url().strip_prefix("https://keys.example.com/shared/").unwrap()
}

fn text(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

fn to_anybody() -> NewShare {
    NewShare { version: 1, recipient: None, life: ShareLife::Day }
}

fn to(player: &Player) -> NewShare {
    NewShare { recipient: Some(player.id), ..to_anybody() }
}

impl Scene {
    fn nobody(&self) -> Op {
        self.house.op(Actor::Nobody)
    }

    async fn shared(&self, id: SecretId, new: NewShare) -> MadeShare {
        self.house.domain.share_secret(&self.alice.op(), id, new).await.unwrap()
    }

    async fn opens(&self, made: &MadeShare, passphrase: &str) -> Result<Revealed, OpenShareError> {
        self.house.domain.open_share(&self.nobody(), token(made), Some(&text(passphrase))).await
    }

    /// What the events of a secret's links say, without its other events.
    async fn told(&self, id: SecretId) -> Vec<String> {
        let events = self.events(id).await;
        events.into_iter().filter(|it| it.contains("share")).collect()
    }
}

fn is_gone<T: std::fmt::Debug>(opened: &Result<T, OpenShareError>) -> bool {
    matches!(opened, Err(OpenShareError::Gone(_)))
}

#[tokio::test]
async fn whoever_was_told_the_passphrase_reads_the_value_once() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        let made = scene.shared(id, to_anybody()).await;
        let passphrase = made.passphrase().unwrap().to_owned();
        assert_eq!(passphrase.split('-').map(str::len).collect::<Vec<_>>(), [4; 4]);
        assert!(token(&made).starts_with("kwt_share_") && !made.url().contains(&passphrase));
        for _ in 0..3 {
            let link = scene.house.domain.look_at_share(&scene.nobody(), token(&made)).await.unwrap();
            assert_eq!((link.opener, link.expires_at), (Opener::Passphrase, made.expires_at));
        }
        assert_eq!(scene.told(id).await, ["secret.share"], "to look changes nothing");
        let opened = scene.opens(&made, &passphrase.to_lowercase().replace('-', " ")).await.unwrap();
        assert_eq!((opened.value.expose(), opened.version.number), (VALUE.as_bytes(), 1));
        assert!(is_gone(&scene.opens(&made, &passphrase).await));
        assert!(scene.house.domain.look_at_share(&scene.nobody(), token(&made)).await.is_err());
        assert_eq!(scene.told(id).await, ["secret.open-share", "secret.share"]);
    })
    .await;
}

#[tokio::test]
async fn a_named_person_reads_it_signed_in_and_nobody_else_does() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        let rita = scene.house.person("Rita", &[]).await;
        let mallory = scene.house.person("Mallory", &[(Role::Owner, None)]).await;
        let made = scene.shared(id, to(&rita)).await;
        assert_eq!(made.passphrase(), None);
        let domain = &scene.house.domain;
        for op in [scene.nobody(), mallory.op(), scene.alice.op()] {
            assert!(is_gone(&domain.open_share(&op, token(&made), None).await), "{:?}", op.actor);
            assert!(is_gone(&domain.open_share(&op, token(&made), Some(&text("x"))).await));
        }
        let asleep = domain.open_share(&rita.without_step_up().op(), token(&made), None).await;
        assert!(matches!(asleep, Err(OpenShareError::Refused(Refused::StepUp))), "{asleep:?}");
        let opened = domain.open_share(&rita.op(), token(&made), None).await.unwrap();
        assert_eq!(opened.value.expose(), VALUE.as_bytes());
        assert!(is_gone(&domain.open_share(&rita.op(), token(&made), None).await));
        assert_eq!(scene.told(id).await, ["secret.open-share", "secret.share"]);
        let nothing = domain.secret(&rita.op(), &Address::Id(id)).await;
        assert!(matches!(nothing, Err(Refused::NotFound)), "she sees no more than that value");
    })
    .await;
}

/// S-11.
#[tokio::test]
async fn of_two_hundred_who_open_one_link_one_gets_the_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        let rita = scene.house.person("Rita", &[]).await;
        let anybodys = scene.shared(id, to_anybody()).await;
        let passphrase = anybodys.passphrase().unwrap().to_owned();
        let opened = join_all((0..200).map(|_| scene.opens(&anybodys, &passphrase))).await;
        assert_eq!(opened.iter().filter(|it| it.is_ok()).count(), 1);
        let ritas = scene.shared(id, to(&rita)).await;
        let ops: Vec<_> = (0..200).map(|_| rita.op()).collect();
        let opened = ops.iter().map(|op| scene.house.domain.open_share(op, token(&ritas), None));
        let opened = join_all(opened).await;
        assert_eq!(opened.iter().filter(|it| it.is_ok()).count(), 1);
        let told = scene.told(id).await;
        assert_eq!(told.iter().filter(|it| *it == "secret.open-share").count(), 2);
    })
    .await;
}

/// S-12: however many try at once, five do.
#[tokio::test]
async fn five_wrong_passphrases_end_a_link_and_its_maker_is_told() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        let made = scene.shared(id, to_anybody()).await;
        let mut left = Vec::new();
        for wrong in ["0000-0000-0000-0000", "", "nonsense", &"0".repeat(10_000)] {
            match scene.opens(&made, wrong).await {
                Err(OpenShareError::Wrong { left: more }) => left.push(more),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(left, [4, 3, 2, 1]);
        let shares = scene.house.domain.shares(&scene.alice.op(), id).await.unwrap();
        assert_eq!(shares[0].tries, 4);
        assert!(is_gone(&scene.opens(&made, "0000-0000-0000-0001").await), "the fifth ends it");
        assert!(is_gone(&scene.opens(&made, made.passphrase().unwrap()).await), "for the right one too");
        let wrong = ["secret.open-share"; 5].into_iter().chain(["secret.refuse-share", "secret.share"]);
        assert_eq!(scene.told(id).await, wrong.collect::<Vec<_>>());
        let notices = scene.house.domain.own_notices(&scene.alice.op()).await.unwrap();
        assert_eq!(notices.len(), 1);
        assert_eq!((notices[0].kind, notices[0].secret), (NoticeKind::ShareGuessed, Some(id)));

        let crowd = scene.shared(id, to_anybody()).await;
        let tried = join_all((0..200).map(|_| scene.opens(&crowd, "0000-0000-0000-0000"))).await;
        let wrong = tried.iter().filter(|it| matches!(it, Err(OpenShareError::Wrong { .. }))).count();
        assert_eq!(i64::try_from(wrong).unwrap(), MOST_PASSPHRASES - 1);
        assert!(is_gone(&scene.opens(&crowd, crowd.passphrase().unwrap()).await));
    })
    .await;
}

#[tokio::test]
async fn a_link_is_dead_once_its_maker_may_not_read_or_there_is_nothing_to_read() {
    both_engines(async |house| {
        let mut scene = Scene::set(house).await;
        for case in ["maker", "disabled", "deleted version", "deleted", "archived", "purged", "deactivated"] {
            scene.pay = scene.house.project(&case.replace(' ', "-")).await;
            let pay = scene.pay.id;
            scene.alice = scene.house.person("Alice", &[(Role::Manager, Some(pay))]).await;
            let maker = scene.house.person("Max", &[(Role::Reader, Some(pay))]).await;
            let olga = scene.house.person("Olga", &[(Role::Owner, None)]).await;
            let domain = &scene.house.domain;
            let id = scene.put("db/password", VALUE).await.id;
            scene.put("db/password", "newer").await;
            let made = domain.share_secret(&maker.op(), id, to_anybody()).await.unwrap();
            let other =
                domain.share_secret(&scene.alice.op(), id, NewShare { version: 2, ..to_anybody() }).await;
            match case {
                "maker" => {
                    let gone = keywarden_store::sql("DELETE FROM role_bindings WHERE principal_id = $1")
                        .bind(maker.id);
                    scene.house.put(vec![gone]).await;
                }
                "disabled" => domain.disable_secret_version(&scene.alice.op(), id, 1).await.unwrap(),
                "deleted version" => {
                    domain.delete_secret_version(&scene.alice.op(), id, 1).await.map(drop).unwrap();
                }
                "deleted" => {
                    domain.delete_secret(&scene.alice.op(), &Address::Id(id), None).await.map(drop).unwrap();
                }
                "archived" => domain.archive_project(&olga.op(), pay).await.map(drop).unwrap(),
                "purged" => {
                    domain.delete_secret(&scene.alice.op(), &Address::Id(id), None).await.map(drop).unwrap();
                    let mut later = domain.system_op("purge-secrets");
                    later.now += TimeDelta::days(90);
                    assert!(domain.purge_secrets(&later).await.unwrap() > 0);
                }
                _ => domain.deactivate_user(&olga.op(), maker.id).await.map(drop).unwrap(),
            }
            let passphrase = made.passphrase().unwrap();
            assert!(is_gone(&scene.opens(&made, passphrase).await), "{case}");
            let told = scene.told(id).await;
            assert_eq!(told.iter().filter(|it| *it == "secret.refuse-share").count(), 1, "{case}: {told:?}");
            assert!(!told.contains(&"secret.open-share".to_owned()), "{case}");
            if case == "disabled" {
                domain.enable_secret_version(&scene.alice.op(), id, 1).await.unwrap();
                assert!(is_gone(&scene.opens(&made, passphrase).await), "it ended for good");
            }
            if matches!(case, "maker" | "disabled" | "deleted version" | "deactivated") {
                let other = other.unwrap();
                let opened = scene.opens(&other, other.passphrase().unwrap()).await.unwrap();
                assert_eq!(opened.value.expose(), b"newer", "{case}: another link lives");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_link_serves_until_its_time_is_over_or_it_is_withdrawn() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        let domain = &scene.house.domain;
        let hour = scene.shared(id, NewShare { life: ShareLife::Hour, ..to_anybody() }).await;
        let withdrawn = scene.shared(id, to_anybody()).await;
        let listed = domain.shares(&scene.alice.op(), id).await.unwrap();
        assert_eq!(listed.len(), 2);
        let told = (listed[0].maker.as_str(), &listed[0].recipient, listed[0].version);
        assert_eq!(told, ("Alice", &None, 1));
        let reader = scene.house.person("Rudi", &[(Role::Reader, Some(scene.pay.id))]).await;
        domain.withdraw_share(&reader.without_step_up().op(), id, withdrawn.id).await.unwrap();
        let again = domain.withdraw_share(&scene.alice.op(), id, withdrawn.id).await;
        assert!(matches!(again, Err(Refused::NotFound)), "{again:?}");
        assert!(is_gone(&scene.opens(&withdrawn, withdrawn.passphrase().unwrap()).await));
        let week = scene.shared(id, NewShare { life: ShareLife::Week, ..to_anybody() }).await;
        assert_eq!(week.expires_at - scene.house.now(), TimeDelta::days(7));

        let mut later = scene.nobody();
        later.now = hour.expires_at;
        let passphrase = text(hour.passphrase().unwrap());
        let late = domain.open_share(&later, token(&hour), Some(&passphrase)).await;
        assert!(is_gone(&late), "{late:?}");
        let mut job = domain.system_op("purge-secrets");
        assert_eq!(domain.expire_shares(&job).await.unwrap(), 0);
        job.now = hour.expires_at;
        assert_eq!(domain.expire_shares(&job).await.unwrap(), 1);
        assert_eq!(domain.expire_shares(&job).await.unwrap(), 0);
        let told = scene.told(id).await;
        let wanted =
            ["secret.expire-share", "secret.share", "secret.share", "secret.share", "secret.withdraw-share"];
        assert_eq!(told, wanted);
        let open = domain.shares(&scene.alice.op(), id).await.unwrap();
        assert_eq!(open.iter().map(|it| it.id).collect::<Vec<_>>(), [week.id]);
    })
    .await;
}

#[tokio::test]
async fn a_link_is_asked_for_like_the_value() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        scene.put_as(&scene.alice.op(), "db/password", labelled("next", "pending")).await.unwrap();
        let domain = &scene.house.domain;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let before = scene.house.rows().await;
        let share = async |op: Op, new| domain.share_secret(&op, id, new).await.unwrap_err();
        let asleep = share(scene.alice.without_step_up().op(), to_anybody()).await;
        assert!(matches!(asleep, ShareError::Refused(Refused::StepUp)), "{asleep:?}");
        let viewer = share(victor.op(), to_anybody()).await;
        assert!(matches!(viewer, ShareError::Refused(Refused::Forbidden(_))), "{viewer:?}");
        let shell = share(scene.house.operator(Role::Owner), to_anybody()).await;
        assert!(matches!(shell, ShareError::NoMaker), "{shell:?}");
        let none = share(scene.alice.op(), NewShare { version: 3, ..to_anybody() }).await;
        assert!(matches!(none, ShareError::Refused(Refused::NotFound)), "{none:?}");
        let ghost = NewShare { recipient: Some(UserId::NIL), ..to_anybody() };
        let ghost = share(scene.alice.op(), ghost).await;
        assert!(matches!(ghost, ShareError::RecipientUnknown), "{ghost:?}");
        assert_eq!(scene.house.rows().await, before, "and leaves nothing");
        domain.disable_secret_version(&scene.alice.op(), id, 2).await.unwrap();
        let shut = share(scene.alice.op(), NewShare { version: 2, ..to_anybody() }).await;
        assert!(matches!(shut, ShareError::Unread(ReadSecretError::Shut { number: 2, .. })), "{shut:?}");
        for _ in 0..MOST_SHARES {
            scene.shared(id, to_anybody()).await;
        }
        assert!(matches!(share(scene.alice.op(), to_anybody()).await, ShareError::TooMany));

        let mallory = scene.house.person("Mallory", &[]).await;
        let shares = domain.shares(&mallory.op(), id).await;
        assert!(matches!(shares, Err(Refused::NotFound)), "{shares:?}");
        let open = domain.shares(&victor.op(), id).await.unwrap();
        assert_eq!(open.len(), MOST_SHARES as usize, "who sees the secret sees its links");
        let withdrawn = domain.withdraw_share(&victor.op(), id, open[0].id).await;
        assert!(matches!(withdrawn, Err(Refused::Forbidden(_))), "{withdrawn:?}");
        let withdrawn = domain.withdraw_share(&mallory.op(), id, open[0].id).await;
        assert!(matches!(withdrawn, Err(Refused::NotFound)), "{withdrawn:?}");
        let elsewhere = scene.put("another", "x").await.id;
        let withdrawn = domain.withdraw_share(&scene.alice.op(), elsewhere, open[0].id).await;
        assert!(matches!(withdrawn, Err(Refused::NotFound)), "a link of another secret: {withdrawn:?}");
    })
    .await;
}

#[tokio::test]
async fn no_link_is_made_to_a_template_and_none_gives_one_away() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        scene.put("db/password", VALUE).await;
        let id = scene.put("url", "plain").await.id;
        scene.put_as(&scene.alice.op(), "url", template("${pay/live/db/password}")).await.unwrap();
        let before = scene.house.rows().await;
        let new = || NewShare { version: 2, ..to_anybody() };
        let refused = domain.share_secret(&scene.alice.op(), id, new()).await.unwrap_err();
        assert!(matches!(refused, ShareError::Template(2)), "{refused:?}");
        assert_eq!(scene.house.rows().await, before, "and leaves nothing");
        let made = scene.shared(id, to_anybody()).await;
        let passphrase = made.passphrase().unwrap().to_owned();
        let opened = scene.opens(&made, &passphrase).await.unwrap();
        assert_eq!(opened.value.expose(), b"plain", "an older version that is none is shared as ever");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_link_of_this_kind_opens_nothing() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        let made = scene.shared(id, to_anybody()).await;
        let good = token(&made);
        let olga = scene.house.person("Olga", &[(Role::Owner, None)]).await;
        let invited =
            scene.house.domain.invite(&olga.op(), &"Bob".parse().unwrap(), Role::Auditor, None).await;
        let invited = invited.unwrap().url.expose().rsplit('/').next().unwrap().to_owned();
        let flipped = good.replacen("kwt_share_", "kwt_invite_", 1);
        for wrong in ["", "x", &good[1..], &flipped, &invited, &good.to_uppercase()] {
            let opened = scene.house.domain.open_share(&scene.nobody(), wrong, None).await;
            assert!(is_gone(&opened), "{wrong}: {opened:?}");
        }
        // The right id with the secret of another link: found, and not proven.
        let other = scene.shared(id, to_anybody()).await;
        let other = token(&other);
        let mixed = format!("{}{}", &good[..22], &other[22..]);
        assert!(is_gone(&scene.house.domain.open_share(&scene.nobody(), &mixed, None).await));
        assert_eq!(scene.house.domain.shares(&scene.alice.op(), id).await.unwrap()[0].tries, 0);
        let joined = scene.house.domain.look_at_link(&scene.nobody(), LinkKind::Invitation, good).await;
        assert!(joined.is_err(), "nor does it let anybody in");
    })
    .await;
}

#[tokio::test]
async fn a_machine_makes_links_too_and_a_repeated_request_makes_one() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("db/password", VALUE).await.id;
        let deployer = scene.house.workload("deployer", Role::Reader, Some(scene.pay.id)).await;
        let made = scene.house.domain.share_secret(&deployer.op(), id, to_anybody()).await.unwrap();
        assert_eq!(
            scene.opens(&made, made.passphrase().unwrap()).await.unwrap().value.expose(),
            VALUE.as_bytes()
        );
        let op = || scene.alice.op_once("0123456789", &[b"share"]);
        let first = scene.house.domain.share_secret(&op(), id, to_anybody()).await.unwrap();
        let again = scene.house.domain.share_secret(&op(), id, to_anybody()).await.unwrap();
        assert_eq!((first.id, first.url(), first.passphrase()), (again.id, again.url(), again.passphrase()));
        assert_eq!(scene.house.domain.shares(&scene.alice.op(), id).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_lacks_a_new_key_puts_off_links_and_counts_no_passphrase_as_wrong() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let scene = Scene::set(house).await;
        let (house, domain) = (&scene.house, &scene.house.domain);
        let id = scene.put("db/password", VALUE).await.id;
        let node = house.neighbour_apart(&seals).await;
        let rotate = async || {
            let shell = house.operator(Role::Owner);
            domain.rotate_keyring_key(&shell, Purpose::OneTimeMac, &seals).await.unwrap();
        };
        // Nobody knows of the node, so nobody waits for it.
        rotate().await;
        let made = scene.shared(id, to_anybody()).await;
        let on_node = async |made: &MadeShare| {
            let passphrase = text(made.passphrase().unwrap());
            node.domain.open_share(&scene.nobody(), token(made), Some(&passphrase)).await
        };
        for _ in 0..MOST_PASSPHRASES {
            let put_off = on_node(&made).await;
            let passing =
                matches!(&put_off, Err(OpenShareError::Refused(Refused::Fault(it))) if it.is_passing());
            assert!(passing, "{put_off:?}");
        }
        let forged = token(&made).chars().rev().collect::<String>();
        assert!(matches!(node.domain.look_at_share(&scene.nobody(), &forged).await, Err(LinkError::Gone(_))));
        assert_eq!(
            scene.opens(&made, made.passphrase().unwrap()).await.unwrap().value.expose(),
            VALUE.as_bytes()
        );

        // Of one that is known, everybody waits for it.
        house.tells_of_itself("one").await;
        node.domain.unseal(&seals).await.unwrap();
        node.tells_of_itself("two").await;
        rotate().await;
        house.tells_of_itself("one").await;
        let made = scene.shared(id, to_anybody()).await;
        assert_eq!(on_node(&made).await.unwrap().value.expose(), VALUE.as_bytes());
    })
    .await;
}
