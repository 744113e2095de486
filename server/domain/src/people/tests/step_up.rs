//! S-14: stepping up proves the session's person by the session's own passkey, and never makes it another's.

use std::time::Duration;

use keywarden_model::Role;
use serde_json::json;

use super::passkeys::adds;
use super::*;
use crate::cast::both_engines;
use crate::passkeys::PasskeyError;
use crate::{Action, Refused, Resource};

#[tokio::test]
async fn a_session_that_grew_old_changes_nothing_until_its_person_signs_again() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        house.clock.advance(Duration::from_mins(6));
        let ask = async |ada: &Somebody| {
            house.domain.authorize(&ada.op(&house), Action::CreateTeam, &Resource::Organization).await.is_ok()
        };
        assert!(!ask(&ada).await);
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let after = house.domain.finish_step_up(&ada.op(&house), started.ceremony, &answer).await.unwrap();
        let after = Somebody::new(ada.soft.clone(), after);
        assert!(ask(&after).await);
        assert_eq!(after.person.session, ada.person.session);
        // The cookie changed with the proof (ASVS 7.2.4).
        assert_eq!(ada.resolved(&house).await, None);
        assert_eq!(after.resolved(&house).await.as_ref(), Some(&after.person));
    })
    .await;
}

#[tokio::test]
async fn somebody_elses_passkey_steps_nobody_up_and_is_recorded() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let mut bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let mut options = super::json(&started.options);
        options["allowCredentials"] = json!([]);
        let answer = got(&mut bob.soft, &options);
        let refused = house.domain.finish_step_up(&ada.op(&house), started.ceremony, &answer).await;
        assert!(matches!(refused, Err(CeremonyError::Passkey(PasskeyError::UnknownCredential))));
        assert_eq!(ada.resolved(&house).await.as_ref(), Some(&ada.person));
        assert_eq!(events(&house, "session.step-up", "refused").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_finishes_no_other_sessions_ceremony() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let elsewhere = ada.signs_in(&house).await.unwrap();
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let refused = house.domain.finish_step_up(&elsewhere.op(&house), started.ceremony, &answer).await;
        assert!(matches!(refused, Err(CeremonyError::Gone)));
        let nobody = house.domain.start_step_up(&nobody(&house)).await;
        assert!(matches!(nobody, Err(CeremonyError::Refused(Refused::NotFound))));
    })
    .await;
}

/// Shows `soft` to a step-up of `who`, whatever it asks for.
async fn shows(
    house: &House,
    who: &Somebody,
    soft: &mut SoftAuthenticator,
) -> Result<Somebody, CeremonyError> {
    let started = house.domain.start_step_up(&who.op(house)).await?;
    let mut options = super::json(&started.options);
    options["allowCredentials"] = json!([]);
    let answer = got(soft, &options);
    let after = house.domain.finish_step_up(&who.op(house), started.ceremony, &answer).await?;
    Ok(Somebody::new(soft.clone(), after))
}

fn refused_for(shown: Result<Somebody, CeremonyError>) -> PasskeyError {
    match shown {
        Err(CeremonyError::Passkey(why)) => why,
        other => panic!("{:?}", other.map(|it| it.person)),
    }
}

#[tokio::test]
async fn only_the_passkey_that_opened_the_session_steps_it_up() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let mut second = SoftAuthenticator::new(9);
        let spare = adds(&house, &ada, &mut second).await;
        house.clock.advance(Duration::from_mins(6));
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        assert_eq!(super::json(&started.options)["allowCredentials"].as_array().unwrap().len(), 1);
        assert_eq!(house.domain.session_passkey(&ada.op(&house)).await.unwrap().unwrap().name, "YubiKey");

        // Her other passkey is as good for signing in, and proves nothing here.
        assert_eq!(refused_for(shows(&house, &ada, &mut second).await), PasskeyError::AnotherPasskey);
        assert_eq!(
            ada.resolved(&house).await.as_ref(),
            Some(&ada.person),
            "neither proven nor given a new cookie"
        );
        assert_eq!(events(&house, "session.step-up", "refused").await, 1);
        let mut with_second =
            Somebody { soft: second, person: ada.person.clone(), key: Arc::clone(&ada.key) };
        let by_second = with_second.signs_in(&house).await.unwrap();
        assert_eq!(by_second.person.passkey, Some(spare));
        assert_eq!(refused_for(shows(&house, &by_second, &mut ada.soft).await), PasskeyError::AnotherPasskey);
        assert_eq!(
            house.domain.session_passkey(&by_second.op(&house)).await.unwrap().unwrap().name,
            "Backup"
        );

        // Each session's own one does, again and again.
        let mut own = with_second.soft.clone();
        let once = shows(&house, &by_second, &mut own).await.unwrap();
        house.clock.advance(Duration::from_mins(6));
        let twice = shows(&house, &once, &mut own).await.unwrap();
        assert_eq!((twice.person.passkey, twice.person.asserted_at), (Some(spare), Some(house.now())));
        let mut first = ada.soft.clone();
        shows(&house, &ada, &mut first).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_its_passkey_and_is_stepped_up_by_none() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let mut second = SoftAuthenticator::new(9);
        adds(&house, &ada, &mut second).await;
        let begun = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let mut with_second =
            Somebody { soft: second.clone(), person: ada.person.clone(), key: Arc::clone(&ada.key) };
        let by_second = with_second.signs_in(&house).await.unwrap();
        let first = ada.person.passkey.unwrap();
        house.domain.remove_passkey(&by_second.op(&house), first).await.unwrap();
        assert_eq!(ada.resolved(&house).await, None);
        assert_eq!(house.domain.session_passkey(&ada.op(&house)).await.unwrap(), None);
        // A request that came in before: neither what is left serves, nor what is gone in a ceremony that had begun.
        assert_eq!(refused_for(shows(&house, &ada, &mut second).await), PasskeyError::NoPasskey);
        let answer = got(&mut ada.soft, &begun.options);
        let late = house.domain.finish_step_up(&ada.op(&house), begun.ceremony, &answer).await;
        assert!(matches!(late, Err(CeremonyError::Gone)));
        assert_eq!(events(&house, "session.step-up", "refused").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_recovered_session_is_stepped_up_by_the_passkey_that_it_enrolled() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let code = codes(&house, &ada).await.remove(0);
        let came_in = house.domain.use_recovery_code(&nobody(&house), &typed(&code)).await.unwrap();
        let recovering = Somebody::new(ada.soft.clone(), came_in);
        // Before, none does.
        let early = house.domain.start_step_up(&recovering.op(&house)).await;
        assert!(matches!(early, Err(CeremonyError::Refused(Refused::StepUp))));
        let mut fresh = SoftAuthenticator::new(9);
        let started = house.domain.start_add_passkey(&recovering.op(&house), &named("Added")).await.unwrap();
        let answer = made(&mut fresh, &started.options);
        let (op, name) = (recovering.op(&house), named("New key"));
        let added = house.domain.finish_add_passkey(&op, started.ceremony, &answer, &name).await.unwrap();
        let whole = Somebody::new(fresh.clone(), added.recovered.unwrap());
        assert_eq!(refused_for(shows(&house, &whole, &mut ada.soft).await), PasskeyError::AnotherPasskey);
        let after = shows(&house, &whole, &mut fresh).await.unwrap();
        assert_eq!(after.person.passkey, Some(added.passkey));
    })
    .await;
}
