use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join;
use keywarden_model::PasskeyId;
use keywarden_store::sql;

use super::*;
use crate::Refused;
use crate::cast::both_engines;
use crate::passkeys::soft::SoftError;
use crate::passkeys::{CreationOptions, PasskeyError};

/// Adds a passkey of another authenticator.
pub(super) async fn adds(house: &House, who: &Somebody, soft: &mut SoftAuthenticator) -> PasskeyId {
    let (op, name) = (who.op(house), named("Backup"));
    let started = house.domain.start_add_passkey(&op, &name).await.unwrap();
    let answer = made(soft, &started.options);
    house.domain.finish_add_passkey(&op, started.ceremony, &answer, &name).await.unwrap().passkey
}

#[tokio::test]
async fn a_passkey_is_added_named_used_and_removed_but_never_the_last() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let first = ada.person.passkey.unwrap();
        let alone = house.domain.remove_passkey(&ada.op(&house), first).await;
        assert!(matches!(alone, Err(PasskeyChangeError::Last)));
        let mut backup = SoftAuthenticator::new(9);
        backup.habits.backup_eligible = true;
        let second = adds(&house, &ada, &mut backup).await;
        house.domain.rename_passkey(&ada.op(&house), second, &named("In the safe")).await.unwrap();
        let own = house.domain.own_passkeys(&ada.op(&house)).await.unwrap();
        let shown: Vec<_> = own.iter().map(|it| (it.name.as_str(), it.synced)).collect();
        assert_eq!(shown, [("YubiKey", false), ("In the safe", true)]);
        assert_eq!(own[0].may_approve_after, house.now());
        assert_eq!(own[1].may_approve_after, house.now() + TimeDelta::hours(24));
        let by_first = ada.signs_in(&house).await.unwrap();
        let mut with_second = Somebody { soft: backup, person: ada.person.clone(), key: ada.key.clone() };
        let by_second = with_second.signs_in(&house).await.unwrap();
        let in_use = house.domain.remove_passkey(&by_first.op(&house), first).await;
        assert!(matches!(in_use, Err(PasskeyChangeError::InUse)), "{in_use:?}");
        assert!(by_first.resolved(&house).await.is_some());
        let before = credentials(&house).await[4];
        house.domain.remove_passkey(&by_second.op(&house), first).await.unwrap();
        for session in [&ada, &by_first] {
            assert!(session.resolved(&house).await.is_none(), "sessions of a lost passkey end");
        }
        assert!(by_second.resolved(&house).await.is_some());
        assert_eq!(before - credentials(&house).await[4], 2, "their rows go");
        assert_eq!(events(&house, "passkey.remove", "allowed").await, 1);
        assert!(matches!(
            ada.signs_in(&house).await,
            Err(CeremonyError::Passkey(PasskeyError::UnknownCredential))
        ));
        let last = house.domain.remove_passkey(&by_second.op(&house), second).await;
        assert!(matches!(last, Err(PasskeyChangeError::Last)));
        let told = house.domain.own_notices(&by_second.op(&house)).await.unwrap();
        let kinds: Vec<_> = told.iter().map(|it| it.kind).collect();
        assert_eq!(kinds.len(), 2);
        assert!(kinds.contains(&NoticeKind::PasskeyAdded) && kinds.contains(&NoticeKind::PasskeyRemoved));
        house.domain.dismiss_notice(&by_second.op(&house), told[0].id).await.unwrap();
        assert_eq!(house.domain.own_notices(&by_second.op(&house)).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_two_passkeys_removed_at_the_same_moment_one_stays() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let mut soft = SoftAuthenticator::new(9);
        let second = adds(&house, &ada, &mut soft).await;
        let mut with_second = Somebody { soft, person: ada.person.clone(), key: ada.key.clone() };
        // Each removes the other's.
        let (one, other) = (with_second.signs_in(&house).await.unwrap().op(&house), ada.op(&house));
        let first = ada.person.passkey.unwrap();
        let (one, other) =
            join(house.domain.remove_passkey(&one, first), house.domain.remove_passkey(&other, second)).await;
        assert_ne!(one.is_ok(), other.is_ok());
        assert_eq!(credentials(&house).await[2], 1);
    })
    .await;
}

#[tokio::test]
async fn the_last_passkey_that_one_may_have_is_told_before_another_is_made_and_who_recovers_gets_in() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let theirs = |n: usize| {
            (0..n).map(|_| {
                let id: PasskeyId = house.domain.env().id(house.now());
                sql("INSERT INTO passkeys (id, user_id, credential_id, name, credential, attestation, synced, created_at,
                                           may_approve_after, row_version)
                     SELECT $1, user_id, $2, name, credential, attestation, synced, created_at, may_approve_after, 1
                     FROM passkeys WHERE user_id = $3 ORDER BY id LIMIT 1")
                .bind(id)
                .bind(house.domain.env().bytes::<16>())
                .bind(ada.person.id)
            })
        };
        house.put(theirs(MOST_PASSKEYS - 2).collect()).await;
        // Both were begun while there was room for one.
        let mut soft = [SoftAuthenticator::new(9), SoftAuthenticator::new(10)];
        let mut begun = Vec::new();
        for soft in &mut soft {
            let started = house.domain.start_add_passkey(&ada.op(&house), &named("Backup")).await.unwrap();
            begun.push((started.ceremony, made(soft, &started.options)));
        }
        let mut done = Vec::new();
        for (ceremony, answer) in begun {
            let op = ada.op(&house);
            done.push(house.domain.finish_add_passkey(&op, ceremony, &answer, &named("Backup")).await);
        }
        assert!(done[0].is_ok(), "{done:?}");
        assert!(matches!(done[1], Err(CeremonyError::TooManyPasskeys)), "{done:?}");
        let more = house.domain.start_add_passkey(&ada.op(&house), &named("Backup")).await;
        assert!(matches!(more, Err(CeremonyError::TooManyPasskeys)), "{more:?}");
        let recovering = Person { recovering: true, ..ada.person.clone() };
        let recovering = house.op(Actor::Person(recovering));
        house.domain.start_add_passkey(&recovering, &named("Another")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_authenticator_is_registered_once_whoever_asks() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let started = house.domain.start_add_passkey(&ada.op(&house), &named("Added")).await.unwrap();
        let excluded = ada.soft.create(ORIGIN, &json(&started.options));
        assert_eq!(excluded.unwrap_err(), SoftError::InvalidState);
        // Another person's authenticator that claims a credential id that is taken.
        let bob = super::join(&house, &ada, "Bob", keywarden_model::Role::Auditor, None, 2).await;
        let taken = ada.soft.get(ORIGIN, &serde_json::json!({"rpId": "keys.example.com", "challenge": "AA"}));
        let taken = crate::passkeys::CredentialId::try_from(raw_id(&taken.unwrap())).unwrap();
        let mut thief = SoftAuthenticator::new(9);
        thief.habits.credential_id = Some(taken.as_bytes().to_vec());
        let started = house.domain.start_add_passkey(&bob.op(&house), &named("Added")).await.unwrap();
        let answer = made(&mut thief, &started.options);
        let before = credentials(&house).await;
        let op = bob.op(&house);
        let twice = house.domain.finish_add_passkey(&op, started.ceremony, &answer, &named("Mine")).await;
        assert!(matches!(twice, Err(CeremonyError::Passkey(PasskeyError::AlreadyRegistered))));
        assert_eq!(credentials(&house).await, before);
    })
    .await;
}

#[tokio::test]
async fn no_two_passkeys_of_a_person_are_called_alike() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let mut soft = SoftAuthenticator::new(9);
        let op = ada.op(&house);
        let taken = |error: CeremonyError| matches!(error, CeremonyError::NameTaken);
        // Setting up called hers "YubiKey".
        for alike in ["YubiKey", "yubikey", " YUBIKEY ", "ＹｕｂｉＫｅｙ", "Yubi\u{212a}ey"] {
            assert!(taken(house.domain.start_add_passkey(&op, &named(alike)).await.unwrap_err()), "{alike}");
        }
        let before = credentials(&house).await;
        // Nor is one added under another name than it was begun with.
        let started = house.domain.start_add_passkey(&op, &named("Safe")).await.unwrap();
        let answer = made(&mut soft, &started.options);
        let added = house.domain.finish_add_passkey(&op, started.ceremony, &answer, &named("yubikey")).await;
        assert!(taken(added.unwrap_err()));
        assert_eq!(credentials(&house).await, before);
        let second = adds(&house, &ada, &mut SoftAuthenticator::new(8)).await;
        let renamed = house.domain.rename_passkey(&op, second, &named("YubiKey")).await;
        assert!(matches!(renamed, Err(PasskeyChangeError::NameTaken)));
        house.domain.rename_passkey(&op, second, &named("BACKUP")).await.unwrap();
        let names: Vec<_> =
            house.domain.own_passkeys(&op).await.unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["YubiKey", "BACKUP"]);
        // Another person's are their own affair.
        let bob = super::join(&house, &ada, "Bob", keywarden_model::Role::Auditor, None, 2).await;
        house.domain.start_add_passkey(&bob.op(&house), &named("YubiKey")).await.unwrap();
        // Of two that get one name at once, one does.
        let third = {
            let started = house.domain.start_add_passkey(&op, &named("Third")).await.unwrap();
            let answer = made(&mut SoftAuthenticator::new(7), &started.options);
            house.domain.finish_add_passkey(&op, started.ceremony, &answer, &named("Third")).await.unwrap()
        };
        let spare = named("Spare");
        let (one, other) = join(
            house.domain.rename_passkey(&op, second, &spare),
            house.domain.rename_passkey(&op, third.passkey, &spare),
        )
        .await;
        assert_ne!(one.is_ok(), other.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_passkey_is_added_while_the_last_one_counts_and_is_not_made_in_vain() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let (name, mut soft) = (named("Backup"), SoftAuthenticator::new(9));
        let start = async || house.domain.start_add_passkey(&ada.op(&house), &name).await;
        let finish = async |started: &Started<CreationOptions>, soft: &mut SoftAuthenticator| {
            let answer = made(soft, &started.options);
            house.domain.finish_add_passkey(&ada.op(&house), started.ceremony, &answer, &name).await
        };
        assert_eq!(json(&start().await.unwrap().options)["timeout"], 300_000);

        // Two minutes are enough to take an authenticator out of a drawer, and the browser knows of them.
        house.clock.advance(Duration::from_mins(3));
        let in_time = start().await.unwrap();
        let too_late = start().await.unwrap();
        assert_eq!(json(&in_time.options)["timeout"], 120_000);
        house.clock.advance(Duration::from_secs(1));
        let begun = start().await;
        assert!(matches!(begun, Err(CeremonyError::Refused(Refused::StepUp))), "{begun:?}");
        // 4:50.
        house.clock.advance(Duration::from_secs(109));
        let begun = start().await;
        assert!(matches!(begun, Err(CeremonyError::Refused(Refused::StepUp))), "{begun:?}");
        finish(&in_time, &mut soft).await.unwrap();
        // 5:10.
        house.clock.advance(Duration::from_secs(20));
        let late = finish(&too_late, &mut SoftAuthenticator::new(8)).await;
        assert!(matches!(late, Err(CeremonyError::Gone)), "{late:?}");
        assert_eq!(credentials(&house).await[2], 2);
    })
    .await;
}

fn raw_id(answer: &Value) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(answer["rawId"].as_str().unwrap()).unwrap()
}
